/** Which number next to a given one fits known bits? */

/**
 * Least y ≥ x with y & ~mask = value, all unsigned 32-bit; -1 where there is none. The highest bit
 * at which x contradicts the known bits decides: if it must be one, x grows there; if it must be
 * zero, x grows at the lowest unknown zero bit above. Below the bit that grew, y is minimal.
 */
export function ceilBits(x: number, value: number, mask: number): number {
  const wrong = (x ^ value) & ~mask;
  if (wrong === 0) return x;
  const below = -1 >>> Math.clz32(wrong);
  if ((value & below) >>> 0 > below >>> 1) return ((x & ~below) | (value & below)) >>> 0;
  const free = mask & ~x & ~below;
  if (free === 0) return -1;
  const bit = free & -free;
  return ((x & ~(bit | (bit - 1))) | bit | (value & (bit - 1))) >>> 0;
}

/** Greatest y ≤ x that fits the bits, or -1: the complement of the least above the complement. */
export function floorBits(x: number, value: number, mask: number): number {
  const y = ceilBits(~x >>> 0, ~value & ~mask, mask);
  return y < 0 ? -1 : ~y >>> 0;
}
