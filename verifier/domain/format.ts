/**
 * A scalar as people read it: `7`, `0..255`, `-8..8 step 4`, `0..0xffffffff`, or `any value`.
 *
 * The shorter of the two ranges is shown, signed on a tie within a narrow range around zero. Known
 * bits that the range does not say appear as a step (known low bits) or as a pattern. Not hot: it
 * may use BigInt.
 */
import { isConstant, isUnknown } from './query.ts';
import {
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

const unsigned = (lo: number, hi: number) => (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
const signed = (lo: number, hi: number) => BigInt.asIntN(64, unsigned(lo, hi));

/** Decimal up to a million either way, and hexadecimal beyond, where digits mean bits. */
function text(x: bigint): string {
  const size = x < 0n ? -x : x;
  if (size <= 1_000_000n) return x.toString();
  return `${x < 0n ? '-' : ''}0x${size.toString(16)}`;
}

const ALL_64 = (1n << 64n) - 1n;

/** Text for the set of values: for messages and logs, not for parsing. */
export function format(w: Int32Array, o: number): string {
  if (isUnknown(w, o)) return 'any value';
  const smin = signed(w[o + SMIN_LO]!, w[o + SMIN_HI]!);
  if (isConstant(w, o)) return text(smin);
  const smax = signed(w[o + SMAX_LO]!, w[o + SMAX_HI]!);
  const umin = unsigned(w[o + UMIN_LO]!, w[o + UMIN_HI]!);
  const umax = unsigned(w[o + UMAX_LO]!, w[o + UMAX_HI]!);
  const useSigned = smax - smin < umax - umin;
  const min = useSigned ? smin : umin;
  const max = useSigned ? smax : umax;
  const parts: string[] = [];
  if (max - min < ALL_64) parts.push(`${text(min)}..${text(max)}`);
  const step = stepOf(w, o);
  if (step > 1n) parts.push(`step ${text(step)}`);
  if (parts.length === 0) parts.push(lowText(w, o) ?? bitsText(w, o));
  return parts.join(' ');
}

/** 2^k when the low k bits are known. */
function stepOf(w: Int32Array, o: number): bigint {
  const mask = unsigned(w[o + MASK_LO]!, w[o + MASK_HI]!);
  return mask & -mask;
}

/** What is known of the low half, when that is all. */
function lowText(w: Int32Array, o: number): string | undefined {
  const umin = w[o + U32_MIN]! >>> 0;
  const umax = w[o + U32_MAX]! >>> 0;
  const smin = w[o + S32_MIN]!;
  const smax = w[o + S32_MAX]!;
  if (umax - umin === 0xffffffff && smax - smin === 0xffffffff) return undefined;
  const useSigned = smax - smin < umax - umin;
  const min = BigInt(useSigned ? smin : umin);
  const max = BigInt(useSigned ? smax : umax);
  return min === max ? `low 32 bits ${text(min)}` : `low 32 bits ${text(min)}..${text(max)}`;
}

/** Known bits and, after a slash, the bits that may be either. */
function bitsText(w: Int32Array, o: number): string {
  const value = unsigned(w[o + VALUE_LO]!, w[o + VALUE_HI]!);
  const mask = unsigned(w[o + MASK_LO]!, w[o + MASK_HI]!);
  return `bits 0x${value.toString(16)}/0x${mask.toString(16)}`;
}
