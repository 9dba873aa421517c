/* Kernel functions on lists and trees; see graph.h. The verifier has proven that the root's lock is
 * held, and that a node is an object's. */
#include <errno.h>

#include "graph.h"
#include "held.h"
#include "kfuncs.h"
#include "objects.h"

/* A node that is somewhere already stays there, and the reference that was to be handed over is gone. */
static uint64_t refuse(struct rf_run *run, void *node, const rf_membership *in) {
  void *object = rf_object_of(node, in);
  rf_let_go(run, object);
  rf_object_drop(object, run);
  return rf_int(-EINVAL);
}

static uint64_t push(struct rf_run *run, uint64_t head, uint64_t at, enum rf_end end) {
  struct rf_list_node *node = rf_pointer(at);
  if (!rf_claim(&node->in)) return refuse(run, node, &node->in);
  rf_let_go(run, rf_object_of(node, &node->in));
  rf_list_insert(rf_pointer(head), node, end);
  return 0;
}

static RF_HELPER(list_push_front) { return push(run, r1, r2, RF_FRONT); }
static RF_HELPER(list_push_back) { return push(run, r1, r2, RF_BACK); }

static uint64_t pop(struct rf_run *run, uint64_t head, enum rf_end end) {
  struct rf_list_node *node = rf_list_remove(rf_pointer(head), end);
  if (node != NULL) rf_hold(run, rf_object_of(node, &node->in), rf_object_release);
  return (uintptr_t)node;
}

static RF_HELPER(list_pop_front) { return pop(run, r1, RF_FRONT); }
static RF_HELPER(list_pop_back) { return pop(run, r1, RF_BACK); }
static RF_HELPER(list_front) { return (uintptr_t)((const struct rf_list_head *)rf_pointer(r1))->first; }
static RF_HELPER(list_back) { return (uintptr_t)((const struct rf_list_head *)rf_pointer(r1))->last; }

/* The callback says whether the first node comes before the second. */
static RF_HELPER(rbtree_add) {
  struct rf_tree_root *root = rf_pointer(r1);
  struct rf_tree_node *node = rf_pointer(r2), *parent = NULL, **link = &root->top;
  rf_function less = (rf_function)(uintptr_t)r3;
  if (!rf_claim(&node->in)) return refuse(run, node, &node->in);
  while (*link != NULL) {
    parent = *link;
    bool before = (uint8_t)less((uintptr_t)node, (uintptr_t)parent, 0, 0, 0, run) != 0;
    link = before ? &parent->left : &parent->right;
  }
  rf_let_go(run, rf_object_of(node, &node->in));
  rf_tree_insert(root, node, parent, link);
  return 0;
}

static bool is_in(const struct rf_tree_root *root, struct rf_tree_node *node) {
  return rf_owner(&node->in) == (uintptr_t)root;
}

static RF_HELPER(rbtree_remove) {
  struct rf_tree_root *root = rf_pointer(r1);
  struct rf_tree_node *node = rf_pointer(r2);
  if (!is_in(root, node)) return 0;
  rf_tree_remove(root, node);
  rf_hold(run, rf_object_of(node, &node->in), rf_object_release);
  return r2;
}

static RF_HELPER(rbtree_first) { return (uintptr_t)rf_tree_first(rf_pointer(r1)); }
static RF_HELPER(rbtree_root) { return (uintptr_t)((const struct rf_tree_root *)rf_pointer(r1))->top; }

static RF_HELPER(rbtree_left) {
  struct rf_tree_node *node = rf_pointer(r2);
  return is_in(rf_pointer(r1), node) ? (uintptr_t)node->left : 0;
}
static RF_HELPER(rbtree_right) {
  struct rf_tree_node *node = rf_pointer(r2);
  return is_in(rf_pointer(r1), node) ? (uintptr_t)node->right : 0;
}

const struct rf_kfunc rf_graph_kfuncs[] = {
    {"bpf_list_push_front_impl", list_push_front}, {"bpf_list_push_back_impl", list_push_back},
    {"bpf_list_pop_front", list_pop_front},        {"bpf_list_pop_back", list_pop_back},
    {"bpf_list_front", list_front},                {"bpf_list_back", list_back},
    {"bpf_rbtree_add_impl", rbtree_add},           {"bpf_rbtree_remove", rbtree_remove},
    {"bpf_rbtree_first", rbtree_first},            {"bpf_rbtree_root", rbtree_root},
    {"bpf_rbtree_left", rbtree_left},              {"bpf_rbtree_right", rbtree_right},
    {NULL, NULL}};
