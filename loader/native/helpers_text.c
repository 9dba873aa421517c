/* Helpers on text: formatted output, numbers, comparison. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "format.h"
#include "helpers.h"

void rf_append_trace(struct rf_run *run, const char *text, size_t bytes) {
  size_t room = run->trace_capacity - run->trace_bytes;
  size_t copied = bytes < room ? bytes : room;
  memcpy(run->trace + run->trace_bytes, text, copied);
  run->trace_bytes += (uint32_t)copied;
}

enum { LINE_BYTES = 1024 }; /* MAX_BPRINTF_BUF, include/linux/bpf.h */

/* Kernel: the line without its newline ends the trace entry; the result is its length. */
static uint64_t trace(struct rf_run *run, const char *format, uint32_t format_bytes,
                      const uint64_t *arguments, uint32_t count) {
  char line[LINE_BYTES];
  long length = rf_format(run, line, sizeof line, format, format_bytes, arguments, count);
  if (length < 0) return (uint64_t)length;
  size_t shown = (size_t)length < sizeof line ? (size_t)length : sizeof line - 1;
  rf_append_trace(run, line, shown);
  if (shown == 0 || line[shown - 1] != '\n') rf_append_trace(run, "\n", 1);
  return (uint64_t)length;
}

static RF_HELPER(trace_printk) {
  uint64_t arguments[3] = {r3, r4, r5};
  return trace(run, rf_pointer(r1), (uint32_t)r2, arguments, 3);
}

static RF_HELPER(trace_vprintk) {
  uint32_t bytes = (uint32_t)r4;
  uint64_t arguments[12] = {0};
  if (bytes % 8 != 0 || bytes > sizeof arguments) return (uint64_t)-EINVAL;
  if (bytes != 0) memcpy(arguments, rf_pointer(r3), bytes);
  return trace(run, rf_pointer(r1), (uint32_t)r2, arguments, bytes / 8);
}

static RF_HELPER(snprintf_helper) {
  uint32_t bytes = (uint32_t)r5;
  uint64_t arguments[12] = {0};
  const char *format = rf_pointer(r3);
  if (bytes % 8 != 0 || bytes > sizeof arguments) return (uint64_t)-EINVAL;
  if (bytes != 0) memcpy(arguments, rf_pointer(r4), bytes);
  long length = rf_format(run, rf_pointer(r1), (uint32_t)r2, format, strlen(format) + 1, arguments, bytes / 8);
  return length < 0 ? (uint64_t)length : (uint64_t)length + 1;
}

/* The first argument may lack a terminator within its size; the second is a constant string. */
static RF_HELPER(strncmp_helper) {
  const uint8_t *a = rf_pointer(r1), *b = rf_pointer(r3);
  for (uint32_t i = 0; i < (uint32_t)r2; i++) {
    if (a[i] != b[i]) return (uint64_t)(int64_t)(a[i] < b[i] ? -1 : 1);
    if (a[i] == 0) return 0;
  }
  return 0;
}

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static uint32_t digit_of(char c) {
  if (c >= '0' && c <= '9') return (uint32_t)(c - '0');
  if (c >= 'a' && c <= 'f') return (uint32_t)(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return (uint32_t)(c - 'A') + 10;
  return UINT_MAX;
}

struct number {
  uint64_t magnitude;
  bool negative;
};

/* Kernel __bpf_strtoull: optional blanks and sign, a prefix for base 0 and 16, then digits up to the
 * first other character; the count of consumed bytes, or -EINVAL, -ERANGE. */
static long parse_number(const char *text, uint64_t bytes, uint64_t flags, struct number *out) {
  uint64_t base = flags & 31, at = 0;
  if (text == NULL || bytes == 0 || (flags & ~31ull) != 0) return -EINVAL;
  if (base != 0 && base != 8 && base != 10 && base != 16) return -EINVAL;
  while (at < bytes && is_space(text[at])) at++;
  out->negative = at < bytes && text[at] == '-';
  if (out->negative) at++;
  if (at >= bytes) return -EINVAL;
  bool hexadecimal = at + 2 < bytes && text[at] == '0' && (text[at + 1] | 32) == 'x' && digit_of(text[at + 2]) < 16;
  if (base == 0) base = hexadecimal ? 16 : text[at] == '0' ? 8 : 10;
  if (base == 16 && hexadecimal) at += 2;
  uint64_t start = at;
  out->magnitude = 0;
  for (; at < bytes && digit_of(text[at]) < base; at++) {
    if (__builtin_mul_overflow(out->magnitude, base, &out->magnitude) ||
        __builtin_add_overflow(out->magnitude, (uint64_t)digit_of(text[at]), &out->magnitude))
      return -ERANGE;
  }
  return at == start ? -EINVAL : (long)at;
}

static RF_HELPER(strtol_helper) {
  struct number number;
  long used = parse_number(rf_pointer(r1), r2, r3, &number);
  int64_t value = 0;
  uint64_t most = (uint64_t)INT64_MAX + (used >= 0 && number.negative ? 1 : 0);
  if (used >= 0 && number.magnitude > most) used = -ERANGE;
  if (used >= 0) value = (int64_t)(number.negative ? 0 - number.magnitude : number.magnitude);
  memcpy(rf_pointer(r4), &value, sizeof value);
  return (uint64_t)used;
}

static RF_HELPER(strtoul_helper) {
  struct number number;
  long used = parse_number(rf_pointer(r1), r2, r3, &number);
  if (used >= 0 && number.negative) used = -EINVAL;
  uint64_t value = used >= 0 ? number.magnitude : 0;
  memcpy(rf_pointer(r4), &value, sizeof value);
  return (uint64_t)used;
}

const struct rf_helper rf_text_helpers[] = {
    {6, trace_printk},         {105, strtol_helper},  {106, strtoul_helper},
    {165, snprintf_helper},    {177, trace_vprintk},  {182, strncmp_helper}, {0, NULL}};
