/* FNV-1a over the first 64 bytes. */
#include "bench.h"

BENCH(fnv, data, end) {
  if (data + 64 > end) return 0;
  u64 hash = 0xcbf29ce484222325ull;
  NO_UNROLL
  for (int i = 0; i < 64; i++) hash = (hash ^ data[i]) * 0x100000001b3ull;
  return hash ^ hash >> 32;
}
