/*
 * Maps that only name targets of redirection (devices, CPUs, sockets): an array with gaps. The run
 * records the decision; nothing is sent.
 */
#include <errno.h>
#include <string.h>

#include "map.h"

/* Values side by side, then one byte of presence each. */
static _Atomic uint8_t *presence(struct rf_map *map, uint32_t index) {
  return (_Atomic uint8_t *)(map->values + (size_t)map->stride * map->spec.max_entries + index);
}

static long create(struct rf_map *map) {
  uint32_t bytes = map->spec.value_bytes;
  if (map->spec.key_bytes != 4 || map->spec.max_entries == 0 || (bytes != 4 && bytes != 8))
    return -EINVAL;
  map->storage_bytes = ((size_t)map->stride + 1) * map->spec.max_entries;
  map->values = rf_pages(map->storage_bytes);
  return map->values == NULL ? -ENOMEM : 0;
}

static void destroy(struct rf_map *map) { rf_pages_free(map->values, map->storage_bytes); }

static uint8_t *value_at(struct rf_map *map, uint32_t index) {
  return map->values + (size_t)index * map->stride;
}

static void *lookup(struct rf_map *map, const void *key, uint32_t cpu) {
  uint32_t index;
  (void)cpu;
  memcpy(&index, key, sizeof index);
  return index < map->spec.max_entries && atomic_load(presence(map, index)) ? value_at(map, index)
                                                                            : NULL;
}

static long update(struct rf_map *map, const void *key, const void *value, uint64_t flags,
                   uint32_t cpu) {
  uint32_t index;
  memcpy(&index, key, sizeof index);
  if (flags > RF_EXIST) return -EINVAL;
  if (index >= map->spec.max_entries) return -E2BIG;
  if (flags == RF_NOEXIST) return -EEXIST;
  rf_value_write(map, value_at(map, index), value, cpu);
  atomic_store(presence(map, index), 1);
  return 0;
}

static long remove_element(struct rf_map *map, const void *key) {
  uint32_t index;
  memcpy(&index, key, sizeof index);
  if (index >= map->spec.max_entries) return -EINVAL;
  atomic_store(presence(map, index), 0);
  return 0;
}

static uint32_t scan(struct rf_map *map, uint32_t cursor, uint8_t *key, void **value,
                     uint32_t cpu) {
  (void)cpu;
  for (uint32_t index = cursor; index < map->spec.max_entries; index++) {
    if (!atomic_load(presence(map, index))) continue;
    memcpy(key, &index, sizeof index);
    *value = value_at(map, index);
    return index;
  }
  return RF_NO_ELEMENT;
}

#define SPARSE_OPERATIONS                                                                       \
  .create = create, .destroy = destroy, .lookup = lookup, .update = update,                     \
  .remove = remove_element, .scan = scan

const struct rf_map_kind rf_devmap = {.type = 14, SPARSE_OPERATIONS};
const struct rf_map_kind rf_cpumap = {.type = 16, SPARSE_OPERATIONS};
const struct rf_map_kind rf_xskmap = {.type = 17, SPARSE_OPERATIONS};
const struct rf_map_kind rf_cgroup_array = {.type = 8, SPARSE_OPERATIONS};
const struct rf_map_kind rf_sockmap = {.type = 15, SPARSE_OPERATIONS};
const struct rf_map_kind rf_reuseport_sockarray = {.type = 20, SPARSE_OPERATIONS};
