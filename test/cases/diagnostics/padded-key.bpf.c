/* expect: stack-uninitialised at "bpf_map_update_elem(&states, &broken" profile linux-5.4 */
/* The compiler pads structures; nobody writes the padding. */
#include "../../corpus/corpus.h"

struct state_key {
  __u8 kind;
  __u64 owner;
};
TABLE(states, BPF_MAP_TYPE_HASH, struct state_key, __u32, 64);

SEC("socket")
int bad(struct __sk_buff *skb) {
  struct state_key broken;
  __u32 one = 1;
  broken.kind = 3;
  broken.owner = skb->len;
  bpf_map_update_elem(&states, &broken, &one, BPF_ANY);
  return 0;
}

SEC("socket")
int fixed(struct __sk_buff *skb) {
  struct state_key key;
  __u32 one = 1;
  __builtin_memset(&key, 0, sizeof(key));
  key.kind = 3;
  key.owner = skb->len;
  bpf_map_update_elem(&states, &key, &one, BPF_ANY);
  return 0;
}

char _license[] SEC("license") = "MIT";
