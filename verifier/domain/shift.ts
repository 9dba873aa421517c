/**
 * Shifts. RFC 9669 section 4.1: the amount is taken modulo the operand width.
 *
 * A constant amount shifts every part exactly, as long as no significant bit of a bound is lost:
 * shifting left keeps the order of numbers whose lost bits are all equal to the sign (signed) or to
 * zero (unsigned). Of several possible amounts k ≤ K the range is that of the extremes, since each
 * shift is monotone in the value and, with the value's sign fixed, in the amount; known bits are
 * joined over every amount that is possible.
 */
import { asLinux } from './measure.ts';
import { signedBits, significantBits } from './query.ts';
import { copy, join, setUnknown } from './scalar.ts';
import {
  clearLow,
  clearSigned,
  clearUnsigned,
  MASK_LO,
  S32_MAX,
  S32_MIN,
  SCALAR_WORDS,
  SMAX_LO,
  SMIN_LO,
  U32_MAX,
  U32_MIN,
  UMAX_LO,
  UMIN_LO,
  VALUE_LO,
} from './words.ts';

/** Where the word pair (lo, hi) at `from` of `w` goes, shifted, at `to`. */
function pairLeft(w: Int32Array, to: number, from: number, amount: number): void {
  const lo = w[from]!;
  const hi = w[from + 1]!;
  w[to + 1] =
    amount === 0 ? hi : amount < 32 ? (hi << amount) | (lo >>> (32 - amount)) : lo << (amount - 32);
  w[to] = amount < 32 ? lo << amount : 0;
}

function pairRight(w: Int32Array, to: number, from: number, amount: number): void {
  const lo = w[from]!;
  const hi = w[from + 1]!;
  w[to] =
    amount === 0
      ? lo
      : amount < 32
        ? (lo >>> amount) | (hi << (32 - amount))
        : hi >>> (amount - 32);
  w[to + 1] = amount < 32 ? hi >>> amount : 0;
}

function pairArithmetic(w: Int32Array, to: number, from: number, amount: number): void {
  const lo = w[from]!;
  const hi = w[from + 1]!;
  w[to] =
    amount === 0 ? lo : amount < 32 ? (lo >>> amount) | (hi << (32 - amount)) : hi >> (amount - 32);
  w[to + 1] = amount < 32 ? hi >> amount : hi >> 31;
}

/** a << amount, for a constant amount below 64; unrefined. */
export function leftByConstant(w: Int32Array, out: number, a: number, amount: number): void {
  const unsignedFits = significantBits(w, a) + amount <= 64;
  const signedFits = signedBits(w, a) + amount <= 64;
  leftLow(w, out, a, amount);
  pairLeft(w, out + VALUE_LO, a + VALUE_LO, amount);
  pairLeft(w, out + MASK_LO, a + MASK_LO, amount);
  if (unsignedFits) {
    pairLeft(w, out + UMIN_LO, a + UMIN_LO, amount);
    pairLeft(w, out + UMAX_LO, a + UMAX_LO, amount);
  } else clearUnsigned(w, out);
  if (signedFits) {
    pairLeft(w, out + SMIN_LO, a + SMIN_LO, amount);
    pairLeft(w, out + SMAX_LO, a + SMAX_LO, amount);
  } else clearSigned(w, out);
}

/** Ranges of the low half of a << amount. */
function leftLow(w: Int32Array, out: number, a: number, amount: number): void {
  const umin = w[a + U32_MIN]!;
  const umax = w[a + U32_MAX]!;
  const smin = w[a + S32_MIN]!;
  const smax = w[a + S32_MAX]!;
  clearLow(w, out);
  if (amount > 31) {
    w[out + U32_MAX] = w[out + S32_MIN] = w[out + S32_MAX] = 0;
    return;
  }
  if ((umax << amount) >>> amount === umax >>> 0) {
    w[out + U32_MIN] = umin << amount;
    w[out + U32_MAX] = umax << amount;
  }
  if ((smin << amount) >> amount === smin && (smax << amount) >> amount === smax) {
    w[out + S32_MIN] = smin << amount;
    w[out + S32_MAX] = smax << amount;
  }
}

/** a >> amount (logical), for a constant amount below 64; unrefined. */
export function rightByConstant(w: Int32Array, out: number, a: number, amount: number): void {
  pairRight(w, out + VALUE_LO, a + VALUE_LO, amount);
  pairRight(w, out + MASK_LO, a + MASK_LO, amount);
  pairRight(w, out + UMIN_LO, a + UMIN_LO, amount);
  pairRight(w, out + UMAX_LO, a + UMAX_LO, amount);
  if (amount !== 0 || asLinux) {
    clearSigned(w, out);
    clearLow(w, out);
  } else {
    pairRight(w, out + SMIN_LO, a + SMIN_LO, 0);
    pairRight(w, out + SMAX_LO, a + SMAX_LO, 0);
    copyLow(w, out, a);
  }
}

/** a >> amount (arithmetic), for a constant amount below 64; unrefined. */
export function arithmeticByConstant(w: Int32Array, out: number, a: number, amount: number): void {
  pairArithmetic(w, out + VALUE_LO, a + VALUE_LO, amount);
  pairArithmetic(w, out + MASK_LO, a + MASK_LO, amount);
  pairArithmetic(w, out + SMIN_LO, a + SMIN_LO, amount);
  pairArithmetic(w, out + SMAX_LO, a + SMAX_LO, amount);
  if (amount !== 0 || asLinux) {
    clearUnsigned(w, out);
    clearLow(w, out);
  } else {
    pairRight(w, out + UMIN_LO, a + UMIN_LO, 0);
    pairRight(w, out + UMAX_LO, a + UMAX_LO, 0);
    copyLow(w, out, a);
  }
}

function copyLow(w: Int32Array, out: number, a: number): void {
  w[out + U32_MIN] = w[a + U32_MIN]!;
  w[out + U32_MAX] = w[a + U32_MAX]!;
  w[out + S32_MIN] = w[a + S32_MIN]!;
  w[out + S32_MAX] = w[a + S32_MAX]!;
}

type ByConstant = typeof leftByConstant;

/** Scratch: the value, one shifted copy, their join. */
const X = new Int32Array(3 * SCALAR_WORDS);
const SHIFTED = SCALAR_WORDS;
const JOINED = 2 * SCALAR_WORDS;

/**
 * Joins a shifted by each amount that operand b allows, masked to `width`. Joining the parts of one
 * shift after another equals taking the extremes of the ranges, and is exact in the bits.
 */
export function shiftByScalar(
  by: ByConstant,
  width: number,
  w: Int32Array,
  out: number,
  a: number,
  b: number,
): void {
  const limit = width - 1;
  const value = w[b + VALUE_LO]! & limit;
  const mask = w[b + MASK_LO]! & limit;
  if (mask === 0) {
    by(w, out, a, value);
    return;
  }
  const high = w[b + U32_MAX]! >>> 0;
  const sameBlock = (high & ~limit) >>> 0 === (w[b + U32_MIN]! & ~limit) >>> 0;
  const min = sameBlock ? w[b + U32_MIN]! & limit : 0;
  const max = sameBlock ? high & limit : limit;
  copy(w, a, X, 0);
  let first = true;
  for (let amount = min; amount <= max; amount++) {
    if ((amount & ~mask) !== value) continue;
    by(X, first ? JOINED : SHIFTED, 0, amount);
    if (!first) join(X, JOINED, JOINED, SHIFTED);
    first = false;
  }
  if (first) setUnknown(X, JOINED);
  copy(X, JOINED, w, out);
}
