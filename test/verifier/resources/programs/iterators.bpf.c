/* Open-coded iterators: their slots, their elements, loops around them. */
#include "../../../corpus/corpus.h"
/* corpus: needs v1, clang-19 */

struct bpf_iter_num {
  __u64 opaque[1];
} __attribute__((aligned(8)));
struct bpf_iter_bits {
  __u64 opaque[2];
} __attribute__((aligned(8)));
struct bpf_iter_task {
  __u64 opaque[3];
} __attribute__((aligned(8)));
struct task_struct {
  int pid;
} CORE;

KFUNC int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end);
KFUNC int *bpf_iter_num_next(struct bpf_iter_num *it);
KFUNC void bpf_iter_num_destroy(struct bpf_iter_num *it);
KFUNC int bpf_iter_bits_new(struct bpf_iter_bits *it, const __u64 *bits, __u32 words);
KFUNC int *bpf_iter_bits_next(struct bpf_iter_bits *it);
KFUNC void bpf_iter_bits_destroy(struct bpf_iter_bits *it);
KFUNC int bpf_iter_task_new(struct bpf_iter_task *it, struct task_struct *task, unsigned flags);
KFUNC struct task_struct *bpf_iter_task_next(struct bpf_iter_task *it);
KFUNC void bpf_iter_task_destroy(struct bpf_iter_task *it);
KFUNC void bpf_rcu_read_lock(void);
KFUNC void bpf_rcu_read_unlock(void);

TABLE(counts, BPF_MAP_TYPE_ARRAY, __u32, __u64, 16);

struct table {
  __u64 values[16];
};
TABLE(tables, BPF_MAP_TYPE_ARRAY, __u32, struct table, 1);

/* corpus: iterators accepted */
SEC("tc")
int made_and_ended(struct __sk_buff *skb) {
  struct bpf_iter_num it;
  bpf_iter_num_new(&it, 0, 10);
  bpf_iter_num_destroy(&it);
  return 0;
}

/* corpus: iterators rejected */
SEC("tc")
int never_ended(struct __sk_buff *skb) {
  struct bpf_iter_num it;
  bpf_iter_num_new(&it, 0, 10);
  return 0;
}

/* corpus: iterators rejected */
SEC("tc")
int never_made(struct __sk_buff *skb) {
  struct bpf_iter_num it;
  bpf_iter_num_next(&it);
  return 0;
}

/* corpus: iterators rejected */
SEC("tc")
int ended_twice(struct __sk_buff *skb) {
  struct bpf_iter_num it;
  bpf_iter_num_new(&it, 0, 10);
  bpf_iter_num_destroy(&it);
  bpf_iter_num_destroy(&it);
  return 0;
}

/* corpus: iterators rejected */
SEC("tc")
int made_twice(struct __sk_buff *skb) {
  struct bpf_iter_num it;
  bpf_iter_num_new(&it, 0, 10);
  bpf_iter_num_new(&it, 0, 10);
  bpf_iter_num_destroy(&it);
  return 0;
}

/* corpus: iterators accepted */
SEC("tc")
int element_read(struct __sk_buff *skb) {
  struct bpf_iter_num it;
  int x = 0, *v;
  bpf_iter_num_new(&it, 0, 10);
  v = bpf_iter_num_next(&it);
  if (v) x = *v;
  bpf_iter_num_destroy(&it);
  return x & 1;
}

/* corpus: iterators rejected */
SEC("tc")
int element_unchecked(struct __sk_buff *skb) {
  struct bpf_iter_num it;
  bpf_iter_num_new(&it, 0, 10);
  int x = *bpf_iter_num_next(&it);
  bpf_iter_num_destroy(&it);
  return x & 1;
}

/* corpus: iterators rejected */
SEC("tc")
int element_written(struct __sk_buff *skb) {
  struct bpf_iter_num it;
  bpf_iter_num_new(&it, 0, 10);
  int *v = bpf_iter_num_next(&it);
  if (v) *v = 1;
  bpf_iter_num_destroy(&it);
  return 0;
}

