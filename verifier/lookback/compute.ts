/**
 * Arithmetic on terms: what an `alu` row makes of its operands. RFC 9669 section 4.1: 32-bit forms
 * compute on the low halves and clear the upper half of the result.
 *
 * Sums and multiples by constants stay linear at either width, since truncation commutes with them:
 * low(a) + low(b) and a + b have the same low half. Everything else first extends its operands as
 * the operation reads them.
 */

import type { AluOperation, Row } from '../../isa/index.ts';
import type { BinaryOperation, Term } from './shapes.ts';
import type { Terms } from './terms.ts';

/** The result of the row on what its destination and its source hold. */
export function compute(terms: Terms, row: Row, dst: Term, src: Term): Term {
  const operation = row.operation as AluOperation;
  const whole = computeWhole(terms, operation, row.width as 32 | 64, row.sizeBytes, dst, src);
  return row.width === 32 ? terms.zeroExtend(whole, 32) : whole;
}

/** The low `width` bits of the result are those of the operation. */
function computeWhole(
  terms: Terms,
  operation: AluOperation,
  width: 32 | 64,
  sizeBytes: number,
  a: Term,
  b: Term,
): Term {
  switch (operation) {
    case 'mov':
      return b;
    case 'movsx':
      return terms.signExtend(b, sizeBytes * 8);
    case 'add':
      return terms.add(a, b);
    case 'sub':
      return terms.subtract(a, b);
    case 'neg':
      return terms.combine([[a, -1n]]);
    case 'mul':
      return multiply(terms, width, a, b);
    case 'lsh':
    case 'rsh':
    case 'arsh':
      return shift(terms, operation, width, a, b);
    case 'and':
      return mask(terms, width, a, b);
    case 'or':
    case 'xor':
    case 'div':
    case 'mod':
      return terms.operation(operation, low(terms, width, a), low(terms, width, b));
    case 'sdiv':
    case 'smod':
      return terms.operation(operation, signed(terms, width, a), signed(terms, width, b));
    case 'le':
      return terms.zeroExtend(a, sizeBytes * 8);
    case 'be':
    case 'bswap':
      return terms.swap(terms.zeroExtend(a, sizeBytes * 8), sizeBytes);
    default:
      return operation satisfies never;
  }
}

const low = (terms: Terms, width: 32 | 64, term: Term): Term =>
  width === 32 ? terms.zeroExtend(term, 32) : term;

const signed = (terms: Terms, width: 32 | 64, term: Term): Term =>
  width === 32 ? terms.signExtend(term, 32) : term;

function multiply(terms: Terms, width: 32 | 64, a: Term, b: Term): Term {
  const factor = terms.valueOf(b);
  if (factor !== undefined) return terms.combine([[a, factor]]);
  const other = terms.valueOf(a);
  if (other !== undefined) return terms.combine([[b, other]]);
  return terms.operation('mul', low(terms, width, a), low(terms, width, b));
}

/** The low bits of a number, where the mask is 2^n - 1; else any mask. */
function mask(terms: Terms, width: 32 | 64, a: Term, b: Term): Term {
  for (const [number, other] of [
    [a, b],
    [b, a],
  ] as const) {
    const value = terms.valueOf(other);
    if (value === undefined) continue;
    const bits = BigInt.asUintN(width, value);
    if (bits === 0n) return terms.constant(0n);
    if ((bits & (bits + 1n)) === 0n) return terms.zeroExtend(number, bits.toString(2).length);
  }
  return terms.operation('and', low(terms, width, a), low(terms, width, b));
}

/** By a constant amount, which counts modulo the width; (x << n) >> n takes low bits. */
function shift(
  terms: Terms,
  operation: BinaryOperation & ('lsh' | 'rsh' | 'arsh'),
  width: 32 | 64,
  a: Term,
  b: Term,
): Term {
  const value = terms.valueOf(b);
  const operand = operation === 'arsh' ? signed(terms, width, a) : low(terms, width, a);
  if (value === undefined) {
    const amount = terms.zeroExtend(b, width === 32 ? 5 : 6);
    return terms.operation(operation, operand, amount);
  }
  const amount = Number(value % BigInt(width));
  if (amount === 0) return operand;
  if (operation === 'lsh') return terms.combine([[a, 1n << BigInt(amount)]]);
  const divided = width === 64 ? terms.divided(a, amount) : dividedLow(terms, a, amount);
  if (divided !== undefined) {
    const bits = width - amount;
    return operation === 'rsh' ? terms.zeroExtend(divided, bits) : terms.signExtend(divided, bits);
  }
  return terms.operation(operation, operand, terms.constant(BigInt(amount)));
}

/** The low half of `a` is that of 2^amount times the result. */
function dividedLow(terms: Terms, a: Term, amount: number): Term | undefined {
  const shape = terms.shape(a);
  const whole = shape.kind === 'zero-extended' && shape.bits >= 32 ? shape.of : a;
  return terms.divided(whole, amount);
}
