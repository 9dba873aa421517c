/* expect: helper-argument at "bpf_map_delete_elem(&sessions, (void *)ctx[1])" */
/* A number is not the address of a key. */
#include "../../corpus/corpus.h"

TABLE(sessions, BPF_MAP_TYPE_HASH, __u64, __u64, 16);

SEC("tracepoint/raw_syscalls/sys_enter")
int bad(__u64 *ctx) {
  bpf_map_delete_elem(&sessions, (void *)ctx[1]);
  return 0;
}

SEC("tracepoint/raw_syscalls/sys_enter")
int fixed(__u64 *ctx) {
  __u64 key = ctx[1];
  bpf_map_delete_elem(&sessions, &key);
  return 0;
}

char _license[] SEC("license") = "GPL";
