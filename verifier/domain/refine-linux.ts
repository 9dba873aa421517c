/**
 * Refinement as Linux 6.18 does it, observed in the verifier's log (level 2) and checked by the
 * matrices of numbers (test/matrix): known bits bound the ranges; ranges of one width bound those of
 * the other where their ends share what lies between; ranges fix the bits that their ends share.
 * Linux goes over that a fixed number of times, and never looks for the next number that fits the
 * known bits.
 *
 * Each step is an implication of the constraints that are there, so γ stays as it is. False where
 * the parts contradict each other, which is where Linux gives up on the register.
 */

import { ceilBits } from './fit.ts';
import { noteLax } from './measure.ts';
import {
  INT32_MAX,
  INT32_MIN,
  lessSigned,
  lessUnsigned,
  lowerSigned,
  lowerUnsigned,
  MASK_HI,
  MASK_LO,
  narrowSigned32,
  narrowUnsigned32,
  raiseSigned,
  raiseUnsigned,
  S32_MAX,
  S32_MIN,
  SMAX_HI,
  SMAX_LO,
  SMIN_HI,
  SMIN_LO,
  U32_MAX,
  U32_MIN,
  UMAX_HI,
  UMAX_LO,
  UMIN_HI,
  UMIN_LO,
  VALUE_HI,
  VALUE_LO,
} from './words.ts';

const DEDUCTIONS = 3;

export function refineAsLinux(w: Int32Array, o: number): boolean {
  if ((w[o + MASK_LO]! | w[o + MASK_HI]!) !== 0) noteLax();
  boundByBits(w, o);
  for (let round = 0; round < DEDUCTIONS; round++) {
    deduceLow(w, o);
    deduceWhole(w, o);
    deduceWholeFromLow(w, o);
  }
  fixBits(w, o);
  boundByBits(w, o);
  return isConsistent(w, o);
}

/** Value := its low half, zero-extended. */
export function zeroExtendAsLinux(w: Int32Array, o: number): boolean {
  const isPositive = w[o + S32_MIN]! >= 0 && w[o + S32_MAX]! >= 0;
  w[o + VALUE_HI] = 0;
  w[o + MASK_HI] = 0;
  w[o + UMIN_LO] = w[o + U32_MIN]!;
  w[o + UMAX_LO] = w[o + U32_MAX]!;
  w[o + SMIN_LO] = isPositive ? w[o + S32_MIN]! : 0;
  w[o + SMAX_LO] = isPositive ? w[o + S32_MAX]! : -1;
  w[o + UMIN_HI] = w[o + UMAX_HI] = w[o + SMIN_HI] = w[o + SMAX_HI] = 0;
  return refineAsLinux(w, o);
}

/** The least and the greatest number that fit the known bits, in every order. */
function boundByBits(w: Int32Array, o: number): void {
  const lo = w[o + VALUE_LO]!;
  const hi = w[o + VALUE_HI]!;
  const maskLo = w[o + MASK_LO]!;
  const maskHi = w[o + MASK_HI]!;
  narrowSigned32(w, o, lo | (maskLo & INT32_MIN), lo | (maskLo & INT32_MAX));
  narrowUnsigned32(w, o, lo, lo | maskLo);
  raiseSigned(w, o, lo, hi | (maskHi & INT32_MIN));
  lowerSigned(w, o, lo | maskLo, hi | (maskHi & INT32_MAX));
  raiseUnsigned(w, o, lo, hi);
  lowerUnsigned(w, o, lo | maskLo, hi | maskHi);
  if ((maskLo | maskHi) !== 0 && (maskLo & maskHi) !== -1) settleOnOnly(w, o);
}

/** The least number ≥ the one at T[0..1] that fits the known bits, there; false: there is none. */
const T = new Int32Array(2);

function ceilWhole(w: Int32Array, o: number): boolean {
  const value = w[o + VALUE_HI]!;
  const mask = w[o + MASK_HI]!;
  const start = T[1]! >>> 0;
  let hi = ceilBits(start, value, mask);
  if (hi === start) {
    const lo = ceilBits(T[0]! >>> 0, w[o + VALUE_LO]!, w[o + MASK_LO]!);
    if (lo >= 0) {
      T[0] = lo;
      return true;
    }
    if (start === 0xffff_ffff) return false;
    hi = ceilBits(start + 1, value, mask);
  }
  if (hi < 0) return false;
  T[0] = w[o + VALUE_LO]!;
  T[1] = hi;
  return true;
}

