/* Kernel functions on dynamic pointers; see dynptr.h. */
#include <errno.h>
#include <string.h>

#include "dynptr.h"
#include "kfuncs.h"

static struct rf_dynptr *dynptr_at(uint64_t address) { return rf_pointer(address); }

static uint64_t from_packet(struct rf_run *run, uint64_t at, uint64_t flags, struct rf_dynptr made) {
  bool refused = flags != 0;
  made.data = run->context;
  *dynptr_at(at) = refused ? (struct rf_dynptr){0} : made;
  return refused ? rf_int(-EINVAL) : 0;
}

static RF_HELPER(from_skb) {
  uint32_t bytes = (uint32_t)(run->end - run->data) & RF_DYNPTR_BYTES_MAX;
  uint32_t read_only = run->plan->writes_packet ? 0 : 1;
  return from_packet(run, r3, r2, (struct rf_dynptr){.bytes = bytes, .kind = RF_DYNPTR_SKB, .read_only = read_only & 1});
}

static RF_HELPER(from_skb_meta) {
  uint32_t bytes = (uint32_t)(run->data - run->meta) & RF_DYNPTR_BYTES_MAX;
  return from_packet(run, r3, r2, (struct rf_dynptr){.bytes = bytes, .kind = RF_DYNPTR_META});
}

static RF_HELPER(from_xdp) {
  uint32_t bytes = (uint32_t)(run->end - run->data) & RF_DYNPTR_BYTES_MAX;
  return from_packet(run, r3, r2, (struct rf_dynptr){.bytes = bytes, .kind = RF_DYNPTR_XDP});
}

/* Packets lie in one piece here, so the caller's buffer is never needed. */
static uint8_t *slice(const struct rf_run *run, const struct rf_dynptr *dynptr, uint32_t offset, uint32_t bytes) {
  if (dynptr->data == NULL || !rf_in_dynptr(dynptr, offset, bytes)) return NULL;
  return rf_dynptr_place(run, dynptr, offset, bytes);
}

static uint8_t *writable_slice(const struct rf_run *run, const struct rf_dynptr *dynptr, uint32_t offset, uint32_t bytes) {
  return dynptr->read_only ? NULL : slice(run, dynptr, offset, bytes);
}

static RF_HELPER(slice_kfunc) { return (uintptr_t)slice(run, dynptr_at(r1), (uint32_t)r2, (uint32_t)r4); }
static RF_HELPER(slice_rdwr) { return (uintptr_t)writable_slice(run, dynptr_at(r1), (uint32_t)r2, (uint32_t)r4); }

static RF_HELPER(adjust) {
  struct rf_dynptr *dynptr = dynptr_at(r1);
  uint32_t start = (uint32_t)r2, end = (uint32_t)r3;
  if (dynptr->data == NULL || start > end) return rf_int(-EINVAL);
  if (start > dynptr->bytes || end > dynptr->bytes) return rf_int(-ERANGE);
  dynptr->offset += start;
  dynptr->bytes = (end - start) & RF_DYNPTR_BYTES_MAX;
  return 0;
}

static RF_HELPER(is_null) { return dynptr_at(r1)->data == NULL; }
static RF_HELPER(is_rdonly) { return dynptr_at(r1)->data != NULL && dynptr_at(r1)->read_only != 0; }
static RF_HELPER(size) { return dynptr_at(r1)->data == NULL ? rf_int(-EINVAL) : dynptr_at(r1)->bytes; }

static RF_HELPER(clone) {
  *dynptr_at(r2) = *dynptr_at(r1);
  return dynptr_at(r1)->data == NULL ? rf_int(-EINVAL) : 0;
}

static RF_HELPER(copy) {
  struct rf_dynptr *to = dynptr_at(r1), *from = dynptr_at(r3);
  uint32_t to_offset = (uint32_t)r2, from_offset = (uint32_t)r4, bytes = (uint32_t)r5;
  const uint8_t *source = slice(run, from, from_offset, bytes);
  if (source == NULL) return rf_int(from->data != NULL && rf_in_dynptr(from, from_offset, bytes) ? -EFAULT : -E2BIG);
  if (to->data == NULL) return rf_int(-E2BIG);
  return rf_int(rf_dynptr_write(run, to, to_offset, source, bytes, 0));
}

static RF_HELPER(memset_kfunc) {
  struct rf_dynptr *dynptr = dynptr_at(r1);
  uint32_t offset = (uint32_t)r2, bytes = (uint32_t)r3;
  if (dynptr->read_only) return rf_int(-EINVAL);
  if (!rf_in_dynptr(dynptr, offset, bytes)) return rf_int(-E2BIG);
  if (bytes == 0) return 0;
  uint8_t *to = writable_slice(run, dynptr, offset, bytes);
  if (to == NULL) return rf_int(-EINVAL);
  memset(to, (uint8_t)r4, bytes);
  return 0;
}

const struct rf_kfunc rf_dynptr_kfuncs[] = {
    {"bpf_dynptr_from_skb", from_skb},     {"bpf_dynptr_from_skb_meta", from_skb_meta},
    {"bpf_dynptr_from_xdp", from_xdp},     {"bpf_dynptr_slice", slice_kfunc},
    {"bpf_dynptr_slice_rdwr", slice_rdwr}, {"bpf_dynptr_adjust", adjust},
    {"bpf_dynptr_is_null", is_null},       {"bpf_dynptr_is_rdonly", is_rdonly},
    {"bpf_dynptr_size", size},             {"bpf_dynptr_clone", clone},
    {"bpf_dynptr_copy", copy},             {"bpf_dynptr_memset", memset_kfunc},
    {NULL, NULL}};