/* corpus: iterators rejected */
SEC("tc")
int element_outlives(struct __sk_buff *skb) {
  struct bpf_iter_num it;
  bpf_iter_num_new(&it, 0, 10);
  int *v = bpf_iter_num_next(&it);
  bpf_iter_num_destroy(&it);
  return v ? *v & 1 : 0;
}

/* corpus: iterators accepted */
SEC("tc")
int summed(struct __sk_buff *skb) {
  struct bpf_iter_num it;
  int *v, sum = 0;
  bpf_iter_num_new(&it, 0, 1000000);
  while ((v = bpf_iter_num_next(&it))) sum += *v;
  bpf_iter_num_destroy(&it);
  return sum & 1;
}

/* corpus: iterators accepted */
SEC("tc")
int indexed(struct __sk_buff *skb) {
  struct bpf_iter_num it;
  __u32 key = 0;
  int *v;
  __u64 sum = 0;
  struct table *t = bpf_map_lookup_elem(&tables, &key);
  if (!t) return 0;
  bpf_iter_num_new(&it, 0, 16);
  while ((v = bpf_iter_num_next(&it))) {
    __u32 i = *v;
    if (i >= 16) break;
    sum += t->values[i];
  }
  bpf_iter_num_destroy(&it);
  return sum & 1;
}

/* corpus: iterators rejected */
SEC("tc")
int indexed_unchecked(struct __sk_buff *skb) {
  struct bpf_iter_num it;
  __u32 key = 0;
  int *v;
  __u64 sum = 0;
  struct table *t = bpf_map_lookup_elem(&tables, &key);
  if (!t) return 0;
  bpf_iter_num_new(&it, 0, 16);
  while ((v = bpf_iter_num_next(&it))) {
    __u32 i = *v;
    sum += t->values[i];
  }
  bpf_iter_num_destroy(&it);
  return sum & 1;
}

/* corpus: iterators accepted */
SEC("tc")
int nested(struct __sk_buff *skb) {
  struct bpf_iter_num a, b;
  int *v, *w, sum = 0;
  bpf_iter_num_new(&a, 0, 100);
  while ((v = bpf_iter_num_next(&a))) {
    bpf_iter_num_new(&b, 0, 100);
    while ((w = bpf_iter_num_next(&b))) sum += *w;
    bpf_iter_num_destroy(&b);
  }
  bpf_iter_num_destroy(&a);
  return sum & 1;
}

/* corpus: iterators rejected */
SEC("tc")
int nested_inner_left(struct __sk_buff *skb) {
  struct bpf_iter_num a, b;
  int *v, *w, sum = 0;
  bpf_iter_num_new(&a, 0, 100);
  while ((v = bpf_iter_num_next(&a))) {
    bpf_iter_num_new(&b, 0, 100);
    w = bpf_iter_num_next(&b);
    if (w && *w > 4) break;
    bpf_iter_num_destroy(&b);
  }
  bpf_iter_num_destroy(&a);
  return sum & 1;
}

static NOINLINE int sum_of(struct bpf_iter_num *it) {
  int *v, sum = 0;
  while ((v = bpf_iter_num_next(it))) sum += *v;
  return sum;
}

/* corpus: iterators accepted */
SEC("tc")
int in_function(struct __sk_buff *skb) {
  struct bpf_iter_num it;
  bpf_iter_num_new(&it, 0, 100);
  int sum = sum_of(&it);
  bpf_iter_num_destroy(&it);
  return sum & 1;
}

/* corpus: iterators accepted */
SEC("tc")
int with_call_in_loop(struct __sk_buff *skb) {
  struct bpf_iter_num it;
  int *v;
  bpf_iter_num_new(&it, 0, 100);
  while ((v = bpf_iter_num_next(&it))) {
    __u32 key = *v;
    __u64 *count = bpf_map_lookup_elem(&counts, &key);
    if (!count) continue;
    *count += 1;
  }
  bpf_iter_num_destroy(&it);
  return 0;
}

