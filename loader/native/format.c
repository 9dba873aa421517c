/*
 * printf as the kernel offers it to programs (bpf_bprintf_prepare in kernel/bpf/helpers.c, then
 * lib/vsprintf.c): flags and width; %d %i %u %x %X with l or ll; %c; %s, %pks, %pus; %p %pK %px, %ps %pS
 * %pB; %pI4 %pi4 %pI6 %pi6; %%. Anything else is -EINVAL.
 *
 * Strings and addresses are read from memory that nobody has proven: where a program may not read, a
 * string is empty and an address all zeroes. A pointer prints as its number; the kernel's plain %p shows
 * a secret hash of it instead.
 */
#include "format.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "memory.h"

/* MAX_BPRINTF_BIN_ARGS, include/linux/bpf.h: what all arguments together may take; strings are cut. */
enum { ARGUMENT_BYTES_MAX = 512 };
/* FIELD_WIDTH_MAX, lib/vsprintf.c */
enum { WIDTH_MAX = (1 << 23) - 1 };

struct output {
  char *text;
  size_t capacity, length;
};

static void put(struct output *out, const char *text, size_t bytes) {
  for (size_t i = 0; i < bytes; i++, out->length++)
    if (out->length + 1 < out->capacity) out->text[out->length] = text[i];
}

static void pad(struct output *out, char with, size_t bytes) {
  size_t visible = out->length + 1 < out->capacity ? out->capacity - 1 - out->length : 0;
  if (visible > 0) memset(out->text + out->length, with, bytes < visible ? bytes : visible);
  out->length += bytes;
}

/* What stands between % and the conversion. */
struct field {
  bool left, zeroes, plus, space;
  uint32_t width;
};

struct state {
  const struct rf_run *run;
  struct output out;
  const uint64_t *arguments;
  uint32_t count, next;
  uint32_t room; /* left of ARGUMENT_BYTES_MAX */
};

/* Text in its field; the kernel pads it with blanks only. */
static void put_text(struct output *out, const struct field *field, const char *text, size_t bytes) {
  size_t padding = field->width > bytes ? field->width - bytes : 0;
  if (!field->left) pad(out, ' ', padding);
  put(out, text, bytes);
  if (field->left) pad(out, ' ', padding);
}

static void put_number(struct output *out, const struct field *field, const char *sign, const char *digits) {
  size_t bytes = strlen(sign) + strlen(digits), padding = field->width > bytes ? field->width - bytes : 0;
  bool zeroes = field->zeroes && !field->left;
  if (!field->left && !zeroes) pad(out, ' ', padding);
  put(out, sign, strlen(sign));
  if (zeroes) pad(out, '0', padding);
  put(out, digits, strlen(digits));
  if (field->left) pad(out, ' ', padding);
}

/* Takes room for a number of this size; numbers are aligned to 4 bytes. */
static bool take_room(struct state *state, uint32_t bytes) {
  uint32_t aligned = state->room & ~3u;
  if (aligned < bytes) return false;
  state->room = aligned - bytes;
  return true;
}

static long put_integer(struct state *state, const struct field *field, uint32_t longs, char conversion) {
  uint64_t value = state->arguments[state->next++];
  char digits[24];
  const char *sign = "";
  if (!take_room(state, longs > 0 ? 8 : 4)) return -ENOSPC;
  if (conversion == 'd' || conversion == 'i') {
    int64_t number = longs > 0 ? (int64_t)value : (int32_t)value;
    sign = number < 0 ? "-" : field->plus ? "+" : field->space ? " " : "";
    value = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
  } else if (longs == 0) {
    value = (uint32_t)value;
  }
  snprintf(digits, sizeof digits, conversion == 'x' ? "%llx" : conversion == 'X' ? "%llX" : "%llu", (unsigned long long)value);
  put_number(&state->out, field, sign, digits);
  return 0;
}

static long put_string(struct state *state, const struct field *field) {
  uint64_t address = state->arguments[state->next++];
  char text[ARGUMENT_BYTES_MAX];
  uint32_t bytes = 0;
  if (state->room == 0) return -ENOSPC;
  for (; bytes + 1 < state->room; bytes++) {
    const char *character = rf_readable(state->run, address + bytes, 1);
    if (character == NULL) {
      bytes = 0; /* a fault anywhere: nothing of it is shown */
      break;
    }
    text[bytes] = *character;
    if (text[bytes] == 0) break;
  }
  state->room -= bytes + 1;
  put_text(&state->out, field, text, bytes);
  return 0;
}

static long put_character(struct state *state, const struct field *field) {
  char c = (char)state->arguments[state->next++];
  if (state->room == 0) return -ENOSPC;
  state->room--;
  put_text(&state->out, field, &c, 1);
  return 0;
}

/* Dotted decimals (the small letter: with leading zeroes), or groups of four digits (without colons).
 * The kernel formats addresses, and symbols of %pB, apart from the rest: their width has no effect. */
