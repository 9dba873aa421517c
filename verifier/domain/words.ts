/**
 * Where the parts of an abstract scalar lie, and 64-bit arithmetic on halves.
 *
 * The verifier copies scalars millions of times, so one is sixteen int32 words inside a larger
 * Int32Array: no object, no BigInt, no allocation. A 64-bit number is two words, low half first.
 * Words of unsigned numbers hold the same 32 bits as signed ones; `>>> 0` reads them.
 *
 * Concretisation. A scalar at `o` of `w` denotes the set γ of 64-bit values x with
 *   x & ~mask = value                       (known bits; mask has a one where the bit is unknown)
 *   umin ≤ x ≤ umax unsigned,   smin ≤ x ≤ smax signed
 *   u32min ≤ lo(x) ≤ u32max unsigned,   s32min ≤ lo(x) ≤ s32max signed.
 * Every function in this folder keeps `value & mask = 0`, and leaves γ non-empty unless it says so.
 */

/** Int32 words of one abstract scalar. */
export const SCALAR_WORDS = 16;

export const VALUE_LO = 0;
export const VALUE_HI = 1;
export const MASK_LO = 2;
export const MASK_HI = 3;
export const UMIN_LO = 4;
export const UMIN_HI = 5;
export const UMAX_LO = 6;
export const UMAX_HI = 7;
export const SMIN_LO = 8;
export const SMIN_HI = 9;
export const SMAX_LO = 10;
export const SMAX_HI = 11;
export const U32_MIN = 12;
export const U32_MAX = 13;
export const S32_MIN = 14;
export const S32_MAX = 15;

export const INT32_MIN = -0x80000000;
export const INT32_MAX = 0x7fffffff;
export const UINT32_MAX = 0xffffffff;
export const TWO_32 = 0x100000000;

/** Unsigned a < b on 64-bit numbers. */
export function lessUnsigned(aLo: number, aHi: number, bLo: number, bHi: number): boolean {
  return aHi === bHi ? aLo >>> 0 < bLo >>> 0 : aHi >>> 0 < bHi >>> 0;
}

/** Signed a < b on 64-bit numbers. */
export function lessSigned(aLo: number, aHi: number, bLo: number, bHi: number): boolean {
  return aHi === bHi ? aLo >>> 0 < bLo >>> 0 : aHi < bHi;
}

/** Carry out of the low half of a sum, given one addend's low half and the sum's. */
export function carry(sumLo: number, addendLo: number): number {
  return sumLo >>> 0 < addendLo >>> 0 ? 1 : 0;
}

/** Borrow out of the low half of a - b. */
export function borrow(aLo: number, bLo: number): number {
  return aLo >>> 0 < bLo >>> 0 ? 1 : 0;
}

/** umin := max(umin, x) */
export function raiseUnsigned(w: Int32Array, o: number, lo: number, hi: number): void {
  if (lessUnsigned(w[o + UMIN_LO]!, w[o + UMIN_HI]!, lo, hi)) {
    w[o + UMIN_LO] = lo;
    w[o + UMIN_HI] = hi;
  }
}

/** umax := min(umax, x) */
export function lowerUnsigned(w: Int32Array, o: number, lo: number, hi: number): void {
  if (lessUnsigned(lo, hi, w[o + UMAX_LO]!, w[o + UMAX_HI]!)) {
    w[o + UMAX_LO] = lo;
    w[o + UMAX_HI] = hi;
  }
}

/** smin := max(smin, x) */
export function raiseSigned(w: Int32Array, o: number, lo: number, hi: number): void {
  if (lessSigned(w[o + SMIN_LO]!, w[o + SMIN_HI]!, lo, hi)) {
    w[o + SMIN_LO] = lo;
    w[o + SMIN_HI] = hi;
  }
}

/** smax := min(smax, x) */
export function lowerSigned(w: Int32Array, o: number, lo: number, hi: number): void {
  if (lessSigned(lo, hi, w[o + SMAX_LO]!, w[o + SMAX_HI]!)) {
    w[o + SMAX_LO] = lo;
    w[o + SMAX_HI] = hi;
  }
}

/** Low half: unsigned range := its intersection with [min, max]. */
export function narrowUnsigned32(w: Int32Array, o: number, min: number, max: number): void {
  if (w[o + U32_MIN]! >>> 0 < min >>> 0) w[o + U32_MIN] = min;
  if (w[o + U32_MAX]! >>> 0 > max >>> 0) w[o + U32_MAX] = max;
}

/** Low half: signed range := its intersection with [min, max]. */
export function narrowSigned32(w: Int32Array, o: number, min: number, max: number): void {
  if (w[o + S32_MIN]! < min) w[o + S32_MIN] = min;
  if (w[o + S32_MAX]! > max) w[o + S32_MAX] = max;
}

/** Known bits := nothing known. */
export function clearBits(w: Int32Array, o: number): void {
  w[o + VALUE_LO] = 0;
  w[o + VALUE_HI] = 0;
  w[o + MASK_LO] = -1;
  w[o + MASK_HI] = -1;
}

/** Unsigned 64-bit range := everything. */
export function clearUnsigned(w: Int32Array, o: number): void {
  w[o + UMIN_LO] = 0;
  w[o + UMIN_HI] = 0;
  w[o + UMAX_LO] = -1;
  w[o + UMAX_HI] = -1;
}

/** Signed 64-bit range := everything. */
export function clearSigned(w: Int32Array, o: number): void {
  w[o + SMIN_LO] = 0;
  w[o + SMIN_HI] = INT32_MIN;
  w[o + SMAX_LO] = -1;
  w[o + SMAX_HI] = INT32_MAX;
}

/** Ranges of the low half := everything. */
export function clearLow(w: Int32Array, o: number): void {
  w[o + U32_MIN] = 0;
  w[o + U32_MAX] = -1;
  w[o + S32_MIN] = INT32_MIN;
  w[o + S32_MAX] = INT32_MAX;
}
