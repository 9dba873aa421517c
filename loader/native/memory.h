/* Memory that a program may name by a number: what it could reach through pointers anyway. */
#ifndef RF_MEMORY_H
#define RF_MEMORY_H

#include "run.h"

/* Whether [address, address + bytes) lies inside the packet, the context or the values of one array
 * map of the running program. Stacks are left out: native frames lie between those of the program. */
bool rf_may_read(const struct rf_run *run, uint64_t address, uint64_t bytes);

#endif
