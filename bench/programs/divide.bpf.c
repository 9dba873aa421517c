/* Decimal digits of packet words: division and remainder, by constants and by variables. */
#include "bench.h"

BENCH(divide, data, end) {
  if (data + 64 > end) return 0;
  u64 sum = 0;
  NO_UNROLL
  for (int i = 0; i < 64; i += 8) {
    u64 value = *(const u64 *)(data + i);
    u32 divisor = *(const u32 *)(data + i) | 1;
    NO_UNROLL
    for (int digit = 0; digit < 8; digit++) {
      sum += value % 10;
      value /= 10;
    }
    sum += value / divisor + value % divisor;
  }
  return sum ^ sum >> 32;
}
