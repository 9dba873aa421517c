/* Ownership across objects: global locks and lists, objects that contain others, counted objects. */
#include "../../../corpus/corpus.h"
#include <linux/version.h>
/* corpus: needs v1, clang-19 */

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
struct bpf_list_head {
  __u64 opaque[2];
} __attribute__((aligned(8)));
struct bpf_list_node {
  __u64 opaque[3];
} __attribute__((aligned(8)));
struct bpf_rb_root {
  __u64 opaque[2];
} __attribute__((aligned(8)));
struct bpf_rb_node {
  __u64 opaque[4];
} __attribute__((aligned(8)));
struct bpf_refcount {
  __u32 opaque[1];
} __attribute__((aligned(4)));
#endif
struct bpf_iter_num {
  __u64 opaque[1];
} __attribute__((aligned(8)));

#define KPTR __attribute__((btf_type_tag("kptr")))
#define CONTAINS(type, field) __attribute__((btf_decl_tag("contains:" #type ":" #field)))
#define PRIVATE(name) SEC(".data." #name) __hidden __attribute__((aligned(8)))

struct cgroup {
  int level;
} CORE;
struct cpumask;
struct bpf_cpumask {
  int usage;
} CORE;

KFUNC void *bpf_obj_new_impl(__u64 type, void *meta);
KFUNC void bpf_obj_drop_impl(void *object, void *meta);
KFUNC void *bpf_refcount_acquire_impl(void *object, void *meta);
KFUNC int bpf_list_push_front_impl(struct bpf_list_head *h, struct bpf_list_node *n, void *m, __u64 o);
KFUNC struct bpf_list_node *bpf_list_pop_front(struct bpf_list_head *head);
KFUNC int bpf_rbtree_add_impl(struct bpf_rb_root *root, struct bpf_rb_node *node,
                              bool(less)(struct bpf_rb_node *a, const struct bpf_rb_node *b), void *m,
                              __u64 o);
KFUNC struct bpf_rb_node *bpf_rbtree_remove(struct bpf_rb_root *root, struct bpf_rb_node *node);
KFUNC struct bpf_rb_node *bpf_rbtree_left(struct bpf_rb_root *root, struct bpf_rb_node *node);
KFUNC struct bpf_rb_node *bpf_rbtree_first(struct bpf_rb_root *root);
KFUNC int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end);
KFUNC int *bpf_iter_num_next(struct bpf_iter_num *it);
KFUNC void bpf_iter_num_destroy(struct bpf_iter_num *it);
KFUNC void bpf_rcu_read_lock(void);
KFUNC void bpf_rcu_read_unlock(void);
KFUNC struct cgroup *bpf_cgroup_from_id(__u64 id);
KFUNC struct cgroup *bpf_cgroup_acquire(struct cgroup *cgroup);
KFUNC struct cgroup *bpf_cgroup_ancestor(struct cgroup *cgroup, int level);
KFUNC void bpf_cgroup_release(struct cgroup *cgroup);
KFUNC struct bpf_cpumask *bpf_cpumask_create(void);
KFUNC void bpf_cpumask_release(struct bpf_cpumask *mask);
KFUNC struct bpf_cpumask *bpf_cpumask_acquire(struct bpf_cpumask *mask);
KFUNC void bpf_cpumask_set_cpu(__u32 cpu, struct bpf_cpumask *mask);
KFUNC __u32 bpf_cpumask_first(const struct cpumask *mask);

struct item {
  struct bpf_list_node node;
  __u64 value;
};
struct leaf {
  struct bpf_rb_node node;
  __u64 key;
};
struct counted {
  struct bpf_refcount count;
  struct bpf_list_node node;
  __u64 value;
};
struct plain {
  __u64 value;
};
/* An object that owns a list of others. */
struct owner {
  struct bpf_spin_lock lock;
  struct bpf_list_head items CONTAINS(item, node);
  __u64 value;
};
/* An object that keeps another. */
struct keeper {
  struct plain KPTR *kept;
  __u64 value;
};
struct holder {
  struct keeper KPTR *keeper;
  struct counted KPTR *counted;
  struct cgroup KPTR *cgroup;
  struct bpf_cpumask KPTR *mask;
};

