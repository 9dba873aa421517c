/*
 * Storage of the one control group that a run belongs to: a single value, whatever the key. It is
 * zeroed when the map is made and stays until the map is freed.
 */
#include <errno.h>

#include "map.h"

static long create(struct rf_map *map) {
  if (map->spec.value_bytes == 0) return -EINVAL;
  map->storage_bytes = map->stride;
  map->values = rf_pages(map->storage_bytes);
  return map->values == NULL ? -ENOMEM : 0;
}

static void destroy(struct rf_map *map) { rf_pages_free(map->values, map->storage_bytes); }

static void *lookup(struct rf_map *map, const void *key, uint32_t cpu) {
  (void)key;
  return map->values + (map->kind->per_cpu && cpu != RF_ALL_CPUS ? (size_t)cpu * map->cpu_stride : 0);
}

static long update(struct rf_map *map, const void *key, const void *value, uint64_t flags, uint32_t cpu) {
  (void)key;
  if (flags == RF_NOEXIST) return -EEXIST;
  if (flags > RF_EXIST) return -EINVAL;
  rf_value_write(map, map->values, value, cpu);
  return 0;
}

static long refuse_remove(struct rf_map *map, const void *key) {
  (void)map, (void)key;
  return -EINVAL;
}

const struct rf_map_kind rf_cgroup_storage = {
    .type = 19, .create = create, .destroy = destroy, .lookup = lookup, .update = update,
    .remove = refuse_remove};
const struct rf_map_kind rf_percpu_cgroup_storage = {
    .type = 21, .per_cpu = true, .create = create, .destroy = destroy, .lookup = lookup,
    .update = update, .remove = refuse_remove};
