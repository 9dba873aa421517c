/**
 * And, or, xor.
 *
 * Known bits are exact: a result bit is known when the operands' bits decide it. For the ranges,
 * with everything unsigned:
 *   x & y ≤ min(x, y);   x | y ≥ max(x, y);   and the bits bound the rest.
 * Signed: when both operands are sign extensions of their low k bits, so is the result, hence
 * -2^(k-1) ≤ result < 2^(k-1). `refine` derives everything else from the bits.
 * The low half is treated as a 32-bit number of its own, by the same rules.
 */
import { asLinux } from './measure.ts';
import { signedBits } from './query.ts';
import {
  clearSigned,
  INT32_MAX,
  INT32_MIN,
  lessUnsigned,
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
  UMAX_HI,
  UMAX_LO,
  UMIN_HI,
  UMIN_LO,
  VALUE_HI,
  VALUE_LO,
} from './words.ts';

/** Signed 64-bit range := numbers of `bits` bits. */
function storeSignedWidth(w: Int32Array, out: number, bits: number): void {
  const maxHi = bits > 32 ? INT32_MAX >>> (64 - bits) : 0;
  const maxLo = bits > 32 ? -1 : INT32_MAX >>> (32 - bits);
  w[out + SMIN_LO] = ~maxLo;
  w[out + SMIN_HI] = ~maxHi;
  w[out + SMAX_LO] = maxLo;
  w[out + SMAX_HI] = maxHi;
}

/** Signed 32-bit range := the smallest power-of-two range around both operands. */
function bitwiseSigned32(w: Int32Array, out: number, a: number, b: number): void {
  if (asLinux) {
    w[out + S32_MIN] = INT32_MIN;
    w[out + S32_MAX] = INT32_MAX;
    return;
  }
  const min = Math.min(w[a + S32_MIN]!, w[b + S32_MIN]!);
  const max = Math.max(w[a + S32_MAX]!, w[b + S32_MAX]!);
  const span = (min ^ (min >> 31)) | (max ^ (max >> 31));
  const limit = span === 0 ? 0 : -1 >>> Math.clz32(span);
  w[out + S32_MIN] = ~limit;
  w[out + S32_MAX] = limit;
}

function bitwiseSigned(w: Int32Array, out: number, a: number, b: number): void {
  if (asLinux) {
    clearSigned(w, out);
    return;
  }
  storeSignedWidth(w, out, Math.max(signedBits(w, a), signedBits(w, b)));
}

/** Unsigned ranges := [0, min of the maxima]. */
function storeMinimum(w: Int32Array, out: number, a: number, b: number): void {
  const aLess = lessUnsigned(w[a + UMAX_LO]!, w[a + UMAX_HI]!, w[b + UMAX_LO]!, w[b + UMAX_HI]!);
  const least = aLess ? a : b;
  const maxLo = w[least + UMAX_LO]!;
  const maxHi = w[least + UMAX_HI]!;
  const max32 = Math.min(w[a + U32_MAX]! >>> 0, w[b + U32_MAX]! >>> 0);
  w[out + UMIN_LO] = 0;
  w[out + UMIN_HI] = 0;
  w[out + UMAX_LO] = maxLo;
  w[out + UMAX_HI] = maxHi;
  w[out + U32_MIN] = 0;
  w[out + U32_MAX] = max32;
}

/** Unsigned ranges := [max of the minima, everything]. */
function storeMaximum(w: Int32Array, out: number, a: number, b: number): void {
  const aLess = lessUnsigned(w[a + UMIN_LO]!, w[a + UMIN_HI]!, w[b + UMIN_LO]!, w[b + UMIN_HI]!);
  const most = aLess ? b : a;
  const minLo = w[most + UMIN_LO]!;
  const minHi = w[most + UMIN_HI]!;
  const min32 = Math.max(w[a + U32_MIN]! >>> 0, w[b + U32_MIN]! >>> 0);
  w[out + UMIN_LO] = minLo;
  w[out + UMIN_HI] = minHi;
  w[out + UMAX_LO] = -1;
  w[out + UMAX_HI] = -1;
  w[out + U32_MIN] = min32;
  w[out + U32_MAX] = -1;
}

/** a & b, unrefined. */
export function andWhole(w: Int32Array, out: number, a: number, b: number): void {
  bitwiseSigned(w, out, a, b);
  bitwiseSigned32(w, out, a, b);
  storeMinimum(w, out, a, b);
  const onesLo = w[a + VALUE_LO]! & w[b + VALUE_LO]!;
  const onesHi = w[a + VALUE_HI]! & w[b + VALUE_HI]!;
  const maybeLo = (w[a + VALUE_LO]! | w[a + MASK_LO]!) & (w[b + VALUE_LO]! | w[b + MASK_LO]!);
  const maybeHi = (w[a + VALUE_HI]! | w[a + MASK_HI]!) & (w[b + VALUE_HI]! | w[b + MASK_HI]!);
  w[out + VALUE_LO] = onesLo;
  w[out + VALUE_HI] = onesHi;
  w[out + MASK_LO] = maybeLo & ~onesLo;
  w[out + MASK_HI] = maybeHi & ~onesHi;
}

/** a | b, unrefined. */
export function orWhole(w: Int32Array, out: number, a: number, b: number): void {
  bitwiseSigned(w, out, a, b);
  bitwiseSigned32(w, out, a, b);
  storeMaximum(w, out, a, b);
  const onesLo = w[a + VALUE_LO]! | w[b + VALUE_LO]!;
  const onesHi = w[a + VALUE_HI]! | w[b + VALUE_HI]!;
  const maskLo = (w[a + MASK_LO]! | w[b + MASK_LO]!) & ~onesLo;
  const maskHi = (w[a + MASK_HI]! | w[b + MASK_HI]!) & ~onesHi;
  w[out + VALUE_LO] = onesLo;
  w[out + VALUE_HI] = onesHi;
  w[out + MASK_LO] = maskLo;
  w[out + MASK_HI] = maskHi;
}

/** a ^ b, unrefined. */
export function xorWhole(w: Int32Array, out: number, a: number, b: number): void {
  bitwiseSigned(w, out, a, b);
  bitwiseSigned32(w, out, a, b);
  const maskLo = w[a + MASK_LO]! | w[b + MASK_LO]!;
  const maskHi = w[a + MASK_HI]! | w[b + MASK_HI]!;
  w[out + VALUE_LO] = (w[a + VALUE_LO]! ^ w[b + VALUE_LO]!) & ~maskLo;
  w[out + VALUE_HI] = (w[a + VALUE_HI]! ^ w[b + VALUE_HI]!) & ~maskHi;
  w[out + MASK_LO] = maskLo;
  w[out + MASK_HI] = maskHi;
  w[out + UMIN_LO] = w[out + UMIN_HI] = w[out + U32_MIN] = 0;
  w[out + UMAX_LO] = w[out + UMAX_HI] = w[out + U32_MAX] = -1;
}
