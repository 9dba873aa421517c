/**
 * Conditions: what a comparison decides, and what its outcome teaches.
 *
 * `decide` compares ends of ranges and known bits. `assume` intersects γ(a) × γ(b) with the pairs
 * that satisfy the condition and projects onto each side:
 *   a = b     each side gets the other's constraints;
 *   a ≠ b     a constant on one side is cut off the other's ranges where it is an end;
 *   a < b     a ≤ max(b) - 1 and b ≥ min(a) + 1, and so for ≤ and for signed order;
 *   a & b ≠ 0 with one bit that both may have, both have it;
 *   a & b = 0 where one side has a known one, the other has a zero.
 * 32-bit comparisons do the same with the low halves, and `refine` carries it to the whole.
 */
import type { JumpCondition, Row } from '../../isa/index.ts';
import { asLinux } from './measure.ts';
import { refine } from './refine.ts';
import { constrain, constrainLow } from './scalar.ts';
import {
  clearLow,
  clearSigned,
  clearUnsigned,
  INT32_MAX,
  INT32_MIN,
  lessSigned,
  lessUnsigned,
  lowerSigned,
  lowerUnsigned,
  MASK_HI,
  MASK_LO,
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
  UINT32_MAX,
  UMAX_HI,
  UMAX_LO,
  UMIN_HI,
  UMIN_LO,
  VALUE_HI,
  VALUE_LO,
} from './words.ts';

/** Conditions as numbers; a condition and its negation differ in bit 0. */
export const CONDITIONS = {
  eq: 0,
  ne: 1,
  set: 2,
  notset: 3,
  lt: 4,
  ge: 5,
  gt: 6,
  le: 7,
  slt: 8,
  sge: 9,
  sgt: 10,
  sle: 11,
} as const satisfies Record<JumpCondition | 'notset', number>;

export type Condition = (typeof CONDITIONS)[keyof typeof CONDITIONS];

/** The condition of a `jump` row. */
export function conditionOf(row: Row): Condition {
  return CONDITIONS[row.operation as JumpCondition];
}

/** The condition that holds exactly when this one does not. */
export function negate(condition: Condition): Condition {
  return (condition ^ 1) as Condition;
}

const SWAPPED: readonly Condition[] = [0, 1, 2, 3, 6, 7, 4, 5, 10, 11, 8, 9];

/** The condition that says the same with the operands exchanged. */
export function swapped(condition: Condition): Condition {
  return SWAPPED[condition]!;
}

export type Decision = 1 | 0 | -1;

const flip = (decision: Decision): Decision => (decision < 0 ? -1 : decision === 1 ? 0 : 1);

/** Whether `a condition b` holds always (1), never (0), or depends (-1). */
export function decide(
  condition: Condition,
  width: 32 | 64,
  w: Int32Array,
  a: number,
  b: number,
): Decision {
  if ((condition & 1) === 1) return flip(decide(negate(condition), width, w, a, b));
  switch (condition) {
    case 0:
      return width === 64 ? decideEqual(w, a, b) : decideEqualLow(w, a, b);
    case 2:
      return decideSet(w, a, b, width);
    case 4:
      return width === 64 ? decideUnsigned(w, a, b) : decideUnsignedLow(w, a, b);
    case 6:
      return width === 64 ? decideUnsigned(w, b, a) : decideUnsignedLow(w, b, a);
    case 8:
      return width === 64 ? decideSigned(w, a, b) : decideSignedLow(w, a, b);
    default:
      return width === 64 ? decideSigned(w, b, a) : decideSignedLow(w, b, a);
  }
}

