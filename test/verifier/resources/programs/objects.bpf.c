/* Allocated objects, lists, trees, reference counts, kernel pointers in maps. */
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

#define KPTR __attribute__((btf_type_tag("kptr")))
#define UNTRUSTED_KPTR __attribute__((btf_type_tag("kptr_untrusted")))
#define PERCPU_KPTR __attribute__((btf_type_tag("percpu_kptr")))
#define CONTAINS(type, field) __attribute__((btf_decl_tag("contains:" #type ":" #field)))

KFUNC void *bpf_obj_new_impl(__u64 type, void *meta);
KFUNC void bpf_obj_drop_impl(void *object, void *meta);
KFUNC void *bpf_percpu_obj_new_impl(__u64 type, void *meta);
KFUNC void bpf_percpu_obj_drop_impl(void *object, void *meta);
KFUNC void *bpf_refcount_acquire_impl(void *object, void *meta);
KFUNC int bpf_list_push_front_impl(struct bpf_list_head *h, struct bpf_list_node *n, void *m, __u64 o);
KFUNC int bpf_list_push_back_impl(struct bpf_list_head *h, struct bpf_list_node *n, void *m, __u64 o);
KFUNC struct bpf_list_node *bpf_list_pop_front(struct bpf_list_head *head);
KFUNC struct bpf_list_node *bpf_list_pop_back(struct bpf_list_head *head);
KFUNC struct bpf_list_node *bpf_list_front(struct bpf_list_head *head);
KFUNC int bpf_rbtree_add_impl(struct bpf_rb_root *root, struct bpf_rb_node *node,
                              bool(less)(struct bpf_rb_node *a, const struct bpf_rb_node *b), void *m,
                              __u64 o);
KFUNC struct bpf_rb_node *bpf_rbtree_remove(struct bpf_rb_root *root, struct bpf_rb_node *node);
KFUNC struct bpf_rb_node *bpf_rbtree_first(struct bpf_rb_root *root);
KFUNC struct bpf_rb_node *bpf_rbtree_root(struct bpf_rb_root *root);
KFUNC struct bpf_rb_node *bpf_rbtree_left(struct bpf_rb_root *root, struct bpf_rb_node *node);
KFUNC void bpf_rcu_read_lock(void);
KFUNC void bpf_rcu_read_unlock(void);

struct task_struct {
  int pid;
} CORE;
KFUNC struct task_struct *bpf_task_from_pid(int pid);
KFUNC struct task_struct *bpf_task_acquire(struct task_struct *p);
KFUNC void bpf_task_release(struct task_struct *p);

struct item {
  struct bpf_list_node node;
  __u64 value;
  int small;
};

struct leaf {
  __u64 key;
  struct bpf_rb_node node;
};

struct shared {
  struct bpf_refcount count;
  struct bpf_list_node in_list;
  struct bpf_rb_node in_tree;
  __u64 value;
};

struct plain {
  __u64 value;
  __u64 more;
};

struct queue {
  struct bpf_spin_lock lock;
  struct bpf_list_head head CONTAINS(item, node);
};

struct forest {
  struct bpf_spin_lock lock;
  struct bpf_rb_root root CONTAINS(leaf, node);
};

struct both {
  struct bpf_spin_lock lock;
  struct bpf_list_head head CONTAINS(shared, in_list);
  struct bpf_rb_root root CONTAINS(shared, in_tree);
};

struct holder {
  struct plain KPTR *plain;
  struct task_struct KPTR *task;
  struct task_struct UNTRUSTED_KPTR *seen;
  __u64 number;
};

struct spread {
  struct plain PERCPU_KPTR *plain;
};

TABLE(queues, BPF_MAP_TYPE_ARRAY, __u32, struct queue, 2);
TABLE(forests, BPF_MAP_TYPE_ARRAY, __u32, struct forest, 2);
TABLE(boths, BPF_MAP_TYPE_ARRAY, __u32, struct both, 2);
TABLE(holders, BPF_MAP_TYPE_ARRAY, __u32, struct holder, 2);
TABLE(spreads, BPF_MAP_TYPE_ARRAY, __u32, struct spread, 2);

#define new_object(type) \
  ((struct type *)bpf_obj_new_impl(__builtin_btf_type_id(*(struct type *)0, 0), 0))