/* corpus: iterators rejected */
SEC("tc")
int stack_grows_with_element(struct __sk_buff *skb) {
  struct bpf_iter_num it;
  char bytes[64] = {};
  int *v, i = 0;
  bpf_iter_num_new(&it, 0, 100);
  while ((v = bpf_iter_num_next(&it))) {
    bytes[i] = 1;
    i++;
    BARRIER(i);
  }
  bpf_iter_num_destroy(&it);
  return bytes[skb->len & 63];
}

/* corpus: iterators rejected */
SEC("tc")
int raw_read(struct __sk_buff *skb) {
  struct bpf_iter_num it;
  bpf_iter_num_new(&it, 0, 100);
  int x = *(volatile int *)&it;
  bpf_iter_num_destroy(&it);
  return x & 1;
}

/* corpus: iterators rejected */
SEC("tc")
int raw_write(struct __sk_buff *skb) {
  struct bpf_iter_num it;
  bpf_iter_num_new(&it, 0, 100);
  *(volatile int *)&it = 1;
  bpf_iter_num_destroy(&it);
  return 0;
}

/* corpus: iterators rejected */
SEC("tc")
int as_other_type(struct __sk_buff *skb) {
  struct bpf_iter_bits it;
  bpf_iter_num_new((void *)&it, 0, 100);
  bpf_iter_bits_next(&it);
  bpf_iter_num_destroy((void *)&it);
  return 0;
}

/* corpus: iterators accepted */
SEC("tc")
int bits(struct __sk_buff *skb) {
  struct bpf_iter_bits it;
  __u64 mask = skb->len;
  int *v, sum = 0;
  bpf_iter_bits_new(&it, &mask, 1);
  while ((v = bpf_iter_bits_next(&it))) sum += *v;
  bpf_iter_bits_destroy(&it);
  return sum & 1;
}

/* corpus: iterators rejected */
SEC("tc")
int in_map_value(struct __sk_buff *skb) {
  __u32 key = 0;
  __u64 *count = bpf_map_lookup_elem(&counts, &key);
  if (!count) return 0;
  bpf_iter_num_new((void *)count, 0, 100);
  bpf_iter_num_destroy((void *)count);
  return 0;
}

/* corpus: iterators accepted */
SEC("raw_tp/sys_enter")
int tasks(void *ctx) {
  struct bpf_iter_task it;
  struct task_struct *task;
  int sum = 0;
  bpf_iter_task_new(&it, 0, 0);
  while ((task = bpf_iter_task_next(&it))) sum += task->pid;
  bpf_iter_task_destroy(&it);
  return sum & 1;
}

/* corpus: iterators rejected */
SEC("syscall")
int tasks_without_rcu(void *ctx) {
  struct bpf_iter_task it;
  bpf_iter_task_new(&it, 0, 0);
  bpf_iter_task_destroy(&it);
  return 0;
}

/* corpus: iterators accepted */
SEC("syscall")
int tasks_in_rcu(void *ctx) {
  struct bpf_iter_task it;
  struct task_struct *task;
  int sum = 0;
  bpf_rcu_read_lock();
  bpf_iter_task_new(&it, 0, 0);
  while ((task = bpf_iter_task_next(&it))) sum += task->pid;
  bpf_iter_task_destroy(&it);
  bpf_rcu_read_unlock();
  return sum & 1;
}

/* corpus: iterators rejected */
SEC("syscall")
int tasks_outlive_rcu(void *ctx) {
  struct bpf_iter_task it;
  bpf_rcu_read_lock();
  bpf_iter_task_new(&it, 0, 0);
  bpf_iter_task_next(&it);
  bpf_rcu_read_unlock();
  bpf_rcu_read_lock();
  bpf_iter_task_next(&it);
  bpf_iter_task_destroy(&it);
  bpf_rcu_read_unlock();
  return 0;
}

/* corpus: iterators rejected */
SEC("syscall")
int tasks_end_outside_rcu(void *ctx) {
  struct bpf_iter_task it;
  bpf_rcu_read_lock();
  bpf_iter_task_new(&it, 0, 0);
  bpf_rcu_read_unlock();
  bpf_iter_task_destroy(&it);
  return 0;
}

char _license[] SEC("license") = "GPL";
