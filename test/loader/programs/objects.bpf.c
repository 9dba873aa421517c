/*
 * Objects that programs allocate: lists, trees, references, pointers in maps, parts for each
 * processor. Each program answers with a number that tells whether all went as it should.
 */
#include "../../corpus/corpus.h"

char LICENSE[] SEC("license") = "GPL";

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
struct bpf_iter_num {
  __u64 opaque[1];
} __attribute__((aligned(8)));
struct bpf_refcount {
  __u32 opaque[1];
} __attribute__((aligned(4)));

#define CONTAINS(type, field) __attribute__((btf_decl_tag("contains:" #type ":" #field)))
#define KPTR __attribute__((btf_type_tag("kptr")))
#define PERCPU_KPTR __attribute__((btf_type_tag("percpu_kptr")))
#define PRIVATE(name) SEC(".data." #name) __attribute__((aligned(8)))
#define NEW(type) ((type *)bpf_obj_new_impl(bpf_core_type_id_local(type), NULL))
#define DROP(object) bpf_obj_drop_impl(object, NULL)
#define OBJECT_OF(node, type, field) ((type *)((void *)(node) - offsetof(type, field)))

#include <bpf/bpf_core_read.h>

KFUNC void *bpf_obj_new_impl(__u64 type, void *meta);
KFUNC void bpf_obj_drop_impl(void *object, void *meta);
KFUNC void *bpf_percpu_obj_new_impl(__u64 type, void *meta);
KFUNC void bpf_percpu_obj_drop_impl(void *object, void *meta);
KFUNC void *bpf_refcount_acquire_impl(void *object, void *meta);
KFUNC int bpf_list_push_front_impl(struct bpf_list_head *head, struct bpf_list_node *node, void *meta, __u64 offset);
KFUNC int bpf_list_push_back_impl(struct bpf_list_head *head, struct bpf_list_node *node, void *meta, __u64 offset);
KFUNC struct bpf_list_node *bpf_list_pop_front(struct bpf_list_head *head);
KFUNC struct bpf_list_node *bpf_list_pop_back(struct bpf_list_head *head);
KFUNC struct bpf_list_node *bpf_list_front(struct bpf_list_head *head);
KFUNC struct bpf_list_node *bpf_list_back(struct bpf_list_head *head);
KFUNC int bpf_rbtree_add_impl(struct bpf_rb_root *root, struct bpf_rb_node *node,
                              bool(less)(struct bpf_rb_node *a, const struct bpf_rb_node *b), void *meta, __u64 offset);
KFUNC struct bpf_rb_node *bpf_rbtree_remove(struct bpf_rb_root *root, struct bpf_rb_node *node);
KFUNC struct bpf_rb_node *bpf_rbtree_first(struct bpf_rb_root *root);
KFUNC struct bpf_rb_node *bpf_rbtree_root(struct bpf_rb_root *root);
KFUNC struct bpf_rb_node *bpf_rbtree_left(struct bpf_rb_root *root, struct bpf_rb_node *node);
KFUNC struct bpf_rb_node *bpf_rbtree_right(struct bpf_rb_root *root, struct bpf_rb_node *node);
KFUNC int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end);
KFUNC int *bpf_iter_num_next(struct bpf_iter_num *it);
KFUNC void bpf_iter_num_destroy(struct bpf_iter_num *it);
KFUNC void bpf_rcu_read_lock(void);
KFUNC void bpf_rcu_read_unlock(void);

struct item {
  int key;
  struct bpf_list_node node;
  int value;
};

PRIVATE(A) struct bpf_spin_lock list_lock;
PRIVATE(A) struct bpf_list_head list CONTAINS(item, node);

static ALWAYS_INLINE struct item *make_item(int key) {
  struct item *item = NEW(struct item);
  if (item) {
    item->key = key;
    item->value = key * key;
  }
  return item;
}

SEC("tc")
int list_in_order(struct __sk_buff *skb) {
  struct bpf_list_node *node;
  int answer = 0, i;
  for (i = 0; i < 6; i++) {
    struct item *item = make_item(i);
    if (!item) return -1;
    bpf_spin_lock(&list_lock);
    if (i & 1) bpf_list_push_front_impl(&list, &item->node, NULL, 0);
    else bpf_list_push_back_impl(&list, &item->node, NULL, 0);
    bpf_spin_unlock(&list_lock);
  }
  for (i = 0; i < 8; i++) {
    bpf_spin_lock(&list_lock);
    node = i & 2 ? bpf_list_pop_back(&list) : bpf_list_pop_front(&list);
    bpf_spin_unlock(&list_lock);
    if (!node) return answer + i;
    struct item *item = OBJECT_OF(node, struct item, node);
    answer = answer * 10 + item->key + (item->value == item->key * item->key ? 0 : 7);
    DROP(item);
  }
  return -2;
}

