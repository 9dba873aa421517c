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
    {"bpf_stream_vprintk_impl", stream_vprintk},
    {NULL, NULL}};
