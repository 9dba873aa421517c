/* Spin locks, plain and resilient, in map values and global data. */
#include "../../../corpus/corpus.h"
/* corpus: needs v1, clang-19 */

struct bpf_res_spin_lock {
  __u32 val;
} __attribute__((aligned(4)));

KFUNC int bpf_res_spin_lock(struct bpf_res_spin_lock *lock);
KFUNC void bpf_res_spin_unlock(struct bpf_res_spin_lock *lock);
KFUNC int bpf_res_spin_lock_irqsave(struct bpf_res_spin_lock *lock, unsigned long *flags);
KFUNC void bpf_res_spin_unlock_irqrestore(struct bpf_res_spin_lock *lock, unsigned long *flags);
KFUNC void bpf_local_irq_save(unsigned long *flags);
KFUNC void bpf_local_irq_restore(unsigned long *flags);
KFUNC void bpf_rcu_read_lock(void);
KFUNC void bpf_rcu_read_unlock(void);

struct guarded {
  __u64 before;
  struct bpf_spin_lock lock;
  __u32 count;
};

struct resilient {
  struct bpf_res_spin_lock lock;
  __u32 count;
};

TABLE(guards, BPF_MAP_TYPE_HASH, __u32, struct guarded, 64);
TABLE(others, BPF_MAP_TYPE_ARRAY, __u32, struct guarded, 4);
TABLE(resilients, BPF_MAP_TYPE_ARRAY, __u32, struct resilient, 4);
TABLE(plain, BPF_MAP_TYPE_ARRAY, __u32, __u64, 4);

struct guarded global_guard;
struct bpf_spin_lock lone SEC(".data.lone") __hidden;
int lone_count SEC(".data.lone") __hidden;

