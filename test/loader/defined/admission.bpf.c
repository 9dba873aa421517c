/* A plug-in that admits or denies requests of a web server; admission.h is the definition's header. */
#include <linux/bpf.h>
#include "admission.h"
#include <bpf/bpf_helpers.h>

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 64);
  __type(key, __u32);
  __type(value, __u64);
} requests SEC(".maps");

SEC("admission")
int admit(struct admission *request) {
  __u32 client = request->client;
  __u64 one = 1, *count = bpf_map_lookup_elem(&requests, &client);
  if (count)
    __sync_fetch_and_add(count, 1);
  else
    bpf_map_update_elem(&requests, &client, &one, BPF_ANY);
  if (request->path_length > 200) {
    char text[16] = "path too long";
    audit(text, sizeof(text), request->path_length);
    request->reason = 414;
    return DENY;
  }
  if (request->method == 3 && quota(client, request->bytes) == 0) {
    request->reason = 413;
    return DENY;
  }
  return ADMIT;
}

char _license[] SEC("license") = "MIT";
