/*
 * Kernel functions that copy from addresses nobody has proven into a dynamic pointer, and the one that
 * prints. What cannot be read is an error, and leaves an empty string where one was wanted. A copy that
 * fails in the middle leaves a part of it there in the kernel; here it leaves nothing.
 */
#include <errno.h>
#include <string.h>

#include "dynptr.h"
#include "format.h"
#include "kfuncs.h"
#include "memory.h"

static RF_HELPER(probe_read_dynptr) {
  const struct rf_dynptr *to = rf_pointer(r1);
  uint32_t offset = (uint32_t)r2, bytes = (uint32_t)r3;
  if (to->read_only) return rf_int(-EINVAL);
  if (!rf_in_dynptr(to, offset, bytes)) return rf_int(-E2BIG);
  if (to->data == NULL) return rf_int(bytes == 0 ? 0 : -E2BIG);
  const void *from = rf_readable(run, r4, bytes);
  return rf_int(from == NULL ? -EFAULT : rf_dynptr_write(run, to, offset, from, bytes, 0));
}

/* The string with its terminator, or what there is room for, terminated. */
static RF_HELPER(probe_read_str_dynptr) {
  const struct rf_dynptr *to = rf_pointer(r1);
  uint32_t offset = (uint32_t)r2, bytes = (uint32_t)r3, length = 0;
  if (to->read_only) return rf_int(-EINVAL);
  if (!rf_in_dynptr(to, offset, bytes)) return rf_int(-E2BIG);
  if (to->data == NULL || bytes == 0) return 0;
  const char *character = NULL;
  while (length < bytes && (character = rf_readable(run, r4 + length, 1)) != NULL && *character != 0) length++;
  if (character == NULL) {
    rf_dynptr_write(run, to, offset, "", 1, 0);
    return rf_int(-EFAULT);
  }
  if (length == bytes) length--;
  const void *from = rf_readable(run, r4, length);
  long error = from == NULL ? -EFAULT : length == 0 ? 0 : rf_dynptr_write(run, to, offset, from, length, 0);
  if (error == 0) error = rf_dynptr_write(run, to, offset + length, "", 1, 0);
  return rf_int(error < 0 ? error : (long)length + 1);
}

/* BPF_F_PAD_ZEROS: what is left of the buffer is cleared. */
static RF_HELPER(copy_from_user_str) {
  enum { PAD_ZEROES = 1 };
  char *to = rf_pointer(r1);
  uint32_t bytes = (uint32_t)r2, length = 0;
  const char *character = "";
  if (r4 & ~(uint64_t)PAD_ZEROES) return rf_int(-EINVAL);
  if (bytes == 0) return 0;
  for (; length + 1 < bytes; length++) {
    character = rf_readable(run, r3 + length, 1);
    if (character == NULL || *character == 0) break;
    to[length] = *character;
  }
  if (character == NULL) {
    memset(to, 0, bytes);
    return rf_int(-EFAULT);
  }
  memset(to + length, 0, r4 & PAD_ZEROES ? bytes - length : 1);
  return length + 1;
}

/* Packets lie in one piece, so all of it can be reached already. */
static RF_HELPER(pull_data) { return (uint32_t)r2 <= (uint64_t)(run->end - run->data) ? 0 : rf_int(-EINVAL); }

/* What a device may know of a packet that it received: the loopback device knows nothing. */
static RF_HELPER(no_metadata) { return rf_int(-EOPNOTSUPP); }

/* A program's streams are read by whoever loaded it: here, with the trace. */
static RF_HELPER(stream_vprintk) {
  enum { STANDARD_OUTPUT = 1, STANDARD_ERROR = 2, ARGUMENTS_MAX = 12 };
  uint32_t bytes = (uint32_t)r4;
  uint64_t arguments[ARGUMENTS_MAX] = {0};
  if (bytes % 8 != 0 || bytes > sizeof arguments || (bytes != 0 && r3 == 0)) return rf_int(-EINVAL);
  if ((int32_t)r1 != STANDARD_OUTPUT && (int32_t)r1 != STANDARD_ERROR) return rf_int(-ENOENT);
  if (bytes != 0) memcpy(arguments, rf_pointer(r3), bytes);
  char line[1024]; /* MAX_BPRINTF_BUF, include/linux/bpf.h */
  const char *format = rf_pointer(r2);
  long length = rf_format(run, line, sizeof line, format, strlen(format) + 1, arguments, bytes / 8);
  if (length < 0) return rf_int(length);
  rf_append_trace(run, line, (size_t)length < sizeof line ? (size_t)length : sizeof line - 1);
  return 0;
}

const struct rf_kfunc rf_probe_kfuncs[] = {
    {"bpf_probe_read_kernel_dynptr", probe_read_dynptr},
    {"bpf_probe_read_user_dynptr", probe_read_dynptr},
    {"bpf_copy_from_user_dynptr", probe_read_dynptr},
    {"bpf_probe_read_kernel_str_dynptr", probe_read_str_dynptr},
    {"bpf_probe_read_user_str_dynptr", probe_read_str_dynptr},
    {"bpf_copy_from_user_str_dynptr", probe_read_str_dynptr},
    {"bpf_copy_from_user_str", copy_from_user_str},
    {"bpf_xdp_pull_data", pull_data},
    {"bpf_xdp_metadata_rx_timestamp", no_metadata},
    {"bpf_xdp_metadata_rx_hash", no_metadata},
    {"bpf_xdp_metadata_rx_vlan_tag", no_metadata},
    {"bpf_stream_vprintk_impl", stream_vprintk},
    {NULL, NULL}};