SEC("tc")
int list_ends(struct __sk_buff *skb) {
  struct bpf_list_node *first, *last;
  int answer = 0, i;
  for (i = 1; i < 4; i++) {
    struct item *item = make_item(i);
    if (!item) return -1;
    bpf_spin_lock(&list_lock);
    bpf_list_push_back_impl(&list, &item->node, NULL, 0);
    first = bpf_list_front(&list);
    last = bpf_list_back(&list);
    if (first) answer = answer * 10 + OBJECT_OF(first, struct item, node)->key;
    if (last) answer = answer * 10 + OBJECT_OF(last, struct item, node)->key;
    bpf_spin_unlock(&list_lock);
  }
  for (i = 0; i < 3; i++) {
    bpf_spin_lock(&list_lock);
    first = bpf_list_pop_front(&list);
    bpf_spin_unlock(&list_lock);
    if (first) DROP(OBJECT_OF(first, struct item, node));
  }
  bpf_spin_lock(&list_lock);
  first = bpf_list_front(&list);
  bpf_spin_unlock(&list_lock);
  return first ? -2 : answer;
}

/* Lists in map values: what is left in them goes with the element. */
struct shelf {
  struct bpf_spin_lock lock;
  struct bpf_list_head list CONTAINS(item, node);
  int count;
};
TABLE(shelves, BPF_MAP_TYPE_HASH, __u32, struct shelf, 4);
TABLE(boards, BPF_MAP_TYPE_ARRAY, __u32, struct shelf, 2);

static ALWAYS_INLINE int fill(struct shelf *shelf, int items) {
  int i;
  for (i = 0; i < items; i++) {
    struct item *item = make_item(i);
    if (!item) return -1;
    bpf_spin_lock(&shelf->lock);
    bpf_list_push_back_impl(&shelf->list, &item->node, NULL, 0);
    shelf->count++;
    bpf_spin_unlock(&shelf->lock);
  }
  return shelf->count;
}

static ALWAYS_INLINE int take(struct shelf *shelf) {
  bpf_spin_lock(&shelf->lock);
  struct bpf_list_node *node = bpf_list_pop_front(&shelf->list);
  bpf_spin_unlock(&shelf->lock);
  if (!node) return 100;
  struct item *item = OBJECT_OF(node, struct item, node);
  int key = item->key;
  DROP(item);
  return key;
}

SEC("tc")
int lists_in_maps(struct __sk_buff *skb) {
  struct shelf nothing = {}, *shelf;
  __u32 key = 3;
  int answer;
  bpf_map_update_elem(&shelves, &key, &nothing, 0);
  shelf = bpf_map_lookup_elem(&shelves, &key);
  if (!shelf) return -1;
  answer = fill(shelf, 3);
  answer = answer * 1000 + take(shelf);
  bpf_map_delete_elem(&shelves, &key);
  bpf_map_update_elem(&shelves, &key, &nothing, 0);
  shelf = bpf_map_lookup_elem(&shelves, &key);
  if (!shelf) return -2;
  answer = answer * 1000 + take(shelf);
  key = 1;
  shelf = bpf_map_lookup_elem(&boards, &key);
  if (!shelf) return -3;
  fill(shelf, 2);
  return answer * 10 + take(shelf);
}

struct leaf {
  long key;
  struct bpf_rb_node node;
  struct bpf_list_node link;
  struct bpf_refcount references;
  int value;
};

PRIVATE(B) struct bpf_spin_lock tree_lock;
PRIVATE(B) struct bpf_rb_root tree CONTAINS(leaf, node);
PRIVATE(B) struct bpf_list_head leaves CONTAINS(leaf, link);

static bool comes_before(struct bpf_rb_node *a, const struct bpf_rb_node *b) {
  return OBJECT_OF(a, struct leaf, node)->key < OBJECT_OF(b, struct leaf, node)->key;
}

static ALWAYS_INLINE int grow(long key) {
  struct leaf *leaf = NEW(struct leaf);
  if (!leaf) return -1;
  leaf->key = key;
  bpf_spin_lock(&tree_lock);
  bpf_rbtree_add_impl(&tree, &leaf->node, comes_before, NULL, 0);
  bpf_spin_unlock(&tree_lock);
  return 0;
}

