/*
 * Longest-prefix match: a binary trie whose nodes stand where two prefixes part.
 *
 * Nodes are named by index and never leave their array, so a reader that races with a change stays
 * inside it whatever it reads; a sequence counter tells it to start again. Depth is bounded by the
 * prefix length, and the walk counts its steps. Changes are made under one lock.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "map.h"

enum { PREFIX_WORD = 4 };

/* Small, so that a walk touches few cache lines: values lie behind all the nodes. */
struct node {
  _Atomic uint32_t child[2];
  _Atomic uint16_t prefix_bits;
  _Atomic uint16_t live; /* holds a value; otherwise it only joins two others */
  uint8_t data[];        /* of the key, rounded up to 4 bytes */
};

struct trie {
  _Atomic uint32_t lock;
  _Atomic uint32_t sequence; /* odd: a change is going on */
  _Atomic uint32_t root;
  uint32_t free, count, node_count, max_bits;
  size_t node_bytes, values_at;
};

static struct node *node_at(const struct rf_map *map, uint32_t index) {
  const struct trie *trie = map->state;
  return (struct node *)(map->values + (size_t)index * trie->node_bytes);
}

static uint8_t *value_of(const struct rf_map *map, struct node *node) {
  const struct trie *trie = map->state;
  size_t index = (size_t)((uint8_t *)node - map->values) / trie->node_bytes;
  return map->values + trie->values_at + index * map->stride;
}

static long create(struct rf_map *map) {
  const struct rf_map_spec *spec = &map->spec;
  /* Kernel: LPM tries must be created with BPF_F_NO_PREALLOC; nodes are allocated up front anyway. */
  if (!(spec->flags & RF_F_NO_PREALLOC)) return -EINVAL;
  struct trie *trie = calloc(1, sizeof *trie);
  if (trie == NULL) return -ENOMEM;
  trie->max_bits = (spec->key_bytes - PREFIX_WORD) * 8;
  trie->node_bytes = sizeof(struct node) + ((spec->key_bytes - PREFIX_WORD + 3) & ~3u);
  trie->node_count = 2 * spec->max_entries + 1; /* every join parts at least two valued subtrees */
  trie->values_at = rf_round8(trie->node_bytes * trie->node_count);
  map->storage_bytes = trie->values_at + (size_t)map->stride * trie->node_count;
  map->values = rf_large_pages(map->storage_bytes);
  if (map->values == NULL) {
    free(trie);
    return -ENOMEM;
  }
  map->state = trie;
  for (uint32_t i = 0; i < trie->node_count; i++) {
    uint32_t next = i + 1 < trie->node_count ? i + 1 : RF_NO_ELEMENT;
    atomic_init(&node_at(map, i)->child[0], next);
  }
  atomic_init(&trie->root, RF_NO_ELEMENT);
  return 0;
}

static void destroy(struct rf_map *map) {
  rf_pages_free(map->values, map->storage_bytes);
  free(map->state);
}

static uint32_t bit(const uint8_t *data, uint32_t index) {
  return data[index / 8] >> (7 - index % 8) & 1;
}

/* Leading bits that two prefixes share, at most `limit`; four bytes at a step while they last. */
static inline uint32_t shared_bits(const uint8_t *a, const uint8_t *b, uint32_t limit) {
  uint32_t bits = 0;
  for (; bits + 32 <= limit; bits += 32) {
    uint32_t left, right;
    memcpy(&left, a + bits / 8, sizeof left);
    memcpy(&right, b + bits / 8, sizeof right);
    if (left != right) return bits + (uint32_t)__builtin_clz(__builtin_bswap32(left ^ right));
  }
  for (; bits < limit; bits += 8) {
    uint32_t difference = (uint32_t)(a[bits / 8] ^ b[bits / 8]);
    if (difference == 0) continue;
    bits += (uint32_t)__builtin_clz(difference << 24);
    break;
  }
  return bits < limit ? bits : limit;
}

static uint32_t prefix_of(const void *key) {
  uint32_t bits;
  memcpy(&bits, key, sizeof bits);
  return bits;
}

