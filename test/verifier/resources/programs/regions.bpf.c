/* RCU read sections, disabled preemption, disabled interrupts: entering, nesting, leaving. */
#include "../../../corpus/corpus.h"
/* corpus: needs v1, clang-19 */

KFUNC void bpf_rcu_read_lock(void);
KFUNC void bpf_rcu_read_unlock(void);
KFUNC void bpf_preempt_disable(void);
KFUNC void bpf_preempt_enable(void);
KFUNC void bpf_local_irq_save(unsigned long *flags);
KFUNC void bpf_local_irq_restore(unsigned long *flags);
KFUNC int bpf_copy_from_user_str(void *dst, __u32 size, const void *src, __u64 flags);

TABLE(counts, BPF_MAP_TYPE_ARRAY, __u32, __u64, 4);

/* corpus: locks accepted */
SEC("tc")
int rcu_twice_in_turn(struct __sk_buff *skb) {
  bpf_rcu_read_lock();
  bpf_rcu_read_unlock();
  bpf_rcu_read_lock();
  bpf_rcu_read_unlock();
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int rcu_nested(struct __sk_buff *skb) {
  bpf_rcu_read_lock();
  bpf_rcu_read_lock();
  bpf_rcu_read_unlock();
  bpf_rcu_read_unlock();
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int rcu_unlock_only(struct __sk_buff *skb) {
  bpf_rcu_read_unlock();
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int rcu_one_path(struct __sk_buff *skb) {
  if (skb->len > 10) bpf_rcu_read_lock();
  bpf_rcu_read_unlock();
  return 0;
}

static NOINLINE int rcu_open(int x) {
  bpf_rcu_read_lock();
  return x;
}

static NOINLINE int rcu_close(int x) {
  bpf_rcu_read_unlock();
  return x + 1;
}

/* corpus: locks accepted */
SEC("tc")
int rcu_in_functions(struct __sk_buff *skb) {
  int x = rcu_open(skb->len);
  return rcu_close(x) & 1;
}

/* corpus: locks rejected */
SEC("tc")
int rcu_left_by_function(struct __sk_buff *skb) {
  return rcu_open(skb->len) & 1;
}

/* corpus: locks accepted */
SEC("tc")
int preempt_nested(struct __sk_buff *skb) {
  bpf_preempt_disable();
  bpf_preempt_disable();
  bpf_preempt_enable();
  bpf_preempt_enable();
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int preempt_once_too_few(struct __sk_buff *skb) {
  bpf_preempt_disable();
  bpf_preempt_disable();
  bpf_preempt_enable();
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int preempt_enable_only(struct __sk_buff *skb) {
  bpf_preempt_enable();
  return 0;
}

/* corpus: locks accepted */
SEC("tc")
int preempt_and_rcu_crossing(struct __sk_buff *skb) {
  bpf_preempt_disable();
  bpf_rcu_read_lock();
  bpf_preempt_enable();
  bpf_rcu_read_unlock();
  return 0;
}

/* corpus: locks accepted */
SEC("tc")
int preempt_helper(struct __sk_buff *skb) {
  __u32 key = 0;
  bpf_preempt_disable();
  __u64 *count = bpf_map_lookup_elem(&counts, &key);
  if (count) *count += 1;
  bpf_preempt_enable();
  return 0;
}

/* corpus: locks accepted */
SEC("tc")
int irq_once(struct __sk_buff *skb) {
  unsigned long flags;
  bpf_local_irq_save(&flags);
  bpf_local_irq_restore(&flags);
  return 0;
}

/* corpus: locks accepted */
SEC("tc")
int irq_nested(struct __sk_buff *skb) {
  unsigned long a, b;
  bpf_local_irq_save(&a);
  bpf_local_irq_save(&b);
  bpf_local_irq_restore(&b);
  bpf_local_irq_restore(&a);
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int irq_out_of_order(struct __sk_buff *skb) {
  unsigned long a, b;
  bpf_local_irq_save(&a);
  bpf_local_irq_save(&b);
  bpf_local_irq_restore(&a);
  bpf_local_irq_restore(&b);
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int irq_not_restored(struct __sk_buff *skb) {
  unsigned long flags;
  bpf_local_irq_save(&flags);
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int irq_restore_unsaved(struct __sk_buff *skb) {
  unsigned long flags = 0;
  bpf_local_irq_restore(&flags);
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int irq_save_twice_same(struct __sk_buff *skb) {
  unsigned long flags;
  bpf_local_irq_save(&flags);
  bpf_local_irq_save(&flags);
  bpf_local_irq_restore(&flags);
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int irq_overwritten(struct __sk_buff *skb) {
  volatile unsigned long flags;
  bpf_local_irq_save((unsigned long *)&flags);
  flags = 1;
  bpf_local_irq_restore((unsigned long *)&flags);
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int irq_read(struct __sk_buff *skb) {
  volatile unsigned long flags;
  bpf_local_irq_save((unsigned long *)&flags);
  int seen = flags & 1;
  bpf_local_irq_restore((unsigned long *)&flags);
  return seen;
}

static NOINLINE int irq_restore_for(unsigned long *flags) {
  bpf_local_irq_restore(flags);
  return 0;
}

/* corpus: locks accepted */
SEC("tc")
int irq_restored_by_function(struct __sk_buff *skb) {
  unsigned long flags;
  bpf_local_irq_save(&flags);
  irq_restore_for(&flags);
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int irq_in_map_value(struct __sk_buff *skb) {
  __u32 key = 0;
  __u64 *count = bpf_map_lookup_elem(&counts, &key);
  if (!count) return 0;
  bpf_local_irq_save((unsigned long *)count);
  bpf_local_irq_restore((unsigned long *)count);
  return 0;
}

/* corpus: locks rejected */
SEC("syscall")
int sleep_in_rcu(void *ctx) {
  char buffer[8];
  bpf_rcu_read_lock();
  bpf_copy_from_user(buffer, sizeof(buffer), 0);
  bpf_rcu_read_unlock();
  return 0;
}

/* corpus: locks accepted */
SEC("syscall")
int sleep_after_rcu(void *ctx) {
  char buffer[8];
  bpf_rcu_read_lock();
  bpf_rcu_read_unlock();
  bpf_copy_from_user(buffer, sizeof(buffer), 0);
  return 0;
}

/* corpus: locks rejected */
SEC("syscall")
int sleep_in_preempt(void *ctx) {
  char buffer[8];
  bpf_preempt_disable();
  bpf_copy_from_user(buffer, sizeof(buffer), 0);
  bpf_preempt_enable();
  return 0;
}

/* corpus: locks rejected */
SEC("syscall")
int sleep_in_irq(void *ctx) {
  char buffer[8];
  unsigned long flags;
  bpf_local_irq_save(&flags);
  bpf_copy_from_user(buffer, sizeof(buffer), 0);
  bpf_local_irq_restore(&flags);
  return 0;
}

/* corpus: locks rejected */
SEC("syscall")
int kfunc_sleeps_in_rcu(void *ctx) {
  char buffer[8];
  bpf_rcu_read_lock();
  bpf_copy_from_user_str(buffer, sizeof(buffer), 0, 0);
  bpf_rcu_read_unlock();
  return 0;
}

/* corpus: locks accepted */
SEC("syscall")
int kfunc_sleeps(void *ctx) {
  char buffer[8];
  bpf_copy_from_user_str(buffer, sizeof(buffer), 0, 0);
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int kfunc_sleeps_unsleepable(struct __sk_buff *skb) {
  char buffer[8];
  bpf_copy_from_user_str(buffer, sizeof(buffer), 0, 0);
  return 0;
}

static long locked_pass(__u32 i, void *ctx) {
  bpf_rcu_read_lock();
  bpf_rcu_read_unlock();
  return 0;
}

static long leaving_pass(__u32 i, void *ctx) {
  bpf_preempt_disable();
  return 0;
}

/* corpus: locks accepted */
SEC("tc")
int rcu_in_callback(struct __sk_buff *skb) {
  bpf_loop(4, locked_pass, 0, 0);
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int preempt_left_by_callback(struct __sk_buff *skb) {
  bpf_loop(4, leaving_pass, 0, 0);
  return 0;
}

/* corpus: locks accepted */
SEC("tc")
int rcu_in_loop(struct __sk_buff *skb) {
  int sum = 0;
  for (int i = 0; i < 10; i++) {
    bpf_rcu_read_lock();
    sum += skb->len & i;
    bpf_rcu_read_unlock();
  }
  return sum & 1;
}

/* corpus: locks rejected */
SEC("tc")
int preempt_grows_in_loop(struct __sk_buff *skb) {
  for (int i = 0; i < 3; i++) bpf_preempt_disable();
  bpf_preempt_enable();
  return 0;
}

struct {
  __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
  __uint(key_size, 4);
  __uint(value_size, 4);
  __uint(max_entries, 1);
} programs SEC(".maps");

/* corpus: locks rejected */
SEC("tc")
int tail_call_in_rcu(struct __sk_buff *skb) {
  bpf_rcu_read_lock();
  bpf_tail_call(skb, &programs, 0);
  bpf_rcu_read_unlock();
  return 0;
}

__attribute__((noinline)) int global_function(int x) {
  asm volatile("" : "+r"(x));
  return x + 1;
}

/* corpus: locks accepted */
SEC("tc")
int global_function_in_rcu(struct __sk_buff *skb) {
  bpf_rcu_read_lock();
  int x = global_function(skb->len);
  bpf_rcu_read_unlock();
  return x & 1;
}

/* corpus: locks accepted */
SEC("tc")
int global_function_in_preempt(struct __sk_buff *skb) {
  bpf_preempt_disable();
  int x = global_function(skb->len);
  bpf_preempt_enable();
  return x & 1;
}

char _license[] SEC("license") = "GPL";
