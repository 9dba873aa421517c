/*
 * One table of kernel functions: every file contributes its rows, this one numbers them. The loader
 * asks for the names, and refuses programs that call what is missing here.
 */
#include "kfuncs.h"

static const struct rf_kfunc *const lists[] = {
    rf_region_kfuncs, rf_iterator_kfuncs, rf_dynptr_kfuncs, rf_text_kfuncs,
    rf_object_kfuncs, rf_graph_kfuncs,    rf_throw_kfuncs,  rf_deferred_kfuncs,
    rf_probe_kfuncs,  rf_cpumask_kfuncs,
    rf_arena_kfuncs,
};

const struct rf_kfunc *rf_kfunc_at(uint32_t index) {
  for (size_t list = 0; list < sizeof lists / sizeof *lists; list++)
    for (const struct rf_kfunc *row = lists[list]; row->function != NULL; row++)
      if (index-- == 0) return row;
  return NULL;
}
