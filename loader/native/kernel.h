/* Exports of kernel.c, for the registration list in addon.c. */
#ifndef RF_KERNEL_H
#define RF_KERNEL_H

#include <node_api.h>

struct rf_export {
  const char *name;
  napi_callback call;
};

extern const struct rf_export rf_kernel_exports[];

#endif