/** Low halves always equal (1), never (0), or neither. */
function decideEqualLow(w: Int32Array, a: number, b: number): Decision {
  const mask = w[a + MASK_LO]! | w[b + MASK_LO]!;
  if (((w[a + VALUE_LO]! ^ w[b + VALUE_LO]!) & ~mask) !== 0) return 0;
  if (mask === 0 || a === b) return 1;
  const apart =
    w[a + U32_MAX]! >>> 0 < w[b + U32_MIN]! >>> 0 ||
    w[b + U32_MAX]! >>> 0 < w[a + U32_MIN]! >>> 0 ||
    w[a + S32_MAX]! < w[b + S32_MIN]! ||
    w[b + S32_MAX]! < w[a + S32_MIN]!;
  return apart ? 0 : -1;
}

function decideEqual(w: Int32Array, a: number, b: number): Decision {
  const low = decideEqualLow(w, a, b);
  if (low === 0 || a === b) return low;
  const mask = w[a + MASK_HI]! | w[b + MASK_HI]!;
  if (((w[a + VALUE_HI]! ^ w[b + VALUE_HI]!) & ~mask) !== 0) return 0;
  if (mask === 0 && low === 1) return 1;
  const apart =
    lessUnsigned(w[a + UMAX_LO]!, w[a + UMAX_HI]!, w[b + UMIN_LO]!, w[b + UMIN_HI]!) ||
    lessUnsigned(w[b + UMAX_LO]!, w[b + UMAX_HI]!, w[a + UMIN_LO]!, w[a + UMIN_HI]!) ||
    lessSigned(w[a + SMAX_LO]!, w[a + SMAX_HI]!, w[b + SMIN_LO]!, w[b + SMIN_HI]!) ||
    lessSigned(w[b + SMAX_LO]!, w[b + SMAX_HI]!, w[a + SMIN_LO]!, w[a + SMIN_HI]!);
  return apart ? 0 : -1;
}

function decideSet(w: Int32Array, a: number, b: number, width: 32 | 64): Decision {
  const high = width === 64 ? -1 : 0;
  const onesLo = w[a + VALUE_LO]! & w[b + VALUE_LO]!;
  const onesHi = w[a + VALUE_HI]! & w[b + VALUE_HI]! & high;
  if ((onesLo | onesHi) !== 0) return 1;
  if ((maybeLo(w, a) & maybeLo(w, b)) !== 0) return -1;
  return (maybeHi(w, a) & maybeHi(w, b) & high) !== 0 ? -1 : 0;
}

const maybeLo = (w: Int32Array, o: number) => w[o + VALUE_LO]! | w[o + MASK_LO]!;
const maybeHi = (w: Int32Array, o: number) => w[o + VALUE_HI]! | w[o + MASK_HI]!;

function decideUnsigned(w: Int32Array, a: number, b: number): Decision {
  if (a === b) return 0;
  if (lessUnsigned(w[a + UMAX_LO]!, w[a + UMAX_HI]!, w[b + UMIN_LO]!, w[b + UMIN_HI]!)) return 1;
  return lessUnsigned(w[a + UMIN_LO]!, w[a + UMIN_HI]!, w[b + UMAX_LO]!, w[b + UMAX_HI]!) ? -1 : 0;
}

function decideUnsignedLow(w: Int32Array, a: number, b: number): Decision {
  if (a === b) return 0;
  if (w[a + U32_MAX]! >>> 0 < w[b + U32_MIN]! >>> 0) return 1;
  return w[a + U32_MIN]! >>> 0 < w[b + U32_MAX]! >>> 0 ? -1 : 0;
}

function decideSigned(w: Int32Array, a: number, b: number): Decision {
  if (a === b) return 0;
  if (lessSigned(w[a + SMAX_LO]!, w[a + SMAX_HI]!, w[b + SMIN_LO]!, w[b + SMIN_HI]!)) return 1;
  return lessSigned(w[a + SMIN_LO]!, w[a + SMIN_HI]!, w[b + SMAX_LO]!, w[b + SMAX_HI]!) ? -1 : 0;
}

function decideSignedLow(w: Int32Array, a: number, b: number): Decision {
  if (a === b) return 0;
  if (w[a + S32_MAX]! < w[b + S32_MIN]!) return 1;
  return w[a + S32_MIN]! < w[b + S32_MAX]! ? -1 : 0;
}

