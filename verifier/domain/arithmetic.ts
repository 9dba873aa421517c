/**
 * Addition, subtraction, negation.
 *
 * Each part is computed from the same part of the operands, so that `out` may be an operand, and
 * `refine` brings them together at the end.
 *
 * Ranges: x + y over x in [a, A], y in [b, B] is the run of consecutive integers [a + b, A + B].
 * Cut to 64 bits it is a range of the number line again exactly when both ends wrap equally often:
 * then the range moves as a whole. Otherwise it passes an end of the line, and nothing is claimed.
 * Unsigned ends wrap zero times or once; signed ends wrap down, not at all, or up. Subtraction is
 * the same with [a - B, A - b].
 *
 * Known bits of a sum: let s = a + b be the sum of the known ones and s + m the sum when the unknown
 * bits are all ones. A carry into a position is unknown only where the two sums differ from what
 * the operand bits explain, so the unknown positions are (s + m) ^ s, and the unknown bits of the
 * operands themselves. For differences: the least and the greatest difference, a - (b + mb) and
 * (a + ma) - b, play those parts.
 */
import {
  borrow,
  carry,
  clearSigned,
  clearUnsigned,
  INT32_MAX,
  INT32_MIN,
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

/** How often a signed sum x + y left the 64-bit range: -1 (below), 0 or 1; from the sign words. */
function wraps(xHi: number, yHi: number, sumHi: number): number {
  return ((xHi ^ sumHi) & (yHi ^ sumHi)) < 0 ? (xHi < 0 ? -1 : 1) : 0;
}

/** The same for a difference x - y. */
function wrapsDown(xHi: number, yHi: number, differenceHi: number): number {
  return ((xHi ^ yHi) & (xHi ^ differenceHi)) < 0 ? (xHi < 0 ? -1 : 1) : 0;
}

export function addBits(w: Int32Array, out: number, a: number, b: number): void {
  const aMaskLo = w[a + MASK_LO]!;
  const bMaskLo = w[b + MASK_LO]!;
  const aMaskHi = w[a + MASK_HI]!;
  const bMaskHi = w[b + MASK_HI]!;
  const maskLo = (aMaskLo + bMaskLo) | 0;
  const maskHi = (aMaskHi + bMaskHi + carry(maskLo, aMaskLo)) | 0;
  const valueLo = (w[a + VALUE_LO]! + w[b + VALUE_LO]!) | 0;
  const valueHi = (w[a + VALUE_HI]! + w[b + VALUE_HI]! + carry(valueLo, w[a + VALUE_LO]!)) | 0;
  const allLo = (maskLo + valueLo) | 0;
  const allHi = (maskHi + valueHi + carry(allLo, maskLo)) | 0;
  const unknownLo = (allLo ^ valueLo) | aMaskLo | bMaskLo;
  const unknownHi = (allHi ^ valueHi) | aMaskHi | bMaskHi;
  w[out + VALUE_LO] = valueLo & ~unknownLo;
  w[out + VALUE_HI] = valueHi & ~unknownHi;
  w[out + MASK_LO] = unknownLo;
  w[out + MASK_HI] = unknownHi;
}

export function subtractBits(w: Int32Array, out: number, a: number, b: number): void {
  const aMaskLo = w[a + MASK_LO]!;
  const bMaskLo = w[b + MASK_LO]!;
  const aMaskHi = w[a + MASK_HI]!;
  const bMaskHi = w[b + MASK_HI]!;
  const valueLo = (w[a + VALUE_LO]! - w[b + VALUE_LO]!) | 0;
  const valueHi =
    (w[a + VALUE_HI]! - w[b + VALUE_HI]! - borrow(w[a + VALUE_LO]!, w[b + VALUE_LO]!)) | 0;
  const mostLo = (valueLo + aMaskLo) | 0;
  const mostHi = (valueHi + aMaskHi + carry(mostLo, valueLo)) | 0;
  const leastLo = (valueLo - bMaskLo) | 0;
  const leastHi = (valueHi - bMaskHi - borrow(valueLo, bMaskLo)) | 0;
  const unknownLo = (mostLo ^ leastLo) | aMaskLo | bMaskLo;
  const unknownHi = (mostHi ^ leastHi) | aMaskHi | bMaskHi;
  w[out + VALUE_LO] = valueLo & ~unknownLo;
  w[out + VALUE_HI] = valueHi & ~unknownHi;
  w[out + MASK_LO] = unknownLo;
  w[out + MASK_HI] = unknownHi;
}

export function addUnsigned(w: Int32Array, out: number, a: number, b: number): void {
  const aMinHi = w[a + UMIN_HI]! >>> 0;
  const aMaxHi = w[a + UMAX_HI]! >>> 0;
  const minLo = (w[a + UMIN_LO]! >>> 0) + (w[b + UMIN_LO]! >>> 0);
  const maxLo = (w[a + UMAX_LO]! >>> 0) + (w[b + UMAX_LO]! >>> 0);
  const minHi = aMinHi + (w[b + UMIN_HI]! >>> 0) + (minLo >= TWO_32 ? 1 : 0);
  const maxHi = aMaxHi + (w[b + UMAX_HI]! >>> 0) + (maxLo >= TWO_32 ? 1 : 0);
  if (maxHi >= TWO_32 && minHi < TWO_32) {
    clearUnsigned(w, out);
    return;
  }
  w[out + UMIN_LO] = minLo | 0;
  w[out + UMIN_HI] = minHi | 0;
  w[out + UMAX_LO] = maxLo | 0;
  w[out + UMAX_HI] = maxHi | 0;
}

export function subtractUnsigned(w: Int32Array, out: number, a: number, b: number): void {
  const minLo = (w[a + UMIN_LO]! >>> 0) - (w[b + UMAX_LO]! >>> 0);
  const maxLo = (w[a + UMAX_LO]! >>> 0) - (w[b + UMIN_LO]! >>> 0);
  const minHi = (w[a + UMIN_HI]! >>> 0) - (w[b + UMAX_HI]! >>> 0) - (minLo < 0 ? 1 : 0);
  const maxHi = (w[a + UMAX_HI]! >>> 0) - (w[b + UMIN_HI]! >>> 0) - (maxLo < 0 ? 1 : 0);
  if (minHi < 0 && maxHi >= 0) {
    clearUnsigned(w, out);
    return;
  }
  w[out + UMIN_LO] = minLo | 0;
  w[out + UMIN_HI] = minHi | 0;
  w[out + UMAX_LO] = maxLo | 0;
  w[out + UMAX_HI] = maxHi | 0;
}

export function addSigned(w: Int32Array, out: number, a: number, b: number): void {
  const aMinLo = w[a + SMIN_LO]!;
  const aMinHi = w[a + SMIN_HI]!;
  const aMaxLo = w[a + SMAX_LO]!;
  const aMaxHi = w[a + SMAX_HI]!;
  const bMinHi = w[b + SMIN_HI]!;
  const bMaxHi = w[b + SMAX_HI]!;
  const minLo = (aMinLo + w[b + SMIN_LO]!) | 0;
  const maxLo = (aMaxLo + w[b + SMAX_LO]!) | 0;
  const minHi = (aMinHi + bMinHi + carry(minLo, aMinLo)) | 0;
  const maxHi = (aMaxHi + bMaxHi + carry(maxLo, aMaxLo)) | 0;
  if (wraps(aMinHi, bMinHi, minHi) !== wraps(aMaxHi, bMaxHi, maxHi)) {
    clearSigned(w, out);
    return;
  }
  w[out + SMIN_LO] = minLo;
  w[out + SMIN_HI] = minHi;
  w[out + SMAX_LO] = maxLo;
  w[out + SMAX_HI] = maxHi;
}

export function subtractSigned(w: Int32Array, out: number, a: number, b: number): void {
  const aMinLo = w[a + SMIN_LO]!;
  const aMinHi = w[a + SMIN_HI]!;
  const aMaxLo = w[a + SMAX_LO]!;
  const aMaxHi = w[a + SMAX_HI]!;
  const bMinLo = w[b + SMIN_LO]!;
  const bMinHi = w[b + SMIN_HI]!;
  const bMaxLo = w[b + SMAX_LO]!;
  const bMaxHi = w[b + SMAX_HI]!;
  const minLo = (aMinLo - bMaxLo) | 0;
  const maxLo = (aMaxLo - bMinLo) | 0;
  const minHi = (aMinHi - bMaxHi - borrow(aMinLo, bMaxLo)) | 0;
  const maxHi = (aMaxHi - bMinHi - borrow(aMaxLo, bMinLo)) | 0;
  if (wrapsDown(aMinHi, bMaxHi, minHi) !== wrapsDown(aMaxHi, bMinHi, maxHi)) {
    clearSigned(w, out);
    return;
  }
  w[out + SMIN_LO] = minLo;
  w[out + SMIN_HI] = minHi;
  w[out + SMAX_LO] = maxLo;
  w[out + SMAX_HI] = maxHi;
}

/** Unsigned range of the low half := [min, max] cut to 32 bits, if both ends wrap equally often. */
function storeUnsigned32(w: Int32Array, out: number, min: number, max: number): void {
  const wrapsApart = min < 0 !== max < 0 || min < TWO_32 !== max < TWO_32;
  w[out + U32_MIN] = wrapsApart ? 0 : min | 0;
  w[out + U32_MAX] = wrapsApart ? -1 : max | 0;
}

/** The same for the signed range. */
function storeSigned32(w: Int32Array, out: number, min: number, max: number): void {
  const wrapsApart = min < INT32_MIN !== max < INT32_MIN || min > INT32_MAX !== max > INT32_MAX;
  w[out + S32_MIN] = wrapsApart ? INT32_MIN : min | 0;
  w[out + S32_MAX] = wrapsApart ? INT32_MAX : max | 0;
}

export function addLow(w: Int32Array, out: number, a: number, b: number): void {
  const umin = (w[a + U32_MIN]! >>> 0) + (w[b + U32_MIN]! >>> 0);
  const umax = (w[a + U32_MAX]! >>> 0) + (w[b + U32_MAX]! >>> 0);
  const smin = w[a + S32_MIN]! + w[b + S32_MIN]!;
  const smax = w[a + S32_MAX]! + w[b + S32_MAX]!;
  storeUnsigned32(w, out, umin, umax);
  storeSigned32(w, out, smin, smax);
}

export function subtractLow(w: Int32Array, out: number, a: number, b: number): void {
  const umin = (w[a + U32_MIN]! >>> 0) - (w[b + U32_MAX]! >>> 0);
  const umax = (w[a + U32_MAX]! >>> 0) - (w[b + U32_MIN]! >>> 0);
  const smin = w[a + S32_MIN]! - w[b + S32_MAX]!;
  const smax = w[a + S32_MAX]! - w[b + S32_MIN]!;
  storeUnsigned32(w, out, umin, umax);
  storeSigned32(w, out, smin, smax);
}

/** a + b in 64 bits; unrefined. */
export function addWhole(w: Int32Array, out: number, a: number, b: number): void {
  addBits(w, out, a, b);
  addUnsigned(w, out, a, b);
  addSigned(w, out, a, b);
  addLow(w, out, a, b);
}

/** a - b in 64 bits; unrefined. */
export function subtractWhole(w: Int32Array, out: number, a: number, b: number): void {
  subtractBits(w, out, a, b);
  subtractUnsigned(w, out, a, b);
  subtractSigned(w, out, a, b);
  subtractLow(w, out, a, b);
}
