/* Counts the high nibbles of 256 bytes in an array on the stack; returns the largest count. */
#include "bench.h"

BENCH(histogram, data, end) {
  if (data + 256 > end) return 0;
  u32 counts[16] = {0};
  NO_UNROLL
  for (int i = 0; i < 256; i++) counts[data[i] >> 4]++;
  u32 most = 0;
  NO_UNROLL
  for (int i = 0; i < 16; i++) most = counts[i] > most ? counts[i] : most;
  return most;
}
