/* Binary search for eight keys in a sorted table on the stack. */
#include "bench.h"

BENCH(search, data, end) {
  if (data + 64 > end) return 0;
  u32 table[64];
  u32 word = 17;
  NO_UNROLL
  for (u32 i = 0; i < 64; i++) {
    word += 3 + (i * 2654435761u >> 20);
    table[i] = word;
  }
  u32 found = 0;
  NO_UNROLL
  for (int key = 0; key < 8; key++) {
    u32 wanted = load32(data + key * 8) % word, low = 0;
    NO_UNROLL
    for (u32 half = 32; half > 0; half >>= 1) low += table[(low + half - 1) & 63] < wanted ? half : 0;
    found = found * 31 + low;
  }
  return found;
}
