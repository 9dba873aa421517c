/* What newer kernels offer: may_goto, arenas, trees, references counted, iterators of objects,
 * exceptions, tagged arguments, resilient locks, per-CPU objects. */
#include "corpus.h"

#include <linux/version.h>
/* corpus: needs v3, clang-19 */

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
struct bpf_rb_root {
  __u64 opaque[2];
} __attribute__((aligned(8)));
struct bpf_rb_node {
  __u64 opaque[4];
} __attribute__((aligned(8)));
struct bpf_refcount {
  __u32 opaque[1];
} __attribute__((aligned(4)));
struct bpf_iter_num {
  __u64 opaque[1];
} __attribute__((aligned(8)));
#endif
struct bpf_res_spin_lock {
  __u32 val;
};
struct bpf_iter_task {
  __u64 opaque[3];
} __attribute__((aligned(8)));
struct bpf_iter_bits {
  __u64 opaque[2];
} __attribute__((aligned(8)));
struct task_struct {
  int pid;
  int tgid;
} CORE;
struct cgroup {
  int level;
} CORE;

#define CONTAINS(type, field) __attribute__((btf_decl_tag("contains:" #type ":" #field)))
#define TAG(text) __attribute__((btf_decl_tag("arg:" text)))
#define cond_break                                     \
  ({                                                   \
    __label__ l_break, l_continue;                     \
    asm volatile goto("may_goto %l[l_break]" :: : : l_break); \
    goto l_continue;                                   \
  l_break:                                             \
    break;                                             \
  l_continue:;                                         \
  })

KFUNC void *bpf_obj_new_impl(__u64 type, void *meta);
KFUNC void bpf_obj_drop_impl(void *object, void *meta);
KFUNC void *bpf_refcount_acquire_impl(void *object, void *meta);
KFUNC int bpf_rbtree_add_impl(struct bpf_rb_root *root, struct bpf_rb_node *node,
                              bool(less)(struct bpf_rb_node *, const struct bpf_rb_node *),
                              void *meta, __u64 offset);
KFUNC struct bpf_rb_node *bpf_rbtree_first(struct bpf_rb_root *root);
KFUNC struct bpf_rb_node *bpf_rbtree_remove(struct bpf_rb_root *root, struct bpf_rb_node *node);
KFUNC void bpf_throw(__u64 cookie);
KFUNC int bpf_iter_task_new(struct bpf_iter_task *it, struct task_struct *task, unsigned int flags);
KFUNC struct task_struct *bpf_iter_task_next(struct bpf_iter_task *it);
KFUNC void bpf_iter_task_destroy(struct bpf_iter_task *it);
KFUNC int bpf_iter_bits_new(struct bpf_iter_bits *it, const __u64 *words, __u32 number);
KFUNC int *bpf_iter_bits_next(struct bpf_iter_bits *it);
KFUNC void bpf_iter_bits_destroy(struct bpf_iter_bits *it);
KFUNC int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end);
KFUNC int *bpf_iter_num_next(struct bpf_iter_num *it);
KFUNC void bpf_iter_num_destroy(struct bpf_iter_num *it);
KFUNC void bpf_rcu_read_lock(void);
KFUNC void bpf_rcu_read_unlock(void);
KFUNC struct cgroup *bpf_cgroup_from_id(__u64 id);
KFUNC void bpf_cgroup_release(struct cgroup *cgroup);
KFUNC int bpf_res_spin_lock(struct bpf_res_spin_lock *lock);
KFUNC void bpf_res_spin_unlock(struct bpf_res_spin_lock *lock);
KFUNC void *bpf_rdonly_cast(const void *object, __u32 type);
KFUNC void bpf_local_irq_save(unsigned long *flags);
KFUNC void bpf_local_irq_restore(unsigned long *flags);

struct node {
  struct bpf_rb_node link;
  struct bpf_refcount references;
  __u64 key;
};
struct tree {
  struct bpf_spin_lock lock;
  struct bpf_rb_root root CONTAINS(node, link);
};
struct cell {
  struct bpf_res_spin_lock lock;
  __u64 value;
};

TABLE(trees, BPF_MAP_TYPE_ARRAY, __u32, struct tree, 1);
TABLE(cells, BPF_MAP_TYPE_ARRAY, __u32, struct cell, 1);
TABLE(values, BPF_MAP_TYPE_ARRAY, __u32, __u64, 1024);
struct {
  __uint(type, 32 /* BPF_MAP_TYPE_CGRP_STORAGE */);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, __u64);
} per_cgroup SEC(".maps");

#define new_node() \
  ((struct node *)bpf_obj_new_impl(__builtin_btf_type_id(*(struct node *)0, 0), NULL))