/**
 * Refines both operands in place to the case that `a condition b` holds; false when it cannot
 * (the operands are then left in no useful state).
 */
export function assume(
  condition: Condition,
  width: 32 | 64,
  w: Int32Array,
  a: number,
  b: number,
): boolean {
  if (a === b && condition > 3) return (condition & 1) === 1;
  return restrict(condition, width, w, a, b) && refine(w, a) && refine(w, b);
}

function restrict(
  condition: Condition,
  width: 32 | 64,
  w: Int32Array,
  a: number,
  b: number,
): boolean {
  const wide = width === 64;
  switch (condition) {
    case 0:
      return wide
        ? constrain(w, a, b) && constrain(w, b, a)
        : constrainLow(w, a, b) && constrainLow(w, b, a);
    case 1:
      return a !== b && differ(w, a, b, wide ? excludeWhole : excludeLow);
    case 2:
      return shareBit(w, a, b, wide ? -1 : 0);
    case 3:
      return disjoin(w, a, b, wide ? -1 : 0);
    case 4:
      return wide ? assumeLess(w, a, b) : assumeLessLow(w, a, b);
    case 5:
      return wide ? assumeAtMost(w, b, a) : assumeAtMostLow(w, b, a);
    case 6:
      return wide ? assumeLess(w, b, a) : assumeLessLow(w, b, a);
    case 7:
      return wide ? assumeAtMost(w, a, b) : assumeAtMostLow(w, a, b);
    case 8:
      return wide ? assumeSignedLess(w, a, b) : assumeSignedLessLow(w, a, b);
    case 9:
      return wide ? assumeSignedAtMost(w, b, a) : assumeSignedAtMostLow(w, b, a);
    case 10:
      return wide ? assumeSignedLess(w, b, a) : assumeSignedLessLow(w, b, a);
    case 11:
      return wide ? assumeSignedAtMost(w, a, b) : assumeSignedAtMostLow(w, a, b);
    default:
      return condition satisfies never;
  }
}

type Exclude = (w: Int32Array, o: number, constant: number) => boolean;

function differ(w: Int32Array, a: number, b: number, exclude: Exclude): boolean {
  return exclude(w, a, b) && exclude(w, b, a);
}

/** Cuts the value of a constant off the ends of o's ranges; false when nothing remains. */
function excludeWhole(w: Int32Array, o: number, constant: number): boolean {
  if ((w[constant + MASK_LO]! | w[constant + MASK_HI]!) !== 0) return true;
  const lo = w[constant + VALUE_LO]!;
  const hi = w[constant + VALUE_HI]!;
  const nextLo = (lo + 1) | 0;
  const nextHi = (hi + (nextLo === 0 ? 1 : 0)) | 0;
  const lastLo = (lo - 1) | 0;
  const lastHi = (hi - (lo === 0 ? 1 : 0)) | 0;
  const low = w[o + UMIN_LO] === lo && w[o + UMIN_HI] === hi;
  const high = w[o + UMAX_LO] === lo && w[o + UMAX_HI] === hi;
  if (low && high) return false;
  if (low) raiseUnsigned(w, o, nextLo, nextHi);
  if (high) lowerUnsigned(w, o, lastLo, lastHi);
  const signedLow = w[o + SMIN_LO] === lo && w[o + SMIN_HI] === hi;
  const signedHigh = w[o + SMAX_LO] === lo && w[o + SMAX_HI] === hi;
  if (signedLow && signedHigh) return false;
  if (signedLow) raiseSigned(w, o, nextLo, nextHi);
  if (signedHigh) lowerSigned(w, o, lastLo, lastHi);
  return true;
}

