/* Dynamic pointers; see dynptr.h. Error codes: kernel/bpf/helpers.c, net/core/filter.c. */
#include "dynptr.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

uint8_t *rf_dynptr_place(const struct rf_run *run, const struct rf_dynptr *dynptr, uint32_t offset, uint32_t bytes) {
  uint8_t *start = dynptr->data, *end = NULL;
  uint64_t at = (uint64_t)dynptr->offset + offset;
  switch ((enum rf_dynptr_kind)dynptr->kind) {
    case RF_DYNPTR_LOCAL: return start + at;
    case RF_DYNPTR_SKB:
    case RF_DYNPTR_XDP: start = run->data, end = run->end; break;
    case RF_DYNPTR_META: start = run->meta, end = run->data; break;
  }
  uint64_t length = end > start ? (uint64_t)(end - start) : 0;
  return at <= length && bytes <= length - at ? start + at : NULL;
}

/* What the packet's own load and store helpers say to a place outside. */
static long outside(const struct rf_dynptr *dynptr) { return dynptr->kind == RF_DYNPTR_XDP ? -EINVAL : -EFAULT; }

long rf_dynptr_read(const struct rf_run *run, void *out, uint32_t bytes, const struct rf_dynptr *source, uint32_t offset) {
  if (!rf_in_dynptr(source, offset, bytes)) return -E2BIG;
  const uint8_t *from = rf_dynptr_place(run, source, offset, bytes);
  if (from == NULL) {
    if (source->kind == RF_DYNPTR_SKB) memset(out, 0, bytes);
    return outside(source);
  }
  memmove(out, from, bytes);
  return 0;
}

/* BPF_F_RECOMPUTE_CSUM | BPF_F_INVALIDATE_HASH: socket buffers only. */
enum { STORE_FLAGS = 3 };

long rf_dynptr_write(struct rf_run *run, const struct rf_dynptr *target, uint32_t offset, const void *in,
                     uint32_t bytes, uint64_t flags) {
  if (target->read_only) return -EINVAL;
  if (!rf_in_dynptr(target, offset, bytes)) return -E2BIG;
  if (flags & ~(uint64_t)(target->kind == RF_DYNPTR_SKB ? STORE_FLAGS : 0)) return -EINVAL;
  uint8_t *to = rf_dynptr_place(run, target, offset, bytes);
  if (to == NULL) return outside(target);
  memmove(to, in, bytes);
  return 0;
}