#define drop(object) bpf_obj_drop_impl(object, 0)
#define VALUE(type, name, map)                               \
  __u32 name##_key = 0;                                      \
  struct type *name = bpf_map_lookup_elem(&map, &name##_key); \
  if (!name) return 0
#define NEW(type, name)                 \
  struct type *name = new_object(type); \
  if (!name) return 0
#define container(pointer, type, member) ((struct type *)((void *)(pointer) - offsetof(struct type, member)))

/* corpus: kptr accepted */
SEC("tc")
int made_and_dropped(struct __sk_buff *skb) {
  NEW(plain, p);
  p->value = 1;
  p->more = p->value;
  drop(p);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int made_and_left(struct __sk_buff *skb) {
  NEW(plain, p);
  p->value = 1;
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int dropped_unchecked(struct __sk_buff *skb) {
  drop(new_object(plain));
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int dropped_twice(struct __sk_buff *skb) {
  NEW(plain, p);
  drop(p);
  drop(p);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int used_after_drop(struct __sk_buff *skb) {
  NEW(plain, p);
  drop(p);
  return p->value;
}

/* corpus: kptr rejected */
SEC("tc")
int dropped_moved(struct __sk_buff *skb) {
  NEW(plain, p);
  drop(&p->more);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int overrun(struct __sk_buff *skb) {
  NEW(plain, p);
  (&p->value)[2] = 1;
  drop(p);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int before_start(struct __sk_buff *skb) {
  NEW(plain, p);
  int x = (&p->value)[-1];
  drop(p);
  return x & 1;
}

/* corpus: kptr rejected */
SEC("tc")
int node_written(struct __sk_buff *skb) {
  NEW(item, p);
  *(volatile __u64 *)&p->node = 1;
  drop(p);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int read_across_members(struct __sk_buff *skb) {
  NEW(item, p);
  int x = *(volatile __u64 *)((void *)&p->value + 4);
  drop(p);
  return x & 1;
}

/* corpus: kptr rejected */
SEC("tc")
int variable_offset(struct __sk_buff *skb) {
  NEW(plain, p);
  int x = ((__u8 *)p)[skb->len & 7];
  drop(p);
  return x & 1;
}

/* corpus: kptr accepted */
SEC("tc")
int number_added_atomically(struct __sk_buff *skb) {
  NEW(plain, p);
  __sync_fetch_and_add(&p->value, 1);
  drop(p);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int given_to_helper(struct __sk_buff *skb) {
  NEW(plain, p);
  bpf_skb_load_bytes(skb, 0, p, 8);
  drop(p);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int type_unknown(struct __sk_buff *skb) {
  struct plain *p = bpf_obj_new_impl(1000000, 0);
  if (p) drop(p);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int type_variable(struct __sk_buff *skb) {
  struct plain *p = bpf_obj_new_impl(skb->len, 0);
  if (p) drop(p);
  return 0;
}

/* corpus: kptr accepted */
SEC("tc")
int pushed(struct __sk_buff *skb) {
  VALUE(queue, q, queues);
  NEW(item, p);
  bpf_spin_lock(&q->lock);
  bpf_list_push_front_impl(&q->head, &p->node, 0, 0);
  bpf_spin_unlock(&q->lock);
  return 0;
}

/* corpus: kptr accepted */
SEC("tc")
int pushed_and_touched(struct __sk_buff *skb) {
  VALUE(queue, q, queues);
  NEW(item, p);
  bpf_spin_lock(&q->lock);
  bpf_list_push_front_impl(&q->head, &p->node, 0, 0);
  p->value = 1;
  bpf_spin_unlock(&q->lock);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int pushed_and_touched_unlocked(struct __sk_buff *skb) {
  VALUE(queue, q, queues);
  NEW(item, p);
  bpf_spin_lock(&q->lock);
  bpf_list_push_front_impl(&q->head, &p->node, 0, 0);
  bpf_spin_unlock(&q->lock);
  p->value = 1;
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int pushed_twice(struct __sk_buff *skb) {
  VALUE(queue, q, queues);
  NEW(item, p);
  bpf_spin_lock(&q->lock);
  bpf_list_push_front_impl(&q->head, &p->node, 0, 0);
  bpf_list_push_front_impl(&q->head, &p->node, 0, 0);
  bpf_spin_unlock(&q->lock);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int pushed_and_dropped(struct __sk_buff *skb) {
  VALUE(queue, q, queues);
  NEW(item, p);
  bpf_spin_lock(&q->lock);
  bpf_list_push_front_impl(&q->head, &p->node, 0, 0);
  bpf_spin_unlock(&q->lock);
  drop(p);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int pushed_with_other_lock(struct __sk_buff *skb) {
  VALUE(queue, q, queues);
  VALUE(queue, r, queues);
  NEW(item, p);
  bpf_spin_lock(&q->lock);
  bpf_list_push_front_impl(&r->head, &p->node, 0, 0);
  bpf_spin_unlock(&q->lock);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int pushed_other_type(struct __sk_buff *skb) {
  VALUE(queue, q, queues);
  NEW(shared, p);
  bpf_spin_lock(&q->lock);
  bpf_list_push_front_impl(&q->head, &p->in_list, 0, 0);
  bpf_spin_unlock(&q->lock);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int pushed_at_wrong_offset(struct __sk_buff *skb) {
  VALUE(queue, q, queues);
  NEW(item, p);
  bpf_spin_lock(&q->lock);
  bpf_list_push_front_impl(&q->head, (void *)&p->value, 0, 0);
  bpf_spin_unlock(&q->lock);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int popped_and_left(struct __sk_buff *skb) {
  VALUE(queue, q, queues);
  bpf_spin_lock(&q->lock);
  bpf_list_pop_front(&q->head);
  bpf_spin_unlock(&q->lock);
  return 0;
}

/* corpus: kptr accepted */
SEC("tc")
int popped_and_pushed(struct __sk_buff *skb) {
  VALUE(queue, q, queues);
  bpf_spin_lock(&q->lock);
  struct bpf_list_node *n = bpf_list_pop_back(&q->head);
  if (n) bpf_list_push_front_impl(&q->head, n, 0, 0);
  bpf_spin_unlock(&q->lock);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int popped_dropped_locked(struct __sk_buff *skb) {
  VALUE(queue, q, queues);
  bpf_spin_lock(&q->lock);
  struct bpf_list_node *n = bpf_list_pop_back(&q->head);
  if (n) drop(container(n, item, node));
  bpf_spin_unlock(&q->lock);
  return 0;
}

/* corpus: kptr accepted */
SEC("tc")
int front_seen(struct __sk_buff *skb) {
  VALUE(queue, q, queues);
  int x = 0;
  bpf_spin_lock(&q->lock);
  struct bpf_list_node *n = bpf_list_front(&q->head);
  if (n) x = container(n, item, node)->value;
  bpf_spin_unlock(&q->lock);
  return x & 1;
}

/* corpus: kptr rejected */
SEC("tc")
int front_seen_outlives(struct __sk_buff *skb) {
  VALUE(queue, q, queues);
  bpf_spin_lock(&q->lock);
  struct bpf_list_node *n = bpf_list_front(&q->head);
  bpf_spin_unlock(&q->lock);
  return n ? container(n, item, node)->value & 1 : 0;
}

static bool less(struct bpf_rb_node *a, const struct bpf_rb_node *b) {
  return container(a, leaf, node)->key < container(b, leaf, node)->key;
}

static bool less_unlocks(struct bpf_rb_node *a, const struct bpf_rb_node *b) {
  __u32 key = 0;
  struct forest *f = bpf_map_lookup_elem(&forests, &key);
  if (f) bpf_spin_unlock(&f->lock);
  return false;
}

/* corpus: kptr accepted */
SEC("tc")
int tree_added(struct __sk_buff *skb) {
  VALUE(forest, f, forests);
  NEW(leaf, l);
  l->key = skb->len;
  bpf_spin_lock(&f->lock);
  bpf_rbtree_add_impl(&f->root, &l->node, less, 0, 0);
  bpf_spin_unlock(&f->lock);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int tree_added_unlocked(struct __sk_buff *skb) {
  VALUE(forest, f, forests);
  NEW(leaf, l);
  bpf_rbtree_add_impl(&f->root, &l->node, less, 0, 0);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int tree_less_unlocks(struct __sk_buff *skb) {
  VALUE(forest, f, forests);
  NEW(leaf, l);
  bpf_spin_lock(&f->lock);
  bpf_rbtree_add_impl(&f->root, &l->node, less_unlocks, 0, 0);
  bpf_spin_unlock(&f->lock);
  return 0;
}

/* corpus: kptr accepted */
SEC("tc")
int tree_first_removed(struct __sk_buff *skb) {
  VALUE(forest, f, forests);
  bpf_spin_lock(&f->lock);
  struct bpf_rb_node *n = bpf_rbtree_first(&f->root);
  if (!n) {
    bpf_spin_unlock(&f->lock);
    return 0;
  }
  n = bpf_rbtree_remove(&f->root, n);
  bpf_spin_unlock(&f->lock);
  if (!n) return 0;
  drop(container(n, leaf, node));
  return 1;
}

/* corpus: kptr rejected */
SEC("tc")
int tree_first_unchecked(struct __sk_buff *skb) {
  VALUE(forest, f, forests);
  bpf_spin_lock(&f->lock);
  struct bpf_rb_node *n = bpf_rbtree_first(&f->root);
  n = bpf_rbtree_remove(&f->root, n);
  bpf_spin_unlock(&f->lock);
  if (n) drop(container(n, leaf, node));
  return 1;
}

/* corpus: kptr accepted */
SEC("tc")
int tree_added_and_removed(struct __sk_buff *skb) {
  VALUE(forest, f, forests);
  NEW(leaf, l);
  bpf_spin_lock(&f->lock);
  bpf_rbtree_add_impl(&f->root, &l->node, less, 0, 0);
  struct bpf_rb_node *n = bpf_rbtree_remove(&f->root, &l->node);
  bpf_spin_unlock(&f->lock);
  if (n) drop(container(n, leaf, node));
  return 1;
}

/* corpus: kptr rejected */
SEC("tc")
int tree_owned_removed(struct __sk_buff *skb) {
  VALUE(forest, f, forests);
  NEW(leaf, l);
  bpf_spin_lock(&f->lock);
  struct bpf_rb_node *n = bpf_rbtree_remove(&f->root, &l->node);
  bpf_spin_unlock(&f->lock);
  if (n) drop(container(n, leaf, node));
  return 1;
}

/* corpus: kptr accepted */
SEC("tc")
int tree_walked(struct __sk_buff *skb) {
  VALUE(forest, f, forests);
  int x = 0;
  bpf_spin_lock(&f->lock);
  struct bpf_rb_node *n = bpf_rbtree_root(&f->root);
  if (n) n = bpf_rbtree_left(&f->root, n);
  if (n) x = container(n, leaf, node)->key;
  bpf_spin_unlock(&f->lock);
  return x & 1;
}

/* corpus: kptr rejected */
SEC("tc")
int tree_removed_in_less(struct __sk_buff *skb);
static bool less_removes(struct bpf_rb_node *a, const struct bpf_rb_node *b) {
  __u32 key = 0;
  bpf_map_lookup_elem(&forests, &key);
  return false;
}
int tree_removed_in_less(struct __sk_buff *skb) {
  VALUE(forest, f, forests);
  NEW(leaf, l);
  bpf_spin_lock(&f->lock);
  bpf_rbtree_add_impl(&f->root, &l->node, less_removes, 0, 0);
  bpf_spin_unlock(&f->lock);
  return 0;
}

static bool less_shared(struct bpf_rb_node *a, const struct bpf_rb_node *b) {
  return container(a, shared, in_tree)->value < container(b, shared, in_tree)->value;
}

/* corpus: kptr accepted */
SEC("tc")
int shared_in_both(struct __sk_buff *skb) {
  VALUE(both, b, boths);
  NEW(shared, s);
  struct shared *t = bpf_refcount_acquire_impl(s, 0);
  bpf_spin_lock(&b->lock);
  bpf_list_push_back_impl(&b->head, &s->in_list, 0, 0);
  bpf_rbtree_add_impl(&b->root, &t->in_tree, less_shared, 0, 0);
  bpf_spin_unlock(&b->lock);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int shared_left(struct __sk_buff *skb) {
  NEW(shared, s);
  bpf_refcount_acquire_impl(s, 0);
  drop(s);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int uncounted_acquired(struct __sk_buff *skb) {
  NEW(plain, s);
  struct plain *t = bpf_refcount_acquire_impl(s, 0);
  drop(s);
  if (t) drop(t);
  return 0;
}

/* corpus: kptr accepted */
SEC("tc")
int borrowed_acquired(struct __sk_buff *skb) {
  VALUE(both, b, boths);
  NEW(shared, s);
  bpf_spin_lock(&b->lock);
  bpf_list_push_back_impl(&b->head, &s->in_list, 0, 0);
  struct shared *t = bpf_refcount_acquire_impl(s, 0);
  bpf_spin_unlock(&b->lock);
  if (t) drop(t);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int borrowed_acquired_unchecked(struct __sk_buff *skb) {
  VALUE(both, b, boths);
  NEW(shared, s);
  bpf_spin_lock(&b->lock);
  bpf_list_push_back_impl(&b->head, &s->in_list, 0, 0);
  struct shared *t = bpf_refcount_acquire_impl(s, 0);
  bpf_spin_unlock(&b->lock);
  drop(t);
  return 0;
}

/* corpus: kptr accepted */
SEC("tc")
int exchanged(struct __sk_buff *skb) {
  VALUE(holder, h, holders);
  NEW(plain, p);
  struct plain *old = bpf_kptr_xchg(&h->plain, p);
  if (old) drop(old);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int exchanged_old_left(struct __sk_buff *skb) {
  VALUE(holder, h, holders);
  NEW(plain, p);
  bpf_kptr_xchg(&h->plain, p);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int exchanged_and_used(struct __sk_buff *skb) {
  VALUE(holder, h, holders);
  NEW(plain, p);
  struct plain *old = bpf_kptr_xchg(&h->plain, p);
  if (old) drop(old);
  return p->value & 1;
}

/* corpus: kptr rejected */
SEC("tc")
int exchanged_unchecked(struct __sk_buff *skb) {
  VALUE(holder, h, holders);
  struct plain *old = bpf_kptr_xchg(&h->plain, new_object(plain));
  if (old) drop(old);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int exchanged_other_type(struct __sk_buff *skb) {
  VALUE(holder, h, holders);
  NEW(item, p);
  struct plain *old = bpf_kptr_xchg(&h->plain, (void *)p);
  if (old) drop(old);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int exchanged_number(struct __sk_buff *skb) {
  VALUE(holder, h, holders);
  struct plain *old = bpf_kptr_xchg((void *)&h->number, 0);
  if (old) drop(old);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int exchanged_untrusted(struct __sk_buff *skb) {
  VALUE(holder, h, holders);
  struct task_struct *old = bpf_kptr_xchg((void *)&h->seen, 0);
  if (old) bpf_task_release(old);
  return 0;
}

/* corpus: kptr accepted */
SEC("tc")
int kept_read(struct __sk_buff *skb) {
  VALUE(holder, h, holders);
  struct plain *p = h->plain;
  return p ? p->value & 1 : 0;
}

/* corpus: kptr rejected */
SEC("tc")
int kept_read_unchecked(struct __sk_buff *skb) {
  VALUE(holder, h, holders);
  return h->plain->value & 1;
}

/* corpus: kptr rejected */
SEC("tc")
int kept_dropped(struct __sk_buff *skb) {
  VALUE(holder, h, holders);
  struct plain *p = h->plain;
  if (p) drop(p);
  return 0;
}

/* corpus: kptr accepted */
SEC("tc")
int kept_written(struct __sk_buff *skb) {
  VALUE(holder, h, holders);
  struct plain *p = h->plain;
  if (p) p->value = 1;
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int kept_partly_read(struct __sk_buff *skb) {
  VALUE(holder, h, holders);
  return *(volatile __u32 *)&h->plain;
}

/* corpus: kptr rejected */
SEC("tc")
int kept_overwritten(struct __sk_buff *skb) {
  VALUE(holder, h, holders);
  *(volatile __u64 *)&h->plain = 0;
  return 0;
}

/* corpus: kptr accepted */
SEC("tp_btf/task_newtask")
int seen_stored(__u64 *ctx) {
  VALUE(holder, h, holders);
  h->seen = (struct task_struct *)ctx[0];
  return 0;
}

/* corpus: kptr accepted */
SEC("tp_btf/task_newtask")
int seen_cleared(__u64 *ctx) {
  VALUE(holder, h, holders);
  *(struct task_struct *volatile *)&h->seen = 0;
  return 0;
}

/* corpus: kptr rejected */
SEC("tp_btf/task_newtask")
int seen_number_stored(__u64 *ctx) {
  VALUE(holder, h, holders);
  *(volatile __u64 *)&h->seen = ctx[1];
  return 0;
}

/* corpus: kptr accepted */
SEC("tp_btf/task_newtask")
int seen_read(__u64 *ctx) {
  VALUE(holder, h, holders);
  struct task_struct *task = h->seen;
  return task ? task->pid & 1 : 0;
}

/* corpus: kptr rejected */
SEC("tp_btf/task_newtask")
int seen_acquired(__u64 *ctx) {
  VALUE(holder, h, holders);
  struct task_struct *task = h->seen;
  if (!task) return 0;
  task = bpf_task_acquire(task);
  if (task) bpf_task_release(task);
  return 0;
}

/* corpus: kptr accepted */
SEC("tp_btf/task_newtask")
int kept_task_acquired(__u64 *ctx) {
  VALUE(holder, h, holders);
  bpf_rcu_read_lock();
  struct task_struct *task = h->task;
  if (task) task = bpf_task_acquire(task);
  bpf_rcu_read_unlock();
  if (task) bpf_task_release(task);
  return 0;
}

/* corpus: kptr rejected */
SEC("syscall")
int kept_task_acquired_without_rcu(void *ctx) {
  VALUE(holder, h, holders);
  struct task_struct *task = h->task;
  if (task) task = bpf_task_acquire(task);
  if (task) bpf_task_release(task);
  return 0;
}

/* corpus: kptr accepted */
SEC("syscall")
int kept_task_acquired_in_rcu(void *ctx) {
  VALUE(holder, h, holders);
  bpf_rcu_read_lock();
  struct task_struct *task = h->task;
  if (task) task = bpf_task_acquire(task);
  bpf_rcu_read_unlock();
  if (task) bpf_task_release(task);
  return 0;
}

/* corpus: kptr rejected */
SEC("syscall")
int kept_task_outlives_rcu(void *ctx) {
  VALUE(holder, h, holders);
  bpf_rcu_read_lock();
  struct task_struct *task = h->task;
  bpf_rcu_read_unlock();
  if (!task) return 0;
  task = bpf_task_acquire(task);
  if (task) bpf_task_release(task);
  return 0;
}

/* corpus: kptr accepted */
SEC("tc")
int percpu_made(struct __sk_buff *skb) {
  VALUE(spread, s, spreads);
  void *p = bpf_percpu_obj_new_impl(__builtin_btf_type_id(*(struct plain *)0, 0), 0);
  if (!p) return 0;
  p = bpf_kptr_xchg(&s->plain, p);
  if (p) bpf_percpu_obj_drop_impl(p, 0);
  return 0;
}

/* corpus: kptr rejected */
SEC("tc")
int percpu_read_directly(struct __sk_buff *skb) {
  struct plain *p = bpf_percpu_obj_new_impl(__builtin_btf_type_id(*(struct plain *)0, 0), 0);
  if (!p) return 0;
  int x = p->value;
  bpf_percpu_obj_drop_impl(p, 0);
  return x & 1;
}

/* corpus: kptr rejected */
SEC("tc")
int percpu_dropped_as_plain(struct __sk_buff *skb) {
  struct plain *p = bpf_percpu_obj_new_impl(__builtin_btf_type_id(*(struct plain *)0, 0), 0);
  if (p) drop(p);
  return 0;
}

/* corpus: kptr accepted */
SEC("tc")
int percpu_read(struct __sk_buff *skb) {
  VALUE(spread, s, spreads);
  struct plain *p = s->plain;
  if (!p) return 0;
  p = bpf_this_cpu_ptr(p);
  return p->value & 1;
}

/* corpus: kptr accepted */
SEC("tc")
int percpu_read_of_processor(struct __sk_buff *skb) {
  VALUE(spread, s, spreads);
  struct plain *p = s->plain;
  if (!p) return 0;
  p = bpf_per_cpu_ptr(p, 0);
  return p ? p->value & 1 : 0;
}

char _license[] SEC("license") = "GPL";