/** The one number between the unsigned ends that fits the known bits, where there is just one. */
function settleOnOnly(w: Int32Array, o: number): void {
  const maxLo = w[o + UMAX_LO]!;
  const maxHi = w[o + UMAX_HI]!;
  T[0] = w[o + UMIN_LO]!;
  T[1] = w[o + UMIN_HI]!;
  if (!ceilWhole(w, o)) return;
  const lo = T[0]!;
  const hi = T[1]!;
  if (lessUnsigned(maxLo, maxHi, lo, hi)) return;
  T[0] = lo + 1;
  T[1] = hi + (lo === -1 ? 1 : 0);
  const isLast = (lo & hi) === -1 || !ceilWhole(w, o);
  if (isLast || lessUnsigned(maxLo, maxHi, T[0]!, T[1]!)) settle(w, o, lo, hi);
}

/** Value := exactly this one. */
function settle(w: Int32Array, o: number, lo: number, hi: number): void {
  for (const at of [VALUE_LO, UMIN_LO, UMAX_LO, SMIN_LO, SMAX_LO]) {
    w[o + at] = lo;
    w[o + at + 1] = hi;
  }
  w[o + MASK_LO] = w[o + MASK_HI] = 0;
  w[o + U32_MIN] = w[o + U32_MAX] = w[o + S32_MIN] = w[o + S32_MAX] = lo;
}

/** Ranges of the low half from those of the whole, and from each other. */
function deduceLow(w: Int32Array, o: number): void {
  deduceLowFrom(w, o, UMIN_LO, UMAX_LO);
  deduceLowFrom(w, o, SMIN_LO, SMAX_LO);
  const umin = w[o + U32_MIN]!;
  const umax = w[o + U32_MAX]!;
  if (umin <= umax) narrowSigned32(w, o, umin, umax);
  const smin = w[o + S32_MIN]!;
  const smax = w[o + S32_MAX]!;
  if (smin >>> 0 <= smax >>> 0) narrowUnsigned32(w, o, smin, smax);
}

/** Low halves of a run whose upper halves are equal, or follow each other at its sign change. */
function deduceLowFrom(w: Int32Array, o: number, min: number, max: number): void {
  const low = w[o + min]!;
  const high = w[o + max]!;
  const from = w[o + min + 1]!;
  const to = w[o + max + 1]!;
  if (from === to) {
    if (low >>> 0 <= high >>> 0) narrowUnsigned32(w, o, low, high);
    if (low <= high) narrowSigned32(w, o, low, high);
  } else if (((from + 1) | 0) === to && low < 0 && high >= 0) narrowSigned32(w, o, low, high);
}

/** The two orders of the whole from each other. */
function deduceWhole(w: Int32Array, o: number): void {
  const isRunSigned = !lessSigned(
    w[o + UMAX_LO]!,
    w[o + UMAX_HI]!,
    w[o + UMIN_LO]!,
    w[o + UMIN_HI]!,
  );
  if (isRunSigned) {
    raiseSigned(w, o, w[o + UMIN_LO]!, w[o + UMIN_HI]!);
    lowerSigned(w, o, w[o + UMAX_LO]!, w[o + UMAX_HI]!);
  }
  const minLo = w[o + SMIN_LO]!;
  const minHi = w[o + SMIN_HI]!;
  const maxLo = w[o + SMAX_LO]!;
  const maxHi = w[o + SMAX_HI]!;
  if (!lessUnsigned(maxLo, maxHi, minLo, minHi)) {
    raiseUnsigned(w, o, minLo, minHi);
    lowerUnsigned(w, o, maxLo, maxHi);
    return;
  }
  // The signed run has a part at each end of the unsigned line; the unsigned one may meet one only.
  if (lessUnsigned(w[o + UMAX_LO]!, w[o + UMAX_HI]!, minLo, minHi)) {
    w[o + SMIN_LO] = w[o + UMIN_LO]!;
    w[o + SMIN_HI] = w[o + UMIN_HI]!;
    lowerUnsigned(w, o, maxLo, maxHi);
  } else if (lessUnsigned(maxLo, maxHi, w[o + UMIN_LO]!, w[o + UMIN_HI]!)) {
    w[o + SMAX_LO] = w[o + UMAX_LO]!;
    w[o + SMAX_HI] = w[o + UMAX_HI]!;
    raiseUnsigned(w, o, minLo, minHi);
  }
}

