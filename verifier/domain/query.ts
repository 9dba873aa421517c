/**
 * Questions about a scalar, answered without showing its layout.
 *
 * Bounds come as JavaScript numbers where callers compute offsets with them. Those are exact up to
 * 2^53 - 1; beyond, a lower bound saturates at 2^53 - 1 (or -Infinity below -(2^53 - 1)) and an
 * upper bound at Infinity (or -(2^53 - 1)): still true as bounds, never rounded to the wrong side.
 */
import {
  MASK_HI,
  MASK_LO,
  S32_MAX,
  S32_MIN,
  SMAX_HI,
  SMAX_LO,
  SMIN_HI,
  SMIN_LO,
  TWO_32,
  U32_MAX,
  U32_MIN,
  UMAX_HI,
  UMAX_LO,
  UMIN_HI,
  UMIN_LO,
  VALUE_HI,
  VALUE_LO,
} from './words.ts';

const MAX_SAFE = Number.MAX_SAFE_INTEGER;

export function isConstant(w: Int32Array, o: number): boolean {
  return (w[o + MASK_LO]! | w[o + MASK_HI]!) === 0;
}

/** Whether it is exactly this value. */
export function isConstantOf(w: Int32Array, o: number, lo: number, hi: number): boolean {
  return isConstant(w, o) && w[o + VALUE_LO] === (lo | 0) && w[o + VALUE_HI] === (hi | 0);
}

/** Whether the low 32 bits are the same in every value. */
export function isConstantLow(w: Int32Array, o: number): boolean {
  return w[o + MASK_LO] === 0;
}

/** Nothing is known about the value. */
export function isUnknown(w: Int32Array, o: number): boolean {
  return (
    (w[o + MASK_LO]! & w[o + MASK_HI]!) === -1 &&
    (w[o + UMIN_LO]! | w[o + UMIN_HI]!) === 0 &&
    (w[o + UMAX_LO]! & w[o + UMAX_HI]!) === -1 &&
    w[o + SMIN_HI] === -0x80000000 &&
    w[o + SMIN_LO] === 0 &&
    w[o + SMAX_HI] === 0x7fffffff &&
    w[o + SMAX_LO] === -1 &&
    w[o + U32_MIN] === 0 &&
    w[o + U32_MAX] === -1 &&
    w[o + S32_MIN] === -0x80000000 &&
    w[o + S32_MAX] === 0x7fffffff
  );
}

/** Low half of a constant's value (of any scalar: its known ones). */
export function constantLo(w: Int32Array, o: number): number {
  return w[o + VALUE_LO]!;
}

/** High half of a constant's value. */
export function constantHi(w: Int32Array, o: number): number {
  return w[o + VALUE_HI]!;
}

/** The constant as a signed number, exact within ±(2^53 - 1), else NaN. */
export function constantNumber(w: Int32Array, o: number): number {
  if (!isConstant(w, o)) return Number.NaN;
  const x = w[o + VALUE_HI]! * TWO_32 + (w[o + VALUE_LO]! >>> 0);
  return Number.isSafeInteger(x) ? x : Number.NaN;
}

export function unsignedMin(w: Int32Array, o: number): number {
  const x = (w[o + UMIN_HI]! >>> 0) * TWO_32 + (w[o + UMIN_LO]! >>> 0);
  return Math.min(x, MAX_SAFE);
}

export function unsignedMax(w: Int32Array, o: number): number {
  const x = (w[o + UMAX_HI]! >>> 0) * TWO_32 + (w[o + UMAX_LO]! >>> 0);
  return x > MAX_SAFE ? Number.POSITIVE_INFINITY : x;
}

export function signedMin(w: Int32Array, o: number): number {
  const x = w[o + SMIN_HI]! * TWO_32 + (w[o + SMIN_LO]! >>> 0);
  return x > MAX_SAFE ? MAX_SAFE : x < -MAX_SAFE ? Number.NEGATIVE_INFINITY : x;
}

