/* Walks VLAN tags and IPv6 extension headers; returns where the transport header begins. */
#include "bench.h"

BENCH(parser, data, end) {
  const u8 *at = data + 14;
  if (at > end) return 0;
  u32 type = load16(data + 12);
  NO_UNROLL
  for (int i = 0; i < 3; i++) {
    if (type != 0x8100 && type != 0x88a8) break;
    if (at + 4 > end) return 0;
    type = load16(at + 2);
    at += 4;
  }
  if (type != 0x86dd) return 1;
  if (at + 40 > end) return 0;
  u32 next = at[6];
  at += 40;
  NO_UNROLL
  for (int i = 0; i < 8; i++) {
    if (next != 0 && next != 43 && next != 44 && next != 60) return (at - data) << 8 | next;
    if (at + 8 > end) return 0;
    u32 length = next == 44 ? 8 : 8 + at[1] * 8;
    next = at[0];
    at += length;
  }
  return 3;
}
