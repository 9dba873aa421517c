/**
 * Widening: the join that a loop can repeat only a bounded number of times.
 *
 * A bound that moved since the last visit goes to the next threshold beyond it, so it moves at most
 * once per threshold; known bits can be lost at most 64 times. The result is not refined: refining
 * could pull a bound back and start the ascent again. It covers the join, hence both operands.
 */
import { refine } from './refine.ts';
import { join } from './scalar.ts';
import {
  lessSigned,
  lessUnsigned,
  MASK_HI,
  MASK_LO,
  S32_MAX,
  S32_MIN,
  SMAX_LO,
  SMIN_LO,
  U32_MAX,
  U32_MIN,
  UMAX_LO,
  UMIN_LO,
  VALUE_HI,
  VALUE_LO,
} from './words.ts';

/** Bounds at which widening stops, (lo, hi) pairs, sorted once unsigned and once signed. */
export interface Thresholds {
  readonly unsigned: Int32Array;
  readonly signed: Int32Array;
}

const mask = (bits: number) => (1n << BigInt(bits)) - 1n;

/** Ends of the machine types: no value of a well-typed program lies beyond the last. */
const ALWAYS: readonly bigint[] = [
  0n,
  1n,
  ...[7, 8, 15, 16, 31, 32, 63, 64].map(mask),
  ...[7, 15, 31, 63].map((bits) => -(1n << BigInt(bits))),
];
/** Ends of the types that registers have. */
const WIDEST: readonly bigint[] = [
  0n,
  ...[31, 32, 63, 64].map(mask),
  ...[31, 63].map((bits) => -(1n << BigInt(bits))),
];

/** Thresholds at the given integers (comparison constants of the program, say) and type ends. */
export const makeThresholds = (values: readonly number[]): Thresholds => sorted(values, ALWAYS);

/** Only thresholds at the given integers, and where registers end: few steps, large ones. */
export const makeFewThresholds = (values: readonly number[]): Thresholds => sorted(values, WIDEST);

function sorted(values: readonly number[], ends: readonly bigint[]): Thresholds {
  const all = [...ends, ...values.map((value) => BigInt(Math.trunc(value)))];
  const pairs = (view: (x: bigint) => bigint) =>
    Int32Array.from(
      [...new Set(all.map(view))]
        .sort((x, y) => (x < y ? -1 : x > y ? 1 : 0))
        .flatMap((x) => [Number(BigInt.asIntN(32, x)), Number(BigInt.asIntN(32, x >> 32n))]),
    );
  return {
    unsigned: pairs((x) => BigInt.asUintN(64, x)),
    signed: pairs((x) => BigInt.asIntN(64, x)),
  };
}

export const TYPE_THRESHOLDS: Thresholds = makeThresholds([]);

/** Index of the first pair that is not less than the number; the last pair is the greatest. */
function above(pairs: Int32Array, lo: number, hi: number, less: typeof lessSigned): number {
  let i = 0;
  while (i < pairs.length - 2 && less(pairs[i]!, pairs[i + 1]!, lo, hi)) i += 2;
  return i;
}

/** Index of the last pair that is not greater than the number; the first pair is the least. */
function below(pairs: Int32Array, lo: number, hi: number, less: typeof lessSigned): number {
  let i = pairs.length - 2;
  while (i > 0 && less(lo, hi, pairs[i]!, pairs[i + 1]!)) i -= 2;
  return i;
}

type Search = typeof above;

function widenBound(
  w: Int32Array,
  out: number,
  old: number,
  pairs: Int32Array,
  search: Search,
  less: typeof lessSigned,
): void {
  if (w[out] === W[old] && w[out + 1] === W[old + 1]) return;
  const i = search(pairs, w[out]!, w[out + 1]!, less);
  w[out] = pairs[i]!;
  w[out + 1] = pairs[i + 1]!;
}

/** Low-half bounds go to the thresholds that are 32-bit numbers. */
function widenLow(w: Int32Array, out: number, thresholds: Thresholds): void {
  const { unsigned, signed } = thresholds;
  if (w[out + U32_MIN] !== W[U32_MIN]) {
    const i = below(unsigned, w[out + U32_MIN]!, 0, lessUnsigned);
    w[out + U32_MIN] = unsigned[i]!;
  }
  if (w[out + U32_MAX] !== W[U32_MAX]) {
    const i = above(unsigned, w[out + U32_MAX]!, 0, lessUnsigned);
    w[out + U32_MAX] = unsigned[i]!;
  }
  if (w[out + S32_MIN] !== W[S32_MIN]) {
    const x = w[out + S32_MIN]!;
    w[out + S32_MIN] = signed[below(signed, x, x >> 31, lessSigned)]!;
  }
  if (w[out + S32_MAX] !== W[S32_MAX]) {
    const x = w[out + S32_MAX]!;
    w[out + S32_MAX] = signed[above(signed, x, x >> 31, lessSigned)]!;
  }
}

/** The older operand, kept while `out` (which may be it) receives the join. */
const W = new Int32Array(16);

/** w[out] := a widened by b, where `a` is the older; covers both; `out` may be either. */
export function widen(
  w: Int32Array,
  out: number,
  a: number,
  b: number,
  thresholds: Thresholds = TYPE_THRESHOLDS,
): void {
  for (let i = 0; i < W.length; i++) W[i] = w[a + i]!;
  join(w, out, a, b);
  const { unsigned, signed } = thresholds;
  widenBound(w, out + UMIN_LO, UMIN_LO, unsigned, below, lessUnsigned);
  widenBound(w, out + UMAX_LO, UMAX_LO, unsigned, above, lessUnsigned);
  widenBound(w, out + SMIN_LO, SMIN_LO, signed, below, lessSigned);
  widenBound(w, out + SMAX_LO, SMAX_LO, signed, above, lessSigned);
  widenLow(w, out, thresholds);
}

/**
 * As `widen`, for callers that count their steps: every bit from the lowest that differed upwards
 * becomes unknown (a counter changes them all, one by one), and the parts then inform each other.
 */
export function generalise(
  w: Int32Array,
  out: number,
  a: number,
  b: number,
  thresholds: Thresholds,
): void {
  widen(w, out, a, b, thresholds);
  const low = w[out + MASK_LO]!;
  const high = w[out + MASK_HI]!;
  w[out + MASK_LO] = low | -low;
  w[out + MASK_HI] = low !== 0 ? -1 : high | -high;
  w[out + VALUE_LO]! &= ~w[out + MASK_LO]!;
  w[out + VALUE_HI]! &= ~w[out + MASK_HI]!;
  refine(w, out);
}
