/*
 * Maps that only name targets of redirection (devices, CPUs, sockets): an array with gaps. The run
 * records the decision; nothing is sent. And stack traces: those that the host supplies, for nothing here can
 * walk a stack.
 *
 * What a value may say is checked as in the kernel (kernel/bpf/devmap.c, cpumap.c), as far as it does
 * not depend on what devices the machine has.
 */
#include <errno.h>
#include <string.h>

#include "map.h"

/* Values side by side, then one byte of presence each. */
static _Atomic uint8_t *presence(struct rf_map *map, uint32_t index) {
  return (_Atomic uint8_t *)(map->values + (size_t)map->stride * map->spec.max_entries + index);
}

static long create(struct rf_map *map) {
  map->storage_bytes = ((size_t)map->stride + 1) * map->spec.max_entries;
  map->values = rf_pages(map->storage_bytes);
  return map->values == NULL ? -ENOMEM : 0;
}

static void destroy(struct rf_map *map) { rf_pages_free(map->values, map->storage_bytes); }

static uint8_t *value_at(struct rf_map *map, uint32_t index) {
  return map->values + (size_t)index * map->stride;
}

static uint32_t word_of(const void *bytes, uint32_t number) {
  uint32_t word;
  memcpy(&word, (const uint8_t *)bytes + number * sizeof word, sizeof word);
  return word;
}

static void *lookup(struct rf_map *map, const void *key, uint32_t cpu) {
  uint32_t index = word_of(key, 0);
  (void)cpu;
  return index < map->spec.max_entries && atomic_load(presence(map, index)) ? value_at(map, index) : NULL;
}

static long check(const struct rf_map *map, const void *key, uint64_t flags) {
  if (flags > RF_EXIST) return -EINVAL;
  if (word_of(key, 0) >= map->spec.max_entries) return -E2BIG;
  return flags == RF_NOEXIST ? -EEXIST : 0;
}

static long update(struct rf_map *map, const void *key, const void *value, uint64_t flags, uint32_t cpu) {
  uint32_t index = word_of(key, 0);
  long error = check(map, key, flags);
  if (error != 0) return error;
  rf_value_write(map, value_at(map, index), value, cpu);
  atomic_store(presence(map, index), 1);
  return 0;
}

static long remove_element(struct rf_map *map, const void *key) {
  uint32_t index = word_of(key, 0);
  if (index >= map->spec.max_entries) return -EINVAL;
  atomic_store(presence(map, index), 0);
  return 0;
}

/* The second word of struct bpf_devmap_val and bpf_cpumap_val is a program's descriptor; no program of
 * this process has one. */
static bool names_program(const struct rf_map *map, const void *value) {
  return map->spec.value_bytes == 8 && (int32_t)word_of(value, 1) > 0;
}

/* The first word is an interface; there is none of number 0, so that clears the entry. */
static long update_device(struct rf_map *map, const void *key, const void *value, uint64_t flags, uint32_t cpu) {
  long error = check(map, key, flags);
  if (error != 0) return error;
  if (names_program(map, value)) return -EINVAL;
  return word_of(value, 0) == 0 ? remove_element(map, key) : update(map, key, value, flags, cpu);
}

static long update_device_hash(struct rf_map *map, const void *key, const void *value, uint64_t flags, uint32_t cpu) {
  if (flags > RF_EXIST || word_of(value, 0) == 0 || names_program(map, value)) return -EINVAL;
  return rf_hash.update(map, key, value, flags == RF_EXIST ? RF_ANY : flags, cpu);
}

/* The first word is the size of the processor's queue. */
static long update_queue(struct rf_map *map, const void *key, const void *value, uint64_t flags, uint32_t cpu) {
  enum { QUEUE_MAX = 16384 };
  long error = check(map, key, flags);
  if (error == 0 && word_of(value, 0) > QUEUE_MAX) error = -EOVERFLOW;
  return error != 0 ? error : update_device(map, key, value, flags, cpu);
}

static uint32_t scan(struct rf_map *map, uint32_t cursor, uint8_t *key, void **value, uint32_t cpu) {
  (void)cpu;
  for (uint32_t index = cursor; index < map->spec.max_entries; index++) {
    if (!atomic_load(presence(map, index))) continue;
    memcpy(key, &index, sizeof index);
    *value = value_at(map, index);
    return index;
  }
  return RF_NO_ELEMENT;
}