static long put_address(struct state *state, char letter, char version) {
  uint64_t address = state->arguments[state->next++];
  uint32_t bytes = version == '4' ? 4 : 16, length = 0;
  uint8_t ip[16] = {0};
  char text[48];
  if (state->room < bytes) return -ENOSPC;
  const void *source = rf_readable(state->run, address, bytes);
  if (source != NULL) memcpy(ip, source, bytes);
  for (uint32_t i = 0; i < bytes; i++) {
    bool first = i == 0, colon = version == '6' && letter == 'I' && i % 2 == 0;
    const char *between = first ? "" : version == '4' ? "." : colon ? ":" : "";
    const char *digits = version == '6' ? "%s%02x" : letter == 'i' ? "%s%03u" : "%s%u";
    length += (uint32_t)snprintf(text + length, sizeof text - length, digits, between, ip[i]);
  }
  if (state->room < length + 1) return -ENOSPC;
  state->room -= length + 1;
  put(&state->out, text, length);
  return 0;
}

/* A number of all its digits unless a width is given. Symbols are a kernel's: no address has one here. */
static long put_pointer(struct state *state, const struct field *field, bool as_symbol) {
  char text[24];
  unsigned long long value = state->arguments[state->next++];
  if (!take_room(state, 8)) return -ENOSPC;
  bool is_whole = !as_symbol && field->width == 0;
  int length = snprintf(text, sizeof text, as_symbol ? "0x%llx" : is_whole ? "%016llx" : "%llx", value);
  if (as_symbol) put_text(&state->out, field, text, (size_t)length);
  else put_number(&state->out, field, "", text);
  return 0;
}

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
static bool is_print(char c) { return c >= ' ' && c <= '~'; }
static bool is_alnum(char c) { return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z'); }
/* A string or plain pointer must not run into a letter. */
static bool ends_there(char c) { return c == 0 || is_space(c) || (is_print(c) && !is_alnum(c)); }

/* Behind %p; `*at` is moved behind what belongs to it. */
static long format_pointer(struct state *state, const struct field *field, const char **at) {
  const char *rest = *at;
  if (ends_there(rest[0])) return put_pointer(state, field, false);
  if ((rest[0] == 'k' || rest[0] == 'u') && rest[1] == 's') {
    *at += 2;
    return ends_there(rest[2]) ? put_string(state, field) : -EINVAL;
  }
  if (strchr("KxsSB", rest[0]) != NULL) {
    *at += 1;
    const struct field none = {0};
    return put_pointer(state, rest[0] == 'B' ? &none : field, rest[0] != 'K' && rest[0] != 'x');
  }
  if ((rest[0] | 32) != 'i' || (rest[1] != '4' && rest[1] != '6')) return -EINVAL;
  *at += 2;
  return put_address(state, rest[0], rest[1]);
}

static void read_field(const char **at, struct field *field) {
  *field = (struct field){0};
  for (;; (*at)++) {
    if (**at == '-') field->left = true;
    else if (**at == '0') field->zeroes = true;
    else if (**at == '+') field->plus = true;
    else if (**at == ' ') field->space = true;
    else break;
  }
  for (; **at >= '0' && **at <= '9'; (*at)++) {
    field->width = field->width * 10 + (uint32_t)(**at - '0');
    if (field->width > WIDTH_MAX) field->width = WIDTH_MAX;
  }
}

/* What stands behind %, which is not another %. */
static long format_argument(struct state *state, const char **at) {
  struct field field;
  uint32_t longs = 0;
  if (state->next == state->count) return -EINVAL;
  read_field(at, &field);
  char conversion = *(*at)++;
  switch (conversion) {
    case 0: (*at)--; return -EINVAL;
    case 'p': return format_pointer(state, &field, at);
    case 's': return ends_there(**at) ? put_string(state, &field) : -EINVAL;
    case 'c': return put_character(state, &field);
    default: break;
  }
  for (; conversion == 'l' && longs < 2; longs++) conversion = *(*at)++;
  if (conversion == 0 || strchr("idxXu", conversion) == NULL) return -EINVAL;
  return put_integer(state, &field, longs, conversion);
}

static long format_all(struct state *state, const char *at) {
  while (*at != 0) {
    if (!is_print(*at) && !is_space(*at)) return -EINVAL;
    if (*at != '%') {
      put(&state->out, at++, 1);
      continue;
    }
    if (at[1] == '%') {
      put(&state->out, "%", 1);
      at += 2;
      continue;
    }
    at++;
    long error = format_argument(state, &at);
    if (error != 0) return error;
  }
  return 0;
}

long rf_format(const struct rf_run *run, char *out, size_t capacity, const char *format, size_t format_bytes,
               const uint64_t *arguments, uint32_t count) {
  struct state state = {.run = run, .out = {out, capacity, 0}, .arguments = arguments, .count = count,
                        .room = ARGUMENT_BYTES_MAX};
  if (memchr(format, 0, format_bytes) == NULL) return -EINVAL;
  /* Nothing is written where the format is refused, so it is gone through once without an output. */
  struct state trial = state;
  trial.out = (struct output){NULL, 0, 0};
  long error = format_all(&trial, format);
  if (error == 0) error = format_all(&state, format);
  if (error < 0) return error;
  if (capacity > 0) out[state.out.length < capacity ? state.out.length : capacity - 1] = 0;
  return (long)state.out.length;
}
