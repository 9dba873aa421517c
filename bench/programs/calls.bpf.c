/* BPF-to-BPF calls: a greatest common divisor of word pairs, one call a step. */
#include "bench.h"

NOINLINE u32 step(u32 a, u32 b) { return b == 0 ? a : a % b; }

NOINLINE u32 gcd(u32 a, u32 b) {
  NO_UNROLL
  for (int i = 0; i < 48; i++) {
    if (b == 0) break;
    u32 rest = step(a, b);
    a = b;
    b = rest;
  }
  return a;
}

BENCH(calls, data, end) {
  if (data + 64 > end) return 0;
  u32 sum = 0;
  NO_UNROLL
  for (int i = 0; i < 64; i += 8) sum += gcd(load32(data + i) | 1, load32(data + i + 4) | 1);
  return sum;
}
