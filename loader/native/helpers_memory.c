/*
 * Helpers that read memory by number, and dynamic pointers. Numbers are unproven: what does not lie in
 * memory that the program could reach anyway cannot be read, as if it were not mapped.
 *
 * A dynamic pointer is two words of the program's stack that the verifier lets only these helpers
 * touch: an address, or 0, and the size of the memory behind it.
 */
#include <errno.h>
#include <string.h>

#include "held.h"
#include "helpers.h"
#include "map_ringbuf.h"
#include "memory.h"
#include "program.h"

static bool covers(const void *start, uint64_t bytes, uint64_t address, uint64_t wanted) {
  uint64_t offset = address - (uintptr_t)start;
  return start != NULL && offset <= bytes && wanted <= bytes - offset;
}

bool rf_may_read(const struct rf_run *run, uint64_t address, uint64_t bytes) {
  if (run->plan->kind != RF_CONTEXT_MEMORY && covers(run->context, run->plan->context_bytes, address, bytes)) return true;
  if (run->end > run->meta && covers(run->meta, (uint64_t)(run->end - run->meta), address, bytes)) return true;
  for (uint32_t i = 0; i < run->program->map_count; i++) {
    const struct rf_map *map = run->program->maps[i];
    if (map->kind != &rf_array && map->kind != &rf_percpu_array) continue;
    if (covers(map->values, map->storage_bytes, address, bytes)) return true;
  }
  return false;
}

static RF_HELPER(probe_read) {
  uint32_t bytes = (uint32_t)r2;
  if (rf_may_read(run, r3, bytes)) {
    memcpy(rf_pointer(r1), rf_pointer(r3), bytes);
    return 0;
  }
  if (bytes != 0) memset(rf_pointer(r1), 0, bytes);
  return (uint64_t)-EFAULT;
}

/* The length with its terminator; what is cut is terminated too. */
static RF_HELPER(probe_read_str) {
  uint32_t bytes = (uint32_t)r2, length = 0;
  char *out = rf_pointer(r1);
  if (bytes == 0) return 0;
  for (; length < bytes; length++) {
    if (!rf_may_read(run, r3 + length, 1)) {
      memset(out, 0, bytes);
      return (uint64_t)-EFAULT;
    }
    out[length] = *(const char *)rf_pointer(r3 + length);
    if (out[length] == 0) return length + 1;
  }
  out[bytes - 1] = 0;
  return bytes;
}

/* DYNPTR_MAX_SIZE, linux/bpf.h: the kernel keeps flags in the upper byte. */
enum { DYNPTR_BYTES_MAX = (1 << 24) - 1 };

struct dynptr {
  uint8_t *data;
  uint64_t bytes;
};

static struct dynptr load_dynptr(uint64_t at) {
  struct dynptr dynptr;
  memcpy(&dynptr, rf_pointer(at), sizeof dynptr);
  return dynptr;
}

static void store_dynptr(uint64_t at, uint8_t *data, uint64_t bytes) {
  struct dynptr dynptr = {data, bytes};
  memcpy(rf_pointer(at), &dynptr, sizeof dynptr);
}

static bool in_dynptr(const struct dynptr *dynptr, uint32_t offset, uint32_t bytes) {
  return bytes <= dynptr->bytes && offset <= dynptr->bytes - bytes;
}

static RF_HELPER(dynptr_from_mem) {
  uint32_t bytes = (uint32_t)r2;
  store_dynptr(r4, NULL, 0);
  if (bytes > DYNPTR_BYTES_MAX) return (uint64_t)-E2BIG;
  if (r3 != 0) return (uint64_t)-EINVAL;
  store_dynptr(r4, rf_pointer(r1), bytes);
  return 0;
}

static RF_HELPER(dynptr_read) {
  struct dynptr source = load_dynptr(r3);
  if (source.data == NULL || r5 != 0) return (uint64_t)-EINVAL;
  if (!in_dynptr(&source, (uint32_t)r4, (uint32_t)r2)) return (uint64_t)-E2BIG;
  memmove(rf_pointer(r1), source.data + (uint32_t)r4, (uint32_t)r2);
  return 0;
}

static RF_HELPER(dynptr_write) {
  struct dynptr target = load_dynptr(r1);
  if (target.data == NULL || r5 != 0) return (uint64_t)-EINVAL;
  if (!in_dynptr(&target, (uint32_t)r2, (uint32_t)r4)) return (uint64_t)-E2BIG;
  memmove(target.data + (uint32_t)r2, rf_pointer(r3), (uint32_t)r4);
  return 0;
}

static RF_HELPER(dynptr_data) {
  struct dynptr dynptr = load_dynptr(r1);
  if (dynptr.data == NULL || !in_dynptr(&dynptr, (uint32_t)r2, (uint32_t)r3)) return 0;
  return (uintptr_t)(dynptr.data + (uint32_t)r2);
}

static RF_HELPER(ringbuf_reserve_dynptr) {
  uint32_t bytes = (uint32_t)r2;
  store_dynptr(r4, NULL, 0);
  if (r3 != 0) return (uint64_t)-EINVAL;
  if (bytes > DYNPTR_BYTES_MAX) return (uint64_t)-E2BIG;
  uint8_t *record = rf_ringbuf_reserve(rf_pointer(r1), bytes);
  if (record == NULL) return (uint64_t)-EINVAL;
  rf_hold(run, record, rf_ringbuf_discard);
  store_dynptr(r4, record, bytes);
  return 0;
}

static void finish_dynptr(struct rf_run *run, uint64_t at, uint32_t discard) {
  struct dynptr dynptr = load_dynptr(at);
  if (dynptr.data == NULL) return;
  rf_let_go(run, dynptr.data);
  rf_ringbuf_finish(dynptr.data, discard);
  store_dynptr(at, NULL, 0);
}

static RF_HELPER(ringbuf_submit_dynptr) {
  finish_dynptr(run, r1, 0);
  return 0;
}

static RF_HELPER(ringbuf_discard_dynptr) {
  finish_dynptr(run, r1, 1);
  return 0;
}

const struct rf_helper rf_memory_helpers[] = {
    {4, probe_read},         {45, probe_read_str},     {112, probe_read},
    {113, probe_read},       {114, probe_read_str},    {115, probe_read_str},
    {148, probe_read},       {197, dynptr_from_mem},   {198, ringbuf_reserve_dynptr},
    {199, ringbuf_submit_dynptr}, {200, ringbuf_discard_dynptr}, {201, dynptr_read},
    {202, dynptr_write},     {203, dynptr_data},       {0, NULL}};
