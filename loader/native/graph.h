/*
 * Lists and trees of objects: struct bpf_list_head, bpf_list_node, bpf_rb_root and bpf_rb_node of
 * uapi/linux/bpf.h, in map values and objects. The verifier demands the lock beside the root for every
 * operation. All zeroes are an empty list, an empty tree, and a node that is in neither.
 */
#ifndef RF_GRAPH_H
#define RF_GRAPH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a node is in (the address of the root, 0: nothing) and, in the lowest 16 bits, where the node
 * lies in its object. A node of an object that several programs hold may be wanted by two roots with
 * two locks at once: whoever claims it first gets it.
 */
typedef _Atomic uint64_t rf_membership;
enum { RF_OFFSET_BITS = 16, RF_OFFSET_MASK = 0xffff, RF_CLAIMED = 1 };

static inline uint64_t rf_owner(const rf_membership *in) { return atomic_load_explicit(in, memory_order_relaxed) >> RF_OFFSET_BITS; }
static inline void rf_set_owner(rf_membership *in, const void *root) {
  uint64_t offset = atomic_load_explicit(in, memory_order_relaxed) & RF_OFFSET_MASK;
  atomic_store_explicit(in, (uint64_t)(uintptr_t)root << RF_OFFSET_BITS | offset, memory_order_release);
}
/* False: it is in something already. */
static inline bool rf_claim(rf_membership *in) {
  uint64_t nothing = atomic_load_explicit(in, memory_order_relaxed) & RF_OFFSET_MASK;
  return atomic_compare_exchange_strong(in, &nothing, nothing | RF_CLAIMED << RF_OFFSET_BITS);
}
static inline void *rf_object_of(void *node, const rf_membership *in) {
  return (uint8_t *)node - (atomic_load_explicit(in, memory_order_relaxed) & RF_OFFSET_MASK);
}

struct rf_list_head {
  struct rf_list_node *first, *last;
};
struct rf_list_node {
  struct rf_list_node *next, *previous;
  rf_membership in;
};

struct rf_tree_root {
  struct rf_tree_node *top;
  uint64_t unused;
};
struct rf_tree_node {
  uint64_t parent; /* address; the lowest bit: red */
  struct rf_tree_node *left, *right;
  rf_membership in;
};

enum rf_end { RF_FRONT, RF_BACK };

/* The node has been claimed. */
void rf_list_insert(struct rf_list_head *head, struct rf_list_node *node, enum rf_end end);
/* NULL: the list is empty. */
struct rf_list_node *rf_list_remove(struct rf_list_head *head, enum rf_end end);

/* `parent` and `link` are where a walk from the top ended: at a place without a node. */
void rf_tree_insert(struct rf_tree_root *root, struct rf_tree_node *node, struct rf_tree_node *parent,
                    struct rf_tree_node **link);
void rf_tree_remove(struct rf_tree_root *root, struct rf_tree_node *node);
struct rf_tree_node *rf_tree_first(const struct rf_tree_root *root);

#endif
