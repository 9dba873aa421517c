/* Kernel objects as arguments and results of calls, and memory of no type. */
#include "../../../corpus/corpus.h"
/* corpus: needs v1, clang-19 */

struct bpf_map;
struct cpumask;
struct kmem_cache {
  unsigned size;
} CORE;
struct cgroup_subsys_state {
  int id;
} CORE;
struct cgroup {
  struct cgroup_subsys_state self;
} CORE;
struct css_set {
  struct cgroup *dfl_cgrp;
} CORE;
struct task_struct {
  int pid;
  struct css_set *cgroups;
} CORE;

KFUNC __s64 bpf_map_sum_elem_count(const struct bpf_map *map);
KFUNC struct kmem_cache *bpf_get_kmem_cache(__u64 address);
KFUNC void css_rstat_updated(struct cgroup_subsys_state *state, int cpu);
KFUNC __u32 bpf_cpumask_weight(const struct cpumask *mask);
KFUNC void *bpf_rdonly_cast(const void *object, __u32 type);

TABLE(counts, BPF_MAP_TYPE_HASH, __u32, __u64, 4);
__u64 number;

/* corpus: helper arguments accepted */
SEC("tp_btf/task_newtask")
int map_is_an_object(__u64 *ctx) {
  return bpf_map_sum_elem_count((struct bpf_map *)&counts);
}

/* What is found may be freed at any time: it is read where a fault yields 0. */
/* corpus: helper arguments accepted */
SEC("tp_btf/task_newtask")
int cache_is_untrusted(__u64 *ctx) {
  return bpf_get_kmem_cache(ctx[1])->size;
}

/* corpus: helper arguments accepted */
SEC("tp_btf/task_newtask")
int nested_object(__u64 *ctx) {
  css_rstat_updated(&((struct task_struct *)ctx[0])->cgroups->dfl_cgrp->self, 0);
  return 0;
}

/* Structures without pointers are bytes to kernel functions: as many as they have. */
/* corpus: helper arguments rejected */
SEC("tp_btf/task_newtask")
int bad_too_few_bytes_as_mask(__u64 *ctx) {
  __u32 word = ctx[1];
  return bpf_cpumask_weight((struct cpumask *)&word);
}

/* Keys of maps are not said to be read only. */
/* corpus: helper arguments rejected */
SEC("tp_btf/task_newtask")
int bad_object_as_key(__u64 *ctx) {
  struct task_struct *task = (void *)ctx[0];
  return bpf_map_update_elem(&counts, &task->pid, &number, 0);
}

/* corpus: helper arguments rejected */
SEC("tp_btf/task_newtask")
int bad_pointer_as_number(__u64 *ctx) {
  return bpf_get_kmem_cache(ctx[0])->size;
}

/* corpus: ALU and encoding accepted */
SEC("tp_btf/task_newtask")
int typeless_anywhere(__u64 *ctx) {
  char *bytes = bpf_rdonly_cast(ctx, 0);
  return bytes[number] + bytes[-100];
}

/* corpus: ALU and encoding accepted */
SEC("tp_btf/task_newtask")
int typeless_computed(__u64 *ctx) {
  char *bytes = bpf_rdonly_cast(ctx, 0);
  asm volatile("%0 *= 3; %0 &= 77; %0 -= %1" : "+r"(bytes) : "r"(number));
  return *bytes;
}

/* corpus: ALU and encoding rejected */
SEC("tp_btf/task_newtask")
int bad_typeless_negated(__u64 *ctx) {
  char *bytes = bpf_rdonly_cast(ctx, 0);
  asm volatile("%0 = -%0" : "+r"(bytes));
  return *bytes;
}

/* corpus: ALU and encoding rejected */
SEC("tp_btf/task_newtask")
int bad_typeless_lower_half(__u64 *ctx) {
  register char *bytes asm("r1") = bpf_rdonly_cast(ctx, 0);
  asm volatile("w1 += 1" : "+r"(bytes));
  return *bytes;
}

/* corpus: ALU and encoding rejected */
SEC("tp_btf/task_newtask")
int bad_typeless_written(__u64 *ctx) {
  *(volatile char *)bpf_rdonly_cast(ctx, 0) = 1;
  return 0;
}

/* r0 = load_acquire((u32 *)(r1 + 0)) */
#define LOAD_ACQUIRE ".8byte 0x00000100000010c3;"

/* corpus: atomics accepted */
SEC("tp_btf/task_newtask")
int loads_with_order(__u64 *ctx) {
  register int *pid asm("r1") = &((struct task_struct *)ctx[0])->pid;
  register __u64 found asm("r0");
  asm volatile(LOAD_ACQUIRE : "=r"(found) : "r"(pid) : "memory");
  return found;
}

/* corpus: context rejected */
SEC("iter/nobody")
int bad_iterator(void *ctx) {
  return 0;
}

char _license[] SEC("license") = "GPL";
