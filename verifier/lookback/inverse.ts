/**
 * From what is known of a term to what follows for its parts.
 *
 * Each rule states an identity, or an inequality, between a term and its parts on 64-bit words, and
 * computes a range that covers the part from ranges of the others by the operators of `domain/`.
 *   z = x + y          x = z - y, modulo 2^64
 *   z = n * x          x = z / n, where n * x cannot leave the range of whole numbers
 *   z = low bits of x  x = z, where x has no other bits; else both have the same low half
 *   z = x & y          z <= x and z <= y; a single bit tested is the bit of the other
 *   z = x | y          z >= x and z >= y
 *   z = x ^ y          x = z ^ y
 *   z = x >> n         z * 2^n <= x <= z * 2^n + 2^n - 1
 *   z = x / n          z * n <= x <= z * n + n - 1
 *   z = x % n          x = z, where x < n
 */

import * as domain from '../domain/index.ts';
import { setBig, sumRanges } from './ranges.ts';
import type { BinaryOperation, Part, Term } from './shapes.ts';
import type { Terms } from './terms.ts';

/** range(term) := range(term) ∩ the range at `offset`; false where that is empty. */
export type Meet = (term: Term, offset: number) => boolean;

const REST = 4;
const RESULT = 5;
const SPREAD = 6;

/** Narrows what the term is made of, or the `parts` that it is known to be the sum of. */
export function narrowParts(
  terms: Terms,
  term: Term,
  parts: readonly Part[] | undefined,
  meet: Meet,
): boolean {
  const shape = terms.shape(term);
  if (parts !== undefined) {
    sumRanges(terms, parts, terms.scratch(RESULT));
    return meet(term, terms.scratch(RESULT)) && narrowSum(terms, term, parts, meet);
  }
  switch (shape.kind) {
    case 'constant':
    case 'unknown':
    case 'swapped':
      return true;
    case 'sum':
      return narrowSum(terms, term, shape.parts, meet);
    case 'shifted':
      return narrowShifted(terms, term, shape.base, shape.sign, shape.constant, meet);
    case 'zero-extended':
    case 'sign-extended':
      return narrowExtended(terms, term, shape.of, shape.bits, shape.kind, meet);
    case 'operation':
      return narrowOperands(terms, term, shape.operation, shape.a, shape.b, meet);
    default:
      return shape satisfies never;
  }
}

function narrowShifted(
  terms: Terms,
  term: Term,
  base: Term,
  sign: 1n | -1n,
  constant: bigint,
  meet: Meet,
): boolean {
  const { words } = terms;
  const rest = terms.scratch(REST);
  const result = terms.scratch(RESULT);
  setBig(words, rest, constant);
  if (sign > 0n) domain.alu('sub', 64, words, result, terms.range(term), rest);
  else domain.alu('sub', 64, words, result, rest, terms.range(term));
  return meet(base, result);
}

function narrowSum(terms: Terms, term: Term, parts: readonly Part[], meet: Meet): boolean {
  const { words } = terms;
  return parts.every(([base, factor], index) => {
    const rest = terms.scratch(REST);
    const result = terms.scratch(RESULT);
    sumRanges(terms, parts, rest, index);
    // factor * base = term - rest
    if (factor === -1n) domain.alu('sub', 64, words, result, rest, terms.range(term));
    else domain.alu('sub', 64, words, result, terms.range(term), rest);
    if (factor === 1n || factor === -1n) return meet(base, result);
    return narrowMultiple(terms, base, Number(factor), result, meet);
  });
}

/** factor * base lies in the range at `product`, as a whole number if that cannot wrap. */
function narrowMultiple(
  terms: Terms,
  base: Term,
  factor: number,
  product: number,
  meet: Meet,
): boolean {
  const { words } = terms;
  const at = terms.range(base);
  const least = domain.signedMin(words, at) * factor;
  const most = domain.signedMax(words, at) * factor;
  const isExact = (bound: number): boolean => Math.abs(bound) < Number.MAX_SAFE_INTEGER;
  if (!isExact(least) || !isExact(most) || !isExact(factor)) return true;
  const low = domain.signedMin(words, product);
  const high = domain.signedMax(words, product);
  if (!isExact(low) || !isExact(high)) return true;
  const [from, to] = factor > 0 ? [low, high] : [high, low];
  const min = Math.ceil(from / factor);
  const max = Math.floor(to / factor);
  if (min > max) return false;
  setSigned(words, terms.scratch(SPREAD), min, max);
  return meet(base, terms.scratch(SPREAD));
}

function setSigned(words: Int32Array, offset: number, min: number, max: number): void {
  const high = (value: number): number => Math.floor(value / 2 ** 32);
  domain.setSignedRange(words, offset, min | 0, high(min), max | 0, high(max));
}

