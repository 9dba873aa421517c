/* CRC-32 (IEEE 802.3), bit by bit, over 64 bytes. */
#include "bench.h"

BENCH(crc, data, end) {
  if (data + 64 > end) return 0;
  u32 crc = ~0u;
  NO_UNROLL
  for (int i = 0; i < 64; i++) {
    crc ^= data[i];
    NO_UNROLL
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (-(crc & 1) & 0xedb88320u);
  }
  return ~crc;
}
