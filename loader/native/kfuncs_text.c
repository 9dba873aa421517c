/*
 * Functions on strings (kernel/bpf/helpers.c, "bpf_strcmp" and the like). A string is named by an
 * address that nobody has proven: it is read byte by byte, where the program may read at all. As in
 * the kernel an address that no kernel memory can have is -ERANGE, and a string that runs into memory
 * which is not there is -EFAULT; strings are cut at STRING_MAX. Characters are unsigned, as the kernel is compiled.
 */
#include <errno.h>
#include <limits.h>

#include "kfuncs.h"
#include "memory.h"

enum { STRING_MAX = 65536 }; /* XATTR_SIZE_MAX, uapi/linux/limits.h */

/* An error where the string cannot begin; 0: it can. */
static long begin(const struct rf_run *run, uint64_t text) {
  return rf_readable(run, text, 1) != NULL ? 0 : rf_unreadable(text);
}

static bool read_char(const struct rf_run *run, uint64_t at, uint8_t *out) {
  const uint8_t *from = rf_readable(run, at, 1);
  if (from != NULL) *out = *from;
  return from != NULL;
}

static uint8_t lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c; }

enum letters { AS_THEY_ARE, IN_LOWER_CASE };

static long compare(const struct rf_run *run, uint64_t a, uint64_t b, enum letters letters) {
  long error = begin(run, a);
  if (error == 0) error = begin(run, b);
  if (error != 0) return error;
  for (uint32_t i = 0; i < STRING_MAX; i++) {
    uint8_t x, y;
    if (!read_char(run, a + i, &x) || !read_char(run, b + i, &y)) return -EFAULT;
    if (letters == IN_LOWER_CASE) x = lower(x), y = lower(y);
    if (x != y) return x < y ? -1 : 1;
    if (x == 0) return 0;
  }
  return -E2BIG;
}

static RF_HELPER(strcmp_kfunc) { return rf_int(compare(run, r1, r2, AS_THEY_ARE)); }
static RF_HELPER(strcasecmp_kfunc) { return rf_int(compare(run, r1, r2, IN_LOWER_CASE)); }

static long find_in(const struct rf_run *run, uint64_t text, uint64_t count, uint8_t wanted) {
  long error = begin(run, text);
  if (error != 0) return error;
  uint64_t i = 0;
  for (; i < count && i < STRING_MAX; i++) {
    uint8_t c;
    if (!read_char(run, text + i, &c)) return -EFAULT;
    if (c == wanted) return (long)i;
    if (c == 0) return -ENOENT;
  }
  return i == STRING_MAX ? -E2BIG : -ENOENT;
}

static RF_HELPER(strnchr_kfunc) { return rf_int(find_in(run, r1, r2, (uint8_t)r3)); }
static RF_HELPER(strchr_kfunc) { return rf_int(find_in(run, r1, STRING_MAX, (uint8_t)r2)); }

/* The character, or the end. */
static RF_HELPER(strchrnul_kfunc) {
  long error = begin(run, r1);
  for (uint32_t i = 0; error == 0 && i < STRING_MAX; i++) {
    uint8_t c;
    if (!read_char(run, r1 + i, &c)) return rf_int(-EFAULT);
    if (c == 0 || c == (uint8_t)r2) return i;
  }
  return rf_int(error != 0 ? error : -E2BIG);
}

static RF_HELPER(strrchr_kfunc) {
  long error = begin(run, r1), last = -ENOENT;
  for (uint32_t i = 0; error == 0 && i < STRING_MAX; i++) {
    uint8_t c;
    if (!read_char(run, r1 + i, &c)) return rf_int(-EFAULT);
    if (c == (uint8_t)r2) last = (long)i;
    if (c == 0) return rf_int(last);
  }
  return rf_int(error != 0 ? error : -E2BIG);
}