export function signedMax(w: Int32Array, o: number): number {
  const x = w[o + SMAX_HI]! * TWO_32 + (w[o + SMAX_LO]! >>> 0);
  return x > MAX_SAFE ? Number.POSITIVE_INFINITY : Math.max(x, -MAX_SAFE);
}

/** Bounds of the low 32 bits, exact. */
export function unsignedMin32(w: Int32Array, o: number): number {
  return w[o + U32_MIN]! >>> 0;
}

export function unsignedMax32(w: Int32Array, o: number): number {
  return w[o + U32_MAX]! >>> 0;
}

export function signedMin32(w: Int32Array, o: number): number {
  return w[o + S32_MIN]!;
}

export function signedMax32(w: Int32Array, o: number): number {
  return w[o + S32_MAX]!;
}

/** Whether every value has zeros where the mask has ones. */
export function bitsKnownZero(w: Int32Array, o: number, lo: number, hi: number): boolean {
  return (
    ((w[o + VALUE_LO]! | w[o + MASK_LO]!) & lo) === 0 &&
    ((w[o + VALUE_HI]! | w[o + MASK_HI]!) & hi) === 0
  );
}

/** Whether every value has ones where the mask has ones. */
export function bitsKnownOne(w: Int32Array, o: number, lo: number, hi: number): boolean {
  return (~w[o + VALUE_LO]! & lo) === 0 && (~w[o + VALUE_HI]! & hi) === 0;
}

/** Whether the upper 32 bits are zero. */
export function isZeroExtended(w: Int32Array, o: number): boolean {
  return (w[o + VALUE_HI]! | w[o + MASK_HI]!) === 0;
}

/** Number of low bits that are zero in every value: 64 for the constant 0. */
export function alignment(w: Int32Array, o: number): number {
  const lo = w[o + VALUE_LO]! | w[o + MASK_LO]!;
  if (lo !== 0) return 31 - Math.clz32(lo & -lo);
  const hi = w[o + VALUE_HI]! | w[o + MASK_HI]!;
  return hi === 0 ? 64 : 63 - Math.clz32(hi & -hi);
}

/** Every value is below 2^this, unsigned. */
export function significantBits(w: Int32Array, o: number): number {
  const hi = w[o + UMAX_HI]!;
  return hi === 0 ? 32 - Math.clz32(w[o + UMAX_LO]!) : 64 - Math.clz32(hi);
}

/** Bits that the two's complement number (lo, hi) needs, its sign included. */
function signedWidth(lo: number, hi: number): number {
  const sign = hi >> 31;
  const magnitude = hi ^ sign;
  return magnitude === 0 ? 33 - Math.clz32(lo ^ sign) : 65 - Math.clz32(magnitude);
}

/** Every value is the sign extension of its low `this` bits, 1..64. */
export function signedBits(w: Int32Array, o: number): number {
  return Math.max(
    signedWidth(w[o + SMIN_LO]!, w[o + SMIN_HI]!),
    signedWidth(w[o + SMAX_LO]!, w[o + SMAX_HI]!),
  );
}

/** Proven different from 0. */
export function isNonZero(w: Int32Array, o: number): boolean {
  return (
    (w[o + UMIN_LO]! | w[o + UMIN_HI]!) !== 0 ||
    (w[o + VALUE_LO]! | w[o + VALUE_HI]!) !== 0 ||
    w[o + U32_MIN] !== 0
  );
}

/** The low 32 bits are proven different from 0. */
export function isNonZero32(w: Int32Array, o: number): boolean {
  return w[o + U32_MIN] !== 0 || w[o + VALUE_LO] !== 0;
}

/** Proven different from -1, and in the low 32 bits. */
export function isNotMinusOne(w: Int32Array, o: number): boolean {
  return (w[o + UMAX_LO]! & w[o + UMAX_HI]!) !== -1 || isNotMinusOne32(w, o);
}

export function isNotMinusOne32(w: Int32Array, o: number): boolean {
  return w[o + U32_MAX] !== -1 || (w[o + VALUE_LO]! | w[o + MASK_LO]!) !== -1;
}
