/* The Internet checksum (RFC 1071) over 512 bytes, 16 bits at a time. */
#include "bench.h"

BENCH(checksum, data, end) {
  if (data + 512 > end) return 0;
  u32 sum = 0;
  NO_UNROLL
  for (int i = 0; i < 512; i += 2) sum += *(const u16 *)(data + i);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}