/* The key of the first leaf, which is taken out; -1: the tree is empty. */
static NOINLINE long fell(void) {
  struct bpf_rb_node *node;
  bpf_spin_lock(&tree_lock);
  node = bpf_rbtree_first(&tree);
  if (node) node = bpf_rbtree_remove(&tree, node);
  bpf_spin_unlock(&tree_lock);
  if (!node) return -1;
  struct leaf *leaf = OBJECT_OF(node, struct leaf, node);
  long key = leaf->key;
  DROP(leaf);
  return key;
}

SEC("tc")
int tree_in_order(struct __sk_buff *skb) {
  long last = -1, key;
  int i, seen = 0;
  for (i = 0; i < 30; i++)
    if (grow(i * 37 % 31)) return -1;
  for (i = 0; i < 31; i++) {
    key = fell();
    if (key == -1) break;
    if (key < last) return -2;
    last = key;
    seen++;
  }
  return seen * 100 + last;
}

/* The shape: what lies where from the root on. */
static ALWAYS_INLINE int shape(void) {
  struct bpf_rb_node *top, *left, *right;
  int answer = 0;
  bpf_spin_lock(&tree_lock);
  top = bpf_rbtree_root(&tree);
  if (!top) {
    bpf_spin_unlock(&tree_lock);
    return -1;
  }
  answer = OBJECT_OF(top, struct leaf, node)->key;
  left = bpf_rbtree_left(&tree, top);
  right = bpf_rbtree_right(&tree, top);
  if (left) answer = answer * 100 + OBJECT_OF(left, struct leaf, node)->key;
  if (left) {
    left = bpf_rbtree_right(&tree, left);
    if (left) answer = answer * 100 + OBJECT_OF(left, struct leaf, node)->key;
  }
  if (right) answer = answer * 100 + OBJECT_OF(right, struct leaf, node)->key;
  bpf_spin_unlock(&tree_lock);
  return answer;
}

static ALWAYS_INLINE void drain(void) {
  struct bpf_iter_num it;
  bpf_iter_num_new(&it, 0, 100);
  while (bpf_iter_num_next(&it))
    if (fell() == -1) break;
  bpf_iter_num_destroy(&it);
}

TABLE(shapes, BPF_MAP_TYPE_ARRAY, __u32, __s32, 64);

SEC("tc")
int tree_shape(struct __sk_buff *skb) {
  struct bpf_iter_num it;
  int *step;
  bpf_iter_num_new(&it, 0, 60);
  while ((step = bpf_iter_num_next(&it))) {
    __u32 i = *step;
    if (i < 20) grow((i * 17 + 5) % 41);
    else if (i & 1) fell();
    else if (i < 40) grow((i * 29) % 43);
    __s32 *slot = bpf_map_lookup_elem(&shapes, &i);
    if (slot) *slot = shape();
  }
  bpf_iter_num_destroy(&it);
  drain();
  return fell() == -1;
}

/* The same object in a tree and a list. */
SEC("tc")
int shared_objects(struct __sk_buff *skb) {
  struct leaf *leaf = NEW(struct leaf), *again, *third;
  int answer = 0;
  if (!leaf) return -1;
  leaf->key = 5;
  again = bpf_refcount_acquire_impl(leaf, NULL);
  if (!again) {
    DROP(leaf);
    return -2;
  }
  third = bpf_refcount_acquire_impl(leaf, NULL);
  bpf_spin_lock(&tree_lock);
  answer = bpf_rbtree_add_impl(&tree, &leaf->node, comes_before, NULL, 0);
  answer = answer * 10 + bpf_list_push_back_impl(&leaves, &again->link, NULL, 0);
  bpf_spin_unlock(&tree_lock);
  if (third) {
    third->value = 77;
    bpf_spin_lock(&tree_lock);
    answer = answer * 100 - bpf_rbtree_add_impl(&tree, &third->node, comes_before, NULL, 0);
    bpf_spin_unlock(&tree_lock);
  }
  answer = answer * 100 + fell();
  bpf_spin_lock(&tree_lock);
  struct bpf_list_node *link = bpf_list_pop_front(&leaves);
  bpf_spin_unlock(&tree_lock);
  if (!link) return -3;
  leaf = OBJECT_OF(link, struct leaf, link);
  answer = answer * 100 + leaf->value;
  DROP(leaf);
  return answer;
}

/* Pointers in maps and in objects. */
struct pocket {
  int number;
  struct item KPTR *inner;
};
struct keeper {
  struct pocket KPTR *pocket;
  int count;
};
TABLE(keepers, BPF_MAP_TYPE_ARRAY, __u32, struct keeper, 2);
TABLE(guests, BPF_MAP_TYPE_HASH, __u32, struct keeper, 2);

