/*
 * Lists and trees; see graph.h. Trees are red-black (Cormen, Leiserson, Rivest, Stein: "Introduction
 * to Algorithms", chapter 13, without a sentinel): no red node has a red parent, and all ways down
 * from a node pass equally many black ones, so a walk is at most twice as long as the shortest.
 */
#include "graph.h"

void rf_list_insert(struct rf_list_head *head, struct rf_list_node *node, enum rf_end end) {
  struct rf_list_node *first = head->first, *last = head->last;
  node->next = end == RF_FRONT ? first : NULL;
  node->previous = end == RF_BACK ? last : NULL;
  if (first == NULL) head->first = head->last = node;
  else if (end == RF_FRONT) first->previous = head->first = node;
  else last->next = head->last = node;
  rf_set_owner(&node->in, head);
}

struct rf_list_node *rf_list_remove(struct rf_list_head *head, enum rf_end end) {
  struct rf_list_node *node = end == RF_FRONT ? head->first : head->last;
  if (node == NULL) return NULL;
  if (node->previous == NULL) head->first = node->next;
  else node->previous->next = node->next;
  if (node->next == NULL) head->last = node->previous;
  else node->next->previous = node->previous;
  node->next = node->previous = NULL;
  rf_set_owner(&node->in, NULL);
  return node;
}

enum { RED = 1 };

static struct rf_tree_node *parent_of(const struct rf_tree_node *node) {
  return (struct rf_tree_node *)(uintptr_t)(node->parent & ~(uint64_t)RED);
}
static void set_parent(struct rf_tree_node *node, const struct rf_tree_node *parent) {
  node->parent = (uintptr_t)parent | (node->parent & RED);
}
static bool is_red(const struct rf_tree_node *node) { return node != NULL && (node->parent & RED) != 0; }
static void paint_red(struct rf_tree_node *node) { node->parent |= RED; }
static void paint_black(struct rf_tree_node *node) { node->parent &= ~(uint64_t)RED; }

/* The link that leads to `node`, whose parent is `parent`. */
static struct rf_tree_node **link_to(struct rf_tree_root *root, struct rf_tree_node *node, struct rf_tree_node *parent) {
  if (parent == NULL) return &root->top;
  return parent->left == node ? &parent->left : &parent->right;
}

/* `node` goes down to the left, its right child takes its place. */
static void rotate_left(struct rf_tree_root *root, struct rf_tree_node *node) {
  struct rf_tree_node *up = node->right, *parent = parent_of(node);
  *link_to(root, node, parent) = up;
  set_parent(up, parent);
  node->right = up->left;
  if (up->left != NULL) set_parent(up->left, node);
  up->left = node;
  set_parent(node, up);
}

static void rotate_right(struct rf_tree_root *root, struct rf_tree_node *node) {
  struct rf_tree_node *up = node->left, *parent = parent_of(node);
  *link_to(root, node, parent) = up;
  set_parent(up, parent);
  node->left = up->right;
  if (up->right != NULL) set_parent(up->right, node);
  up->right = node;
  set_parent(node, up);
}

enum side { LEFT, RIGHT };

static void rotate(struct rf_tree_root *root, struct rf_tree_node *node, enum side side) {
  if (side == LEFT) rotate_left(root, node);
  else rotate_right(root, node);
}
static struct rf_tree_node *child(const struct rf_tree_node *node, enum side side) {
  return side == LEFT ? node->left : node->right;
}
static enum side other(enum side side) { return side == LEFT ? RIGHT : LEFT; }

/* A red node below a red one: recolours upwards, or rotates once or twice and is done. */
static void repair_insertion(struct rf_tree_root *root, struct rf_tree_node *node) {
  struct rf_tree_node *parent;
  while ((parent = parent_of(node)) != NULL && is_red(parent)) {
    struct rf_tree_node *grandparent = parent_of(parent); /* red nodes are not on top */
    enum side side = grandparent->left == parent ? LEFT : RIGHT;
    struct rf_tree_node *uncle = child(grandparent, other(side));
    if (is_red(uncle)) {
      paint_black(parent);
      paint_black(uncle);
      paint_red(grandparent);
      node = grandparent;
      continue;
    }
    if (child(parent, other(side)) == node) {
      rotate(root, parent, side);
      parent = node;
    }
    paint_black(parent);
    paint_red(grandparent);
    rotate(root, grandparent, other(side));
    break;
  }
  paint_black(root->top);
}

void rf_tree_insert(struct rf_tree_root *root, struct rf_tree_node *node, struct rf_tree_node *parent,
                    struct rf_tree_node **link) {
  node->left = node->right = NULL;
  node->parent = (uintptr_t)parent | RED;
  rf_set_owner(&node->in, root);
  *link = node;
  repair_insertion(root, node);
}

/* The ways through `node`, a child of `parent` on `side`, lack one black node. */
static void repair_removal(struct rf_tree_root *root, struct rf_tree_node *node, struct rf_tree_node *parent) {
  while (parent != NULL && !is_red(node)) {
    enum side side = parent->left == node ? LEFT : RIGHT;
    struct rf_tree_node *sibling = child(parent, other(side)); /* black ways on that side: at least one node */
    if (is_red(sibling)) {
      paint_black(sibling);
      paint_red(parent);
      rotate(root, parent, side);
      sibling = child(parent, other(side));
    }
    struct rf_tree_node *near = child(sibling, side), *far = child(sibling, other(side));
    if (!is_red(near) && !is_red(far)) {
      paint_red(sibling);
      node = parent;
      parent = parent_of(node);
      continue;
    }
    if (!is_red(far)) {
      paint_black(near);
      paint_red(sibling);
      rotate(root, sibling, other(side));
      sibling = near;
      far = child(sibling, other(side));
    }
    if (is_red(parent)) paint_red(sibling);
    else paint_black(sibling);
    paint_black(parent);
    paint_black(far);
    rotate(root, parent, side);
    node = root->top;
    break;
  }
  if (node != NULL) paint_black(node);
}

static struct rf_tree_node *leftmost(struct rf_tree_node *node) {
  while (node != NULL && node->left != NULL) node = node->left;
  return node;
}

/* `next`, which has no left child, takes the place of `node`, which has two children. */
static void take_place(struct rf_tree_root *root, struct rf_tree_node *node, struct rf_tree_node *next) {
  struct rf_tree_node *parent = parent_of(node);
  *link_to(root, node, parent) = next;
  next->parent = node->parent;
  next->left = node->left;
  set_parent(next->left, next);
}

void rf_tree_remove(struct rf_tree_root *root, struct rf_tree_node *node) {
  struct rf_tree_node *parent = parent_of(node), *below;
  bool lost_black;
  if (node->left == NULL || node->right == NULL) {
    below = node->left != NULL ? node->left : node->right;
    lost_black = !is_red(node);
    *link_to(root, node, parent) = below;
    if (below != NULL) set_parent(below, parent);
  } else {
    struct rf_tree_node *next = leftmost(node->right);
    lost_black = !is_red(next);
    below = next->right;
    parent = parent_of(next);
    if (parent == node) {
      parent = next;
    } else {
      parent->left = below;
      if (below != NULL) set_parent(below, parent);
      next->right = node->right;
      set_parent(next->right, next);
    }
    take_place(root, node, next);
  }
  if (lost_black) repair_removal(root, below, parent);
  node->parent = 0;
  node->left = node->right = NULL;
  rf_set_owner(&node->in, NULL);
}

struct rf_tree_node *rf_tree_first(const struct rf_tree_root *root) { return leftmost(root->top); }
