/* Pairs: one source, built twice. With VARIANT 0 Linux accepts it. With VARIANT 1 a value that was
 * checked lives elsewhere than the one that is used, as compilers arrange it: HIDE keeps clang from
 * seeing through a copy or a sum, PICK exchanges one expression for another that means the same.
 * Programs called unsafe_ are look-alikes that are wrong in either build. */
#ifndef PAIRS_H
#define PAIRS_H

#include "../corpus/corpus.h"

#if VARIANT
#define HIDE(x) asm volatile("" : "+r"(x))
#define PICK(plain, hidden) (hidden)
/* Both are computed by now. */
#define TIE(x, y) asm volatile("" : "+r"(x), "+r"(y))
#else
#define HIDE(x)
#define TIE(x, y)
#define PICK(plain, hidden) (plain)
#endif

struct page {
  __u32 used;
  __u32 limit;
  __u64 wide;
  __u32 words[16];
  /* Last: what lies behind it lies behind the value. */
  __u8 text[64];
};

TABLE(pages, BPF_MAP_TYPE_ARRAY, __u32, struct page, 4);

static ALWAYS_INLINE struct page *page_of(__u32 index) {
  return bpf_map_lookup_elem(&pages, &index);
}

/* A number of 32 bits that clang reads once and knows nothing of. */
static ALWAYS_INLINE __u64 number(const __u32 *from) {
  __u64 value = *(const volatile __u32 *)from;
  asm volatile("" : "+r"(value));
  return value;
}

#endif
