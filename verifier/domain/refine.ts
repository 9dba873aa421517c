/**
 * Mutual refinement: what each part of a scalar knows, told to the others.
 *
 * Every operation computes its parts apart and then calls `refine`, which shrinks the parts without
 * changing γ. The signed and unsigned ranges together describe at most two intervals, one in the
 * non-negative half of the circle and one in the negative half; within a half both orders agree.
 * So each half is narrowed by itself, up to its least and greatest members that fit the known bits,
 * and the four bounds are read off again. The low 32 bits are done first, by the same method, since
 * the bounds of the whole are then stepped to values whose low half is possible.
 *
 * Argument. No step discards a member of γ: the ends of a half are intersections of ranges that
 * hold for every member in that half; `ceilBits` returns the least number ≥ x that fits the bits,
 * so no member lies between; a common prefix of both ends is shared by everything between them.
 * When both halves are empty γ is empty and the result is false.
 */
import { ceilBits, floorBits } from './fit.ts';
import { asLinux } from './measure.ts';
import { refineAsLinux, zeroExtendAsLinux } from './refine-linux.ts';
import {
  INT32_MAX,
  INT32_MIN,
  lessUnsigned,
  MASK_HI,
  MASK_LO,
  narrowSigned32,
  narrowUnsigned32,
  S32_MAX,
  S32_MIN,
  SMAX_HI,
  SMAX_LO,
  SMIN_HI,
  SMIN_LO,
  TWO_32,
  U32_MAX,
  U32_MIN,
  UINT32_MAX,
  UMAX_HI,
  UMAX_LO,
  UMIN_HI,
  UMIN_LO,
  VALUE_HI,
  VALUE_LO,
} from './words.ts';

/** Rounds of exchange between the low half and the whole; more never helped in measurements. */
const MAX_ROUNDS = 3;

/** Ends of the two halves: low and high end, two words each; negative half at 4. */
const T = new Int32Array(8);
const NEGATIVE = 4;

/** Refines the low 32 bits among themselves; false when no low half is possible. */
export function refineLow(w: Int32Array, o: number): boolean {
  const value = w[o + VALUE_LO]!;
  const mask = w[o + MASK_LO]!;
  const umin = w[o + U32_MIN]! >>> 0;
  const umax = w[o + U32_MAX]! >>> 0;
  const smin = w[o + S32_MIN]!;
  const smax = w[o + S32_MAX]!;
  let pl = smin > 0 ? Math.max(umin, smin) : umin;
  let ph = Math.min(umax, smax);
  let positive = pl <= ph;
  if (positive) {
    pl = ceilBits(pl, value, mask);
    ph = floorBits(ph, value, mask);
    positive = pl >= 0 && pl <= ph;
  }
  let nl = smin < 0 ? Math.max(umin, smin >>> 0) : TWO_32;
  let nh = smax < 0 ? Math.min(umax, smax >>> 0) : umax;
  let negative = nl <= nh;
  if (negative) {
    nl = ceilBits(nl, value, mask);
    nh = floorBits(nh, value, mask);
    negative = nl >= 0 && nl <= nh;
  }
  if (!positive && !negative) return false;
  const min = positive ? pl : nl;
  const max = negative ? nh : ph;
  w[o + U32_MIN] = min;
  w[o + U32_MAX] = max;
  w[o + S32_MIN] = negative ? nl : pl;
  w[o + S32_MAX] = positive ? ph : nh;
  const differ = min ^ max;
  const known = differ === 0 ? -1 : ~(-1 >>> Math.clz32(differ));
  w[o + VALUE_LO] = value | (min & known);
  w[o + MASK_LO] = mask & ~known;
  return true;
}

/** Least possible low half ≥ x, or -1; relies on nothing but the ranges and bits of the low half. */
function ceilLow(w: Int32Array, o: number, x: number): number {
  const gapEnd = w[o + S32_MIN]! >>> 0;
  const gapStart = w[o + S32_MAX]! >= 0 && w[o + S32_MIN]! < 0 ? w[o + S32_MAX]! : UINT32_MAX;
  const start = Math.max(x, w[o + U32_MIN]! >>> 0);
  const from = start > gapStart && start < gapEnd ? gapEnd : start;
  const y = ceilBits(from, w[o + VALUE_LO]!, w[o + MASK_LO]!);
  if (y < 0 || y > w[o + U32_MAX]! >>> 0) return -1;
  return y > gapStart && y < gapEnd ? gapEnd : y;
}

/** Greatest possible low half ≤ x, or -1. */
function floorLow(w: Int32Array, o: number, x: number): number {
  const gapEnd = w[o + S32_MIN]! >>> 0;
  const gapStart = w[o + S32_MAX]! >= 0 && w[o + S32_MIN]! < 0 ? w[o + S32_MAX]! : UINT32_MAX;
  const start = Math.min(x, w[o + U32_MAX]! >>> 0);
  const from = start > gapStart && start < gapEnd ? gapStart : start;
  const y = floorBits(from, w[o + VALUE_LO]!, w[o + MASK_LO]!);
  if (y < w[o + U32_MIN]! >>> 0) return -1;
  return y > gapStart && y < gapEnd ? gapStart : y;
}