function narrowExtended(
  terms: Terms,
  term: Term,
  of: Term,
  bits: number,
  kind: 'zero-extended' | 'sign-extended',
  meet: Meet,
): boolean {
  const { words } = terms;
  const at = terms.range(of);
  const fits =
    kind === 'zero-extended'
      ? domain.significantBits(words, at) <= bits
      : domain.signedBits(words, at) <= bits;
  if (fits) return meet(of, terms.range(term)) && meet(term, terms.range(of));
  if (bits < 32) return true;
  const result = terms.scratch(RESULT);
  const other = terms.scratch(REST);
  domain.copy(words, at, words, result);
  domain.copy(words, terms.range(term), words, other);
  return domain.assume(domain.CONDITIONS.eq, 32, words, result, other) && meet(of, result);
}

function narrowOperands(
  terms: Terms,
  term: Term,
  operation: BinaryOperation,
  a: Term,
  b: Term,
  meet: Meet,
): boolean {
  const { le, ge } = domain.CONDITIONS;
  switch (operation) {
    case 'and':
      return (
        narrowTested(terms, term, a, b, meet) &&
        narrowTested(terms, term, b, a, meet) &&
        order(terms, term, a, le, meet) &&
        order(terms, term, b, le, meet)
      );
    case 'or':
      return order(terms, term, a, ge, meet) && order(terms, term, b, ge, meet);
    case 'xor':
      return narrowXor(terms, term, a, b, meet) && narrowXor(terms, term, b, a, meet);
    case 'rsh':
    case 'arsh':
      return narrowShiftedRight(terms, term, a, b, meet);
    case 'div':
      return narrowDividend(terms, term, a, b, meet);
    case 'mod':
      return narrowRemainder(terms, term, a, b, meet);
    case 'mul':
    case 'lsh':
    case 'sdiv':
    case 'smod':
      return true;
    default:
      return operation satisfies never;
  }
}

/** `term condition part` holds. */
function order(
  terms: Terms,
  term: Term,
  part: Term,
  condition: domain.Condition,
  meet: Meet,
): boolean {
  const { words } = terms;
  const x = terms.scratch(RESULT);
  const y = terms.scratch(REST);
  domain.copy(words, terms.range(term), words, x);
  domain.copy(words, terms.range(part), words, y);
  if (!domain.assume(condition, 64, words, x, y)) return false;
  return meet(term, x) && meet(part, y);
}

/** term = part & mask: whether it is zero tells of the bits tested. */
function narrowTested(terms: Terms, term: Term, part: Term, mask: Term, meet: Meet): boolean {
  const { words } = terms;
  if (terms.valueOf(mask) === undefined) return true;
  const at = terms.range(term);
  const isZero = domain.isConstantOf(words, at, 0, 0);
  if (!isZero && !domain.isNonZero(words, at)) return true;
  const x = terms.scratch(RESULT);
  const y = terms.scratch(REST);
  domain.copy(words, terms.range(part), words, x);
  domain.copy(words, terms.range(mask), words, y);
  const { set, notset } = domain.CONDITIONS;
  return domain.assume(isZero ? notset : set, 64, words, x, y) && meet(part, x);
}

function narrowXor(terms: Terms, term: Term, part: Term, other: Term, meet: Meet): boolean {
  const result = terms.scratch(RESULT);
  domain.alu('xor', 64, terms.words, result, terms.range(term), terms.range(other));
  return meet(part, result);
}

/** The bits shifted out are any. */
function narrowShiftedRight(terms: Terms, term: Term, a: Term, b: Term, meet: Meet): boolean {
  const amount = terms.valueOf(b);
  if (amount === undefined || amount === 0n || amount > 63n) return true;
  return narrowFactored(terms, term, a, 1n << amount, meet);
}

function narrowDividend(terms: Terms, term: Term, a: Term, b: Term, meet: Meet): boolean {
  const divisor = terms.valueOf(b);
  if (divisor === undefined || divisor === 0n) return true;
  return narrowFactored(terms, term, a, divisor, meet);
}

/** part = term * size + something below size. */
function narrowFactored(terms: Terms, term: Term, part: Term, size: bigint, meet: Meet): boolean {
  const { words } = terms;
  const factor = terms.scratch(REST);
  const result = terms.scratch(RESULT);
  const spread = terms.scratch(SPREAD);
  setBig(words, factor, size);
  domain.alu('mul', 64, words, result, terms.range(term), factor);
  const rest = size - 1n;
  const [low, high] = [Number(rest & 0xffff_ffffn) | 0, Number(rest >> 32n) | 0];
  domain.setUnsignedRange(words, spread, 0, 0, low, high);
  domain.alu('add', 64, words, result, result, spread);
  return meet(part, result);
}

function narrowRemainder(terms: Terms, term: Term, a: Term, b: Term, meet: Meet): boolean {
  const { words } = terms;
  const most = domain.unsignedMax(words, terms.range(a));
  if (most >= domain.unsignedMin(words, terms.range(b)) || !Number.isFinite(most)) return true;
  return meet(a, terms.range(term));
}
