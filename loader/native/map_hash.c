/*
 * Hash maps: lookups without locks, changes under a lock per bucket.
 *
 * Elements live in one array and are chained by index. The end of bucket b's chain is the marker
 * END | b: a reader whose element was moved to another bucket under its feet ends on a foreign
 * marker and starts again, so a present key is never missed. A removed element keeps its link until
 * it is used again, hence a reader standing on it finds its way on. A reader that sees a key while it
 * is being rewritten can at worst report a value of the same map for it, as the kernel's can.
 *
 * Replacing a value takes a fresh element and frees the old one, as in the kernel: a pointer that a
 * program got before no longer shows the current value. A few spare elements make that possible when
 * the map is full. Per-CPU values are changed in place.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "map.h"

enum { END = 0x80000000u, SPARES = 64, BUCKETS_MIN = 8 };

/* 16 bytes before the key: with short keys and values two elements share a cache line. */
struct element {
  _Atomic uint32_t next; /* index, or END | bucket */
  _Atomic uint32_t hash;
  _Atomic uint32_t next_free; /* free list */
  _Atomic uint16_t live;
  _Atomic uint16_t used; /* LRU: looked up since the hand last passed */
  uint8_t key[]; /* key_stride bytes, then stride bytes of value */
};

struct bucket {
  _Atomic uint32_t first;
  _Atomic uint32_t lock;
};

struct table {
  struct bucket *buckets;
  uint8_t *elements;
  size_t element_bytes, bucket_bytes, total_bytes;
  uint32_t bucket_mask, element_count;
  uint64_t seed;
  _Atomic uint32_t count;
  _Atomic uint64_t free; /* change counter << 32 | first free index */
  _Atomic uint32_t fresh; /* elements from here on were never used */
  _Atomic uint32_t hand; /* LRU: where the search for a victim goes on */
  bool evicts;
};

static struct element *element_at(const struct table *table, uint32_t index) {
  return (struct element *)(table->elements + (size_t)index * table->element_bytes);
}

static uint8_t *value_of(const struct rf_map *map, struct element *element) {
  return element->key + map->key_stride;
}

