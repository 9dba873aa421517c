/* Decodes unsigned LEB128 integers until 128 bytes are used up; returns a mixture of them. */
#include "bench.h"

BENCH(varint, data, end) {
  if (data + 128 > end) return 0;
  u64 value = 0, mixed = 0;
  u32 shift = 0;
  NO_UNROLL
  for (int i = 0; i < 128; i++) {
    u64 byte = data[i];
    value |= (byte & 0x7f) << (shift & 63);
    shift += 7;
    if (byte & 0x80 && shift < 64) continue;
    mixed = rotate64(mixed, 5) ^ value;
    value = 0;
    shift = 0;
  }
  return mixed ^ mixed >> 32;
}