#define GUARD(name, map, k)                              \
  __u32 name##_key = k;                                  \
  struct guarded *name = bpf_map_lookup_elem(&map, &name##_key); \
  if (!name) return 0

#define RESILIENT(name, k)                               \
  __u32 name##_key = k;                                  \
  struct resilient *name = bpf_map_lookup_elem(&resilients, &name##_key); \
  if (!name) return 0

/* corpus: locks accepted */
SEC("tc")
int lock_at_offset(struct __sk_buff *skb) {
  GUARD(a, guards, 1);
  bpf_spin_lock(&a->lock);
  a->count++;
  bpf_spin_unlock(&a->lock);
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int lock_wrong_offset(struct __sk_buff *skb) {
  GUARD(a, guards, 1);
  bpf_spin_lock((void *)&a->before);
  bpf_spin_unlock((void *)&a->before);
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int lock_in_plain_map(struct __sk_buff *skb) {
  __u32 key = 0;
  __u64 *value = bpf_map_lookup_elem(&plain, &key);
  if (!value) return 0;
  bpf_spin_lock((void *)value);
  bpf_spin_unlock((void *)value);
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int lock_on_stack(struct __sk_buff *skb) {
  struct bpf_spin_lock lock = {};
  bpf_spin_lock(&lock);
  bpf_spin_unlock(&lock);
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int lock_unchecked(struct __sk_buff *skb) {
  __u32 key = 0;
  struct guarded *a = bpf_map_lookup_elem(&guards, &key);
  bpf_spin_lock(&a->lock);
  bpf_spin_unlock(&a->lock);
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int unlock_only(struct __sk_buff *skb) {
  GUARD(a, guards, 1);
  bpf_spin_unlock(&a->lock);
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int unlock_twice(struct __sk_buff *skb) {
  GUARD(a, guards, 1);
  bpf_spin_lock(&a->lock);
  bpf_spin_unlock(&a->lock);
  bpf_spin_unlock(&a->lock);
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int lock_two_maps(struct __sk_buff *skb) {
  GUARD(a, guards, 1);
  GUARD(b, others, 1);
  bpf_spin_lock(&a->lock);
  bpf_spin_lock(&b->lock);
  bpf_spin_unlock(&b->lock);
  bpf_spin_unlock(&a->lock);
  return 0;
}

/* corpus: locks accepted */
SEC("tc")
int lock_in_turn(struct __sk_buff *skb) {
  GUARD(a, guards, 1);
  GUARD(b, others, 1);
  bpf_spin_lock(&a->lock);
  bpf_spin_unlock(&a->lock);
  bpf_spin_lock(&b->lock);
  bpf_spin_unlock(&b->lock);
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int unlock_same_key_again(struct __sk_buff *skb) {
  GUARD(a, guards, 1);
  GUARD(b, guards, 1);
  bpf_spin_lock(&a->lock);
  bpf_spin_unlock(&b->lock);
  return 0;
}

static NOINLINE int lock_it(struct guarded *a) {
  bpf_spin_lock(&a->lock);
  a->count++;
  return 1;
}

static NOINLINE int unlock_it(struct guarded *a) {
  a->count++;
  bpf_spin_unlock(&a->lock);
  return 1;
}

/* corpus: locks accepted */
SEC("tc")
int lock_in_functions(struct __sk_buff *skb) {
  GUARD(a, guards, 1);
  lock_it(a);
  unlock_it(a);
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int lock_left_by_function(struct __sk_buff *skb) {
  GUARD(a, guards, 1);
  return lock_it(a);
}

__attribute__((noinline)) int global_add(int x) {
  asm volatile("" : "+r"(x));
  return x + 1;
}

/* corpus: locks rejected */
SEC("tc")
int global_call_locked(struct __sk_buff *skb) {
  GUARD(a, guards, 1);
  bpf_spin_lock(&a->lock);
  a->count = global_add(a->count);
  bpf_spin_unlock(&a->lock);
  return 0;
}

/* corpus: locks accepted */
SEC("tc")
int lock_global_data(struct __sk_buff *skb) {
  bpf_spin_lock(&lone);
  lone_count++;
  bpf_spin_unlock(&lone);
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int lock_global_data_left(struct __sk_buff *skb) {
  bpf_spin_lock(&lone);
  lone_count++;
  return 0;
}

/* corpus: locks accepted */
SEC("tc")
int lock_in_loop(struct __sk_buff *skb) {
  GUARD(a, guards, 1);
  for (int i = 0; i < 20; i++) {
    bpf_spin_lock(&a->lock);
    a->count += i;
    bpf_spin_unlock(&a->lock);
  }
  return 0;
}

/* corpus: locks accepted */
SEC("tc")
int loop_in_lock(struct __sk_buff *skb) {
  GUARD(a, guards, 1);
  bpf_spin_lock(&a->lock);
  for (int i = 0; i < 20; i++) a->count += i;
  bpf_spin_unlock(&a->lock);
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int lock_branches_differ(struct __sk_buff *skb) {
  GUARD(a, guards, 1);
  bpf_spin_lock(&a->lock);
  if (a->count > 5) {
    bpf_spin_unlock(&a->lock);
  }
  bpf_spin_unlock(&a->lock);
  return 0;
}

/* corpus: locks accepted */
SEC("tc")
int lock_branches_both(struct __sk_buff *skb) {
  GUARD(a, guards, 1);
  bpf_spin_lock(&a->lock);
  if (a->count > 5) {
    bpf_spin_unlock(&a->lock);
    return 1;
  }
  a->count++;
  bpf_spin_unlock(&a->lock);
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int kfunc_in_lock(struct __sk_buff *skb) {
  GUARD(a, guards, 1);
  bpf_spin_lock(&a->lock);
  bpf_rcu_read_lock();
  bpf_rcu_read_unlock();
  bpf_spin_unlock(&a->lock);
  return 0;
}

/* corpus: locks rejected */
SEC("socket")
int lock_in_socket_filter(struct __sk_buff *skb) {
  GUARD(a, guards, 1);
  bpf_spin_lock(&a->lock);
  bpf_spin_unlock(&a->lock);
  return 0;
}

/* corpus: locks rejected */
SEC("kprobe/do_nanosleep")
int lock_in_kprobe(void *ctx) {
  GUARD(a, guards, 1);
  bpf_spin_lock(&a->lock);
  bpf_spin_unlock(&a->lock);
  return 0;
}

/* corpus: locks rejected */
SEC("kprobe/do_nanosleep")
int locked_map_in_kprobe(void *ctx) {
  GUARD(a, guards, 1);
  return a->count;
}

/* corpus: locks rejected */
SEC("tc")
int lock_copied_out(struct __sk_buff *skb) {
  struct guarded copy;
  GUARD(a, guards, 1);
  copy = *a;
  asm volatile("" : : "r"(&copy) : "memory");
  return copy.count;
}

/* corpus: locks rejected */
SEC("tc")
int lock_given_to_helper(struct __sk_buff *skb) {
  GUARD(a, guards, 1);
  __u32 key = 2;
  return bpf_map_update_elem(&others, &key, a, 0);
}

/* corpus: locks accepted */
SEC("tc")
int part_given_to_helper(struct __sk_buff *skb) {
  GUARD(a, guards, 1);
  return bpf_get_hash_recalc(skb) & bpf_csum_diff(0, 0, (void *)&a->before, 8, 0) & 1;
}

/* corpus: locks accepted */
SEC("tc")
int resilient_lock(struct __sk_buff *skb) {
  RESILIENT(a, 0);
  if (bpf_res_spin_lock(&a->lock)) return 0;
  a->count++;
  bpf_res_spin_unlock(&a->lock);
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int resilient_unchecked(struct __sk_buff *skb) {
  RESILIENT(a, 0);
  bpf_res_spin_lock(&a->lock);
  bpf_res_spin_unlock(&a->lock);
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int resilient_twice(struct __sk_buff *skb) {
  RESILIENT(a, 0);
  if (bpf_res_spin_lock(&a->lock)) return 0;
  if (!bpf_res_spin_lock(&a->lock)) bpf_res_spin_unlock(&a->lock);
  bpf_res_spin_unlock(&a->lock);
  return 0;
}

/* corpus: locks accepted */
SEC("tc")
int resilient_nested(struct __sk_buff *skb) {
  RESILIENT(a, 0);
  RESILIENT(b, 1);
  if (bpf_res_spin_lock(&a->lock)) return 0;
  if (!bpf_res_spin_lock(&b->lock)) {
    b->count++;
    bpf_res_spin_unlock(&b->lock);
  }
  bpf_res_spin_unlock(&a->lock);
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int resilient_out_of_order(struct __sk_buff *skb) {
  RESILIENT(a, 0);
  RESILIENT(b, 1);
  if (bpf_res_spin_lock(&a->lock)) return 0;
  if (bpf_res_spin_lock(&b->lock)) {
    bpf_res_spin_unlock(&a->lock);
    return 0;
  }
  bpf_res_spin_unlock(&a->lock);
  bpf_res_spin_unlock(&b->lock);
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int resilient_left(struct __sk_buff *skb) {
  RESILIENT(a, 0);
  return bpf_res_spin_lock(&a->lock);
}

/* corpus: locks accepted */
SEC("tc")
int resilient_irq(struct __sk_buff *skb) {
  RESILIENT(a, 0);
  unsigned long flags;
  if (bpf_res_spin_lock_irqsave(&a->lock, &flags)) return 0;
  a->count++;
  bpf_res_spin_unlock_irqrestore(&a->lock, &flags);
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int resilient_irq_mixed(struct __sk_buff *skb) {
  RESILIENT(a, 0);
  unsigned long flags;
  if (bpf_res_spin_lock_irqsave(&a->lock, &flags)) return 0;
  bpf_res_spin_unlock(&a->lock);
  bpf_local_irq_restore(&flags);
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int resilient_irq_other_flag(struct __sk_buff *skb) {
  RESILIENT(a, 0);
  unsigned long flags, other;
  bpf_local_irq_save(&other);
  if (bpf_res_spin_lock_irqsave(&a->lock, &flags)) {
    bpf_local_irq_restore(&other);
    return 0;
  }
  bpf_res_spin_unlock_irqrestore(&a->lock, &other);
  bpf_local_irq_restore(&flags);
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int resilient_by_plain(struct __sk_buff *skb) {
  RESILIENT(a, 0);
  bpf_spin_lock((void *)&a->lock);
  bpf_spin_unlock((void *)&a->lock);
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int helper_in_resilient(struct __sk_buff *skb) {
  RESILIENT(a, 0);
  if (bpf_res_spin_lock(&a->lock)) return 0;
  a->count = bpf_get_prandom_u32();
  bpf_res_spin_unlock(&a->lock);
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int callback_in_lock(struct __sk_buff *skb);
static long nothing(__u32 i, void *ctx) {
  return 0;
}
int callback_in_lock(struct __sk_buff *skb) {
  GUARD(a, guards, 1);
  bpf_spin_lock(&a->lock);
  bpf_loop(2, nothing, 0, 0);
  bpf_spin_unlock(&a->lock);
  return 0;
}

char _license[] SEC("license") = "GPL";
