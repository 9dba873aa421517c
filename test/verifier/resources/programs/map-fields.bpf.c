/* Maps of types that cannot hold what their values ask for: no function works on it. */
#include "../../../corpus/corpus.h"
/* corpus: needs v1, clang-19 */

#define KPTR __attribute__((btf_type_tag("kptr")))
#define UPTR __attribute__((btf_type_tag("uptr")))

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

/* Only declared: the kernel takes the pointer for a plain one. */
struct declared;
struct distant {
  struct declared KPTR *object;
};
struct settings {
  __u32 first;
  __u32 second;
};
struct settings defaults;
struct shared {
  struct settings UPTR *settings;
};

TABLE(distants, BPF_MAP_TYPE_ARRAY, __u32, struct distant, 4);
struct {
  __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct shared);
} of_tasks SEC(".maps");
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

/* corpus: kptr accepted */
SEC("tc")
int declared_is_plain(struct __sk_buff *skb) {
  VALUE(distant, v, distants);
  v->object = 0;
  return *(volatile __u32 *)&v->object;
}

/* corpus: kptr rejected */
SEC("tc")
int bad_declared_exchanged(struct __sk_buff *skb) {
  VALUE(distant, v, distants);
  return bpf_kptr_xchg(&v->object, 0) != 0;
}

#define SHARED(name)                                                                       \
  struct shared *name = bpf_task_storage_get(&of_tasks, bpf_get_current_task_btf(), 0, 0); \
  if (!name) return 0

/* corpus: kptr accepted */
SEC("tp_btf/sys_enter")
int memory_of_process(void *ctx) {
  SHARED(v);
  struct settings *settings = v->settings;
  if (!settings) return 0;
  settings->first = 1;
  return settings->second;
}

/* corpus: kptr rejected */
SEC("tp_btf/sys_enter")
int bad_memory_of_process_unchecked(void *ctx) {
  SHARED(v);
  return v->settings->second + defaults.first;
}

/* corpus: kptr rejected */
SEC("tp_btf/sys_enter")
int bad_behind_memory_of_process(void *ctx) {
  SHARED(v);
  struct settings *settings = v->settings;
  return settings ? *(volatile __u32 *)(settings + 1) : 0;
}

/* corpus: kptr rejected */
SEC("tp_btf/sys_enter")
int bad_memory_of_process_replaced(void *ctx) {
  SHARED(v);
  v->settings = 0;
  return 0;
}

char _license[] SEC("license") = "GPL";