static struct node *walk(struct rf_map *map, const uint8_t *data, uint32_t bits) {
  const struct trie *trie = map->state;
  struct node *found = NULL;
  uint32_t at = atomic_load_explicit(&trie->root, memory_order_acquire);
  for (uint32_t steps = 0; at < trie->node_count && steps <= trie->max_bits; steps++) {
    struct node *node = node_at(map, at);
    uint32_t prefix = atomic_load_explicit(&node->prefix_bits, memory_order_relaxed);
    if (prefix > bits || shared_bits(node->data, data, prefix) < prefix) break;
    if (atomic_load_explicit(&node->live, memory_order_relaxed)) found = node;
    if (prefix == bits) break;
    at = atomic_load_explicit(&node->child[bit(data, prefix)], memory_order_acquire);
  }
  return found;
}

static void *lookup(struct rf_map *map, const void *key, uint32_t cpu) {
  struct trie *trie = map->state;
  uint32_t bits = prefix_of(key);
  const uint8_t *data = (const uint8_t *)key + PREFIX_WORD;
  (void)cpu;
  if (bits > trie->max_bits) return NULL;
  for (;;) {
    uint32_t before = atomic_load_explicit(&trie->sequence, memory_order_acquire);
    if (before & 1) {
      sched_yield();
      continue;
    }
    struct node *node = walk(map, data, bits);
    atomic_thread_fence(memory_order_acquire);
    if (atomic_load_explicit(&trie->sequence, memory_order_relaxed) != before) continue;
    return node == NULL ? NULL : value_of(map, node);
  }
}

static void change_begin(struct trie *trie) {
  atomic_store_explicit(&trie->sequence, trie->sequence + 1, memory_order_relaxed);
  atomic_thread_fence(memory_order_release);
}

static void change_end(struct trie *trie) {
  atomic_store_explicit(&trie->sequence, trie->sequence + 1, memory_order_release);
}

static uint32_t take_node(struct rf_map *map, const uint8_t *data, uint32_t bits) {
  struct trie *trie = map->state;
  uint32_t index = trie->free;
  struct node *node = node_at(map, index);
  trie->free = node->child[0];
  node->child[0] = node->child[1] = RF_NO_ELEMENT;
  node->prefix_bits = (uint16_t)bits;
  node->live = 0;
  memcpy(node->data, data, map->spec.key_bytes - PREFIX_WORD);
  return index;
}

static void give_node(struct rf_map *map, uint32_t index) {
  struct trie *trie = map->state;
  node_at(map, index)->live = 0;
  node_at(map, index)->child[0] = trie->free;
  trie->free = index;
}

/* Under the lock: the link to the first node that does not strictly contain the prefix. */
static _Atomic uint32_t *link_for(struct rf_map *map, const uint8_t *data, uint32_t bits,
                                  uint32_t *shared, _Atomic uint32_t **parent) {
  struct trie *trie = map->state;
  _Atomic uint32_t *link = &trie->root;
  *parent = NULL;
  *shared = 0;
  while (*link != RF_NO_ELEMENT) {
    struct node *node = node_at(map, *link);
    uint32_t prefix = node->prefix_bits;
    *shared = shared_bits(node->data, data, prefix < bits ? prefix : bits);
    if (*shared < prefix || prefix == bits) return link;
    *parent = link;
    link = &node->child[bit(data, prefix)];
  }
  return link;
}

/* Under the lock: hangs a new node for the prefix where `link` points. */
static void attach(struct rf_map *map, _Atomic uint32_t *link, const uint8_t *data, uint32_t bits,
                   uint32_t shared, const void *value) {
  uint32_t fresh = take_node(map, data, bits), old = *link;
  rf_value_write(map, value_of(map, node_at(map, fresh)), value, RF_ALL_CPUS);
  node_at(map, fresh)->live = 1;
  if (old == RF_NO_ELEMENT) {
    *link = fresh;
  } else if (shared == bits) {
    node_at(map, fresh)->child[bit(node_at(map, old)->data, bits)] = old;
    *link = fresh;
  } else {
    uint32_t join = take_node(map, data, shared);
    node_at(map, join)->child[bit(data, shared)] = fresh;
    node_at(map, join)->child[!bit(data, shared)] = old;
    *link = join;
  }
}

