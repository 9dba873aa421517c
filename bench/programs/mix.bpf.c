/* A flow hash in the manner of Bob Jenkins's lookup3 over the IPv4 addresses and ports. */
#include "bench.h"

BENCH(mix, data, end) {
  if (data + 38 > end) return 0;
  u32 a = load32(data + 26) + 0xdeadbeef, b = load32(data + 30) + 0xdeadbeef;
  u32 c = load32(data + 34) + 0xdeadbeef;
  NO_UNROLL
  for (int round = 0; round < 8; round++) {
    a -= c, a ^= rotate32(c, 4), c += b;
    b -= a, b ^= rotate32(a, 6), a += c;
    c -= b, c ^= rotate32(b, 8), b += a;
    a -= c, a ^= rotate32(c, 16), c += b;
    b -= a, b ^= rotate32(a, 19), a += c;
    c -= b, c ^= rotate32(b, 4), b += a;
  }
  return c;
}
