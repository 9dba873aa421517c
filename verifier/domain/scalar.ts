/**
 * Making, comparing and combining abstract scalars: the lattice.
 *
 * `includes` is component-wise, hence sound (it may miss an inclusion that only the parts together
 * show, which refined scalars make rare). `join` keeps what both sides know: each bound of the
 * result bounds both, each known bit is known and equal in both, so γ covers the union. `meet`
 * intersects the constraints, which is γ's intersection exactly.
 */
import { extendLow, refine } from './refine.ts';
import {
  clearBits,
  clearLow,
  clearSigned,
  clearUnsigned,
  INT32_MAX,
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
  SCALAR_WORDS,
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

/** Any 64-bit value. */
export function setUnknown(w: Int32Array, o: number): void {
  clearBits(w, o);
  clearUnsigned(w, o);
  clearSigned(w, o);
  clearLow(w, o);
}

/** Exactly the value with these halves. */
export function setConstant(w: Int32Array, o: number, lo: number, hi: number): void {
  w[o + VALUE_LO] = w[o + UMIN_LO] = w[o + UMAX_LO] = w[o + SMIN_LO] = w[o + SMAX_LO] = lo;
  w[o + VALUE_HI] = w[o + UMIN_HI] = w[o + UMAX_HI] = w[o + SMIN_HI] = w[o + SMAX_HI] = hi;
  w[o + MASK_LO] = 0;
  w[o + MASK_HI] = 0;
  w[o + U32_MIN] = w[o + U32_MAX] = w[o + S32_MIN] = w[o + S32_MAX] = lo;
}

/** Unsigned min ≤ x ≤ max. The caller sees to min ≤ max. */
export function setUnsignedRange(
  w: Int32Array,
  o: number,
  minLo: number,
  minHi: number,
  maxLo: number,
  maxHi: number,
): void {
  setUnknown(w, o);
  w[o + UMIN_LO] = minLo;
  w[o + UMIN_HI] = minHi;
  w[o + UMAX_LO] = maxLo;
  w[o + UMAX_HI] = maxHi;
  refine(w, o);
}

/** Signed min ≤ x ≤ max. The caller sees to min ≤ max. */
export function setSignedRange(
  w: Int32Array,
  o: number,
  minLo: number,
  minHi: number,
  maxLo: number,
  maxHi: number,
): void {
  setUnknown(w, o);
  w[o + SMIN_LO] = minLo;
  w[o + SMIN_HI] = minHi;
  w[o + SMAX_LO] = maxLo;
  w[o + SMAX_HI] = maxHi;
  refine(w, o);
}

/** Known bits: x & ~mask = value & ~mask. */
export function setBits(
  w: Int32Array,
  o: number,
  valueLo: number,
  valueHi: number,
  maskLo: number,
  maskHi: number,
): void {
  setUnknown(w, o);
  w[o + VALUE_LO] = valueLo & ~maskLo;
  w[o + VALUE_HI] = valueHi & ~maskHi;
  w[o + MASK_LO] = maskLo;
  w[o + MASK_HI] = maskHi;
  refine(w, o);
}

/** Forgets all but the known bits, and what they say of the ranges. */
export function forgetRanges(w: Int32Array, o: number): void {
  clearUnsigned(w, o);
  clearSigned(w, o);
  clearLow(w, o);
  refine(w, o);
}

/** Any value that a zero-extending load of `sizeBytes` can yield. */
export function setBytes(w: Int32Array, o: number, sizeBytes: number): void {
  setUnknown(w, o);
  if (sizeBytes === 8) return;
  const max = sizeBytes === 4 ? -1 : (1 << (8 * sizeBytes)) - 1;
  w[o + VALUE_LO] = 0;
  w[o + MASK_LO] = max;
  w[o + U32_MAX] = max;
  if (sizeBytes < 4) {
    w[o + S32_MIN] = 0;
    w[o + S32_MAX] = max;
  }
  extendLow(w, o);
}

/** Any value that a sign-extending load of `sizeBytes` can yield. */
export function setSignedBytes(w: Int32Array, o: number, sizeBytes: number): void {
  setUnknown(w, o);
  if (sizeBytes === 8) return;
  const max = sizeBytes === 4 ? INT32_MAX : (1 << (8 * sizeBytes - 1)) - 1;
  w[o + SMIN_LO] = w[o + S32_MIN] = ~max;
  w[o + SMIN_HI] = -1;
  w[o + SMAX_LO] = w[o + S32_MAX] = max;
  w[o + SMAX_HI] = 0;
}

/** v[to] := w[from]. The two may be the same array. */
export function copy(w: Int32Array, from: number, v: Int32Array, to: number): void {
  for (let i = 0; i < SCALAR_WORDS; i++) v[to + i] = w[from + i]!;
}

/** Whether the two are word for word the same. */
export function equals(w: Int32Array, a: number, v: Int32Array, b: number): boolean {
  for (let i = 0; i < SCALAR_WORDS; i++) if (w[a + i] !== v[b + i]) return false;
  return true;
}

/** Whether every value of the second is proven to be one of the first. */
export function includes(w: Int32Array, a: number, v: Int32Array, b: number): boolean {
  const maskLo = w[a + MASK_LO]!;
  const maskHi = w[a + MASK_HI]!;
  if ((v[b + MASK_LO]! & ~maskLo) !== 0 || (v[b + MASK_HI]! & ~maskHi) !== 0) return false;
  if (((v[b + VALUE_LO]! ^ w[a + VALUE_LO]!) & ~maskLo) !== 0) return false;
  if (((v[b + VALUE_HI]! ^ w[a + VALUE_HI]!) & ~maskHi) !== 0) return false;
  return (
    !lessUnsigned(v[b + UMIN_LO]!, v[b + UMIN_HI]!, w[a + UMIN_LO]!, w[a + UMIN_HI]!) &&
    !lessUnsigned(w[a + UMAX_LO]!, w[a + UMAX_HI]!, v[b + UMAX_LO]!, v[b + UMAX_HI]!) &&
    !lessSigned(v[b + SMIN_LO]!, v[b + SMIN_HI]!, w[a + SMIN_LO]!, w[a + SMIN_HI]!) &&
    !lessSigned(w[a + SMAX_LO]!, w[a + SMAX_HI]!, v[b + SMAX_LO]!, v[b + SMAX_HI]!) &&
    w[a + U32_MIN]! >>> 0 <= v[b + U32_MIN]! >>> 0 &&
    w[a + U32_MAX]! >>> 0 >= v[b + U32_MAX]! >>> 0 &&
    w[a + S32_MIN]! <= v[b + S32_MIN]! &&
    w[a + S32_MAX]! >= v[b + S32_MAX]!
  );
}

/** Whether the concrete value with these halves is one of the scalar's. */
export function contains(w: Int32Array, o: number, lo: number, hi: number): boolean {
  if (((lo ^ w[o + VALUE_LO]!) & ~w[o + MASK_LO]!) !== 0) return false;
  if (((hi ^ w[o + VALUE_HI]!) & ~w[o + MASK_HI]!) !== 0) return false;
  return (
    !lessUnsigned(lo, hi, w[o + UMIN_LO]!, w[o + UMIN_HI]!) &&
    !lessUnsigned(w[o + UMAX_LO]!, w[o + UMAX_HI]!, lo, hi) &&
    !lessSigned(lo, hi, w[o + SMIN_LO]!, w[o + SMIN_HI]!) &&
    !lessSigned(w[o + SMAX_LO]!, w[o + SMAX_HI]!, lo, hi) &&
    lo >>> 0 >= w[o + U32_MIN]! >>> 0 &&
    lo >>> 0 <= w[o + U32_MAX]! >>> 0 &&
    (lo | 0) >= w[o + S32_MIN]! &&
    (lo | 0) <= w[o + S32_MAX]!
  );
}

/** w[out] := the least scalar (part by part) that covers both; `out` may be either operand. */
export function join(w: Int32Array, out: number, a: number, b: number): void {
  joinBits(w, out, a, b);
  joinUnsigned(w, out, a, b);
  joinSigned(w, out, a, b);
  const umin = Math.min(w[a + U32_MIN]! >>> 0, w[b + U32_MIN]! >>> 0);
  const umax = Math.max(w[a + U32_MAX]! >>> 0, w[b + U32_MAX]! >>> 0);
  const smin = Math.min(w[a + S32_MIN]!, w[b + S32_MIN]!);
  const smax = Math.max(w[a + S32_MAX]!, w[b + S32_MAX]!);
  w[out + U32_MIN] = umin;
  w[out + U32_MAX] = umax;
  w[out + S32_MIN] = smin;
  w[out + S32_MAX] = smax;
}

function joinBits(w: Int32Array, out: number, a: number, b: number): void {
  const aLo = w[a + VALUE_LO]!;
  const aHi = w[a + VALUE_HI]!;
  const maskLo = w[a + MASK_LO]! | w[b + MASK_LO]! | (aLo ^ w[b + VALUE_LO]!);
  const maskHi = w[a + MASK_HI]! | w[b + MASK_HI]! | (aHi ^ w[b + VALUE_HI]!);
  w[out + VALUE_LO] = aLo & ~maskLo;
  w[out + VALUE_HI] = aHi & ~maskHi;
  w[out + MASK_LO] = maskLo;
  w[out + MASK_HI] = maskHi;
}

function joinUnsigned(w: Int32Array, out: number, a: number, b: number): void {
  const low = lessUnsigned(w[b + UMIN_LO]!, w[b + UMIN_HI]!, w[a + UMIN_LO]!, w[a + UMIN_HI]!)
    ? b
    : a;
  const high = lessUnsigned(w[a + UMAX_LO]!, w[a + UMAX_HI]!, w[b + UMAX_LO]!, w[b + UMAX_HI]!)
    ? b
    : a;
  const minLo = w[low + UMIN_LO]!;
  const minHi = w[low + UMIN_HI]!;
  const maxLo = w[high + UMAX_LO]!;
  const maxHi = w[high + UMAX_HI]!;
  w[out + UMIN_LO] = minLo;
  w[out + UMIN_HI] = minHi;
  w[out + UMAX_LO] = maxLo;
  w[out + UMAX_HI] = maxHi;
}

function joinSigned(w: Int32Array, out: number, a: number, b: number): void {
  const low = lessSigned(w[b + SMIN_LO]!, w[b + SMIN_HI]!, w[a + SMIN_LO]!, w[a + SMIN_HI]!)
    ? b
    : a;
  const high = lessSigned(w[a + SMAX_LO]!, w[a + SMAX_HI]!, w[b + SMAX_LO]!, w[b + SMAX_HI]!)
    ? b
    : a;
  const minLo = w[low + SMIN_LO]!;
  const minHi = w[low + SMIN_HI]!;
  const maxLo = w[high + SMAX_LO]!;
  const maxHi = w[high + SMAX_HI]!;
  w[out + SMIN_LO] = minLo;
  w[out + SMIN_HI] = minHi;
  w[out + SMAX_LO] = maxLo;
  w[out + SMAX_HI] = maxHi;
}

/** Adds the constraints of `from` to `to`, unrefined; false when the known bits contradict. */
export function constrain(w: Int32Array, to: number, from: number): boolean {
  if (!constrainLowBits(w, to, from)) return false;
  const known = ~w[to + MASK_HI]! & ~w[from + MASK_HI]!;
  if (((w[to + VALUE_HI]! ^ w[from + VALUE_HI]!) & known) !== 0) return false;
  w[to + VALUE_HI] = w[to + VALUE_HI]! | w[from + VALUE_HI]!;
  w[to + MASK_HI] = w[to + MASK_HI]! & w[from + MASK_HI]!;
  raiseUnsigned(w, to, w[from + UMIN_LO]!, w[from + UMIN_HI]!);
  lowerUnsigned(w, to, w[from + UMAX_LO]!, w[from + UMAX_HI]!);
  raiseSigned(w, to, w[from + SMIN_LO]!, w[from + SMIN_HI]!);
  lowerSigned(w, to, w[from + SMAX_LO]!, w[from + SMAX_HI]!);
  narrowUnsigned32(w, to, w[from + U32_MIN]!, w[from + U32_MAX]!);
  narrowSigned32(w, to, w[from + S32_MIN]!, w[from + S32_MAX]!);
  return true;
}

function constrainLowBits(w: Int32Array, to: number, from: number): boolean {
  const known = ~w[to + MASK_LO]! & ~w[from + MASK_LO]!;
  if (((w[to + VALUE_LO]! ^ w[from + VALUE_LO]!) & known) !== 0) return false;
  w[to + VALUE_LO] = w[to + VALUE_LO]! | w[from + VALUE_LO]!;
  w[to + MASK_LO] = w[to + MASK_LO]! & w[from + MASK_LO]!;
  return true;
}

/** The same for the low halves alone. */
export function constrainLow(w: Int32Array, to: number, from: number): boolean {
  if (!constrainLowBits(w, to, from)) return false;
  narrowUnsigned32(w, to, w[from + U32_MIN]!, w[from + U32_MAX]!);
  narrowSigned32(w, to, w[from + S32_MIN]!, w[from + S32_MAX]!);
  return true;
}

const M = new Int32Array(SCALAR_WORDS * 2);

/** w[out] := what is in both; false (and `out` untouched) when nothing is. */
export function meet(w: Int32Array, out: number, a: number, b: number): boolean {
  copy(w, a, M, 0);
  copy(w, b, M, SCALAR_WORDS);
  if (!constrain(M, 0, SCALAR_WORDS) || !refine(M, 0)) return false;
  copy(M, 0, w, out);
  return true;
}