TABLE(holders, BPF_MAP_TYPE_ARRAY, __u32, struct holder, 2);

struct bpf_spin_lock items_lock PRIVATE(items);
struct bpf_list_head items CONTAINS(item, node) PRIVATE(items);
struct bpf_spin_lock leaves_lock PRIVATE(leaves);
struct bpf_rb_root leaves CONTAINS(leaf, node) PRIVATE(leaves);
struct bpf_spin_lock counted_lock PRIVATE(counted);
struct bpf_list_head counted_items CONTAINS(counted, node) PRIVATE(counted);

#define VALUE(type, name, map)                               \
  __u32 name##_key = 0;                                      \
  struct type *name = bpf_map_lookup_elem(&map, &name##_key); \
  if (!name) return 0
#define new_object(type) \
  ((struct type *)bpf_obj_new_impl(__builtin_btf_type_id(*(struct type *)0, 0), 0))
#define drop(object) bpf_obj_drop_impl(object, 0)
#define NEW(type, name)                 \
  struct type *name = new_object(type); \
  if (!name) return 0
#define container(pointer, type, member) ((struct type *)((void *)(pointer) - offsetof(struct type, member)))

/* corpus: kptr accepted */
SEC("tc")
int global_list(struct __sk_buff *skb) {
  NEW(item, i);
  bpf_spin_lock(&items_lock);
  bpf_list_push_front_impl(&items, &i->node, 0, 0);
  struct bpf_list_node *n = bpf_list_pop_front(&items);
  bpf_spin_unlock(&items_lock);
  if (n) drop(container(n, item, node));
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int global_list_other_lock(struct __sk_buff *skb) {
  NEW(item, i);
  bpf_spin_lock(&leaves_lock);
  bpf_list_push_front_impl(&items, &i->node, 0, 0);
  bpf_spin_unlock(&leaves_lock);
  return 0;
}

static bool less(struct bpf_rb_node *a, const struct bpf_rb_node *b) {
  return container(a, leaf, node)->key < container(b, leaf, node)->key;
}

static bool less_unlocks(struct bpf_rb_node *a, const struct bpf_rb_node *b) {
  bpf_spin_unlock(&leaves_lock);
  return false;
}

static bool less_locks(struct bpf_rb_node *a, const struct bpf_rb_node *b) {
  bpf_spin_unlock(&leaves_lock);
  bpf_spin_lock(&leaves_lock);
  return false;
}

static bool less_removes(struct bpf_rb_node *a, const struct bpf_rb_node *b) {
  bpf_rbtree_remove(&leaves, a);
  return false;
}

static bool less_writes(struct bpf_rb_node *a, const struct bpf_rb_node *b) {
  container(a, leaf, node)->key = 1;
  return false;
}

static bool less_touches_node(struct bpf_rb_node *a, const struct bpf_rb_node *b) {
  return *(volatile __u64 *)a == 0;
}


/* corpus: kptr accepted */
SEC("tc")
int global_tree(struct __sk_buff *skb) {
  NEW(leaf, l);
  bpf_spin_lock(&leaves_lock);
  bpf_rbtree_add_impl(&leaves, &l->node, less, 0, 0);
  bpf_spin_unlock(&leaves_lock);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int tree_compare_unlocks(struct __sk_buff *skb) {
  NEW(leaf, l);
  bpf_spin_lock(&leaves_lock);
  bpf_rbtree_add_impl(&leaves, &l->node, less_unlocks, 0, 0);
  bpf_spin_unlock(&leaves_lock);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int tree_compare_relocks(struct __sk_buff *skb) {
  NEW(leaf, l);
  bpf_spin_lock(&leaves_lock);
  bpf_rbtree_add_impl(&leaves, &l->node, less_locks, 0, 0);
  bpf_spin_unlock(&leaves_lock);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int tree_compare_removes(struct __sk_buff *skb) {
  NEW(leaf, l);
  bpf_spin_lock(&leaves_lock);
  bpf_rbtree_add_impl(&leaves, &l->node, less_removes, 0, 0);
  bpf_spin_unlock(&leaves_lock);
  return 0;
}

/* corpus: kptr accepted */
SEC("tc")
int tree_compare_writes(struct __sk_buff *skb) {
  NEW(leaf, l);
  bpf_spin_lock(&leaves_lock);
  bpf_rbtree_add_impl(&leaves, &l->node, less_writes, 0, 0);
  bpf_spin_unlock(&leaves_lock);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int tree_compare_touches_node(struct __sk_buff *skb) {
  NEW(leaf, l);
  bpf_spin_lock(&leaves_lock);
  bpf_rbtree_add_impl(&leaves, &l->node, less_touches_node, 0, 0);
  bpf_spin_unlock(&leaves_lock);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int tree_removed_node_reused(struct __sk_buff *skb) {
  NEW(leaf, l);
  bpf_spin_lock(&leaves_lock);
  bpf_rbtree_add_impl(&leaves, &l->node, less, 0, 0);
  struct bpf_rb_node *n = bpf_rbtree_remove(&leaves, &l->node);
  struct bpf_rb_node *m = bpf_rbtree_remove(&leaves, &l->node);
  bpf_spin_unlock(&leaves_lock);
  if (n) drop(container(n, leaf, node));
  return 0;
}

/* corpus: kptr accepted */
SEC("tc")
int tree_filled_in_loop(struct __sk_buff *skb) {
  for (int i = 0; i < 16; i++) {
    NEW(leaf, l);
    l->key = i;
    bpf_spin_lock(&leaves_lock);
    bpf_rbtree_add_impl(&leaves, &l->node, less, 0, 0);
    bpf_spin_unlock(&leaves_lock);
  }
  return 0;
}

/* corpus: kptr accepted */
SEC("tc")
int tree_drained_by_iterator(struct __sk_buff *skb) {
  struct bpf_iter_num it;
  bpf_iter_num_new(&it, 0, 1000);
  while (bpf_iter_num_next(&it)) {
    bpf_spin_lock(&leaves_lock);
    struct bpf_rb_node *n = bpf_rbtree_first(&leaves);
    if (!n) {
      bpf_spin_unlock(&leaves_lock);
      break;
    }
    n = bpf_rbtree_remove(&leaves, n);
    bpf_spin_unlock(&leaves_lock);
    if (n) drop(container(n, leaf, node));
  }
  bpf_iter_num_destroy(&it);
  return 0;
}

/* corpus: kptr accepted */
SEC("tc")
int iterator_in_lock(struct __sk_buff *skb) {
  struct bpf_iter_num it;
  __u64 sum = 0;
  int *v;
  bpf_spin_lock(&leaves_lock);
  bpf_iter_num_new(&it, 0, 1000);
  while ((v = bpf_iter_num_next(&it))) sum += *v;
  bpf_iter_num_destroy(&it);
  bpf_spin_unlock(&leaves_lock);
  return sum & 1;
}

/* corpus: kptr rejected */
SEC("tc")
int lock_left_in_iterator(struct __sk_buff *skb) {
  struct bpf_iter_num it;
  bpf_iter_num_new(&it, 0, 1000);
  while (bpf_iter_num_next(&it)) bpf_spin_lock(&leaves_lock);
  bpf_iter_num_destroy(&it);
  bpf_spin_unlock(&leaves_lock);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int objects_left_in_iterator(struct __sk_buff *skb) {
  struct bpf_iter_num it;
  bpf_iter_num_new(&it, 0, 1000);
  while (bpf_iter_num_next(&it)) new_object(plain);
  bpf_iter_num_destroy(&it);
  return 0;
}

/* corpus: kptr accepted */
SEC("tc")
int list_in_object(struct __sk_buff *skb) {
  NEW(owner, o);
  struct item *i = new_object(item);
  if (!i) {
    drop(o);
    return 0;
  }
  bpf_spin_lock(&o->lock);
  bpf_list_push_front_impl(&o->items, &i->node, 0, 0);
  bpf_spin_unlock(&o->lock);
  drop(o);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int list_in_other_object(struct __sk_buff *skb) {
  NEW(owner, o);
  struct owner *p = new_object(owner);
  if (!p) {
    drop(o);
    return 0;
  }
  struct item *i = new_object(item);
  if (!i) {
    drop(o);
    drop(p);
    return 0;
  }
  bpf_spin_lock(&o->lock);
  bpf_list_push_front_impl(&p->items, &i->node, 0, 0);
  bpf_spin_unlock(&o->lock);
  drop(o);
  drop(p);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int object_dropped_locked(struct __sk_buff *skb) {
  NEW(owner, o);
  bpf_spin_lock(&o->lock);
  drop(o);
  return 0;
}

/* corpus: kptr accepted */
SEC("tc")
int object_in_object(struct __sk_buff *skb) {
  NEW(keeper, k);
  struct plain *p = new_object(plain);
  if (!p) {
    drop(k);
    return 0;
  }
  p = bpf_kptr_xchg(&k->kept, p);
  if (p) drop(p);
  drop(k);
  return 0;
}

/* corpus: kptr accepted */
SEC("tc")
int object_stored_with_content(struct __sk_buff *skb) {
  VALUE(holder, h, holders);
  NEW(keeper, k);
  struct plain *p = new_object(plain);
  if (!p) {
    drop(k);
    return 0;
  }
  p = bpf_kptr_xchg(&k->kept, p);
  if (p) drop(p);
  k = bpf_kptr_xchg(&h->keeper, k);
  if (k) drop(k);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int content_exchanged_in_map(struct __sk_buff *skb) {
  VALUE(holder, h, holders);
  struct keeper *k = h->keeper;
  if (!k) return 0;
  *(volatile __u64 *)&k->kept = 0;
  return 0;
}

/* corpus: kptr accepted */
SEC("tc")
int counted_put_into_map(struct __sk_buff *skb) {
  VALUE(holder, h, holders);
  NEW(counted, c);
  c = bpf_kptr_xchg(&h->counted, c);
  if (c) drop(c);
  return 0;
}

/* corpus: kptr accepted */
SEC("tc")
int counted_taken_from_map(struct __sk_buff *skb) {
  VALUE(holder, h, holders);
  struct counted *c = h->counted;
  if (!c) return 0;
  c = bpf_refcount_acquire_impl(c, 0);
  if (!c) return 0;
  bpf_spin_lock(&counted_lock);
  bpf_list_push_front_impl(&counted_items, &c->node, 0, 0);
  bpf_spin_unlock(&counted_lock);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int counted_pushed_from_map(struct __sk_buff *skb) {
  VALUE(holder, h, holders);
  struct counted *c = h->counted;
  if (!c) return 0;
  bpf_spin_lock(&counted_lock);
  bpf_list_push_front_impl(&counted_items, &c->node, 0, 0);
  bpf_spin_unlock(&counted_lock);
  return 0;
}

/* corpus: kptr rejected */
SEC("syscall")
int counted_read_without_rcu(void *ctx) {
  VALUE(holder, h, holders);
  struct counted *c = h->counted;
  if (!c) return 0;
  c = bpf_refcount_acquire_impl(c, 0);
  if (c) drop(c);
  return 0;
}

/* corpus: kptr accepted */
SEC("syscall")
int counted_read_in_rcu(void *ctx) {
  VALUE(holder, h, holders);
  bpf_rcu_read_lock();
  struct counted *c = h->counted;
  if (c) c = bpf_refcount_acquire_impl(c, 0);
  bpf_rcu_read_unlock();
  if (c) drop(c);
  return 0;
}

/* corpus: kptr accepted */
SEC("tp_btf/task_newtask")
int cgroup_kept(__u64 *ctx) {
  VALUE(holder, h, holders);
  struct cgroup *c = bpf_cgroup_from_id(1);
  if (!c) return 0;
  c = bpf_kptr_xchg(&h->cgroup, c);
  if (c) bpf_cgroup_release(c);
  return 0;
}

/* corpus: kptr accepted */
SEC("tp_btf/task_newtask")
int cgroup_ancestor(__u64 *ctx) {
  struct cgroup *c = bpf_cgroup_from_id(1), *a;
  if (!c) return 0;
  a = bpf_cgroup_ancestor(c, 1);
  bpf_cgroup_release(c);
  if (!a) return 0;
  bpf_cgroup_release(a);
  return 0;
}

/* corpus: kptr rejected */
SEC("tp_btf/task_newtask")
int cgroup_ancestor_left(__u64 *ctx) {
  struct cgroup *c = bpf_cgroup_from_id(1);
  if (!c) return 0;
  bpf_cgroup_ancestor(c, 1);
  bpf_cgroup_release(c);
  return 0;
}

/* corpus: kptr accepted */
SEC("tp_btf/task_newtask")
int mask_kept_and_read(__u64 *ctx) {
  VALUE(holder, h, holders);
  int first = 0;
  bpf_rcu_read_lock();
  struct bpf_cpumask *m = h->mask;
  if (m) first = bpf_cpumask_first((void *)m);
  bpf_rcu_read_unlock();
  return first & 1;
}

/* corpus: kptr rejected */
SEC("tp_btf/task_newtask")
int mask_read_unchecked(__u64 *ctx) {
  VALUE(holder, h, holders);
  bpf_rcu_read_lock();
  int first = bpf_cpumask_first((void *)h->mask);
  bpf_rcu_read_unlock();
  return first & 1;
}

/* corpus: kptr accepted */
SEC("tp_btf/task_newtask")
int mask_acquired(__u64 *ctx) {
  struct bpf_cpumask *m = bpf_cpumask_create(), *n;
  if (!m) return 0;
  n = bpf_cpumask_acquire(m);
  bpf_cpumask_set_cpu(0, n);
  bpf_cpumask_release(m);
  bpf_cpumask_release(n);
  return 0;
}

/* corpus: kptr rejected */
SEC("tp_btf/task_newtask")
int mask_released_once(__u64 *ctx) {
  struct bpf_cpumask *m = bpf_cpumask_create(), *n;
  if (!m) return 0;
  n = bpf_cpumask_acquire(m);
  bpf_cpumask_release(m);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int object_stored_in_plain_stack_pointer(struct __sk_buff *skb) {
  NEW(plain, p);
  struct plain *volatile kept = p;
  drop(kept);
  return p->value & 1;
}

/* An owned object is never null: the way on which it would be need not release it. */
/* corpus: references accepted */
SEC("tc")
int second_reference_is_there(struct __sk_buff *skb) {
  NEW(counted, c);
  struct counted *again = bpf_refcount_acquire_impl(c, 0);
  if (again) drop(again);
  drop(c);
  return 0;
}

/* What the section protected is nobody's when it has ended, and may be null. */
/* corpus: kptr rejected */
SEC("syscall")
int bad_read_behind_section(void *ctx) {
  VALUE(holder, h, holders);
  bpf_rcu_read_lock();
  struct keeper *keeper = h->keeper;
  bpf_rcu_read_unlock();
  return keeper ? keeper->value : 0;
}

static bool looks_left(struct bpf_rb_node *a, const struct bpf_rb_node *b) {
  return bpf_rbtree_left(&leaves, a) != 0;
}

/* corpus: kptr rejected */
SEC("tc")
int bad_left_in_comparison(struct __sk_buff *skb) {
  NEW(leaf, l);
  bpf_spin_lock(&leaves_lock);
  bpf_rbtree_add_impl(&leaves, &l->node, looks_left, 0, 0);
  bpf_spin_unlock(&leaves_lock);
  return 0;
}

/* Whether an owned node is in the tree, the kernel finds out. */
/* corpus: kptr accepted */
SEC("tc")
int owned_node_looked_up(struct __sk_buff *skb) {
  NEW(leaf, l);
  bpf_spin_lock(&leaves_lock);
  struct bpf_rb_node *left = bpf_rbtree_left(&leaves, &l->node);
  __u64 key = left ? container(left, leaf, node)->key : 0;
  bpf_spin_unlock(&leaves_lock);
  drop(l);
  return key;
}

char _license[] SEC("license") = "GPL";
