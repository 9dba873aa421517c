/**
 * Division and remainder. RFC 9669 section 4.1: x / 0 = 0, x % 0 = x, and the signed forms truncate
 * towards zero with the least number divided by -1 wrapping to itself (remainder 0).
 *
 * Unsigned quotients rise with the dividend and fall with the divisor, so the corners bound them.
 * Signed ones do so for divisors of one sign; the divisor is split at zero and the parts joined.
 * A remainder has the dividend's sign, is no farther from zero than it, and is smaller in magnitude
 * than the divisor. When every divisor is a multiple of 2^t the remainder's low t bits are the
 * dividend's, since they differ by a multiple of the divisor; with divisor 0 it is the dividend.
 * Results are unrefined, in 64 bits; 32-bit forms extend their operands first.
 */
import { includeSigned } from './multiply.ts';
import { alignment, isConstant } from './query.ts';
import { contains, copy, setConstant, setUnknown } from './scalar.ts';
import { rightByConstant } from './shift.ts';
import {
  INT32_MAX,
  INT32_MIN,
  lessSigned,
  lessUnsigned,
  MASK_HI,
  MASK_LO,
  SMAX_HI,
  SMAX_LO,
  SMIN_HI,
  SMIN_LO,
  UMAX_HI,
  UMAX_LO,
  UMIN_HI,
  UMIN_LO,
  VALUE_HI,
  VALUE_LO,
} from './words.ts';

/** The latest quotient (words 0, 1) and remainder (2, 3). */
const Q = new Int32Array(4);

/** Q := unsigned quotient and remainder; the divisor is not 0. School division, bit by bit. */
function divideUnsigned(nLo: number, nHi: number, dLo: number, dHi: number): void {
  if (nHi === 0 && dHi === 0) {
    Q[0] = Math.floor((nLo >>> 0) / (dLo >>> 0));
    Q[1] = 0;
    Q[2] = (nLo >>> 0) % (dLo >>> 0);
    Q[3] = 0;
    return;
  }
  let qLo = nLo;
  let qHi = nHi;
  let rLo = 0;
  let rHi = 0;
  for (let i = 0; i < 64; i++) {
    const over = rHi < 0;
    rHi = (rHi << 1) | (rLo >>> 31);
    rLo = (rLo << 1) | (qHi >>> 31);
    qHi = (qHi << 1) | (qLo >>> 31);
    qLo = qLo << 1;
    if (over || !lessUnsigned(rLo, rHi, dLo, dHi)) {
      rHi = (rHi - dHi - (rLo >>> 0 < dLo >>> 0 ? 1 : 0)) | 0;
      rLo = (rLo - dLo) | 0;
      qLo |= 1;
    }
  }
  Q[0] = qLo;
  Q[1] = qHi;
  Q[2] = rLo;
  Q[3] = rHi;
}

const negateHi = (lo: number, hi: number) => (lo === 0 ? -hi | 0 : ~hi);

/** Q[0..1] := signed quotient, truncated towards zero. */
function divideSigned(nLo: number, nHi: number, dLo: number, dHi: number): void {
  const n = nHi < 0 ? -1 : 0;
  const d = dHi < 0 ? -1 : 0;
  divideUnsigned(
    n < 0 ? -nLo | 0 : nLo,
    n < 0 ? negateHi(nLo, nHi) : nHi,
    d < 0 ? -dLo | 0 : dLo,
    d < 0 ? negateHi(dLo, dHi) : dHi,
  );
  if (n === d) return;
  const hi = negateHi(Q[0]!, Q[1]!);
  Q[0] = -Q[0]! | 0;
  Q[1] = hi;
}

/** k when every value is 2^k, else -1. */
function powerOfTwo(w: Int32Array, o: number): number {
  if (!isConstant(w, o)) return -1;
  const lo = w[o + VALUE_LO]!;
  const hi = w[o + VALUE_HI]!;
  const single = (lo === 0 || hi === 0) && ((lo & (lo - 1)) | (hi & (hi - 1))) === 0;
  const k = alignment(w, o);
  return single && k < 64 ? k : -1;
}

/** a / b; `out` differs from both. */
export function divideWhole(w: Int32Array, out: number, a: number, b: number): void {
  const shift = powerOfTwo(w, b);
  if (shift >= 0) {
    rightByConstant(w, out, a, shift);
    return;
  }
  setUnknown(w, out);
  const zeroLow = (w[b + UMIN_LO]! | w[b + UMIN_HI]!) === 0;
  if ((w[b + UMAX_LO]! | w[b + UMAX_HI]!) === 0) {
    setConstant(w, out, 0, 0);
    return;
  }
  divideUnsigned(
    w[a + UMAX_LO]!,
    w[a + UMAX_HI]!,
    zeroLow ? 1 : w[b + UMIN_LO]!,
    zeroLow ? 0 : w[b + UMIN_HI]!,
  );
  w[out + UMAX_LO] = Q[0]!;
  w[out + UMAX_HI] = Q[1]!;
  if (zeroLow) return;
  divideUnsigned(w[a + UMIN_LO]!, w[a + UMIN_HI]!, w[b + UMAX_LO]!, w[b + UMAX_HI]!);
  w[out + UMIN_LO] = Q[0]!;
  w[out + UMIN_HI] = Q[1]!;
}

