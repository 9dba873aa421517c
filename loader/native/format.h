/* printf as the kernel offers it to programs; see format.c. */
#ifndef RF_FORMAT_H
#define RF_FORMAT_H

#include "run.h"

/* Length of the whole text (which may exceed `capacity`; what fits is terminated), or -errno. */
long rf_format(const struct rf_run *run, char *out, size_t capacity, const char *format, size_t format_bytes,
               const uint64_t *arguments, uint32_t count);

#endif