/* As many buckets as the next power of two. */
static long create_stacks(struct rf_map *map) {
  uint32_t buckets = 1;
  while (buckets < map->spec.max_entries && buckets < 1u << 31) buckets *= 2;
  map->spec.max_entries = buckets;
  return create(map);
}

static long refuse_update(struct rf_map *map, const void *key, const void *value, uint64_t flags, uint32_t cpu) {
  (void)map, (void)key, (void)value, (void)flags, (void)cpu;
  return -EINVAL;
}

long rf_stack_keep(struct rf_map *map, uint32_t bucket, const void *entries) {
  return update(map, &bucket, entries, RF_ANY, RF_ALL_CPUS);
}

static long remove_stack(struct rf_map *map, const void *key) {
  uint32_t index = word_of(key, 0);
  if (index >= map->spec.max_entries) return -E2BIG;
  return atomic_exchange(presence(map, index), 0) ? 0 : -ENOENT;
}

static long take_stack(struct rf_map *map, const void *key, void *value) {
  const void *found = lookup(map, key, RF_ALL_CPUS);
  if (found != NULL) rf_value_read(map, value, found, RF_ALL_CPUS);
  return remove_stack(map, key) == 0 ? 0 : -ENOENT;
}

static long next_stack(struct rf_map *map, const void *key, uint8_t *next) {
  uint32_t index = key == NULL ? RF_NO_ELEMENT : word_of(key, 0);
  return rf_next_scanned(map, index < map->spec.max_entries ? index : RF_NO_ELEMENT, next);
}

/* The functions of hash maps, but for what these do not have. */
static long create_hash(struct rf_map *map) { return rf_hash.create(map); }
static void destroy_hash(struct rf_map *map) { rf_hash.destroy(map); }
static void *lookup_hash(struct rf_map *map, const void *key, uint32_t cpu) { return rf_hash.lookup(map, key, cpu); }
static long update_hash(struct rf_map *map, const void *key, const void *value, uint64_t flags, uint32_t cpu) {
  return rf_hash.update(map, key, value, flags, cpu);
}
static long remove_hash(struct rf_map *map, const void *key) { return rf_hash.remove(map, key); }
static long next_hash(struct rf_map *map, const void *key, uint8_t *next) { return rf_hash.next_key(map, key, next); }
static uint32_t scan_hash(struct rf_map *map, uint32_t cursor, uint8_t *key, void **value, uint32_t cpu) {
  return rf_hash.scan(map, cursor, key, value, cpu);
}

#define SPARSE_OPERATIONS                                                                         \
  .create = create, .destroy = destroy, .lookup = lookup, .remove = remove_element, .scan = scan, \
  .next_key = rf_next_index
#define HASH_OPERATIONS                                                                           \
  .create = create_hash, .destroy = destroy_hash, .lookup = lookup_hash, .remove = remove_hash,   \
  .scan = scan_hash, .next_key = next_hash

const struct rf_map_kind rf_devmap = {.type = 14, SPARSE_OPERATIONS, .update = update_device};
const struct rf_map_kind rf_cpumap = {.type = 16, SPARSE_OPERATIONS, .update = update_queue};
const struct rf_map_kind rf_xskmap = {.type = 17, SPARSE_OPERATIONS, .update = update};
const struct rf_map_kind rf_cgroup_array = {.type = 8, SPARSE_OPERATIONS, .update = update};
const struct rf_map_kind rf_sockmap = {.type = 15, SPARSE_OPERATIONS, .update = update};
const struct rf_map_kind rf_reuseport_sockarray = {.type = 20, SPARSE_OPERATIONS, .update = update};
const struct rf_map_kind rf_devmap_hash = {.type = 25, HASH_OPERATIONS, .update = update_device_hash};
const struct rf_map_kind rf_sockhash = {.type = 18, HASH_OPERATIONS, .update = update_hash};
const struct rf_map_kind rf_stack_trace = {
    .type = 7, .create = create_stacks, .destroy = destroy, .lookup = lookup, .update = refuse_update,
    .remove = remove_stack, .scan = scan, .next_key = next_stack, .take = take_stack};
