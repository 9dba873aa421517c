/* Maps of programs and of maps: how the loader fills them; see map_objects.c. */
#ifndef RF_MAP_OBJECTS_H
#define RF_MAP_OBJECTS_H

#include "map.h"

/* `object` is a struct rf_program or rf_map as the map's type says; NULL removes. */
long rf_map_set_object(struct rf_map *map, const void *key, void *object);
/* Whether a program of this plan may call through, or stand in, the array; the first one decides. */
bool rf_prog_array_accepts(struct rf_map *map, const struct rf_plan *plan);
/* No JavaScript names the map any more: breaks cycles of programs and the arrays they call through. */
void rf_map_forget_objects(struct rf_map *map);

/* Calls back for the map and, if its values are maps, for each of them; inside an epoch. */
void rf_map_visit(struct rf_map *map, void (*visit)(struct rf_map *map, void *argument), void *argument);

#endif
