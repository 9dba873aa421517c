/* bpf_throw: ends the program from any depth, with nothing held. */
#include "../../../corpus/corpus.h"
/* corpus: needs v1, clang-19 */

KFUNC void bpf_throw(__u64 cookie);
KFUNC void bpf_rcu_read_lock(void);
KFUNC void bpf_rcu_read_unlock(void);

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 4096);
} records SEC(".maps");

/* corpus: calls accepted */
SEC("tc")
int throws(struct __sk_buff *skb) {
  if (skb->len > 9) bpf_throw(3);
  return 0;
}

static NOINLINE int throws_deep(__u32 length) {
  if (length > 9) bpf_throw(length);
  return length;
}

/* corpus: calls accepted */
SEC("tc")
int throws_from_function(struct __sk_buff *skb) {
  return throws_deep(skb->len);
}

__attribute__((noinline)) int throws_global(__u32 length) {
  if (length > 9) bpf_throw(length);
  return length;
}

/* corpus: calls accepted */
SEC("tc")
int throws_from_global(struct __sk_buff *skb) {
  return throws_global(skb->len);
}

/* corpus: calls rejected */
SEC("tc")
int bad_throw_with_record(struct __sk_buff *skb) {
  __u64 *record = bpf_ringbuf_reserve(&records, 8, 0);
  if (!record) return 0;
  if (skb->len > 9) bpf_throw(3);
  bpf_ringbuf_discard(record, 0);
  return 0;
}

/* corpus: calls rejected */
SEC("tc")
int bad_throw_below_record(struct __sk_buff *skb) {
  __u64 *record = bpf_ringbuf_reserve(&records, 8, 0);
  if (!record) return 0;
  throws_deep(skb->len);
  bpf_ringbuf_discard(record, 0);
  return 0;
}

/* corpus: calls rejected */
SEC("tc")
int bad_throw_in_rcu(struct __sk_buff *skb) {
  bpf_rcu_read_lock();
  if (skb->len > 9) bpf_throw(3);
  bpf_rcu_read_unlock();
  return 0;
}

static long throws_in_loop(__u32 index, void *unused) {
  if (index > 3) bpf_throw(1);
  return 0;
}

/* corpus: calls rejected */
SEC("tc")
int bad_throw_in_callback(struct __sk_buff *skb) {
  bpf_loop(10, throws_in_loop, 0, 0);
  return 0;
}

/* corpus: calls rejected */
SEC("cgroup_skb/ingress")
int bad_throw_result(struct __sk_buff *skb) {
  if (skb->len > 9) bpf_throw(77);
  return 1;
}

char _license[] SEC("license") = "GPL";