static inline uint64_t fold(uint64_t hash, uint64_t word) {
  unsigned __int128 product = (unsigned __int128)(hash ^ word) * 0xa0761d6478bd642full;
  return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Multiply and fold, eight bytes at a step; seeded, so that a sender cannot aim at one bucket. */
static inline uint32_t hash_of(const struct rf_map *map, const uint8_t *key) {
  const struct table *table = map->state;
  uint32_t bytes = map->spec.key_bytes;
  uint64_t hash = table->seed ^ (bytes * 0x9e3779b97f4a7c15ull), word;
  for (; bytes >= sizeof word; key += sizeof word, bytes -= sizeof word) {
    memcpy(&word, key, sizeof word);
    hash = fold(hash, word);
  }
  if (bytes == sizeof(uint32_t)) {
    uint32_t half;
    memcpy(&half, key, sizeof half);
    hash = fold(hash, half);
  } else if (bytes != 0) {
    word = 0;
    memcpy(&word, key, bytes);
    hash = fold(hash, word);
  }
  return (uint32_t)(hash ^ hash >> 32);
}

static void free_push(struct table *table, uint32_t index) {
  uint64_t old = atomic_load_explicit(&table->free, memory_order_relaxed), new;
  do {
    atomic_store_explicit(&element_at(table, index)->next_free, (uint32_t)old, memory_order_relaxed);
    new = ((old >> 32) + 1) << 32 | index;
  } while (!atomic_compare_exchange_weak_explicit(&table->free, &old, new, memory_order_release,
                                                  memory_order_relaxed));
}

/* An element that left its chain: what its value owns goes at once, its memory is used again. */
static void give_back(struct rf_map *map, uint32_t index) {
  struct table *table = map->state;
  rf_value_release(map, value_of(map, element_at(table, index)));
  free_push(table, index);
}

/* An element that was never used; its memory may not have been touched yet. */
static uint32_t take_fresh(struct table *table) {
  if (atomic_load_explicit(&table->fresh, memory_order_relaxed) >= table->element_count) return RF_NO_ELEMENT;
  uint32_t index = atomic_fetch_add_explicit(&table->fresh, 1, memory_order_relaxed);
  if (index < table->element_count) return index;
  atomic_store_explicit(&table->fresh, table->element_count, memory_order_relaxed);
  return RF_NO_ELEMENT;
}

/* The change counter defeats ABA: a head that was popped and pushed again compares unequal. */
static uint32_t free_pop(struct table *table) {
  uint64_t old = atomic_load_explicit(&table->free, memory_order_acquire), new;
  do {
    if ((uint32_t)old == RF_NO_ELEMENT) return take_fresh(table);
    uint32_t next = atomic_load_explicit(&element_at(table, (uint32_t)old)->next_free, memory_order_relaxed);
    new = ((old >> 32) + 1) << 32 | next;
  } while (!atomic_compare_exchange_weak_explicit(&table->free, &old, new, memory_order_acquire,
                                                  memory_order_acquire));
  return (uint32_t)old;
}

static long create_table(struct rf_map *map, bool evicts) {
  const struct rf_map_spec *spec = &map->spec;
  if (spec->max_entries > END - SPARES - 1) return -E2BIG;
  struct table *table = calloc(1, sizeof *table);
  if (table == NULL) return -ENOMEM;
  uint32_t buckets = BUCKETS_MIN;
  while (buckets < spec->max_entries && buckets < 1u << 30) buckets *= 2;
  table->bucket_mask = buckets - 1;
  table->bucket_bytes = (size_t)buckets * sizeof *table->buckets;
  table->element_bytes = sizeof(struct element) + map->key_stride + map->stride;
  table->element_count = spec->max_entries + SPARES;
  table->total_bytes = table->bucket_bytes + table->element_bytes * table->element_count;
  table->seed = spec->flags & RF_F_ZERO_SEED ? 0 : spec->seed;
  table->evicts = evicts;
  uint8_t *pages = spec->flags & RF_F_NO_PREALLOC ? rf_pages(table->total_bytes) : rf_large_pages(table->total_bytes);
  if (pages == NULL) {
    free(table);
    return -ENOMEM;
  }
  table->buckets = (struct bucket *)pages;
  table->elements = pages + table->bucket_bytes;
  for (uint32_t i = 0; i < buckets; i++) atomic_init(&table->buckets[i].first, END | i);
  atomic_init(&table->free, RF_NO_ELEMENT);
  /* BPF_F_NO_PREALLOC: pages come with the first use of their elements. */
  bool lazily = (spec->flags & RF_F_NO_PREALLOC) != 0;
  for (uint32_t i = lazily ? 0 : table->element_count; i-- > 0;) free_push(table, i);
  atomic_init(&table->fresh, lazily ? 0 : table->element_count);
  map->readable = table->elements;
  map->readable_bytes = table->element_bytes * table->element_count;
  map->state = table;
  return 0;
}

static long create(struct rf_map *map) { return create_table(map, false); }
static long create_lru(struct rf_map *map) { return create_table(map, true); }

static void destroy(struct rf_map *map) {
  struct table *table = map->state;
  rf_pages_free(table->buckets, table->total_bytes);
  free(table);
}

static inline bool same_word(const void *a, const void *b) {
  uint32_t left, right;
  memcpy(&left, a, sizeof left);
  memcpy(&right, b, sizeof right);
  return left == right;
}

static inline bool matches(const struct rf_map *map, struct element *element, uint32_t hash, const void *key) {
  if (atomic_load_explicit(&element->hash, memory_order_relaxed) != hash) return false;
  /* The most common size without a call. */
  if (map->spec.key_bytes == sizeof(uint32_t)) return same_word(element->key, key);
  return memcmp(element->key, key, map->spec.key_bytes) == 0;
}

static inline struct element *find(struct rf_map *map, const void *key, uint32_t hash) {
  struct table *table = map->state;
  uint32_t number = hash & table->bucket_mask;
  uint32_t at;
  do {
    at = atomic_load_explicit(&table->buckets[number].first, memory_order_acquire);
    while ((at & END) == 0) {
      struct element *element = element_at(table, at);
      if (matches(map, element, hash, key)) return element;
      at = atomic_load_explicit(&element->next, memory_order_acquire);
    }
  } while (at != (END | number));
  return NULL;
}

static void *lookup(struct rf_map *map, const void *key, uint32_t cpu) {
  struct table *table = map->state;
  struct element *element = find(map, key, hash_of(map, key));
  if (element == NULL) return NULL;
  /* As in the kernel, looking from outside is not use. What is said already is not written again: the
   * line stays shared between processors. */
  if (table->evicts && cpu != RF_ALL_CPUS && !atomic_load_explicit(&element->used, memory_order_relaxed))
    atomic_store_explicit(&element->used, 1, memory_order_relaxed);
  uint8_t *value = value_of(map, element);
  return map->kind->per_cpu && cpu != RF_ALL_CPUS ? value + (size_t)cpu * map->cpu_stride : value;
}

/* Under the bucket's lock: the link that leads to the key's element, or to the end of the chain. */
static _Atomic uint32_t *link_to(struct rf_map *map, struct bucket *bucket, uint32_t hash, const void *key) {
  struct table *table = map->state;
  _Atomic uint32_t *link = &bucket->first;
  for (;;) {
    uint32_t at = atomic_load_explicit(link, memory_order_relaxed);
    if (at & END) return link;
    struct element *element = element_at(table, at);
    if (matches(map, element, hash, key)) return link;
    link = &element->next;
  }
}

static void unlink_element(struct table *table, _Atomic uint32_t *link) {
  struct element *element = element_at(table, atomic_load_explicit(link, memory_order_relaxed));
  atomic_store_explicit(&element->live, 0, memory_order_relaxed);
  atomic_store_explicit(link, atomic_load_explicit(&element->next, memory_order_relaxed), memory_order_release);
}

/* LRU: takes an element away from whoever used it longest ago, by the second-chance rule. Two rounds
 * always find one unless other threads keep using all of them. */
static bool evict_one(struct rf_map *map) {
  struct table *table = map->state;
  for (uint64_t tries = 0; tries < 2ull * table->element_count + SPARES; tries++) {
    uint32_t index = atomic_fetch_add(&table->hand, 1) % table->element_count;
    struct element *element = element_at(table, index);
    if (!atomic_load_explicit(&element->live, memory_order_relaxed)) continue;
    if (atomic_exchange_explicit(&element->used, 0, memory_order_relaxed)) continue;
    uint32_t hash = atomic_load_explicit(&element->hash, memory_order_relaxed);
    struct bucket *bucket = &table->buckets[hash & table->bucket_mask];
    rf_lock(&bucket->lock);
    _Atomic uint32_t *link = &bucket->first;
    uint32_t at;
    while (((at = atomic_load_explicit(link, memory_order_relaxed)) & END) == 0 && at != index)
      link = &element_at(table, at)->next;
    bool found = at == index;
    if (found) unlink_element(table, link);
    rf_unlock(&bucket->lock);
    if (!found) continue;
    give_back(map, index);
    atomic_fetch_sub(&table->count, 1);
    return true;
  }
  return false;
}

/* Counts a new element; false: the map is full. */
static bool admit(struct rf_map *map) {
  struct table *table = map->state;
  uint32_t count = atomic_load_explicit(&table->count, memory_order_relaxed);
  do {
    if (count >= map->spec.max_entries) return false;
  } while (!atomic_compare_exchange_weak_explicit(&table->count, &count, count + 1, memory_order_relaxed,
                                                  memory_order_relaxed));
  return true;
}

static void write_value(struct rf_map *map, struct element *element, const void *value, uint32_t cpu) {
  uint8_t *target = value_of(map, element);
  /* A program that still held the element's former value may have given it a timer. */
  rf_value_release(map, target);
  if (map->kind->per_cpu && cpu != RF_ALL_CPUS) memset(target, 0, map->stride);
  /* Nor is a lock opened that guards lists: whoever still holds it is changing them. */
  _Atomic uint32_t *spin = map->spec.field_count == 0 || map->owns_fields ? NULL : rf_value_lock(map, target);
  if (spin != NULL) atomic_store_explicit(spin, 0, memory_order_relaxed);
  rf_value_write(map, target, value, cpu);
}

/* Under the bucket's lock: puts a fresh element with key and value at the head of the chain. */
static long insert(struct rf_map *map, struct bucket *bucket, uint32_t hash, const void *key,
                   const void *value, uint32_t cpu) {
  struct table *table = map->state;
  uint32_t index = free_pop(table);
  if (index == RF_NO_ELEMENT) return -EBUSY;
  struct element *element = element_at(table, index);
  atomic_store_explicit(&element->hash, hash, memory_order_relaxed);
  memcpy(element->key, key, map->spec.key_bytes);
  write_value(map, element, value, cpu);
  atomic_store_explicit(&element->used, 0, memory_order_relaxed);
  atomic_store_explicit(&element->next, atomic_load_explicit(&bucket->first, memory_order_relaxed), memory_order_release);
  atomic_store_explicit(&element->live, 1, memory_order_relaxed);
  atomic_store_explicit(&bucket->first, index, memory_order_release);
  return 0;
}

/* Under the bucket's lock: the key is present. */
static long replace(struct rf_map *map, struct bucket *bucket, _Atomic uint32_t *link, uint32_t hash,
                    const void *key, const void *value, uint64_t flags, uint32_t cpu) {
  struct table *table = map->state;
  uint32_t old = atomic_load_explicit(link, memory_order_relaxed);
  struct element *element = element_at(table, old);
  if (map->kind->per_cpu) {
    rf_value_write(map, value_of(map, element), value, cpu);
    atomic_store_explicit(&element->used, 1, memory_order_relaxed);
    return 0;
  }
  if (flags & RF_LOCK) {
    _Atomic uint32_t *lock = rf_value_lock(map, value_of(map, element));
    rf_lock(lock);
    rf_value_write(map, value_of(map, element), value, cpu);
    rf_unlock(lock);
    return 0;
  }
  /* The new element goes in front before the old one leaves: readers always find the key. */
  long error = insert(map, bucket, hash, key, value, cpu);
  if (error != 0) return error;
  if (link == &bucket->first) link = &element_at(table, atomic_load(&bucket->first))->next;
  unlink_element(table, link);
  give_back(map, old);
  return 0;
}

/* Under the bucket's lock. -E2BIG: there is no room for a new element. */
static long update_locked(struct rf_map *map, struct bucket *bucket, uint32_t hash, const void *key,
                          const void *value, uint64_t flags, uint32_t cpu) {
  struct table *table = map->state;
  uint64_t mode = flags & ~(uint64_t)RF_LOCK;
  _Atomic uint32_t *link = link_to(map, bucket, hash, key);
  bool present = (atomic_load_explicit(link, memory_order_relaxed) & END) == 0;
  if (present) return mode == RF_NOEXIST ? -EEXIST : replace(map, bucket, link, hash, key, value, flags, cpu);
  if (mode == RF_EXIST) return -ENOENT;
  if (!admit(map)) return -E2BIG;
  long error = insert(map, bucket, hash, key, value, cpu);
  if (error != 0) atomic_fetch_sub(&table->count, 1);
  return error;
}

/* Evicting takes locks of other buckets, so it is done while none is held. */
static long update(struct rf_map *map, const void *key, const void *value, uint64_t flags, uint32_t cpu) {
  struct table *table = map->state;
  if ((flags & ~(uint64_t)RF_LOCK) > RF_EXIST) return -EINVAL;
  if ((flags & RF_LOCK) && !rf_map_has(map, RF_FIELD_LOCK)) return -EINVAL;
  uint32_t hash = hash_of(map, key);
  struct bucket *bucket = &table->buckets[hash & table->bucket_mask];
  for (;;) {
    rf_lock(&bucket->lock);
    long result = update_locked(map, bucket, hash, key, value, flags, cpu);
    rf_unlock(&bucket->lock);
    if (result != -E2BIG || !table->evicts) return result;
    if (!evict_one(map)) return -ENOMEM;
  }
}

/* `out` NULL: the value is not wanted. */
static long take(struct rf_map *map, const void *key, void *out) {
  struct table *table = map->state;
  uint32_t hash = hash_of(map, key);
  struct bucket *bucket = &table->buckets[hash & table->bucket_mask];
  rf_lock(&bucket->lock);
  _Atomic uint32_t *link = link_to(map, bucket, hash, key);
  uint32_t at = atomic_load_explicit(link, memory_order_relaxed);
  if ((at & END) == 0) {
    if (out != NULL) rf_value_read(map, out, value_of(map, element_at(table, at)), RF_ALL_CPUS);
    unlink_element(table, link);
  }
  rf_unlock(&bucket->lock);
  if (at & END) return -ENOENT;
  give_back(map, at);
  atomic_fetch_sub(&table->count, 1);
  return 0;
}

static long remove_element(struct rf_map *map, const void *key) { return take(map, key, NULL); }

/* Key and liveness are read under the bucket's lock, so a half-written key is never shown. */
static uint32_t scan(struct rf_map *map, uint32_t cursor, uint8_t *key, void **value, uint32_t cpu) {
  struct table *table = map->state;
  for (uint32_t index = cursor; index < table->element_count; index++) {
    struct element *element = element_at(table, index);
    if (!atomic_load_explicit(&element->live, memory_order_acquire)) continue;
    uint32_t hash = atomic_load_explicit(&element->hash, memory_order_relaxed);
    struct bucket *bucket = &table->buckets[hash & table->bucket_mask];
    rf_lock(&bucket->lock);
    bool live = atomic_load_explicit(&element->live, memory_order_relaxed) &&
                atomic_load_explicit(&element->hash, memory_order_relaxed) == hash;
    if (live) memcpy(key, element->key, map->spec.key_bytes);
    rf_unlock(&bucket->lock);
    if (!live) continue;
    *value = value_of(map, element) +
             (map->kind->per_cpu && cpu != RF_ALL_CPUS ? (size_t)cpu * map->cpu_stride : 0);
    return index;
  }
  return RF_NO_ELEMENT;
}

static long next_key(struct rf_map *map, const void *key, uint8_t *next) {
  const struct table *table = map->state;
  struct element *element = key == NULL ? NULL : find(map, key, hash_of(map, key));
  size_t at = element == NULL ? 0 : (size_t)((uint8_t *)element - table->elements) / table->element_bytes;
  return rf_next_scanned(map, element == NULL ? RF_NO_ELEMENT : (uint32_t)at, next);
}

static void key_of(struct rf_map *map, const void *value, uint8_t *key) {
  memcpy(key, (const uint8_t *)value - map->key_stride, map->spec.key_bytes);
}

#define HASH_OPERATIONS                                                                           \
  .destroy = destroy, .lookup = lookup, .update = update, .remove = remove_element, .scan = scan, \
  .next_key = next_key, .key_of = key_of, .take = take

const struct rf_map_kind rf_hash = {.type = 1, .create = create, HASH_OPERATIONS};
const struct rf_map_kind rf_percpu_hash = {.type = 5, .per_cpu = true, .create = create, HASH_OPERATIONS};
const struct rf_map_kind rf_lru_hash = {.type = 9, .create = create_lru, HASH_OPERATIONS};
const struct rf_map_kind rf_lru_percpu_hash = {.type = 10, .per_cpu = true, .create = create_lru, HASH_OPERATIONS};
