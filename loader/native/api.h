/* The lists of exports; addon.c registers each. A new file adds its list here and there. */
#ifndef RF_API_H
#define RF_API_H

#include "kernel.h"

extern const struct rf_export rf_program_exports[], rf_extension_exports[], rf_map_exports[];

#endif
