/* SipHash-2-4 of 64 bytes under a fixed key. */
#include "bench.h"

struct state {
  u64 v0, v1, v2, v3;
};

INLINE void sip_round(struct state *s) {
  s->v0 += s->v1, s->v1 = rotate64(s->v1, 13), s->v1 ^= s->v0, s->v0 = rotate64(s->v0, 32);
  s->v2 += s->v3, s->v3 = rotate64(s->v3, 16), s->v3 ^= s->v2;
  s->v0 += s->v3, s->v3 = rotate64(s->v3, 21), s->v3 ^= s->v0;
  s->v2 += s->v1, s->v1 = rotate64(s->v1, 17), s->v1 ^= s->v2, s->v2 = rotate64(s->v2, 32);
}

BENCH(siphash, data, end) {
  if (data + 64 > end) return 0;
  u64 k0 = 0x0706050403020100ull, k1 = 0x0f0e0d0c0b0a0908ull;
  struct state s = {k0 ^ 0x736f6d6570736575ull, k1 ^ 0x646f72616e646f6dull,
                    k0 ^ 0x6c7967656e657261ull, k1 ^ 0x7465646279746573ull};
  NO_UNROLL
  for (int i = 0; i < 64; i += 8) {
    u64 word = *(const u64 *)(data + i);
    s.v3 ^= word;
    sip_round(&s);
    sip_round(&s);
    s.v0 ^= word;
  }
  u64 last = 64ull << 56;
  s.v3 ^= last;
  sip_round(&s);
  sip_round(&s);
  s.v0 ^= last;
  s.v2 ^= 0xff;
  sip_round(&s);
  sip_round(&s);
  sip_round(&s);
  sip_round(&s);
  u64 hash = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
  return hash ^ hash >> 32;
}
