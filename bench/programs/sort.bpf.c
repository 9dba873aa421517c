/* Sorts 32 words from the packet in an array on the stack by exchanging neighbours; the median. */
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
      u32 left = values[i], right = values[i + 1];
      if (left > right) values[i] = right, values[i + 1] = left;
    }
  }
  return values[16];
}
