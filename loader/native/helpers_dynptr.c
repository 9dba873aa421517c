/* Helpers that make and use dynamic pointers; see dynptr.h. */
#include <errno.h>
#include <string.h>

#include "dynptr.h"
#include "held.h"
#include "helpers.h"
#include "map_ringbuf.h"

static struct rf_dynptr *dynptr_at(uint64_t address) { return rf_pointer(address); }

static void make(uint64_t at, void *data, uint32_t bytes) {
  *dynptr_at(at) = (struct rf_dynptr){.data = data, .bytes = bytes & RF_DYNPTR_BYTES_MAX};
}

static RF_HELPER(dynptr_from_mem) {
  uint32_t bytes = (uint32_t)r2;
  make(r4, NULL, 0);
  if (bytes > RF_DYNPTR_BYTES_MAX) return (uint64_t)-E2BIG;
  if (r3 != 0) return (uint64_t)-EINVAL;
  make(r4, rf_pointer(r1), bytes);
  return 0;
}

static RF_HELPER(dynptr_read) {
  const struct rf_dynptr *source = dynptr_at(r3);
  if (source->data == NULL || r5 != 0) return (uint64_t)-EINVAL;
  return (uint64_t)rf_dynptr_read(run, rf_pointer(r1), (uint32_t)r2, source, (uint32_t)r4);
}

static RF_HELPER(dynptr_write) {
  const struct rf_dynptr *target = dynptr_at(r1);
  if (target->data == NULL) return (uint64_t)-EINVAL;
  return (uint64_t)rf_dynptr_write(run, target, (uint32_t)r2, rf_pointer(r3), (uint32_t)r4, r5);
}

/* Only of memory that stays where it is, and that may be written. */
static RF_HELPER(dynptr_data) {
  const struct rf_dynptr *dynptr = dynptr_at(r1);
  uint32_t offset = (uint32_t)r2, bytes = (uint32_t)r3;
  if (dynptr->data == NULL || dynptr->read_only || dynptr->kind != RF_DYNPTR_LOCAL) return 0;
  return rf_in_dynptr(dynptr, offset, bytes) ? (uintptr_t)rf_dynptr_place(run, dynptr, offset, bytes) : 0;
}

static RF_HELPER(ringbuf_reserve_dynptr) {
  uint32_t bytes = (uint32_t)r2;
  make(r4, NULL, 0);
  if (r3 != 0) return (uint64_t)-EINVAL;
  if (bytes > RF_DYNPTR_BYTES_MAX) return (uint64_t)-E2BIG;
  void *record = rf_ringbuf_reserve(rf_pointer(r1), bytes);
  if (record == NULL) return (uint64_t)-EINVAL;
  rf_hold(run, record, rf_ringbuf_discard);
  make(r4, record, bytes);
  return 0;
}

/* The start of the record, wherever the pointer has been moved. */
static void finish(struct rf_run *run, uint64_t at, uint32_t discard) {
  if (dynptr_at(at)->data == NULL) return;
  rf_let_go(run, dynptr_at(at)->data);
  rf_ringbuf_finish(dynptr_at(at)->data, discard);
  make(at, NULL, 0);
}

static RF_HELPER(ringbuf_submit_dynptr) {
  finish(run, r1, 0);
  return 0;
}

static RF_HELPER(ringbuf_discard_dynptr) {
  finish(run, r1, 1);
  return 0;
}

const struct rf_helper rf_dynptr_helpers[] = {
    {197, dynptr_from_mem},         {198, ringbuf_reserve_dynptr}, {199, ringbuf_submit_dynptr},
    {200, ringbuf_discard_dynptr},  {201, dynptr_read},            {202, dynptr_write},
    {203, dynptr_data},             {0, NULL}};