/** T[t..t+1] := a number ≤ every member ≥ it, as high as the bits and the low half allow. */
function ceilWhole(w: Int32Array, o: number, t: number): boolean {
  const value = w[o + VALUE_HI]!;
  const mask = w[o + MASK_HI]!;
  const start = T[t + 1]! >>> 0;
  let hi = ceilBits(start, value, mask);
  if (hi === start) {
    const lo = ceilLow(w, o, T[t]! >>> 0);
    if (lo >= 0) {
      T[t] = lo;
      return true;
    }
    if (start === UINT32_MAX) return false;
    hi = ceilBits(start + 1, value, mask);
  }
  if (hi < 0) return false;
  T[t] = w[o + U32_MIN]!;
  T[t + 1] = hi;
  return true;
}

/** T[t..t+1] := a number ≥ every member ≤ it, as low as the bits and the low half allow. */
function floorWhole(w: Int32Array, o: number, t: number): boolean {
  const value = w[o + VALUE_HI]!;
  const mask = w[o + MASK_HI]!;
  const start = T[t + 1]! >>> 0;
  let hi = floorBits(start, value, mask);
  if (hi === start) {
    const lo = floorLow(w, o, T[t]! >>> 0);
    if (lo >= 0) {
      T[t] = lo;
      return true;
    }
    if (start === 0) return false;
    hi = floorBits(start - 1, value, mask);
  }
  if (hi < 0) return false;
  T[t] = w[o + U32_MAX]!;
  T[t + 1] = hi;
  return true;
}

/** Narrows the half at T[t..t+3]; false when nothing is left of it. */
function narrowHalf(w: Int32Array, o: number, t: number): boolean {
  if (lessUnsigned(T[t + 2]!, T[t + 3]!, T[t]!, T[t + 1]!)) return false;
  if (!ceilWhole(w, o, t) || !floorWhole(w, o, t + 2)) return false;
  return !lessUnsigned(T[t + 2]!, T[t + 3]!, T[t]!, T[t + 1]!);
}

/** The members with a clear sign bit lie between T[0..1] and T[2..3]; false when there are none. */
function positiveHalf(w: Int32Array, o: number): boolean {
  const uminHi = w[o + UMIN_HI]!;
  const smaxHi = w[o + SMAX_HI]!;
  if (uminHi < 0 || smaxHi < 0) return false;
  const bySigned = lessUnsigned(w[o + UMIN_LO]!, uminHi, w[o + SMIN_LO]!, w[o + SMIN_HI]!);
  const low = w[o + SMIN_HI]! >= 0 && bySigned ? SMIN_LO : UMIN_LO;
  const high = lessUnsigned(w[o + UMAX_LO]!, w[o + UMAX_HI]!, w[o + SMAX_LO]!, smaxHi)
    ? UMAX_LO
    : SMAX_LO;
  T[0] = w[o + low]!;
  T[1] = w[o + low + 1]!;
  T[2] = w[o + high]!;
  T[3] = w[o + high + 1]!;
  return narrowHalf(w, o, 0);
}

/** The members with the sign bit set lie between T[4..5] and T[6..7]; false when there are none. */
function negativeHalf(w: Int32Array, o: number): boolean {
  const umaxHi = w[o + UMAX_HI]!;
  const sminHi = w[o + SMIN_HI]!;
  if (umaxHi >= 0 || sminHi >= 0) return false;
  const low = lessUnsigned(w[o + SMIN_LO]!, sminHi, w[o + UMIN_LO]!, w[o + UMIN_HI]!)
    ? UMIN_LO
    : SMIN_LO;
  const bySigned = lessUnsigned(w[o + SMAX_LO]!, w[o + SMAX_HI]!, w[o + UMAX_LO]!, umaxHi);
  const high = w[o + SMAX_HI]! < 0 && bySigned ? SMAX_LO : UMAX_LO;
  T[4] = w[o + low]!;
  T[5] = w[o + low + 1]!;
  T[6] = w[o + high]!;
  T[7] = w[o + high + 1]!;
  return narrowHalf(w, o, NEGATIVE);
}