SEC("tc")
int pointers_in_maps(struct __sk_buff *skb) {
  __u32 zero = 0;
  struct keeper *keeper = bpf_map_lookup_elem(&keepers, &zero);
  struct pocket *pocket, *old;
  struct item *item;
  int answer = 0;
  if (!keeper) return -1;
  pocket = NEW(struct pocket);
  if (!pocket) return -2;
  pocket->number = 11 + keeper->count++;
  item = make_item(4);
  if (item) {
    item = bpf_kptr_xchg(&pocket->inner, item);
    if (item) DROP(item);
  }
  old = bpf_kptr_xchg(&keeper->pocket, pocket);
  if (old) {
    answer = old->number;
    item = bpf_kptr_xchg(&old->inner, NULL);
    if (item) {
      answer = answer * 10 + item->key;
      DROP(item);
    }
    DROP(old);
  }
  bpf_rcu_read_lock();
  pocket = keeper->pocket;
  if (pocket) answer = answer * 100 + pocket->number;
  bpf_rcu_read_unlock();
  return answer;
}

SEC("tc")
int pointers_leave_with_elements(struct __sk_buff *skb) {
  struct keeper nobody = {}, *guest;
  struct pocket *pocket;
  __u32 key = skb->len;
  int answer;
  bpf_map_update_elem(&guests, &key, &nobody, 0);
  guest = bpf_map_lookup_elem(&guests, &key);
  pocket = NEW(struct pocket);
  if (!guest || !pocket) {
    if (pocket) DROP(pocket);
    return -1;
  }
  pocket = bpf_kptr_xchg(&guest->pocket, pocket);
  if (pocket) DROP(pocket);
  answer = -bpf_map_update_elem(&guests, &key, &nobody, 0);
  guest = bpf_map_lookup_elem(&guests, &key);
  if (!guest) return -2;
  pocket = bpf_kptr_xchg(&guest->pocket, NULL);
  if (pocket) {
    DROP(pocket);
    return -3;
  }
  return answer * 10 - bpf_map_delete_elem(&guests, &key);
}

struct counter {
  __u64 count, bytes;
};
struct holder {
  struct counter PERCPU_KPTR *counter;
};
TABLE(holders, BPF_MAP_TYPE_ARRAY, __u32, struct holder, 1);

SEC("tc")
int parts_for_processors(struct __sk_buff *skb) {
  __u32 zero = 0;
  struct holder *holder = bpf_map_lookup_elem(&holders, &zero);
  struct counter PERCPU_KPTR *counter;
  struct counter *mine;
  int answer = 0;
  if (!holder) return -1;
  counter = bpf_percpu_obj_new_impl(bpf_core_type_id_local(struct counter), NULL);
  if (!counter) return -2;
  counter = bpf_kptr_xchg(&holder->counter, counter);
  if (counter) {
    answer = 1000;
    bpf_percpu_obj_drop_impl(counter, NULL);
  }
  counter = holder->counter;
  if (!counter) return -3;
  mine = bpf_this_cpu_ptr(counter);
  mine->count = 3;
  mine = bpf_per_cpu_ptr(counter, 0);
  if (mine) mine->bytes = 9;
  mine = bpf_per_cpu_ptr(counter, 100000);
  if (mine) return -4;
  mine = bpf_this_cpu_ptr(counter);
  answer += mine->count * 10;
  mine = bpf_per_cpu_ptr(counter, 0);
  return mine ? answer + mine->bytes : -5;
}

/* Whatever the packet's bytes say: a leaf more, the first one less, or some other one less. */
SEC("tc")
int tree_by_packet(struct __sk_buff *skb) {
  struct bpf_iter_num it;
  struct bpf_rb_node *node;
  int *step, answer = 0;
  bpf_iter_num_new(&it, 0, 200);
  while ((step = bpf_iter_num_next(&it))) {
    __u8 byte = 0;
    if (bpf_skb_load_bytes(skb, *step, &byte, 1)) break;
    if (byte < 150) grow(byte);
    else if (byte < 180) fell();
    else {
      bpf_spin_lock(&tree_lock);
      node = bpf_rbtree_root(&tree);
      if (node && byte & 1) node = bpf_rbtree_left(&tree, node);
      if (node && byte & 2) node = bpf_rbtree_right(&tree, node);
      if (node && byte & 4) node = bpf_rbtree_right(&tree, node);
      if (node) node = bpf_rbtree_remove(&tree, node);
      bpf_spin_unlock(&tree_lock);
      if (node) {
        struct leaf *leaf = OBJECT_OF(node, struct leaf, node);
        answer = answer * 31 + leaf->key;
        DROP(leaf);
      }
    }
    answer = answer * 31 + shape();
  }
  bpf_iter_num_destroy(&it);
  drain();
  drain();
  return answer;
}