static bool less(struct bpf_rb_node *a, const struct bpf_rb_node *b) {
  return ((struct node *)a)->key < ((struct node *)b)->key;
}

/* corpus: kptr accepted */
SEC("tc")
int tree_insert(struct __sk_buff *skb) {
  __u32 zero = 0;
  struct tree *tree = bpf_map_lookup_elem(&trees, &zero);
  if (!tree) return TC_ACT_OK;
  struct node *node = new_node();
  if (!node) return TC_ACT_OK;
  node->key = skb->len;
  bpf_spin_lock(&tree->lock);
  bpf_rbtree_add_impl(&tree->root, &node->link, less, NULL, 0);
  bpf_spin_unlock(&tree->lock);
  return TC_ACT_OK;
}

/* corpus: kptr accepted */
SEC("tc")
int tree_pop(struct __sk_buff *skb) {
  __u32 zero = 0;
  struct tree *tree = bpf_map_lookup_elem(&trees, &zero);
  if (!tree) return TC_ACT_OK;
  bpf_spin_lock(&tree->lock);
  struct bpf_rb_node *first = bpf_rbtree_first(&tree->root);
  if (!first) {
    bpf_spin_unlock(&tree->lock);
    return TC_ACT_OK;
  }
  first = bpf_rbtree_remove(&tree->root, first);
  bpf_spin_unlock(&tree->lock);
  if (!first) return TC_ACT_OK;
  struct node *node = (void *)first;
  int result = node->key > 5;
  bpf_obj_drop_impl(node, NULL);
  return result;
}

/* corpus: kptr accepted */
SEC("tc")
int count_references(struct __sk_buff *skb) {
  struct node *node = new_node();
  if (!node) return TC_ACT_OK;
  struct node *other = bpf_refcount_acquire_impl(node, NULL);
  node->key = 4;
  bpf_obj_drop_impl(node, NULL);
  int result = other->key == 4;
  bpf_obj_drop_impl(other, NULL);
  return result;
}

/* corpus: kptr rejected */
SEC("tc")
int bad_use_after_drop(struct __sk_buff *skb) {
  struct node *node = new_node();
  if (!node) return TC_ACT_OK;
  bpf_obj_drop_impl(node, NULL);
  return node->key;
}

/* corpus: kptr rejected */
SEC("tc")
int bad_first_outside_lock(struct __sk_buff *skb) {
  __u32 zero = 0;
  struct tree *tree = bpf_map_lookup_elem(&trees, &zero);
  if (!tree) return TC_ACT_OK;
  bpf_spin_lock(&tree->lock);
  struct bpf_rb_node *first = bpf_rbtree_first(&tree->root);
  bpf_spin_unlock(&tree->lock);
  if (!first) return TC_ACT_OK;
  return ((struct node *)first)->key;
}

/* corpus: loops accepted */
SEC("tc")
int may_go(struct __sk_buff *skb) {
  __u64 sum = 0;
  for (__u32 i = 0; i < skb->len; i++) {
    __u32 key = i & 1023;
    __u64 *value = bpf_map_lookup_elem(&values, &key);
    if (value) sum += *value;
    cond_break;
  }
  return sum == 5;
}

/* corpus: loops accepted */
SEC("tc")
int may_go_forever(struct __sk_buff *skb) {
  __u32 x = skb->len;
  for (;;) {
    x = x * 1664525 + 1013904223;
    if (x == 7) break;
    cond_break;
  }
  return x & 1;
}

/* corpus: loops rejected */
SEC("tc")
int bad_may_go_index(struct __sk_buff *skb) {
  __u64 numbers[8] = {};
  __u32 i = 0;
  for (;; i++) {
    cond_break;
    BARRIER(i);
    numbers[i] = i;
  }
  return numbers[0];
}

/* corpus: iterators accepted */
SEC("tp_btf/sys_enter")
int all_tasks(__u64 *ctx) {
  struct bpf_iter_task it;
  struct task_struct *task;
  __u64 sum = 0;
  bpf_rcu_read_lock();
  bpf_iter_task_new(&it, NULL, 0);
  while ((task = bpf_iter_task_next(&it))) sum += task->pid;
  bpf_iter_task_destroy(&it);
  bpf_rcu_read_unlock();
  return sum == 3;
}

/* corpus: iterators rejected */
SEC("tp_btf/sys_enter")
int bad_iterator_after_unlock(__u64 *ctx) {
  struct bpf_iter_task it;
  struct task_struct *task;
  __u64 sum = 0;
  bpf_rcu_read_lock();
  bpf_iter_task_new(&it, NULL, 0);
  bpf_rcu_read_unlock();
  while ((task = bpf_iter_task_next(&it))) sum += task->pid;
  bpf_iter_task_destroy(&it);
  return sum == 3;
}

