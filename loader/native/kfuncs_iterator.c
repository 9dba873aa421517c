/*
 * Iterators over numbers and bits, on the program's stack. The verifier lets only these functions
 * touch them, and demands that each one is destroyed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "held.h"
#include "kfuncs.h"
#include "memory.h"

/* struct bpf_iter_num: 8 bytes. BPF_MAX_LOOPS, include/linux/bpf.h, bounds a walk. */
struct numbers {
  int32_t current, end;
};
enum { LOOPS_MAX = 8 * 1024 * 1024 };

static RF_HELPER(num_new) {
  struct numbers *numbers = rf_pointer(r1);
  int64_t start = (int32_t)r2, end = (int32_t)r3;
  *numbers = (struct numbers){0, 0};
  if (start > end) return rf_int(-EINVAL);
  if (end - start > LOOPS_MAX) return rf_int(-E2BIG);
  /* Unsigned: INT_MIN has a number before it, which only `next` sees. */
  numbers->current = (int32_t)((uint32_t)start - 1);
  numbers->end = (int32_t)end;
  return 0;
}

/* Where the current number lies, or NULL at the end. */
static RF_HELPER(num_next) {
  struct numbers *numbers = rf_pointer(r1);
  int32_t next = (int32_t)((uint32_t)numbers->current + 1);
  if (next >= numbers->end) {
    *numbers = (struct numbers){0, 0};
    return 0;
  }
  numbers->current = next;
  return (uintptr_t)&numbers->current;
}

static RF_HELPER(num_destroy) {
  memset(rf_pointer(r1), 0, sizeof(struct numbers));
  return 0;
}

/* struct bpf_iter_bits: 16 bytes. One word of bits is kept inside, more in memory of their own. */
struct bits {
  union {
    uint64_t word;
    uint64_t *words;
  };
  uint32_t count;
  int32_t at;
};
enum { WORDS_MAX = 511, WORD_BITS = 64 };

static RF_HELPER(bits_new) {
  struct bits *bits = rf_pointer(r1);
  uint32_t words = (uint32_t)r3, bytes = words * 8;
  *bits = (struct bits){{0}, 0, -1};
  if (r2 == 0 || words == 0) return rf_int(-EINVAL);
  if (words > WORDS_MAX) return rf_int(-E2BIG);
  const void *from = rf_readable(run, r2, bytes);
  if (from == NULL) return rf_int(-EFAULT);
  uint64_t *to = words == 1 ? &bits->word : malloc(bytes);
  if (to == NULL) return rf_int(-ENOMEM);
  memcpy(to, from, bytes);
  if (words > 1) {
    bits->words = to;
    rf_hold(run, to, free);
  }
  bits->count = words * WORD_BITS;
  return 0;
}

static RF_HELPER(bits_next) {
  struct bits *bits = rf_pointer(r1);
  const uint64_t *words = bits->count == WORD_BITS ? &bits->word : bits->words;
  if (bits->count == 0 || bits->at >= (int32_t)bits->count) return 0;
  uint32_t at = (uint32_t)(bits->at + 1);
  while (at < bits->count && !(words[at / WORD_BITS] >> at % WORD_BITS & 1)) at++;
  bits->at = (int32_t)at;
  return at < bits->count ? (uintptr_t)&bits->at : 0;
}

static RF_HELPER(bits_destroy) {
  struct bits *bits = rf_pointer(r1);
  if (bits->count > WORD_BITS) {
    rf_let_go(run, bits->words);
    free(bits->words);
  }
  *bits = (struct bits){{0}, 0, 0};
  return 0;
}

const struct rf_kfunc rf_iterator_kfuncs[] = {
    {"bpf_iter_num_new", num_new},   {"bpf_iter_num_next", num_next},   {"bpf_iter_num_destroy", num_destroy},
    {"bpf_iter_bits_new", bits_new}, {"bpf_iter_bits_next", bits_next}, {"bpf_iter_bits_destroy", bits_destroy},
    {NULL, NULL}};
