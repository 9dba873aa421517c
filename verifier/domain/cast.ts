/**
 * Changes of width: truncation, zero and sign extension, byte order.
 *
 * Truncation to 32 bits keeps the knowledge of the low half and nothing else. Cut to fewer bits, a
 * run [min, max] of at most 2^bits numbers stays a run, and is a range when it does not wrap, that
 * is when the cut ends are still in order. Known bits always survive. Sign extension keeps the
 * signed order of the narrow number.
 */
import { asLinux } from './measure.ts';
import { isConstant, isConstantLow } from './query.ts';
import { extendLow, refine } from './refine.ts';
import { zeroExtendAsLinux } from './refine-linux.ts';
import { setBytes, setSignedBytes, setSignedRange, setUnknown } from './scalar.ts';
import {
  clearUnsigned,
  MASK_HI,
  MASK_LO,
  S32_MAX,
  S32_MIN,
  SMAX_HI,
  SMAX_LO,
  SMIN_HI,
  SMIN_LO,
  U32_MAX,
  U32_MIN,
  VALUE_HI,
  VALUE_LO,
} from './words.ts';

/** Value := its low 32 bits, zero-extended. Expects a refined low half. */
export function truncate32(w: Int32Array, o: number): void {
  if (!asLinux) extendLow(w, o);
  else if (!zeroExtendAsLinux(w, o)) setBytes(w, o, 4);
}

/** Value := its low 32 bits, sign-extended. */
export function signExtend32(w: Int32Array, o: number): void {
  const smin = w[o + S32_MIN]!;
  const smax = w[o + S32_MAX]!;
  w[o + VALUE_HI] = w[o + VALUE_LO]! >> 31;
  w[o + MASK_HI] = w[o + MASK_LO]! >> 31;
  w[o + SMIN_LO] = smin;
  w[o + SMIN_HI] = smin >> 31;
  w[o + SMAX_LO] = smax;
  w[o + SMAX_HI] = smax >> 31;
  clearUnsigned(w, o);
  refine(w, o);
}

/** Low half := its low `bits` (8 or 16) bits, zero-extended; upper half := 0. */
function truncateShort(w: Int32Array, o: number, bits: number): void {
  const cut = (1 << bits) - 1;
  const min = w[o + U32_MIN]!;
  const max = w[o + U32_MAX]!;
  const unsignedFits = (max >>> 0) - (min >>> 0) <= cut && (min & cut) <= (max & cut);
  const signedMin = w[o + S32_MIN]!;
  const signedMax = w[o + S32_MAX]!;
  const signedFits = signedMax - signedMin <= cut && (signedMin & cut) <= (signedMax & cut);
  w[o + VALUE_LO] = w[o + VALUE_LO]! & cut;
  w[o + MASK_LO] = w[o + MASK_LO]! & cut;
  w[o + U32_MIN] = unsignedFits ? min & cut : signedFits ? signedMin & cut : 0;
  w[o + U32_MAX] = unsignedFits ? max & cut : signedFits ? signedMax & cut : cut;
  w[o + S32_MIN] = 0;
  w[o + S32_MAX] = cut;
  extendLow(w, o);
  refine(w, o);
}

/** Value := its low `sizeBytes` bytes, zero-extended: what a narrower fill reads back. */
export function shrinkToBytes(w: Int32Array, o: number, sizeBytes: number): void {
  if (sizeBytes === 8) return;
  if (sizeBytes === 4) truncate32(w, o);
  else truncateShort(w, o, 8 * sizeBytes);
}

/** Value := its low `sizeBytes` bytes, sign-extended. */
export function signExtendBytes(w: Int32Array, o: number, sizeBytes: number): void {
  if (sizeBytes === 8) return;
  if (asLinux && !isConstant(w, o)) {
    const hasOneTop = w[o + SMIN_HI] === w[o + SMAX_HI];
    signExtendAsLinux(w, o, sizeBytes, hasOneTop, w[o + SMIN_LO]!, w[o + SMAX_LO]!);
    return;
  }
  if (sizeBytes !== 4) signExtendShort(w, o, 32 - 8 * sizeBytes);
  signExtend32(w, o);
}

/** Value := its low `sizeBytes` bytes, sign-extended to 32 bits, zero-extended. */
export function signExtendBytes32(w: Int32Array, o: number, sizeBytes: number): void {
  if (asLinux && !isConstantLow(w, o)) {
    signExtendAsLinux(w, o, sizeBytes, true, w[o + S32_MIN]!, w[o + S32_MAX]!);
  } else signExtendBytes(w, o, sizeBytes);
  truncate32(w, o);
}

/**
 * Linux extends the ends of the signed range, where nothing lies between them but numbers of one
 * sign, and else forgets everything, known bits included.
 */
function signExtendAsLinux(
  w: Int32Array,
  o: number,
  sizeBytes: number,
  isShort: boolean,
  minLo: number,
  maxLo: number,
): void {
  const lost = 32 - 8 * sizeBytes;
  const hasOneTop = isShort && (lost === 0 || minLo >> (32 - lost) === maxLo >> (32 - lost));
  const a = (minLo << lost) >> lost;
  const b = (maxLo << lost) >> lost;
  if (!hasOneTop || a < 0 !== b < 0) {
    setSignedBytes(w, o, sizeBytes);
    return;
  }
  const [min, max] = a < b ? [a, b] : [b, a];
  setSignedRange(w, o, min, min >> 31, max, max >> 31);
}

/** Low half := its low 32 - `lost` bits, sign-extended to 32. */
function signExtendShort(w: Int32Array, o: number, lost: number): void {
  const min = w[o + S32_MIN]!;
  const max = w[o + S32_MAX]!;
  const cutMin = (min << lost) >> lost;
  const cutMax = (max << lost) >> lost;
  const limit = 0x7fffffff >> lost;
  const fits = max - min <= 2 * limit + 1 && cutMin <= cutMax;
  w[o + VALUE_LO] = (w[o + VALUE_LO]! << lost) >> lost;
  w[o + MASK_LO] = (w[o + MASK_LO]! << lost) >> lost;
  w[o + S32_MIN] = fits ? cutMin : ~limit;
  w[o + S32_MAX] = fits ? cutMax : limit;
  w[o + U32_MIN] = 0;
  w[o + U32_MAX] = -1;
}

/** The bytes of a word in the other order. */
export function swapWord(x: number): number {
  return (x << 24) | ((x & 0xff00) << 8) | ((x >>> 8) & 0xff00) | (x >>> 24) | 0;
}

/** Value := its low `sizeBytes` bytes in the other order, zero-extended. Only bits survive. */
export function swapBytes(w: Int32Array, o: number, sizeBytes: number): void {
  const valueLo = swapWord(w[o + VALUE_LO]!);
  const maskLo = swapWord(w[o + MASK_LO]!);
  const valueHi = swapWord(w[o + VALUE_HI]!);
  const maskHi = swapWord(w[o + MASK_HI]!);
  setUnknown(w, o);
  if (sizeBytes === 8) {
    w[o + VALUE_LO] = valueHi;
    w[o + MASK_LO] = maskHi;
    w[o + VALUE_HI] = valueLo;
    w[o + MASK_HI] = maskLo;
  } else {
    const unused = 32 - 8 * sizeBytes;
    w[o + VALUE_LO] = valueLo >>> unused;
    w[o + MASK_LO] = maskLo >>> unused;
    w[o + VALUE_HI] = 0;
    w[o + MASK_HI] = 0;
  }
  refine(w, o);
}