function excludeLow(w: Int32Array, o: number, constant: number): boolean {
  if (w[constant + MASK_LO] !== 0) return true;
  const x = w[constant + VALUE_LO]!;
  const low = w[o + U32_MIN] === x;
  const high = w[o + U32_MAX] === x;
  if (low && high) return false;
  if (low) w[o + U32_MIN] = x + 1;
  if (high) w[o + U32_MAX] = x - 1;
  const signedLow = w[o + S32_MIN] === x;
  const signedHigh = w[o + S32_MAX] === x;
  if (signedLow && signedHigh) return false;
  if (signedLow) w[o + S32_MIN] = x + 1;
  if (signedHigh) w[o + S32_MAX] = x - 1;
  return true;
}

/** a & b ≠ 0, upper halves under `high`: the only bit that both may have is one in both. */
function shareBit(w: Int32Array, a: number, b: number, high: number): boolean {
  if (asLinux) return setOnlyBit(w, a, b, high) || setOnlyBit(w, b, a, high) || true;
  const lo = maybeLo(w, a) & maybeLo(w, b);
  const hi = maybeHi(w, a) & maybeHi(w, b) & high;
  if ((lo | hi) === 0) return false;
  if ((lo !== 0 && hi !== 0) || (lo & (lo - 1)) !== 0 || (hi & (hi - 1)) !== 0) return true;
  setOnes(w, a, lo, hi);
  setOnes(w, b, lo, hi);
  return true;
}

/** Linux learns something where one side is a constant of one bit. */
function setOnlyBit(w: Int32Array, o: number, constant: number, high: number): boolean {
  if (((w[constant + MASK_HI]! & high) | w[constant + MASK_LO]!) !== 0) return false;
  const lo = w[constant + VALUE_LO]!;
  const hi = w[constant + VALUE_HI]! & high;
  const isOneBit = (lo === 0 || hi === 0) && (lo & (lo - 1)) === 0 && (hi & (hi - 1)) === 0;
  if (isOneBit) setOnes(w, o, lo, hi);
  return true;
}

function setOnes(w: Int32Array, o: number, lo: number, hi: number): void {
  w[o + VALUE_LO] = w[o + VALUE_LO]! | lo;
  w[o + VALUE_HI] = w[o + VALUE_HI]! | hi;
  w[o + MASK_LO] = w[o + MASK_LO]! & ~lo;
  w[o + MASK_HI] = w[o + MASK_HI]! & ~hi;
}

/** Linux clears the bits of a constant, and forgets the ranges before. */
function clearOnly(w: Int32Array, o: number, constant: number, high: number): boolean {
  if (((w[constant + MASK_HI]! & high) | w[constant + MASK_LO]!) !== 0) return false;
  const lo = w[constant + VALUE_LO]!;
  const hi = w[constant + VALUE_HI]! & high;
  clearUnsigned(w, o);
  clearSigned(w, o);
  clearLow(w, o);
  w[o + VALUE_LO]! &= ~lo;
  w[o + VALUE_HI]! &= ~hi;
  w[o + MASK_LO]! &= ~lo;
  w[o + MASK_HI]! &= ~hi;
  return true;
}

/** a & b = 0, upper halves under `high`; with a = b the value itself is 0 there. */
function disjoin(w: Int32Array, a: number, b: number, high: number): boolean {
  if (asLinux) return clearOnly(w, a, b, high) || clearOnly(w, b, a, high) || true;
  if ((w[a + VALUE_LO]! & w[b + VALUE_LO]!) !== 0) return false;
  if ((w[a + VALUE_HI]! & w[b + VALUE_HI]! & high) !== 0) return false;
  if (a === b) {
    w[a + MASK_LO] = 0;
    w[a + MASK_HI] = w[a + MASK_HI]! & ~high;
    return true;
  }
  const aLo = w[a + VALUE_LO]!;
  const aHi = w[a + VALUE_HI]!;
  w[a + MASK_LO] = w[a + MASK_LO]! & ~w[b + VALUE_LO]!;
  w[a + MASK_HI] = w[a + MASK_HI]! & ~(w[b + VALUE_HI]! & high);
  w[b + MASK_LO] = w[b + MASK_LO]! & ~aLo;
  w[b + MASK_HI] = w[b + MASK_HI]! & ~(aHi & high);
  return true;
}

