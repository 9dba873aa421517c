/* What all map types share: creation, sizes, value copies, references. */
#define _GNU_SOURCE
#include "map.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "map_deferred.h"
#include "objects.h"

const struct rf_map_kind *const rf_map_kinds[] = {
    &rf_array,          &rf_percpu_array, &rf_hash,     &rf_percpu_hash, &rf_lru_hash,
    &rf_lru_percpu_hash, &rf_lpm_trie,    &rf_queue,    &rf_stack,       &rf_ringbuf,
    &rf_prog_array,     &rf_array_of_maps, &rf_hash_of_maps, &rf_bloom_filter,
    &rf_perf_event_array, &rf_devmap,     &rf_devmap_hash, &rf_cpumap,  &rf_xskmap,
    &rf_sockmap,        &rf_sockhash,     &rf_reuseport_sockarray, &rf_cgroup_array, &rf_stack_trace,
    &rf_cgroup_storage, &rf_percpu_cgroup_storage, &rf_sk_storage, &rf_inode_storage,
    &rf_task_storage,   &rf_cgrp_storage, &rf_user_ringbuf, &rf_arena_map,
    NULL};

/* Bounds on one map, so that a hostile size is refused before it is multiplied. */
enum { VALUE_BYTES_MAX = 1 << 30 };
static const uint64_t MAP_BYTES_MAX = 8ull << 30;

void *rf_pages(size_t bytes) {
  void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return pages == MAP_FAILED ? NULL : pages;
}

void *rf_large_pages(size_t bytes) {
  enum { LARGE_BYTES = 2 << 20 };
  void *pages = rf_pages(bytes);
  if (pages != NULL && bytes >= LARGE_BYTES) madvise(pages, bytes, MADV_HUGEPAGE);
  return pages;
}

void rf_pages_free(void *pages, size_t bytes) {
  if (pages != NULL) munmap(pages, bytes);
}

static const struct rf_map_kind *kind_of(uint32_t type) {
  for (const struct rf_map_kind *const *kind = rf_map_kinds; *kind != NULL; kind++)
    if ((*kind)->type == type) return *kind;
  return NULL;
}

/* The number in the first line of a file that `format` matches; UINT64_MAX: none. */
static uint64_t number_in(const char *path, const char *format) {
  char line[128];
  unsigned long long number;
  uint64_t found = UINT64_MAX;
  FILE *file = fopen(path, "re");
  while (file != NULL && found == UINT64_MAX && fgets(line, sizeof line, file) != NULL)
    if (sscanf(line, format, &number) == 1) found = number;
  if (file != NULL) fclose(file);
  return found;
}

/* What the machine, and the control group if it has a limit, can still give. */
static uint64_t available_bytes(void) {
  uint64_t kilobytes = number_in("/proc/meminfo", "MemAvailable: %llu");
  uint64_t machine = kilobytes > UINT64_MAX >> 10 ? UINT64_MAX : kilobytes << 10;
  uint64_t limit = number_in("/sys/fs/cgroup/memory.max", "%llu");
  uint64_t used = number_in("/sys/fs/cgroup/memory.current", "%llu");
  uint64_t group = limit == UINT64_MAX || used == UINT64_MAX ? UINT64_MAX : limit > used ? limit - used : 0;
  return machine < group ? machine : group;
}

/* Whether a map so large can be had: by an estimate from above of what any kind allocates. Pages come as
 * they are touched, and then it is too late for an error; so what is touched at once must be there. */
static long check_memory(const struct rf_map *map) {
  enum { SMALL_BYTES = 64 << 20 };
  const struct rf_map_spec *spec = &map->spec;
  if (spec->key_bytes > RF_KEY_BYTES_MAX || spec->value_bytes > VALUE_BYTES_MAX) return -E2BIG;
  uint64_t element = (uint64_t)map->stride + map->key_stride + 64;
  uint64_t bytes = element * ((uint64_t)spec->max_entries + 128);
  if (bytes > MAP_BYTES_MAX) return -E2BIG;
  if (bytes <= SMALL_BYTES || (spec->flags & RF_F_NO_PREALLOC)) return 0;
  return bytes > available_bytes() ? -ENOMEM : 0;
}

