/* What all map types share: creation, sizes, value copies, references. */
#define _GNU_SOURCE
#include "map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

const struct rf_map_kind *const rf_map_kinds[] = {
    &rf_array,          &rf_percpu_array, &rf_hash,     &rf_percpu_hash, &rf_lru_hash,
    &rf_lru_percpu_hash, &rf_lpm_trie,    &rf_queue,    &rf_stack,       &rf_ringbuf,
    &rf_prog_array,     &rf_array_of_maps, &rf_hash_of_maps, &rf_bloom_filter,
    &rf_perf_event_array, &rf_devmap,     &rf_devmap_hash, &rf_cpumap,  &rf_xskmap,
    &rf_sockmap,        &rf_sockhash,     &rf_reuseport_sockarray, &rf_cgroup_array, &rf_stack_trace,
    &rf_cgroup_storage, &rf_percpu_cgroup_storage, NULL};

/* Bounds on one map, so that a hostile size is refused before it is multiplied. */
enum { KEY_BYTES_MAX = 512, VALUE_BYTES_MAX = 1 << 30 };
static const uint64_t MAP_BYTES_MAX = 8ull << 30;

void *rf_pages(size_t bytes) {
  void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return pages == MAP_FAILED ? NULL : pages;
}

void rf_pages_free(void *pages, size_t bytes) {
  if (pages != NULL) munmap(pages, bytes);
}

static const struct rf_map_kind *kind_of(uint32_t type) {
  for (const struct rf_map_kind *const *kind = rf_map_kinds; *kind != NULL; kind++)
    if ((*kind)->type == type) return *kind;
  return NULL;
}

/* An estimate from above of what any kind allocates for the specification. */
static bool fits(const struct rf_map *map) {
  const struct rf_map_spec *spec = &map->spec;
  if (spec->key_bytes > KEY_BYTES_MAX || spec->value_bytes > VALUE_BYTES_MAX) return false;
  uint64_t element = (uint64_t)map->stride + map->key_stride + 64;
  return element * ((uint64_t)spec->max_entries + 128) <= MAP_BYTES_MAX;
}

struct rf_map *rf_map_create(const struct rf_map_spec *spec, struct rf_map *inner, long *error) {
  const struct rf_map_kind *kind = kind_of(spec->type);
  *error = -EINVAL;
  if (kind == NULL) return NULL;
  struct rf_map *map = calloc(1, sizeof *map);
  *error = -ENOMEM;
  if (map == NULL) return NULL;
  map->kind = kind;
  map->spec = *spec;
  map->cpu_stride = (uint32_t)rf_round8(spec->value_bytes);
  map->stride = map->cpu_stride * (kind->per_cpu ? RF_CPUS : 1);
  map->key_stride = (uint32_t)rf_round8(spec->key_bytes);
  atomic_init(&map->references, 1);
  *error = -E2BIG;
  if (fits(map) && (*error = kind->create(map)) == 0) {
    map->inner = inner;
    if (inner != NULL) rf_map_take(inner);
    return map;
  }
  free(map);
  return NULL;
}

void rf_map_take(struct rf_map *map) { atomic_fetch_add(&map->references, 1); }

void rf_map_drop(struct rf_map *map) {
  if (atomic_fetch_sub(&map->references, 1) != 1) return;
  map->kind->destroy(map);
  if (map->inner != NULL) rf_map_drop(map->inner);
  free(map);
}

uint32_t rf_map_outer_value_bytes(const struct rf_map *map) {
  return map->kind->per_cpu ? map->stride : map->spec.value_bytes;
}

/* Copies all of a value but its special field (locks and timers are not data). */
static void copy_plain(const struct rf_map *map, uint8_t *to, const uint8_t *from) {
  const struct rf_map_spec *spec = &map->spec;
  if (spec->special_bytes == 0) {
    memcpy(to, from, spec->value_bytes);
    return;
  }
  uint32_t after = spec->special_offset + spec->special_bytes;
  memcpy(to, from, spec->special_offset);
  memcpy(to + after, from + after, spec->value_bytes - after);
}

void rf_value_read(const struct rf_map *map, void *out, const void *value, uint32_t cpu) {
  if (map->kind->per_cpu && cpu == RF_ALL_CPUS) {
    memcpy(out, value, map->stride);
    return;
  }
  copy_plain(map, out, value);
  if (map->spec.special_bytes != 0)
    memset((uint8_t *)out + map->spec.special_offset, 0, map->spec.special_bytes);
}

void rf_value_write(const struct rf_map *map, void *value, const void *in, uint32_t cpu) {
  if (map->kind->per_cpu && cpu == RF_ALL_CPUS) memcpy(value, in, map->stride);
  else if (map->kind->per_cpu) memcpy((uint8_t *)value + (size_t)cpu * map->cpu_stride, in, map->spec.value_bytes);
  else copy_plain(map, value, in);
}
