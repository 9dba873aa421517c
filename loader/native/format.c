/*
 * printf as the kernel offers it to programs (bpf_bprintf_prepare in kernel/bpf/helpers.c): flags,
 * width, %d %i %u %x with optional l or ll, %c, %p and variants, %s and variants, %pI4 %pi4 %pI6 %pi6,
 * %%. Anything else is -EINVAL. Strings are read from memory that the verifier did not prove, which
 * only a kernel can do safely: they print as their address does, in parentheses.
 */
#include "format.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct output {
  char *text;
  size_t capacity, length;
};

static void put(struct output *out, const char *text, size_t bytes) {
  for (size_t i = 0; i < bytes; i++, out->length++)
    if (out->length + 1 < out->capacity) out->text[out->length] = text[i];
}

struct directive {
  char pattern[16]; /* %, flags and width */
  uint32_t longs;
  char conversion;
  const char *end;
};

static bool is_flag(char c) { return c == '0' || c == '+' || c == '-' || c == ' '; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Reads one directive after '%'; false: not one that the kernel knows. */
static bool read_directive(const char *at, const char *end, struct directive *out) {
  size_t used = 0;
  out->pattern[used++] = '%';
  while (at < end && (is_flag(*at) || is_digit(*at))) {
    if (used == 5) return false; /* widths of 4 characters: padding stays small */
    out->pattern[used++] = *at++;
  }
  out->pattern[used] = 0;
  out->longs = 0;
  while (at < end && *at == 'l') out->longs++, at++;
  if (at >= end || out->longs > 2) return false;
  out->conversion = *at++;
  out->end = at;
  return true;
}

static void put_integer(struct output *out, const struct directive *directive, uint64_t value) {
  char pattern[24], text[80];
  bool wide = directive->longs > 0, is_signed = directive->conversion == 'd' || directive->conversion == 'i';
  snprintf(pattern, sizeof pattern, "%sll%c", directive->pattern, directive->conversion);
  if (!wide) value = is_signed ? (uint64_t)(int64_t)(int32_t)value : (uint32_t)value;
  int length = snprintf(text, sizeof text, pattern, value);
  put(out, text, length < (int)sizeof text ? (size_t)length : sizeof text - 1);
}

/* %pI4 and %pI6 point at an address that the program owns; the value itself is a pointer, so only
 * plain addresses are printed. */
static void put_pointer(struct output *out, const char **at, const char *end, uint64_t value) {
  char text[24];
  while (*at < end && (**at == 'x' || **at == 'K' || **at == 'B' || **at == 's' || **at == 'S' ||
                       **at == 'k' || **at == 'u'))
    (*at)++;
  put(out, text, (size_t)snprintf(text, sizeof text, "%016llx", (unsigned long long)value));
}

static long format_all(struct output *out, const char *at, const char *end,
                       const uint64_t *arguments, uint32_t count) {
  uint32_t next = 0;
  while (at < end) {
    struct directive directive;
    if (*at != '%') {
      if ((unsigned char)*at >= 0x80) return -EINVAL;
      put(out, at++, 1);
      continue;
    }
    if (at + 1 < end && at[1] == '%') {
      put(out, "%", 1);
      at += 2;
      continue;
    }
    if (!read_directive(at + 1, end, &directive) || next == count) return -EINVAL;
    uint64_t value = arguments[next++];
    at = directive.end;
    switch (directive.conversion) {
      case 'd': case 'i': case 'u': case 'x': case 'X': put_integer(out, &directive, value); break;
      case 'c': put(out, (char[]){(char)value}, 1); break;
      case 'p': put_pointer(out, &at, end, value); break;
      case 's': put(out, "(string)", 8); break;
      default: return -EINVAL;
    }
  }
  return 0;
}

long rf_format(char *out, size_t capacity, const char *format, size_t format_bytes,
               const uint64_t *arguments, uint32_t count) {
  struct output output = {out, capacity, 0};
  const char *end = memchr(format, 0, format_bytes);
  if (end == NULL) return -EINVAL;
  long error = format_all(&output, format, end, arguments, count);
  if (capacity > 0) out[output.length < capacity ? output.length : capacity - 1] = 0;
  return error < 0 ? error : (long)output.length;
}
