/* Ring buffer: records of any size from many producers to one consumer; see map_ringbuf.c. */
#ifndef RF_MAP_RINGBUF_H
#define RF_MAP_RINGBUF_H

#include "map.h"

void *rf_ringbuf_reserve(struct rf_map *map, uint64_t bytes);
/* `discard` 0: publishes the record; 1: drops it. `record` is what reserve returned. */
void rf_ringbuf_finish(void *record, uint32_t discard);
/* The same with 1, for records that a stopped run leaves behind; see held.h. */
void rf_ringbuf_discard(void *record);
long rf_ringbuf_output(struct rf_map *map, const void *data, uint64_t bytes);
uint64_t rf_ringbuf_query(struct rf_map *map, uint64_t what);
/* Copies the next published record into `out`; its length, 0xffffffff: nothing to read. */
uint32_t rf_ringbuf_consume(struct rf_map *map, uint8_t *out, uint32_t capacity);
uint64_t rf_ringbuf_dropped(struct rf_map *map);

/* User ring buffers: JavaScript produces by `rf_ringbuf_output`, programs consume. False: no more. */
typedef bool (*rf_record_visit)(void *record, uint32_t bytes, void *argument);
/* Shows records until there are none or the visitor has enough: how many; or -EBUSY. */
long rf_user_ringbuf_drain(struct rf_map *map, rf_record_visit visit, void *argument);

struct rf_bytes {
  const void *at;
  uint64_t count;
};
/* One sample into a perf event array: `data`, then `more`. */
long rf_perf_output(struct rf_map *map, uint32_t index, struct rf_bytes data, struct rf_bytes more);
/* The ring buffer behind a map that has records to consume; NULL: it has none. */
struct rf_map *rf_samples_of(struct rf_map *map);

#endif
