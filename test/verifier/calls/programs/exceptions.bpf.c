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

#define CATCHER(name) __attribute__((btf_decl_tag("exception_callback:" #name)))
#define GLOBAL __attribute__((noinline))

GLOBAL int catches(__u64 cookie) {
  return cookie;
}

GLOBAL int allows(__u64 cookie) {
  return cookie & 1;
}

GLOBAL int calls_on(int cookie) {
  return allows(cookie);
}

GLOBAL int takes_two(__u64 cookie, __u64 more) {
  return cookie + more;
}

GLOBAL int takes_memory(__u64 *cookie) {
  return cookie ? *cookie : 0;
}

GLOBAL void returns_nothing(__u64 cookie) {
  BARRIER(cookie);
}

GLOBAL int throws_again(__u64 cookie) {
  bpf_throw(cookie);
  return 0;
}

#define CATCHES CATCHER(catches)
#define ALLOWS CATCHER(allows)
#define CALLS_ON CATCHER(calls_on)
#define TAKES_TWO CATCHER(takes_two)
#define TAKES_MEMORY CATCHER(takes_memory)
#define RETURNS_NOTHING CATCHER(returns_nothing)
#define THROWS_AGAIN CATCHER(throws_again)

/* corpus: calls accepted */
SEC("tc")
CATCHES int caught(struct __sk_buff *skb) {
  if (skb->len > 9) bpf_throw(skb->len);
  return 0;
}

/* corpus: calls accepted */
SEC("cgroup_skb/ingress")
ALLOWS int caught_in_range(struct __sk_buff *skb) {
  if (skb->len > 9) bpf_throw(77);
  return 1;
}

/* corpus: calls accepted */
SEC("tc")
CALLS_ON int caught_by_chain(struct __sk_buff *skb) {
  return throws_deep(skb->len);
}

/* corpus: calls accepted */
SEC("tc")
CATCHES int catches_nothing(struct __sk_buff *skb) {
  return 0;
}

/* corpus: calls rejected */
SEC("cgroup_skb/ingress")
CATCHES int bad_caught_result(struct __sk_buff *skb) {
  if (skb->len > 9) bpf_throw(1);
  return 1;
}

/* corpus: calls rejected */
SEC("tc")
TAKES_TWO int bad_catcher_of_two(struct __sk_buff *skb) {
  bpf_throw(1);
  return 0;
}

/* corpus: calls rejected */
SEC("tc")
TAKES_MEMORY int bad_catcher_of_memory(struct __sk_buff *skb) {
  bpf_throw(1);
  return 0;
}

/* corpus: calls rejected */
SEC("tc")
RETURNS_NOTHING int bad_catcher_without_result(struct __sk_buff *skb) {
  bpf_throw(1);
  return 0;
}

/* corpus: calls rejected */
SEC("tc")
THROWS_AGAIN int bad_catcher_throws(struct __sk_buff *skb) {
  bpf_throw(1);
  return 0;
}

/* corpus: calls rejected */
SEC("tc")
CATCHES int bad_catcher_called(struct __sk_buff *skb) {
  if (skb->len > 9) return catches(skb->len);
  bpf_throw(1);
  return 0;
}

/* corpus: calls rejected */
SEC("tc")
CATCHES CALLS_ON int bad_catchers(struct __sk_buff *skb) {
  bpf_throw(1);
  return 0;
}

/* corpus: calls rejected */
SEC("tc")
CATCHES int bad_pointer_thrown(struct __sk_buff *skb) {
  bpf_throw((__u64)skb);
  return 0;
}

static long throws_below(__u32 index, void *unused) {
  return throws_global(index);
}

/* corpus: calls rejected */
SEC("tc")
int bad_throw_below_callback(struct __sk_buff *skb) {
  bpf_loop(10, throws_below, 0, 0);
  return 0;
}

char _license[] SEC("license") = "GPL";
