/* Timers and work queues in map values: callbacks that run later; see map_deferred.c. */
#ifndef RF_MAP_DEFERRED_H
#define RF_MAP_DEFERRED_H

#include "map.h"
#include "run.h"

/* Each takes the address of the field in the value. 0 or -errno, as the kernel's of the same name. */
long rf_deferred_init(struct rf_map *map, void *field, enum rf_field_kind kind, uint64_t flags);
long rf_deferred_set_callback(void *field, rf_function callback, struct rf_run *run);
long rf_deferred_start(void *field, uint64_t nanoseconds, uint64_t flags, struct rf_run *run);
/* 1: it was armed; 0: it was not. */
long rf_deferred_cancel(void *field, struct rf_run *run);

/* The field goes: nothing of it will run any more, but for a callback that is under way. */
void rf_deferred_free(void *field);
/* The same for all fields of the map. */
void rf_deferred_free_all(struct rf_map *map);

/* When the first armed callback of the map is due, and its turn among equals; false: none. */
bool rf_deferred_next(struct rf_map *map, uint64_t *due, uint64_t *turn);
/* Runs the first one if it is due by then. */
bool rf_deferred_run(struct rf_map *map, uint64_t until, struct rf_run *run);

#endif