/** Low bits := the dividend's, as many as every divisor has zeros. */
function keepLowBits(w: Int32Array, out: number, a: number, b: number): void {
  const count = alignment(w, b);
  const keepLo = count === 0 ? 0 : count >= 32 ? -1 : -1 >>> (32 - count);
  const keepHi = count <= 32 ? 0 : count >= 64 ? -1 : -1 >>> (64 - count);
  w[out + VALUE_LO] = w[a + VALUE_LO]! & keepLo;
  w[out + VALUE_HI] = w[a + VALUE_HI]! & keepHi;
  w[out + MASK_LO] = w[a + MASK_LO]! | ~keepLo;
  w[out + MASK_HI] = w[a + MASK_HI]! | ~keepHi;
}

/** a % b; `out` differs from both. */
export function remainderWhole(w: Int32Array, out: number, a: number, b: number): void {
  const maxLo = w[b + UMAX_LO]!;
  const maxHi = w[b + UMAX_HI]!;
  const mayBeZero = contains(w, b, 0, 0);
  const isZero = (maxLo | maxHi) === 0;
  if (isZero || lessUnsigned(w[a + UMAX_LO]!, w[a + UMAX_HI]!, w[b + UMIN_LO]!, w[b + UMIN_HI]!)) {
    copy(w, a, w, out);
    return;
  }
  setUnknown(w, out);
  keepLowBits(w, out, a, b);
  w[out + UMAX_LO] = w[a + UMAX_LO]!;
  w[out + UMAX_HI] = w[a + UMAX_HI]!;
  if (mayBeZero) return;
  if (lessUnsigned(maxLo, maxHi, w[a + UMAX_LO]!, w[a + UMAX_HI]!) || equalMaxima(w, a, b)) {
    w[out + UMAX_LO] = (maxLo - 1) | 0;
    w[out + UMAX_HI] = (maxHi - (maxLo === 0 ? 1 : 0)) | 0;
  }
  if (isConstant(w, b)) remainderOfRun(w, out, a, w[b + VALUE_LO]!, w[b + VALUE_HI]!);
}

function equalMaxima(w: Int32Array, a: number, b: number): boolean {
  return w[a + UMAX_LO] === w[b + UMAX_LO] && w[a + UMAX_HI] === w[b + UMAX_HI];
}

/** A constant divisor that goes equally often into both ends leaves the range in order. */
function remainderOfRun(w: Int32Array, out: number, a: number, dLo: number, dHi: number): void {
  divideUnsigned(w[a + UMIN_LO]!, w[a + UMIN_HI]!, dLo, dHi);
  const quotientLo = Q[0]!;
  const quotientHi = Q[1]!;
  const minLo = Q[2]!;
  const minHi = Q[3]!;
  divideUnsigned(w[a + UMAX_LO]!, w[a + UMAX_HI]!, dLo, dHi);
  if (Q[0] !== quotientLo || Q[1] !== quotientHi) return;
  w[out + UMIN_LO] = minLo;
  w[out + UMIN_HI] = minHi;
  w[out + UMAX_LO] = Q[2]!;
  w[out + UMAX_HI] = Q[3]!;
}

/** Extends the signed range of `out` to the quotients of a's ends by one divisor. */
function includeQuotients(w: Int32Array, out: number, a: number, dLo: number, dHi: number): void {
  divideSigned(w[a + SMIN_LO]!, w[a + SMIN_HI]!, dLo, dHi);
  includeSigned(w, out, Q[0]!, Q[1]!);
  divideSigned(w[a + SMAX_LO]!, w[a + SMAX_HI]!, dLo, dHi);
  includeSigned(w, out, Q[0]!, Q[1]!);
}

