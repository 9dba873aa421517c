/**
 * Multiplication.
 *
 * Known bits: long multiplication over the bits of one operand. The accumulator covers every partial
 * product so far; a bit known to be one adds the shifted other operand, an unknown bit may or may
 * not, so the accumulator is joined with the sum. Induction over the bits shows the cover; that the
 * other operand is the same number in each step is forgotten, which only loses precision.
 * Ranges: a product of intervals lies between its corner products, exact while those fit the width.
 */
import { addBits } from './arithmetic.ts';
import {
  clearSigned,
  clearUnsigned,
  INT32_MAX,
  INT32_MIN,
  lessSigned,
  MASK_HI,
  MASK_LO,
  S32_MAX,
  S32_MIN,
  SCALAR_WORDS,
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

/** Upper word of the 64-bit product of two unsigned words, by 16-bit digits. */
function productHigh(x: number, y: number): number {
  const x0 = x & 0xffff;
  const x1 = x >>> 16;
  const y0 = y & 0xffff;
  const y1 = y >>> 16;
  const first = x1 * y0 + ((x0 * y0) >>> 16);
  const second = x0 * y1 + (first & 0xffff);
  return x1 * y1 + (first >>> 16) + (second >>> 16);
}

/** The latest full product, four words, lowest first. */
const P = new Int32Array(4);

/** P := the 128-bit product of two unsigned 64-bit numbers. */
function multiplyUnsigned(aLo: number, aHi: number, bLo: number, bHi: number): void {
  const cross1 = (Math.imul(aLo, bHi) >>> 0) + (Math.imul(aHi, bLo) >>> 0);
  const word1 = productHigh(aLo, bLo) + cross1;
  const word2 =
    productHigh(aLo, bHi) +
    productHigh(aHi, bLo) +
    (Math.imul(aHi, bHi) >>> 0) +
    Math.floor(word1 / TWO_32);
  P[0] = Math.imul(aLo, bLo);
  P[1] = word1 | 0;
  P[2] = word2 | 0;
  P[3] = (productHigh(aHi, bHi) + Math.floor(word2 / TWO_32)) | 0;
}

/** P[0..1] := the product of two signed numbers; false when it does not fit 64 bits. */
function multiplySigned(aLo: number, aHi: number, bLo: number, bHi: number): boolean {
  multiplyUnsigned(aLo, aHi, bLo, bHi);
  // A negative operand was read as itself plus 2^64: take the other off the upper half again.
  let hi0 = P[2]! >>> 0;
  let hi1 = P[3]! >>> 0;
  if (aHi < 0) {
    hi0 -= bLo >>> 0;
    hi1 -= bHi >>> 0;
  }
  if (bHi < 0) {
    hi0 -= aLo >>> 0;
    hi1 -= aHi >>> 0;
  }
  hi1 += Math.floor(hi0 / TWO_32);
  const sign = P[1]! >> 31;
  return (hi0 | 0) === sign && (hi1 | 0) === sign;
}

function multiplyUnsignedRange(w: Int32Array, out: number, a: number, b: number): void {
  multiplyUnsigned(w[a + UMIN_LO]!, w[a + UMIN_HI]!, w[b + UMIN_LO]!, w[b + UMIN_HI]!);
  const minLo = P[0]!;
  const minHi = P[1]!;
  multiplyUnsigned(w[a + UMAX_LO]!, w[a + UMAX_HI]!, w[b + UMAX_LO]!, w[b + UMAX_HI]!);
  if ((P[2]! | P[3]!) !== 0) {
    clearUnsigned(w, out);
    return;
  }
  w[out + UMIN_LO] = minLo;
  w[out + UMIN_HI] = minHi;
  w[out + UMAX_LO] = P[0]!;
  w[out + UMAX_HI] = P[1]!;
}

/** The signed range of `a` and of `b`, as pairs at words 0, 2 and 4, 6. */
const ENDS = new Int32Array(8);

function multiplySignedRange(w: Int32Array, out: number, a: number, b: number): void {
  for (let i = 0; i < 4; i++) {
    ENDS[i] = w[a + SMIN_LO + i]!;
    ENDS[4 + i] = w[b + SMIN_LO + i]!;
  }
  w[out + SMIN_LO] = -1;
  w[out + SMIN_HI] = INT32_MAX;
  w[out + SMAX_LO] = 0;
  w[out + SMAX_HI] = INT32_MIN;
  for (let x = 0; x < 4; x += 2) {
    for (let y = 4; y < 8; y += 2) {
      if (!multiplySigned(ENDS[x]!, ENDS[x + 1]!, ENDS[y]!, ENDS[y + 1]!)) {
        clearSigned(w, out);
        return;
      }
      includeSigned(w, out, P[0]!, P[1]!);
    }
  }
}

/** Extends the signed range to a number. */
export function includeSigned(w: Int32Array, out: number, lo: number, hi: number): void {
  if (lessSigned(lo, hi, w[out + SMIN_LO]!, w[out + SMIN_HI]!)) {
    w[out + SMIN_LO] = lo;
    w[out + SMIN_HI] = hi;
  }
  if (lessSigned(w[out + SMAX_LO]!, w[out + SMAX_HI]!, lo, hi)) {
    w[out + SMAX_LO] = lo;
    w[out + SMAX_HI] = hi;
  }
}

/** A product that is too large for exact doubles is far too large for 32 bits. */
function multiplyLow(w: Int32Array, out: number, a: number, b: number): void {
  const umin = (w[a + U32_MIN]! >>> 0) * (w[b + U32_MIN]! >>> 0);
  const umax = (w[a + U32_MAX]! >>> 0) * (w[b + U32_MAX]! >>> 0);
  const c0 = w[a + S32_MIN]! * w[b + S32_MIN]!;
  const c1 = w[a + S32_MIN]! * w[b + S32_MAX]!;
  const c2 = w[a + S32_MAX]! * w[b + S32_MIN]!;
  const c3 = w[a + S32_MAX]! * w[b + S32_MAX]!;
  const smin = Math.min(c0, c1, c2, c3);
  const smax = Math.max(c0, c1, c2, c3);
  const unsignedFits = umax <= UINT32_MAX;
  const signedFits = smin >= INT32_MIN && smax <= INT32_MAX;
  w[out + U32_MIN] = unsignedFits ? umin : 0;
  w[out + U32_MAX] = unsignedFits ? umax : -1;
  w[out + S32_MIN] = signedFits ? smin : INT32_MIN;
  w[out + S32_MAX] = signedFits ? smax : INT32_MAX;
}

/** Known bits only: the accumulator, the shifted operand, and their sum. */
const X = new Int32Array(3 * SCALAR_WORDS);
const ADDEND = SCALAR_WORDS;
const SUM = 2 * SCALAR_WORDS;

function doubleAddend(): void {
  for (let i = ADDEND; i < ADDEND + 4; i += 2) {
    const lo = X[i]!;
    X[i + 1] = (X[i + 1]! << 1) | (lo >>> 31);
    X[i] = lo << 1;
  }
}

/** Accumulator := the sum, or what the sum and the accumulator agree on. */
function accumulate(certain: boolean): void {
  addBits(X, SUM, 0, ADDEND);
  if (!certain) {
    X[SUM + MASK_LO] = X[SUM + MASK_LO]! | X[MASK_LO]! | (X[SUM + VALUE_LO]! ^ X[VALUE_LO]!);
    X[SUM + MASK_HI] = X[SUM + MASK_HI]! | X[MASK_HI]! | (X[SUM + VALUE_HI]! ^ X[VALUE_HI]!);
    X[SUM + VALUE_LO] = X[SUM + VALUE_LO]! & ~X[SUM + MASK_LO]!;
    X[SUM + VALUE_HI] = X[SUM + VALUE_HI]! & ~X[SUM + MASK_HI]!;
  }
  for (let i = 0; i < 4; i++) X[i] = X[SUM + i]!;
}

function unknownBits(w: Int32Array, o: number): number {
  return popCount(w[o + MASK_LO]!) + popCount(w[o + MASK_HI]!);
}

function popCount(x: number): number {
  const pairs = x - ((x >>> 1) & 0x55555555);
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

function multiplyBits(w: Int32Array, out: number, a: number, b: number): void {
  const swap = unknownBits(w, b) < unknownBits(w, a);
  const multiplier = swap ? b : a;
  const multiplicand = swap ? a : b;
  for (let i = 0; i < 4; i++) {
    X[i] = 0;
    X[ADDEND + i] = w[multiplicand + i]!;
  }
  for (let half = 0; half < 2; half++) {
    const value = w[multiplier + VALUE_LO + half]!;
    const maybe = value | w[multiplier + MASK_LO + half]!;
    for (let bit = 0; bit < 32; bit++) {
      if (((maybe >>> bit) & 1) === 1) accumulate(((value >>> bit) & 1) === 1);
      doubleAddend();
    }
  }
  for (let i = 0; i < 4; i++) w[out + i] = X[i]!;
}

/** a * b, unrefined. */
export function multiplyWhole(w: Int32Array, out: number, a: number, b: number): void {
  multiplyUnsignedRange(w, out, a, b);
  multiplySignedRange(w, out, a, b);
  multiplyLow(w, out, a, b);
  multiplyBits(w, out, a, b);
}
