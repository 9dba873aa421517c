/*
 * Dynamic pointers: two words of the program's stack that the verifier lets only these functions
 * touch. They say where bytes lie that were checked when the pointer was made, not when it is used:
 * each use checks against the size that is written here, and for packets against the packet as it is
 * now, which may have become shorter since.
 */
#ifndef RF_DYNPTR_H
#define RF_DYNPTR_H

#include "run.h"

enum rf_dynptr_kind {
  RF_DYNPTR_LOCAL = 0, /* memory that the program could reach itself, ring-buffer records too */
  RF_DYNPTR_SKB = 1,
  RF_DYNPTR_XDP = 2,
  RF_DYNPTR_META = 3 /* the bytes before a socket buffer's packet */
};

/* DYNPTR_MAX_SIZE, include/linux/bpf.h: the kernel keeps flags in the upper byte. */
enum { RF_DYNPTR_BYTES_MAX = (1 << 24) - 1 };

struct rf_dynptr {
  uint8_t *data; /* NULL: there is nothing; packets: anything else */
  uint32_t bytes : 24;
  uint32_t kind : 4;
  uint32_t read_only : 4;
  uint32_t offset; /* of the first byte from `data`, or from the start of the packet */
};
_Static_assert(sizeof(struct rf_dynptr) == 16, "struct bpf_dynptr, uapi/linux/bpf.h");

static inline bool rf_in_dynptr(const struct rf_dynptr *dynptr, uint32_t offset, uint32_t bytes) {
  return bytes <= dynptr->bytes && offset <= dynptr->bytes - bytes;
}

/* Where `bytes` bytes at `offset` lie, which must be inside the pointer; NULL: not there any more. */
uint8_t *rf_dynptr_place(const struct rf_run *run, const struct rf_dynptr *dynptr, uint32_t offset, uint32_t bytes);

/* As bpf_dynptr_read and bpf_dynptr_write: 0 or -errno. */
long rf_dynptr_read(const struct rf_run *run, void *out, uint32_t bytes, const struct rf_dynptr *source, uint32_t offset);
long rf_dynptr_write(struct rf_run *run, const struct rf_dynptr *target, uint32_t offset, const void *in,
                     uint32_t bytes, uint64_t flags);

#endif