/* corpus: iterators accepted */
SEC("tc")
int set_bits(struct __sk_buff *skb) {
  struct bpf_iter_bits it;
  __u64 words[2] = {skb->len, skb->hash};
  int *bit, sum = 0;
  bpf_iter_bits_new(&it, words, 2);
  while ((bit = bpf_iter_bits_next(&it))) sum += *bit;
  bpf_iter_bits_destroy(&it);
  return sum == 3;
}

/* corpus: iterators accepted */
SEC("tc")
int iterate_with_check(struct __sk_buff *skb) {
  __u64 numbers[16] = {};
  struct bpf_iter_num it;
  int *value;
  bpf_iter_num_new(&it, 0, 100);
  while ((value = bpf_iter_num_next(&it))) {
    __u32 index = *value;
    BARRIER(index);
    if (index >= 16) break;
    numbers[index] = index;
  }
  bpf_iter_num_destroy(&it);
  return numbers[skb->len & 15];
}

static __attribute__((noinline)) __u64 checked(__u64 value) {
  if (value > 1000) bpf_throw(3);
  return value * 2;
}

/* corpus: calls accepted */
SEC("tc")
int throws(struct __sk_buff *skb) {
  return checked(skb->len) > 500;
}

/* corpus: references rejected */
SEC("tc")
int bad_throw_with_object(struct __sk_buff *skb) {
  struct node *node = new_node();
  if (!node) return TC_ACT_OK;
  if (skb->len > 5) bpf_throw(1);
  bpf_obj_drop_impl(node, NULL);
  return TC_ACT_OK;
}

__attribute__((noinline)) int tagged(struct __sk_buff *skb TAG("ctx"), __u64 *value TAG("nonnull")) {
  return skb->len + *value;
}

/* corpus: calls accepted */
SEC("tc")
int call_tagged(struct __sk_buff *skb) {
  __u64 value = skb->mark;
  return tagged(skb, &value) > 5;
}

/* corpus: calls rejected */
SEC("tc")
int bad_call_tagged(struct __sk_buff *skb) {
  __u32 key = skb->mark;
  return tagged(skb, bpf_map_lookup_elem(&values, &key)) > 5;
}

/* corpus: locks accepted */
SEC("tc")
int resilient(struct __sk_buff *skb) {
  __u32 zero = 0;
  struct cell *cell = bpf_map_lookup_elem(&cells, &zero);
  if (!cell) return TC_ACT_OK;
  if (bpf_res_spin_lock(&cell->lock)) return TC_ACT_SHOT;
  cell->value++;
  bpf_res_spin_unlock(&cell->lock);
  return TC_ACT_OK;
}

/* corpus: locks rejected */
SEC("tc")
int bad_resilient_unchecked(struct __sk_buff *skb) {
  __u32 zero = 0;
  struct cell *cell = bpf_map_lookup_elem(&cells, &zero);
  if (!cell) return TC_ACT_OK;
  bpf_res_spin_lock(&cell->lock);
  cell->value++;
  bpf_res_spin_unlock(&cell->lock);
  return TC_ACT_OK;
}

/* corpus: locks accepted */
SEC("tc")
int interrupts_off(struct __sk_buff *skb) {
  unsigned long flags;
  bpf_local_irq_save(&flags);
  int result = skb->len > 5;
  bpf_local_irq_restore(&flags);
  return result;
}

/* corpus: locks rejected */
SEC("tc")
int bad_interrupts_order(struct __sk_buff *skb) {
  unsigned long first, second;
  bpf_local_irq_save(&first);
  bpf_local_irq_save(&second);
  bpf_local_irq_restore(&first);
  bpf_local_irq_restore(&second);
  return 0;
}

/* corpus: references accepted */
SEC("tp_btf/sys_enter")
int cgroup_storage(__u64 *ctx) {
  struct cgroup *cgroup = bpf_cgroup_from_id(1);
  if (!cgroup) return 0;
  __u64 *value = bpf_cgrp_storage_get(&per_cgroup, cgroup, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
  if (value) *value += cgroup->level;
  bpf_cgroup_release(cgroup);
  return 0;
}

/* corpus: references rejected */
SEC("tp_btf/sys_enter")
int bad_cgroup_leak(__u64 *ctx) {
  struct cgroup *cgroup = bpf_cgroup_from_id(1);
  if (!cgroup) return 0;
  return cgroup->level == 100;
}

char _license[] SEC("license") = "GPL";
