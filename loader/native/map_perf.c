/*
 * Perf event arrays: what programs output waits in a ring buffer of the map's own until JavaScript
 * consumes it, whichever processor's event it was for. Values that JavaScript sets mean nothing.
 */
#include <errno.h>
#include <string.h>

#include "map.h"
#include "map_ringbuf.h"

/* As many pages as tools commonly give to one processor's events. */
enum { SAMPLE_BYTES = 64 * 4096 };

static long create(struct rf_map *map) {
  const struct rf_map_spec spec = {.type = rf_ringbuf.type, .max_entries = SAMPLE_BYTES};
  long error;
  map->state = rf_map_create(&spec, NULL, &error);
  return error;
}

static void destroy(struct rf_map *map) { rf_map_drop(map->state); }

static void *lookup(struct rf_map *map, const void *key, uint32_t cpu) {
  (void)map, (void)key, (void)cpu;
  return NULL;
}

/* An event of the system cannot be had; whoever sets one may go on as if it were there. */
static long update(struct rf_map *map, const void *key, const void *value, uint64_t flags, uint32_t cpu) {
  uint32_t index;
  (void)value, (void)cpu;
  memcpy(&index, key, sizeof index);
  if (flags > RF_EXIST) return -EINVAL;
  return index < map->spec.max_entries ? 0 : -E2BIG;
}

static long remove_element(struct rf_map *map, const void *key) {
  (void)map, (void)key;
  return -ENOENT;
}

long rf_perf_output(struct rf_map *map, uint32_t index, struct rf_bytes data, struct rf_bytes more) {
  if (index >= map->spec.max_entries) return -E2BIG;
  uint8_t *record = rf_ringbuf_reserve(map->state, data.count + more.count);
  if (record == NULL) return -ENOSPC;
  if (data.count != 0) memcpy(record, data.at, data.count);
  if (more.count != 0) memcpy(record + data.count, more.at, more.count);
  rf_ringbuf_finish(record, 0);
  return 0;
}

struct rf_map *rf_samples_of(struct rf_map *map) {
  if (map->kind == &rf_ringbuf || map->kind == &rf_user_ringbuf) return map;
  return map->kind == &rf_perf_event_array ? map->state : NULL;
}

const struct rf_map_kind rf_perf_event_array = {
    .type = 4, .create = create, .destroy = destroy, .lookup = lookup, .update = update,
    .remove = remove_element, .next_key = rf_next_index};