static long length_of(const struct rf_run *run, uint64_t text, uint64_t count) {
  long error = begin(run, text);
  if (error != 0) return error;
  uint64_t i = 0;
  for (; i < count && i < STRING_MAX; i++) {
    uint8_t c;
    if (!read_char(run, text + i, &c)) return -EFAULT;
    if (c == 0) return (long)i;
  }
  return i == STRING_MAX ? -E2BIG : (long)i;
}

static RF_HELPER(strlen_kfunc) { return rf_int(length_of(run, r1, STRING_MAX)); }
static RF_HELPER(strnlen_kfunc) { return rf_int(length_of(run, r1, r2)); }

/* 1: among the characters of `set`, 0: not, or an error. */
static long is_member(const struct rf_run *run, uint64_t set, uint8_t c) {
  for (uint32_t j = 0; j < STRING_MAX; j++) {
    uint8_t member;
    if (!read_char(run, set + j, &member)) return -EFAULT;
    if (member == c) return c != 0;
    if (member == 0) return 0;
  }
  return -E2BIG;
}

/* Length of the start of `text` all of whose characters are members (or are not). */
static long span(const struct rf_run *run, uint64_t text, uint64_t set, long members) {
  long error = begin(run, text);
  if (error == 0) error = begin(run, set);
  if (error != 0) return error;
  for (uint32_t i = 0; i < STRING_MAX; i++) {
    uint8_t c;
    if (!read_char(run, text + i, &c)) return -EFAULT;
    if (c == 0) return i;
    long member = is_member(run, set, c);
    if (member < 0) return member;
    if (member != members) return i;
  }
  return -E2BIG;
}

static RF_HELPER(strspn_kfunc) { return rf_int(span(run, r1, r2, 1)); }
static RF_HELPER(strcspn_kfunc) { return rf_int(span(run, r1, r2, 0)); }

/* Whether `wanted` stands at `text`, of which `room` characters may be looked at: 1, 0 (go on),
 * -ENOENT (no place further on can do better), or an error. */
static long stands_at(const struct rf_run *run, uint64_t text, uint64_t wanted, uint64_t room) {
  for (uint32_t j = 0; j < STRING_MAX; j++) {
    uint8_t c, w;
    if (!read_char(run, wanted + j, &w)) return -EFAULT;
    if (w == 0) return 1;
    if (j == room) return -ENOENT;
    if (!read_char(run, text + j, &c)) return -EFAULT;
    if (c == 0) return -ENOENT;
    if (c != w) return 0;
  }
  return -E2BIG;
}

static long find_text(const struct rf_run *run, uint64_t text, uint64_t wanted, uint64_t room) {
  long error = begin(run, text);
  if (error == 0) error = begin(run, wanted);
  if (error != 0) return error;
  for (uint32_t i = 0; i < STRING_MAX; i++) {
    if (i > room) return -ENOENT;
    long found = stands_at(run, text + i, wanted, room - i);
    if (found != 0) return found == 1 ? (long)i : found;
  }
  return -E2BIG;
}

static RF_HELPER(strstr_kfunc) { return rf_int(find_text(run, r1, r2, STRING_MAX)); }
static RF_HELPER(strnstr_kfunc) { return rf_int(find_text(run, r1, r2, r3)); }

const struct rf_kfunc rf_text_kfuncs[] = {
    {"bpf_strcmp", strcmp_kfunc},   {"bpf_strcasecmp", strcasecmp_kfunc}, {"bpf_strnchr", strnchr_kfunc},
    {"bpf_strchr", strchr_kfunc},   {"bpf_strchrnul", strchrnul_kfunc},   {"bpf_strrchr", strrchr_kfunc},
    {"bpf_strlen", strlen_kfunc},   {"bpf_strnlen", strnlen_kfunc},       {"bpf_strspn", strspn_kfunc},
    {"bpf_strcspn", strcspn_kfunc}, {"bpf_strstr", strstr_kfunc},         {"bpf_strnstr", strnstr_kfunc},
    {NULL, NULL}};
