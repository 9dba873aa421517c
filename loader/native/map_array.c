/*
 * Array maps: values side by side at a stride of the value size rounded up to 8 bytes. Generated
 * code computes their addresses itself, so this layout is part of the contract with jit/.
 */
#include <errno.h>
#include <string.h>

#include "map.h"

static long create(struct rf_map *map) {
  map->storage_bytes = (size_t)map->stride * map->spec.max_entries;
  map->values = rf_pages(map->storage_bytes);
  map->readable = map->values;
  map->readable_bytes = map->storage_bytes;
  return map->values == NULL ? -ENOMEM : 0;
}

static void destroy(struct rf_map *map) { rf_pages_free(map->values, map->storage_bytes); }

static uint32_t index_of(const void *key) {
  uint32_t index;
  memcpy(&index, key, sizeof index);
  return index;
}

static uint8_t *value_at(struct rf_map *map, uint32_t index, uint32_t cpu) {
  uint8_t *value = map->values + (size_t)index * map->stride;
  if (!map->kind->per_cpu || cpu == RF_ALL_CPUS) return value;
  return value + (size_t)cpu * map->cpu_stride;
}

static void *lookup(struct rf_map *map, const void *key, uint32_t cpu) {
  uint32_t index = index_of(key);
  return index < map->spec.max_entries ? value_at(map, index, cpu) : NULL;
}

static long update(struct rf_map *map, const void *key, const void *value, uint64_t flags,
                   uint32_t cpu) {
  uint64_t mode = flags & ~(uint64_t)RF_LOCK;
  uint32_t index = index_of(key);
  if (mode > RF_EXIST) return -EINVAL;
  if (index >= map->spec.max_entries) return -E2BIG;
  if (mode == RF_NOEXIST) return -EEXIST;
  uint8_t *target = value_at(map, index, RF_ALL_CPUS);
  if ((flags & RF_LOCK) && !rf_map_has(map, RF_FIELD_LOCK)) return -EINVAL;
  _Atomic uint32_t *lock = flags & RF_LOCK ? rf_value_lock(map, target) : NULL;
  if (lock != NULL) rf_lock(lock);
  rf_value_write(map, target, value, cpu);
  if (lock != NULL) rf_unlock(lock);
  /* As in the kernel: a new value has no timers. */
  rf_value_release(map, target);
  return 0;
}

static long remove_element(struct rf_map *map, const void *key) {
  (void)map, (void)key;
  return -EINVAL;
}

static uint32_t scan(struct rf_map *map, uint32_t cursor, uint8_t *key, void **value,
                     uint32_t cpu) {
  if (cursor >= map->spec.max_entries) return RF_NO_ELEMENT;
  memcpy(key, &cursor, sizeof cursor);
  *value = value_at(map, cursor, cpu);
  return cursor;
}

static void key_of(struct rf_map *map, const void *value, uint8_t *key) {
  uint32_t index = (uint32_t)((size_t)((const uint8_t *)value - map->values) / map->stride);
  memcpy(key, &index, sizeof index);
}

const struct rf_map_kind rf_array = {
    .type = 2, .create = create, .destroy = destroy, .lookup = lookup, .update = update,
    .remove = remove_element, .scan = scan, .next_key = rf_next_index, .key_of = key_of};
const struct rf_map_kind rf_percpu_array = {
    .type = 6, .per_cpu = true, .create = create, .destroy = destroy, .lookup = lookup,
    .update = update, .remove = remove_element, .scan = scan, .next_key = rf_next_index, .key_of = key_of};
