/* printf as the kernel offers it to programs; see format.c. */
#ifndef RF_FORMAT_H
#define RF_FORMAT_H

#include "run.h"

/* Length of the whole text (which may exceed `capacity`; what fits is terminated), or -errno. */
long rf_format(const struct rf_run *run, char *out, size_t capacity, const char *format, size_t format_bytes,
               const uint64_t *arguments, uint32_t count);

/* Appends to the run's trace, cutting what does not fit. */
void rf_append_trace(struct rf_run *run, const char *text, size_t bytes);

#endif
