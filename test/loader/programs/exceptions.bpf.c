/* Exceptions: bpf_throw ends the program from any depth; its catcher, if it has one, has the result. */
#include "../../corpus/corpus.h"

char LICENSE[] SEC("license") = "GPL";

#define CATCHER(name) __attribute__((btf_decl_tag("exception_callback:" #name)))

KFUNC void bpf_throw(__u64 cookie);

TABLE(answers, BPF_MAP_TYPE_ARRAY, __u32, __s64, 64);
struct {
  __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
  __uint(max_entries, 4);
  __uint(key_size, 4);
  __uint(value_size, 4);
} jumps SEC(".maps");

static ALWAYS_INLINE void note(__u32 at, __s64 answer) {
  __s64 *slot = bpf_map_lookup_elem(&answers, &at);
  if (slot) *slot = answer;
}

static NOINLINE int deepest(struct __sk_buff *skb) {
  volatile int local[8] = {};
  local[skb->len & 7] = 1;
  note(0, local[0]);
  bpf_throw(skb->len);
  note(1, 99);
  return local[1];
}

static NOINLINE int deeper(struct __sk_buff *skb) {
  volatile long local[4] = {};
  local[skb->len & 3] = 2;
  return deepest(skb) + local[1];
}

__weak NOINLINE int global_thrower(struct __sk_buff *skb) {
  if (skb->len > 60) bpf_throw(0);
  return 1;
}

SEC("tc")
int throw_at_once(struct __sk_buff *skb) {
  bpf_throw(3);
  return 7;
}

SEC("tc")
int throw_from_below(struct __sk_buff *skb) {
  note(2, 5);
  return deeper(skb) + 100000;
}

SEC("tc")
int throw_sometimes(struct __sk_buff *skb) {
  return global_thrower(skb) + 10;
}

__noinline int catch_it(__u64 cookie) {
  volatile long room[6] = {};
  room[cookie & 3] = cookie;
  note(3, cookie);
  return cookie * 2 + room[5];
}

SEC("tc")
CATCHER(catch_it)
int caught_from_below(struct __sk_buff *skb) {
  return deeper(skb) + 100000;
}

SEC("tc")
CATCHER(catch_it)
int nothing_to_catch(struct __sk_buff *skb) {
  return global_thrower(skb) == 1 ? 21 : 22;
}

SEC("xdp")
int throw_from_xdp(struct xdp_md *xdp) {
  void *data = (void *)(long)xdp->data, *end = (void *)(long)xdp->data_end;
  if (data + 4 > end) return XDP_DROP;
  *(__u32 *)data = 0x55555555;
  if (*(__u8 *)data == 0x55) bpf_throw(XDP_TX);
  return XDP_PASS;
}

/* What is thrown in a program that was jumped to is its result, for whoever called the jumping function. */
__weak NOINLINE int jump(struct __sk_buff *skb) {
  bpf_tail_call(skb, &jumps, 0);
  note(4, 1);
  return 5;
}

SEC("tc")
int jump_from_below(struct __sk_buff *skb) {
  volatile long kept[4] = {skb->len};
  int answer = jump(skb);
  return answer + 100 * (kept[0] == skb->len);
}