struct rf_map *rf_map_create(const struct rf_map_spec *spec, struct rf_map *inner, long *error) {
  const struct rf_map_kind *kind = kind_of(spec->type);
  *error = kind == NULL ? -EINVAL : rf_map_check(spec, kind);
  if (*error != 0) return NULL;
  struct rf_map *map = calloc(1, sizeof *map);
  *error = -ENOMEM;
  if (map == NULL) return NULL;
  map->kind = kind;
  map->spec = *spec;
  map->cpu_stride = (uint32_t)rf_round8(spec->value_bytes);
  map->stride = map->cpu_stride * (kind->per_cpu ? RF_CPUS : 1);
  map->key_stride = (uint32_t)rf_round8(spec->key_bytes);
  atomic_init(&map->references, 1);
  for (uint32_t i = 0; i < spec->field_count; i++)
    map->owns_fields = map->owns_fields || spec->fields[i].kind != RF_FIELD_LOCK;
  if ((*error = check_memory(map)) == 0 && (*error = kind->create(map)) == 0) {
    map->inner = inner;
    if (inner != NULL) rf_map_take(inner);
    return map;
  }
  free(map);
  return NULL;
}

void rf_map_take(struct rf_map *map) { atomic_fetch_add(&map->references, 1); }

/* Nobody uses the map any more. */
static void release_values(struct rf_map *map) {
  uint8_t key[RF_KEY_BYTES_MAX];
  void *value;
  if (!map->owns_fields || map->kind->scan == NULL) return;
  for (uint32_t at = 0; (at = map->kind->scan(map, at, key, &value, RF_ALL_CPUS)) != RF_NO_ELEMENT; at++)
    rf_value_release(map, value);
}

void rf_map_drop(struct rf_map *map) {
  if (atomic_fetch_sub(&map->references, 1) != 1) return;
  rf_deferred_free_all(map);
  release_values(map);
  map->kind->destroy(map);
  if (map->inner != NULL) rf_map_drop(map->inner);
  free(map);
}

uint32_t rf_map_outer_value_bytes(const struct rf_map *map) {
  return map->kind->per_cpu ? map->stride : map->spec.value_bytes;
}

/* Copies all of a value but its special fields. */
static void copy_plain(const struct rf_map *map, uint8_t *to, const uint8_t *from) {
  const struct rf_map_spec *spec = &map->spec;
  uint32_t at = 0;
  for (uint32_t i = 0; i < spec->field_count; i++) {
    memcpy(to + at, from + at, spec->fields[i].offset - at);
    at = spec->fields[i].offset + spec->fields[i].bytes;
  }
  memcpy(to + at, from + at, spec->value_bytes - at);
}

void rf_value_read(const struct rf_map *map, void *out, const void *value, uint32_t cpu) {
  if (map->kind->per_cpu && cpu == RF_ALL_CPUS) {
    memcpy(out, value, map->stride);
    return;
  }
  copy_plain(map, out, value);
  for (uint32_t i = 0; i < map->spec.field_count; i++)
    memset((uint8_t *)out + map->spec.fields[i].offset, 0, map->spec.fields[i].bytes);
}

void rf_value_write(const struct rf_map *map, void *value, const void *in, uint32_t cpu) {
  if (map->kind->per_cpu && cpu == RF_ALL_CPUS) memcpy(value, in, map->stride);
  else if (map->kind->per_cpu) memcpy((uint8_t *)value + (size_t)cpu * map->cpu_stride, in, map->spec.value_bytes);
  else copy_plain(map, value, in);
}

_Atomic uint32_t *rf_value_lock(const struct rf_map *map, void *value) {
  for (uint32_t i = 0; i < map->spec.field_count; i++)
    if (map->spec.fields[i].kind == RF_FIELD_LOCK)
      return (_Atomic uint32_t *)((uint8_t *)value + map->spec.fields[i].offset);
  return NULL;
}

void rf_value_release(struct rf_map *map, void *value) {
  if (!map->owns_fields) return;
  for (uint32_t i = 0; i < map->spec.field_count; i++) {
    const struct rf_field *field = &map->spec.fields[i];
    if (field->kind != RF_FIELD_TIMER && field->kind != RF_FIELD_WORK) continue;
    rf_deferred_free((uint8_t *)value + field->offset);
  }
  rf_fields_clear(map->spec.fields, map->spec.field_count, value);
}

long rf_next_index(struct rf_map *map, const void *key, uint8_t *next) {
  uint32_t index = 0, last = map->spec.max_entries - 1;
  if (key != NULL) {
    memcpy(&index, key, sizeof index);
    if (index == last) return -ENOENT;
    index = index > last ? 0 : index + 1;
  }
  memcpy(next, &index, sizeof index);
  return 0;
}

long rf_next_scanned(struct rf_map *map, uint32_t at, uint8_t *next) {
  void *value;
  uint32_t from = at == RF_NO_ELEMENT ? 0 : at + 1;
  return map->kind->scan(map, from, next, &value, RF_ALL_CPUS) == RF_NO_ELEMENT ? -ENOENT : 0;
}
