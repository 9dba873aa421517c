/* Atomic operations on map values and the stack. */
#include "corpus.h"
/* corpus: needs v3, clang-14 */

struct shared {
  __u64 total;
  __u32 small;
  __u32 owner;
};

TABLE(shared, BPF_MAP_TYPE_ARRAY, __u32, struct shared, 2);
TABLE(per_cpu, BPF_MAP_TYPE_PERCPU_HASH, __u32, struct shared, 16);

/* corpus: atomics accepted */
SEC("tc")
int add_bytes(struct __sk_buff *skb) {
  __u32 zero = 0;
  struct shared *value = bpf_map_lookup_elem(&shared, &zero);
  if (!value) return TC_ACT_OK;
  __sync_fetch_and_add(&value->total, skb->len);
  __sync_fetch_and_add(&value->small, 1);
  return TC_ACT_OK;
}

/* corpus: atomics accepted */
SEC("tc")
int take_ticket(struct __sk_buff *skb) {
  __u32 zero = 0;
  struct shared *value = bpf_map_lookup_elem(&shared, &zero);
  if (!value) return TC_ACT_OK;
  __u64 ticket = __sync_fetch_and_add(&value->total, 1);
  return ticket & 1 ? TC_ACT_SHOT : TC_ACT_OK;
}

/* corpus: atomics accepted */
SEC("tc")
int claim(struct __sk_buff *skb) {
  __u32 zero = 0;
  struct shared *value = bpf_map_lookup_elem(&shared, &zero);
  if (!value) return TC_ACT_OK;
  __u32 old = __sync_val_compare_and_swap(&value->owner, 0, skb->mark);
  return old == 0 ? TC_ACT_OK : TC_ACT_SHOT;
}

/* corpus: atomics accepted */
SEC("tc")
int exchange(struct __sk_buff *skb) {
  __u32 zero = 0;
  struct shared *value = bpf_map_lookup_elem(&shared, &zero);
  if (!value) return TC_ACT_OK;
  __u64 last = __sync_lock_test_and_set(&value->total, bpf_ktime_get_ns());
  return last > 100 ? TC_ACT_OK : TC_ACT_SHOT;
}

/* corpus: atomics accepted */
SEC("tc")
int bit_flags(struct __sk_buff *skb) {
  __u32 key = skb->mark;
  struct shared *value = bpf_map_lookup_elem(&per_cpu, &key);
  if (!value) return TC_ACT_OK;
  __u64 before = __sync_fetch_and_or(&value->total, 1ull << (skb->len & 63));
  __sync_fetch_and_and(&value->small, ~skb->mark);
  __sync_fetch_and_xor(&value->owner, 3);
  return before & 2 ? TC_ACT_SHOT : TC_ACT_OK;
}

/* corpus: atomics accepted */
SEC("tc")
int on_stack(struct __sk_buff *skb) {
  __u64 counter = skb->len;
  __u64 *at = &counter;
  BARRIER(at);
  __sync_fetch_and_add(at, 5);
  return counter > 100 ? TC_ACT_SHOT : TC_ACT_OK;
}

/* corpus: atomics accepted */
SEC("tc")
int bounded_ticket(struct __sk_buff *skb) {
  __u32 zero = 0;
  struct shared *value = bpf_map_lookup_elem(&shared, &zero);
  if (!value) return TC_ACT_OK;
  __u32 index = __sync_fetch_and_add(&value->small, 1) & 7;
  return ((__u8 *)value)[index];
}

/* corpus: atomics rejected */
SEC("tc")
int bad_unbounded_ticket(struct __sk_buff *skb) {
  __u32 zero = 0;
  struct shared *value = bpf_map_lookup_elem(&shared, &zero);
  if (!value) return TC_ACT_OK;
  __u32 index = __sync_fetch_and_add(&value->small, 1);
  return ((__u8 *)value)[index];
}

/* corpus: atomics rejected */
SEC("tc")
int bad_atomic_packet(struct __sk_buff *skb) {
  void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
  if (data + 16 > end) return TC_ACT_OK;
  __sync_fetch_and_add((__u32 *)data, 1);
  return TC_ACT_OK;
}

/* corpus: atomics rejected */
SEC("tc")
int bad_atomic_context(struct __sk_buff *skb) {
  __sync_fetch_and_add(&skb->mark, 1);
  return TC_ACT_OK;
}

/* corpus: atomics rejected */
SEC("tc")
int bad_atomic_unaligned(struct __sk_buff *skb) {
  __u32 zero = 0;
  struct shared *value = bpf_map_lookup_elem(&shared, &zero);
  if (!value) return TC_ACT_OK;
  asm volatile("lock *(u64 *)(%0 + 12) += %1" ::"r"(value), "r"(1ull) : "memory");
  return TC_ACT_OK;
}

/* corpus: atomics rejected */
SEC("tc")
int bad_atomic_null(struct __sk_buff *skb) {
  __u32 key = skb->mark;
  struct shared *value = bpf_map_lookup_elem(&per_cpu, &key);
  __sync_fetch_and_add(&value->total, 1);
  return TC_ACT_OK;
}

/* corpus: atomics accepted */
SEC("tc")
int add_address(struct __sk_buff *skb) {
  __u32 zero = 0;
  struct shared *value = bpf_map_lookup_elem(&shared, &zero);
  if (!value) return TC_ACT_OK;
  __sync_fetch_and_add(&value->total, (long)value);
  return TC_ACT_OK;
}

char _license[] SEC("license") = "GPL";