/** Unsigned a ≤ b. */
function assumeAtMost(w: Int32Array, a: number, b: number): boolean {
  lowerUnsigned(w, a, w[b + UMAX_LO]!, w[b + UMAX_HI]!);
  raiseUnsigned(w, b, w[a + UMIN_LO]!, w[a + UMIN_HI]!);
  return true;
}

/** Unsigned a < b. */
function assumeLess(w: Int32Array, a: number, b: number): boolean {
  const maxLo = w[b + UMAX_LO]!;
  const maxHi = w[b + UMAX_HI]!;
  const minLo = w[a + UMIN_LO]!;
  const minHi = w[a + UMIN_HI]!;
  if ((maxLo | maxHi) === 0 || (minLo & minHi) === -1) return false;
  lowerUnsigned(w, a, (maxLo - 1) | 0, (maxHi - (maxLo === 0 ? 1 : 0)) | 0);
  raiseUnsigned(w, b, (minLo + 1) | 0, (minHi + (minLo === -1 ? 1 : 0)) | 0);
  return true;
}

/** Signed a ≤ b. */
function assumeSignedAtMost(w: Int32Array, a: number, b: number): boolean {
  lowerSigned(w, a, w[b + SMAX_LO]!, w[b + SMAX_HI]!);
  raiseSigned(w, b, w[a + SMIN_LO]!, w[a + SMIN_HI]!);
  return true;
}

/** Signed a < b. */
function assumeSignedLess(w: Int32Array, a: number, b: number): boolean {
  const maxLo = w[b + SMAX_LO]!;
  const maxHi = w[b + SMAX_HI]!;
  const minLo = w[a + SMIN_LO]!;
  const minHi = w[a + SMIN_HI]!;
  if (maxLo === 0 && maxHi === INT32_MIN) return false;
  if (minLo === -1 && minHi === INT32_MAX) return false;
  lowerSigned(w, a, (maxLo - 1) | 0, (maxHi - (maxLo === 0 ? 1 : 0)) | 0);
  raiseSigned(w, b, (minLo + 1) | 0, (minHi + (minLo === -1 ? 1 : 0)) | 0);
  return true;
}

function assumeAtMostLow(w: Int32Array, a: number, b: number): boolean {
  if (w[b + U32_MAX]! >>> 0 < w[a + U32_MAX]! >>> 0) w[a + U32_MAX] = w[b + U32_MAX]!;
  if (w[a + U32_MIN]! >>> 0 > w[b + U32_MIN]! >>> 0) w[b + U32_MIN] = w[a + U32_MIN]!;
  return true;
}

function assumeLessLow(w: Int32Array, a: number, b: number): boolean {
  const max = w[b + U32_MAX]! >>> 0;
  const min = w[a + U32_MIN]! >>> 0;
  if (max === 0 || min === UINT32_MAX) return false;
  if (max - 1 < w[a + U32_MAX]! >>> 0) w[a + U32_MAX] = max - 1;
  if (min + 1 > w[b + U32_MIN]! >>> 0) w[b + U32_MIN] = min + 1;
  return true;
}

function assumeSignedAtMostLow(w: Int32Array, a: number, b: number): boolean {
  if (w[b + S32_MAX]! < w[a + S32_MAX]!) w[a + S32_MAX] = w[b + S32_MAX]!;
  if (w[a + S32_MIN]! > w[b + S32_MIN]!) w[b + S32_MIN] = w[a + S32_MIN]!;
  return true;
}

function assumeSignedLessLow(w: Int32Array, a: number, b: number): boolean {
  const max = w[b + S32_MAX]!;
  const min = w[a + S32_MIN]!;
  if (max === INT32_MIN || min === INT32_MAX) return false;
  if (max - 1 < w[a + S32_MAX]!) w[a + S32_MAX] = max - 1;
  if (min + 1 > w[b + S32_MIN]!) w[b + S32_MIN] = min + 1;
  return true;
}
