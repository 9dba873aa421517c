/*
 * Sorts 32 words from the packet in an array on the stack by exchanging neighbours; the median.
 *
 * The exchange is arithmetic: a branch on what was read would double the states of a verifier that
 * walks paths, since either outcome leaves other ranges in the array, and 496 exchanges are too many
 * for any to finish. It also keeps the branch predictor out of the measurement.
 */
#include "bench.h"

BENCH(sort, data, end) {
  if (data + 128 > end) return 0;
  u32 values[32];
  NO_UNROLL
  for (u32 i = 0; i < 32; i++) values[i] = *(const u32 *)(data + 4 * i);
  NO_UNROLL
  for (u32 last = 31; last > 0; last--) {
    NO_UNROLL
    for (u32 i = 0; i < last; i++) {
      s64 difference = (s64)values[i] - values[i + 1];
      s64 ordered = difference >> 63;
      OPAQUE(ordered); /* keeps the compiler from making it a branch again */
      u32 move = difference & ~ordered;
      values[i] -= move;
      values[i + 1] += move;
    }
  }
  return values[16];
}