static long update_locked(struct rf_map *map, const uint8_t *data, uint32_t bits, const void *value,
                          uint64_t flags) {
  struct trie *trie = map->state;
  uint32_t shared;
  _Atomic uint32_t *parent;
  _Atomic uint32_t *link = link_for(map, data, bits, &shared, &parent);
  struct node *node = *link == RF_NO_ELEMENT ? NULL : node_at(map, *link);
  bool same = node != NULL && node->prefix_bits == bits && shared == bits;
  bool present = same && node->live;
  if (present && flags == RF_NOEXIST) return -EEXIST;
  if (!present && flags == RF_EXIST) return -ENOENT;
  if (!present && trie->count == map->spec.max_entries) return -ENOSPC;
  change_begin(trie);
  if (same) {
    /* Bits behind the prefix are the newest key's, as iteration shows them. */
    memcpy(node->data, data, map->spec.key_bytes - PREFIX_WORD);
    rf_value_write(map, value_of(map, node), value, RF_ALL_CPUS);
    node->live = 1;
  } else {
    attach(map, link, data, bits, shared, value);
  }
  change_end(trie);
  trie->count += present ? 0 : 1;
  return 0;
}

static long update(struct rf_map *map, const void *key, const void *value, uint64_t flags,
                   uint32_t cpu) {
  struct trie *trie = map->state;
  uint32_t bits = prefix_of(key);
  (void)cpu;
  if (flags > RF_EXIST || bits > trie->max_bits) return -EINVAL;
  rf_lock(&trie->lock);
  long result = update_locked(map, (const uint8_t *)key + PREFIX_WORD, bits, value, flags);
  rf_unlock(&trie->lock);
  return result;
}

/* Under the lock: removes a node without value and with at most one child from its link. */
static void collapse(struct rf_map *map, _Atomic uint32_t *link) {
  uint32_t index = *link;
  struct node *node = node_at(map, index);
  uint32_t left = node->child[0], right = node->child[1];
  if (node->live || (left != RF_NO_ELEMENT && right != RF_NO_ELEMENT)) return;
  *link = left != RF_NO_ELEMENT ? left : right;
  give_node(map, index);
}

static long remove_locked(struct rf_map *map, const uint8_t *data, uint32_t bits) {
  struct trie *trie = map->state;
  uint32_t shared;
  _Atomic uint32_t *parent;
  _Atomic uint32_t *link = link_for(map, data, bits, &shared, &parent);
  struct node *node = *link == RF_NO_ELEMENT ? NULL : node_at(map, *link);
  if (node == NULL || node->prefix_bits != bits || shared != bits || !node->live) return -ENOENT;
  change_begin(trie);
  node->live = 0;
  collapse(map, link);
  if (parent != NULL) collapse(map, parent);
  change_end(trie);
  trie->count--;
  return 0;
}

static long remove_element(struct rf_map *map, const void *key) {
  struct trie *trie = map->state;
  uint32_t bits = prefix_of(key);
  if (bits > trie->max_bits) return -EINVAL;
  rf_lock(&trie->lock);
  long result = remove_locked(map, (const uint8_t *)key + PREFIX_WORD, bits);
  rf_unlock(&trie->lock);
  return result;
}

static uint32_t scan(struct rf_map *map, uint32_t cursor, uint8_t *key, void **value,
                     uint32_t cpu) {
  struct trie *trie = map->state;
  uint32_t found = RF_NO_ELEMENT;
  (void)cpu;
  rf_lock(&trie->lock);
  for (uint32_t index = cursor; index < trie->node_count && found == RF_NO_ELEMENT; index++) {
    struct node *node = node_at(map, index);
    if (!node->live) continue;
    uint32_t bits = node->prefix_bits;
    memcpy(key, &bits, sizeof bits);
    memcpy(key + PREFIX_WORD, node->data, map->spec.key_bytes - PREFIX_WORD);
    *value = value_of(map, node);
    found = index;
  }
  rf_unlock(&trie->lock);
  return found;
}

static long next_key(struct rf_map *map, const void *key, uint8_t *next) {
  struct trie *trie = map->state;
  uint32_t shared, at = RF_NO_ELEMENT, bits = key == NULL ? UINT32_MAX : prefix_of(key);
  _Atomic uint32_t *parent;
  if (bits <= trie->max_bits) {
    rf_lock(&trie->lock);
    _Atomic uint32_t *link = link_for(map, (const uint8_t *)key + PREFIX_WORD, bits, &shared, &parent);
    if (*link != RF_NO_ELEMENT) {
      const struct node *node = node_at(map, *link);
      if (node->prefix_bits == bits && shared == bits && node->live) at = *link;
    }
    rf_unlock(&trie->lock);
  }
  return rf_next_scanned(map, at, next);
}

const struct rf_map_kind rf_lpm_trie = {
    .type = 11, .create = create, .destroy = destroy, .lookup = lookup, .update = update,
    .remove = remove_element, .scan = scan, .next_key = next_key};
