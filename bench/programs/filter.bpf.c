/* A packet filter: tcp or udp, IPv4, to port 53, 80 or 443, from 10.0.0.0/8, not a fragment. */
#include "bench.h"

BENCH(filter, data, end) {
  if (data + 38 > end) return 0;
  if (load16(data + 12) != 0x0800) return 0;
  if (data[14] != 0x45) return 0;
  if (data[23] != 6 && data[23] != 17) return 0;
  if (load16(data + 20) & 0x1fff) return 0;
  if (data[26] != 10) return 0;
  u32 port = load16(data + 36);
  return port == 53 || port == 80 || port == 443 ? 2 : 1;
}
