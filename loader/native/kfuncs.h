/* Kernel functions that programs call by name; see kfuncs.c. */
#ifndef RF_KFUNCS_H
#define RF_KFUNCS_H

#include "helpers.h"

struct rf_kfunc {
  const char *name;
  rf_function function;
};

/* Each list ends with a null function. */
extern const struct rf_kfunc rf_region_kfuncs[], rf_iterator_kfuncs[], rf_dynptr_kfuncs[], rf_text_kfuncs[],
    rf_object_kfuncs[], rf_graph_kfuncs[], rf_throw_kfuncs[],
    rf_probe_kfuncs[], rf_cpumask_kfuncs[], rf_deferred_kfuncs[],
    rf_arena_kfuncs[];

/* In a fixed order; NULL: there are no more. */
const struct rf_kfunc *rf_kfunc_at(uint32_t index);

/* Programs that call it are entered in a way that can be left. */
RF_HELPER(rf_throw);

/* What a function returns that is `int` in C: the upper half of r0 is zero. */
static inline uint64_t rf_int(long value) { return (uint32_t)(int32_t)value; }

#endif