/** Signed a / b; `out` differs from both. */
export function divideSignedWhole(w: Int32Array, out: number, a: number, b: number): void {
  const bMinHi = w[b + SMIN_HI]!;
  const bMaxHi = w[b + SMAX_HI]!;
  setUnknown(w, out);
  const least = w[a + SMIN_LO] === 0 && w[a + SMIN_HI] === INT32_MIN;
  const passesMinusOne = bMinHi < 0 && !lessSigned(w[b + SMAX_LO]!, bMaxHi, -1, -1);
  if (least && passesMinusOne) return;
  w[out + SMIN_LO] = -1;
  w[out + SMIN_HI] = INT32_MAX;
  w[out + SMAX_LO] = 0;
  w[out + SMAX_HI] = INT32_MIN;
  if (contains(w, b, 0, 0)) includeSigned(w, out, 0, 0);
  if (bMinHi < 0) {
    includeQuotients(w, out, a, w[b + SMIN_LO]!, bMinHi);
    if (bMaxHi < 0) includeQuotients(w, out, a, w[b + SMAX_LO]!, bMaxHi);
    else includeQuotients(w, out, a, -1, -1);
  }
  if (bMaxHi > 0 || (bMaxHi === 0 && w[b + SMAX_LO] !== 0)) {
    includeQuotients(w, out, a, w[b + SMAX_LO]!, bMaxHi);
    const positive = bMinHi > 0 || (bMinHi === 0 && w[b + SMIN_LO] !== 0);
    if (positive) includeQuotients(w, out, a, w[b + SMIN_LO]!, bMinHi);
    else includeQuotients(w, out, a, 1, 0);
  }
}

/** The largest magnitude less one of b, as an unsigned pair in Q[0..1]; b is not the constant 0. */
function largestRemainder(w: Int32Array, b: number): void {
  // |min| - 1 = ~min for negative numbers, and max - 1 for positive ones.
  const minHi = w[b + SMIN_HI]!;
  const maxLo = w[b + SMAX_LO]!;
  const maxHi = w[b + SMAX_HI]!;
  const belowLo = (maxLo - 1) | 0;
  const belowHi = (maxHi + (maxLo === 0 ? -1 : 0)) | 0;
  const negLo = minHi < 0 ? ~w[b + SMIN_LO]! : 0;
  const negHi = minHi < 0 ? ~minHi : 0;
  const useMax = belowHi >= 0 && maxHi >= 0 && lessUnsigned(negLo, negHi, belowLo, belowHi);
  Q[0] = useMax ? belowLo : negLo;
  Q[1] = useMax ? belowHi : negHi;
}

/** Signed a % b; `out` differs from both. */
export function remainderSignedWhole(w: Int32Array, out: number, a: number, b: number): void {
  if ((w[b + UMAX_LO]! | w[b + UMAX_HI]!) === 0) {
    copy(w, a, w, out);
    return;
  }
  setUnknown(w, out);
  keepLowBits(w, out, a, b);
  if (w[a + SMIN_HI]! >= 0) {
    w[out + SMIN_LO] = 0;
    w[out + SMIN_HI] = 0;
  } else {
    w[out + SMIN_LO] = w[a + SMIN_LO]!;
    w[out + SMIN_HI] = w[a + SMIN_HI]!;
  }
  if (w[a + SMAX_HI]! < 0) {
    w[out + SMAX_LO] = 0;
    w[out + SMAX_HI] = 0;
  } else {
    w[out + SMAX_LO] = w[a + SMAX_LO]!;
    w[out + SMAX_HI] = w[a + SMAX_HI]!;
  }
  if (!contains(w, b, 0, 0)) boundRemainder(w, out, a, b);
}

/** Cuts the signed range to -most..most; a dividend nearer to zero than every divisor stays. */
function boundRemainder(w: Int32Array, out: number, a: number, b: number): void {
  largestRemainder(w, b);
  const mostLo = Q[0]!;
  const mostHi = Q[1]!;
  if (
    w[out + SMAX_HI]! >= 0 &&
    lessUnsigned(mostLo, mostHi, w[out + SMAX_LO]!, w[out + SMAX_HI]!)
  ) {
    w[out + SMAX_LO] = mostLo;
    w[out + SMAX_HI] = mostHi;
  }
  const leastLo = -mostLo | 0;
  const leastHi = negateHi(mostLo, mostHi);
  if (w[out + SMIN_HI]! < 0 && (mostLo | mostHi) === 0) {
    w[out + SMIN_LO] = 0;
    w[out + SMIN_HI] = 0;
  } else if (
    w[out + SMIN_HI]! < 0 &&
    lessUnsigned(w[out + SMIN_LO]!, w[out + SMIN_HI]!, leastLo, leastHi)
  ) {
    w[out + SMIN_LO] = leastLo;
    w[out + SMIN_HI] = leastHi;
  }
  if (staysBelow(w, a, b)) copy(w, a, w, out);
}

/** Whether both operands are non-negative and every dividend is less than every divisor. */
function staysBelow(w: Int32Array, a: number, b: number): boolean {
  return (
    w[a + SMIN_HI]! >= 0 &&
    w[b + SMIN_HI]! >= 0 &&
    lessUnsigned(w[a + SMAX_LO]!, w[a + SMAX_HI]!, w[b + SMIN_LO]!, w[b + SMIN_HI]!)
  );
}