/** Ends of the whole with the low half that is possible at all. */
function deduceWholeFromLow(w: Int32Array, o: number): void {
  const low = w[o + U32_MIN]!;
  const high = w[o + U32_MAX]!;
  raiseUnsigned(w, o, low, w[o + UMIN_HI]!);
  lowerUnsigned(w, o, high, w[o + UMAX_HI]!);
  raiseSigned(w, o, low, w[o + SMIN_HI]!);
  lowerSigned(w, o, high, w[o + SMAX_HI]!);
  const smin = w[o + S32_MIN]!;
  const smax = w[o + S32_MAX]!;
  if (smin < 0 || !isSignExtended(w, o)) return;
  // A sign extension whose low half is not negative is that half.
  w[o + SMIN_LO] = w[o + UMIN_LO] = smin;
  w[o + SMAX_LO] = w[o + UMAX_LO] = smax;
  w[o + SMIN_HI] = w[o + UMIN_HI] = w[o + SMAX_HI] = w[o + UMAX_HI] = 0;
  fixBitsTo(w, o, smin, 0, smax, 0);
}

/** The signed range is within that of 32 bits. */
const isSignExtended = (w: Int32Array, o: number): boolean =>
  !lessSigned(w[o + SMIN_LO]!, w[o + SMIN_HI]!, INT32_MIN, -1) &&
  !lessSigned(INT32_MAX, 0, w[o + SMAX_LO]!, w[o + SMAX_HI]!);

/** Known bits := also those that all numbers of the unsigned run share. */
function fixBitsTo(
  w: Int32Array,
  o: number,
  minLo: number,
  minHi: number,
  maxLo: number,
  maxHi: number,
): void {
  const hi = minHi ^ maxHi;
  const lo = minLo ^ maxLo;
  const deltaHi = hi === 0 ? 0 : -1 >>> Math.clz32(hi);
  const deltaLo = hi !== 0 ? -1 : lo === 0 ? 0 : -1 >>> Math.clz32(lo);
  const maskLo = w[o + MASK_LO]! & deltaLo;
  const maskHi = w[o + MASK_HI]! & deltaHi;
  w[o + VALUE_LO] = (w[o + VALUE_LO]! | (minLo & ~deltaLo)) & ~maskLo;
  w[o + VALUE_HI] = (w[o + VALUE_HI]! | (minHi & ~deltaHi)) & ~maskHi;
  w[o + MASK_LO] = maskLo;
  w[o + MASK_HI] = maskHi;
}

function fixBits(w: Int32Array, o: number): void {
  fixBitsTo(w, o, w[o + UMIN_LO]!, w[o + UMIN_HI]!, w[o + UMAX_LO]!, w[o + UMAX_HI]!);
  const min = w[o + U32_MIN]!;
  const differ = min ^ w[o + U32_MAX]!;
  const delta = differ === 0 ? 0 : -1 >>> Math.clz32(differ);
  const mask = w[o + MASK_LO]! & delta;
  w[o + VALUE_LO] = (w[o + VALUE_LO]! | (min & ~delta)) & ~mask;
  w[o + MASK_LO] = mask;
}

/** Ends in order, and at the constant where the bits say that there is one. */
function isConsistent(w: Int32Array, o: number): boolean {
  const isOrdered =
    !lessUnsigned(w[o + UMAX_LO]!, w[o + UMAX_HI]!, w[o + UMIN_LO]!, w[o + UMIN_HI]!) &&
    !lessSigned(w[o + SMAX_LO]!, w[o + SMAX_HI]!, w[o + SMIN_LO]!, w[o + SMIN_HI]!) &&
    w[o + U32_MIN]! >>> 0 <= w[o + U32_MAX]! >>> 0 &&
    w[o + S32_MIN]! <= w[o + S32_MAX]!;
  if (!isOrdered || w[o + MASK_LO] !== 0) return isOrdered;
  const lo = w[o + VALUE_LO]!;
  const hasLow = [U32_MIN, U32_MAX, S32_MIN, S32_MAX].every((at) => w[o + at] === lo);
  if (!hasLow || w[o + MASK_HI] !== 0) return hasLow;
  const hi = w[o + VALUE_HI]!;
  return [UMIN_LO, UMAX_LO, SMIN_LO, SMAX_LO].every(
    (at) => w[o + at] === lo && w[o + at + 1] === hi,
  );
}