/** Reads the four bounds off the halves, and the high known bits off the bounds. */
function storeHalves(w: Int32Array, o: number, positive: boolean, negative: boolean): void {
  const umin = positive ? 0 : NEGATIVE;
  const umax = negative ? NEGATIVE + 2 : 2;
  const smin = negative ? NEGATIVE : 0;
  const smax = positive ? 2 : NEGATIVE + 2;
  w[o + UMIN_LO] = T[umin]!;
  w[o + UMIN_HI] = T[umin + 1]!;
  w[o + UMAX_LO] = T[umax]!;
  w[o + UMAX_HI] = T[umax + 1]!;
  w[o + SMIN_LO] = T[smin]!;
  w[o + SMIN_HI] = T[smin + 1]!;
  w[o + SMAX_LO] = T[smax]!;
  w[o + SMAX_HI] = T[smax + 1]!;
  const differ = T[umin + 1]! ^ T[umax + 1]!;
  const known = differ === 0 ? -1 : ~(-1 >>> Math.clz32(differ));
  w[o + VALUE_HI] = w[o + VALUE_HI]! | (T[umin + 1]! & known);
  w[o + MASK_HI] = w[o + MASK_HI]! & ~known;
}

/** Low halves of the numbers between T[t..t+1] and T[t+2..t+3], into ranges at `o` of `out`. */
const LOW = new Int32Array(8);

function lowOfHalf(at: number, t: number): void {
  const hiMin = T[t + 1]!;
  const hiMax = T[t + 3]!;
  const lo = T[t]!;
  const hi = T[t + 2]!;
  const same = hiMin === hiMax;
  LOW[at] = same ? lo : 0;
  LOW[at + 1] = same ? hi : -1;
  const next = ((hiMin + 1) | 0) === hiMax && lo < 0 && hi >= 0;
  const signed = next || (same && (lo ^ hi) >= 0);
  LOW[at + 2] = signed ? lo : INT32_MIN;
  LOW[at + 3] = signed ? hi : INT32_MAX;
}

/** Narrows the ranges of the low half to what the halves leave possible; true when it shrank. */
function narrowLow(w: Int32Array, o: number, positive: boolean, negative: boolean): boolean {
  if (positive) lowOfHalf(0, 0);
  if (negative) lowOfHalf(4, NEGATIVE);
  const first = positive ? 0 : 4;
  const second = negative ? 4 : 0;
  const umin = Math.min(LOW[first]! >>> 0, LOW[second]! >>> 0);
  const umax = Math.max(LOW[first + 1]! >>> 0, LOW[second + 1]! >>> 0);
  const smin = Math.min(LOW[first + 2]!, LOW[second + 2]!);
  const smax = Math.max(LOW[first + 3]!, LOW[second + 3]!);
  const shrinks =
    umin > w[o + U32_MIN]! >>> 0 ||
    umax < w[o + U32_MAX]! >>> 0 ||
    smin > w[o + S32_MIN]! ||
    smax < w[o + S32_MAX]!;
  if (shrinks) {
    narrowUnsigned32(w, o, umin, umax);
    narrowSigned32(w, o, smin, smax);
  }
  return shrinks;
}

/** 64-bit ranges and high bits := those of the zero-extended low half. */
export function extendLow(w: Int32Array, o: number): void {
  w[o + VALUE_HI] = 0;
  w[o + MASK_HI] = 0;
  w[o + UMIN_LO] = w[o + SMIN_LO] = w[o + U32_MIN]!;
  w[o + UMAX_LO] = w[o + SMAX_LO] = w[o + U32_MAX]!;
  w[o + UMIN_HI] = w[o + SMIN_HI] = 0;
  w[o + UMAX_HI] = w[o + SMAX_HI] = 0;
}

/** Everything below 2^32: the problem is one of the low half alone. */
function refineShort(w: Int32Array, o: number): boolean {
  if (w[o + UMIN_HI] !== 0 || w[o + VALUE_HI] !== 0) return false;
  if (w[o + SMAX_HI]! < 0) return false;
  narrowUnsigned32(w, o, w[o + UMIN_LO]!, w[o + UMAX_LO]!);
  if (w[o + SMIN_HI]! > 0) return false;
  if (w[o + SMIN_HI] === 0) narrowUnsigned32(w, o, w[o + SMIN_LO]!, -1);
  if (w[o + SMAX_HI] === 0) narrowUnsigned32(w, o, 0, w[o + SMAX_LO]!);
  if (!refineLow(w, o)) return false;
  extendLow(w, o);
  return true;
}

/** Shrinks the parts of the scalar to what the others allow; false when γ is empty. */
export function refine(w: Int32Array, o: number): boolean {
  if (asLinux) return refineAsLinux(w, o);
  if (w[o + UMAX_HI] === 0) return refineShort(w, o);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    if (!refineLow(w, o)) return false;
    const positive = positiveHalf(w, o);
    const negative = negativeHalf(w, o);
    if (!positive && !negative) return false;
    storeHalves(w, o, positive, negative);
    if (!narrowLow(w, o, positive, negative)) return true;
  }
  return refineLow(w, o);
}

/** The value must be below 2^32: forgets the upper half and what was known through it. */
export function zeroExtendLow(w: Int32Array, o: number): boolean {
  if (asLinux) return zeroExtendAsLinux(w, o);
  if (!refineLow(w, o)) return false;
  extendLow(w, o);
  return true;
}
