/* Memory that a program may name by a number: what it could reach through pointers anyway. */
#ifndef RF_MEMORY_H
#define RF_MEMORY_H

#include "run.h"

/* Where the `bytes` bytes at an address lie that nobody has proven: inside the packet, the context, one
 * stack frame of the program that was shown, the storage of one of its maps, one of its objects, or memory
 * that the host has granted, which lies elsewhere. NULL: they may not be read. */
const void *rf_readable(const struct rf_run *run, uint64_t address, uint64_t bytes);

/* What a kernel says of an address that is none of its own (copy_from_kernel_nofault_allowed): -ERANGE.
 * The canonical upper half is; -EFAULT: nothing is there. */
static inline long rf_unreadable(uint64_t address) { return address >> 47 == (1u << 17) - 1 ? -14 : -34; }

#endif
