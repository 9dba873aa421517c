/* Queues and stacks: one ring of values under one lock; keys are empty. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "map.h"

struct ring {
  _Atomic uint32_t lock;
  uint32_t head;  /* index of the oldest value */
  uint32_t count;
};

static long create(struct rf_map *map) {
  map->storage_bytes = (size_t)map->stride * map->spec.max_entries;
  map->state = calloc(1, sizeof(struct ring));
  map->values = map->state == NULL ? NULL : rf_pages(map->storage_bytes);
  if (map->values != NULL) return 0;
  free(map->state);
  return -ENOMEM;
}

static void destroy(struct rf_map *map) {
  rf_pages_free(map->values, map->storage_bytes);
  free(map->state);
}

static uint8_t *slot(struct rf_map *map, uint64_t index) {
  return map->values + index % map->spec.max_entries * map->stride;
}

/* The kernel drops the oldest value of a full map when asked to (BPF_EXIST). */
static long push(struct rf_map *map, const void *value, uint64_t flags) {
  struct ring *ring = map->state;
  if (flags > RF_EXIST || (flags & RF_NOEXIST)) return -EINVAL;
  rf_lock(&ring->lock);
  bool full = ring->count == map->spec.max_entries;
  if (full && flags != RF_EXIST) {
    rf_unlock(&ring->lock);
    return -E2BIG;
  }
  if (full) ring->head = (ring->head + 1) % map->spec.max_entries;
  else ring->count++;
  memcpy(slot(map, (uint64_t)ring->head + ring->count - 1), value, map->spec.value_bytes);
  rf_unlock(&ring->lock);
  return 0;
}

enum end { OLDEST, NEWEST };
enum fate { STAYS, LEAVES };

static long take(struct rf_map *map, void *value, enum end end, enum fate fate) {
  struct ring *ring = map->state;
  rf_lock(&ring->lock);
  long error = ring->count == 0 ? -ENOENT : 0;
  if (error != 0) memset(value, 0, map->spec.value_bytes);
  else {
    uint64_t at = end == OLDEST ? ring->head : (uint64_t)ring->head + ring->count - 1;
    memcpy(value, slot(map, at), map->spec.value_bytes);
    if (fate == LEAVES && end == OLDEST) ring->head = (ring->head + 1) % map->spec.max_entries;
    if (fate == LEAVES) ring->count--;
  }
  rf_unlock(&ring->lock);
  return error;
}

static long queue_pop(struct rf_map *map, void *value) { return take(map, value, OLDEST, LEAVES); }
static long queue_peek(struct rf_map *map, void *value) { return take(map, value, OLDEST, STAYS); }
static long stack_pop(struct rf_map *map, void *value) { return take(map, value, NEWEST, LEAVES); }
static long stack_peek(struct rf_map *map, void *value) { return take(map, value, NEWEST, STAYS); }

const struct rf_map_kind rf_queue = {.type = 22, .create = create, .destroy = destroy,
                                     .push = push, .pop = queue_pop, .peek = queue_peek};
const struct rf_map_kind rf_stack = {.type = 23, .create = create, .destroy = destroy,
                                     .push = push, .pop = stack_pop, .peek = stack_peek};
