/* Local storage: values of the objects that runs are about; see map_storage.c. */
#ifndef RF_MAP_STORAGE_H
#define RF_MAP_STORAGE_H

#include "map.h"

/* The object's value, made of `value` (NULL: zeroes) if there is none; NULL: no room. */
void *rf_storage_obtain(struct rf_map *map, uint64_t identity, const void *value, uint32_t cpu);
/* The same for maps of bpf_get_local_storage; never NULL. */
void *rf_storage_of_group(struct rf_map *map, uint64_t identity, uint32_t cpu);

#endif
