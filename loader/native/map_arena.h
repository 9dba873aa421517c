/* Arenas: memory that programs and JavaScript share by 32-bit addresses; see map_arena.c. */
#ifndef RF_MAP_ARENA_H
#define RF_MAP_ARENA_H

#include "map.h"

/* Makes pages of the range present, as user space does by touching them; NULL: not inside. */
void *rf_arena_expose(struct rf_map *map, uint64_t offset, uint64_t bytes);

#endif
