/* Memory that a program may name by a number: what it could reach through pointers anyway. */
#ifndef RF_MEMORY_H
#define RF_MEMORY_H

#include "run.h"

/* Whether [address, address + bytes) lies inside the packet, the context, one stack frame of the program
 * that was shown, the storage of one of its maps, or one of its objects. */
bool rf_may_read(const struct rf_run *run, uint64_t address, uint64_t bytes);

#endif
