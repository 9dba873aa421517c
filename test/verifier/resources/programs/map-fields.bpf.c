/* Maps of types that cannot hold what their values ask for: no function works on it. */
#include "../../../corpus/corpus.h"
/* corpus: needs v1, clang-19 */

#define KPTR __attribute__((btf_type_tag("kptr")))

struct task_struct {
  int pid;
} CORE;
KFUNC void bpf_task_release(struct task_struct *task);

struct locked {
  struct bpf_spin_lock lock;
  __u64 value;
};
struct timed {
  struct bpf_timer timer;
  __u64 value;
};
struct holder {
  struct task_struct KPTR *task;
};

TABLE(locks_in_hash, BPF_MAP_TYPE_HASH, __u32, struct locked, 4);
TABLE(locks_per_cpu, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct locked, 4);
TABLE(locks_in_lru, BPF_MAP_TYPE_LRU_HASH, __u32, struct locked, 4);
TABLE(timers_in_lru, BPF_MAP_TYPE_LRU_HASH, __u32, struct timed, 4);
TABLE(timers_per_cpu, BPF_MAP_TYPE_PERCPU_HASH, __u32, struct timed, 4);
TABLE(tasks_per_cpu, BPF_MAP_TYPE_PERCPU_HASH, __u32, struct holder, 4);
struct {
  __uint(type, BPF_MAP_TYPE_LPM_TRIE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, __u64);
  __type(value, struct holder);
  __uint(max_entries, 4);
} tasks_in_trie SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_RDONLY_PROG);
  __type(key, __u32);
  __type(value, struct locked);
  __uint(max_entries, 4);
} locks_read_only SEC(".maps");

#define VALUE(type, name, map)                               \
  __u64 name##_key = 0;                                      \
  struct type *name = bpf_map_lookup_elem(&map, &name##_key); \
  if (!name) return 0

/* corpus: locks accepted */
SEC("tc")
int lock_in_hash(struct __sk_buff *skb) {
  VALUE(locked, v, locks_in_hash);
  bpf_spin_lock(&v->lock);
  bpf_spin_unlock(&v->lock);
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int bad_lock_per_cpu(struct __sk_buff *skb) {
  VALUE(locked, v, locks_per_cpu);
  bpf_spin_lock(&v->lock);
  bpf_spin_unlock(&v->lock);
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int bad_lock_in_lru(struct __sk_buff *skb) {
  VALUE(locked, v, locks_in_lru);
  bpf_spin_lock(&v->lock);
  bpf_spin_unlock(&v->lock);
  return 0;
}

/* corpus: locks rejected */
SEC("tc")
int bad_lock_read_only(struct __sk_buff *skb) {
  VALUE(locked, v, locks_read_only);
  bpf_spin_lock(&v->lock);
  bpf_spin_unlock(&v->lock);
  return 0;
}

/* corpus: callbacks accepted */
SEC("tc")
int timer_in_lru(struct __sk_buff *skb) {
  VALUE(timed, v, timers_in_lru);
  return bpf_timer_start(&v->timer, 0, 0) & 1;
}

/* corpus: callbacks rejected */
SEC("tc")
int bad_timer_per_cpu(struct __sk_buff *skb) {
  VALUE(timed, v, timers_per_cpu);
  return bpf_timer_start(&v->timer, 0, 0) & 1;
}

/* corpus: kptr accepted */
SEC("tc")
int task_per_cpu(struct __sk_buff *skb) {
  VALUE(holder, v, tasks_per_cpu);
  struct task_struct *task = bpf_kptr_xchg(&v->task, 0);
  if (task) bpf_task_release(task);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int bad_task_in_trie(struct __sk_buff *skb) {
  VALUE(holder, v, tasks_in_trie);
  struct task_struct *task = bpf_kptr_xchg(&v->task, 0);
  if (task) bpf_task_release(task);
  return 0;
}

char _license[] SEC("license") = "GPL";
