/**
 * The range of a term from the ranges of what it is made of, by the operators of `domain/`: each
 * covers every concrete result, so the range covers every concrete value of the term.
 */

import * as domain from '../domain/index.ts';
import type { BinaryOperation, Part, Shape, Term } from './shapes.ts';

/** What a range is computed from. */
export interface Ranges {
  readonly words: Int32Array;
  shape(term: Term): Shape;
  range(term: Term): number;
  scratch(index: number): number;
}

/** Scratch ranges that this file uses. */
const FACTOR = 0;
const PRODUCT = 1;

export function setBig(words: Int32Array, offset: number, value: bigint): void {
  const exact = BigInt.asUintN(64, value);
  domain.setConstant(words, offset, Number(exact & 0xffff_ffffn) | 0, Number(exact >> 32n) | 0);
}

/** words[out] := what the term's parts say of it. `out` is none of its parts' ranges. */
export function computeRange(terms: Ranges, term: Term, out: number): void {
  const shape = terms.shape(term);
  const { words } = terms;
  switch (shape.kind) {
    case 'constant':
      setBig(words, out, shape.value);
      return;
    case 'unknown':
      domain.setUnknown(words, out);
      return;
    case 'sum':
      sumRanges(terms, shape.parts, out);
      return;
    case 'shifted':
      setBig(words, out, shape.constant);
      addPart(terms, [shape.base, shape.sign], out);
      return;
    case 'zero-extended':
      setBig(words, terms.scratch(FACTOR), (1n << BigInt(shape.bits)) - 1n);
      domain.alu('and', 64, words, out, terms.range(shape.of), terms.scratch(FACTOR));
      return;
    case 'sign-extended':
      signExtend(terms, shape.of, shape.bits, out);
      return;
    case 'swapped':
      domain.alu('bswap', 64, words, out, terms.range(shape.of), terms.scratch(0), shape.bytes);
      return;
    case 'operation':
      operate(terms, shape.operation, shape.a, shape.b, out);
      return;
    default:
      shape satisfies never;
  }
}

function operate(terms: Ranges, operation: BinaryOperation, a: Term, b: Term, out: number): void {
  domain.alu(operation, 64, terms.words, out, terms.range(a), terms.range(b));
}

function signExtend(terms: Ranges, of: Term, bits: number, out: number): void {
  const { words } = terms;
  if (bits === 8 || bits === 16 || bits === 32) {
    domain.alu('movsx', 64, words, out, out, terms.range(of), bits / 8);
    return;
  }
  setBig(words, terms.scratch(FACTOR), BigInt(64 - bits));
  domain.alu('lsh', 64, words, out, terms.range(of), terms.scratch(FACTOR));
  domain.alu('arsh', 64, words, out, out, terms.scratch(FACTOR));
}

/** words[out] := the sum of the parts, but for the one at index `except`. */
export function sumRanges(
  terms: Ranges,
  parts: readonly Part[],
  out: number,
  except = Number.NaN,
): void {
  setBig(terms.words, out, 0n);
  parts.forEach((part, index) => {
    if (index !== except) addPart(terms, part, out);
  });
}

/** words[out] += base * factor; a negative factor subtracts, which keeps the ranges of signed numbers. */
function addPart(terms: Ranges, [base, factor]: Part, out: number): void {
  const { words } = terms;
  const size = factor < 0n ? -factor : factor;
  let product = terms.range(base);
  if (size !== 1n) {
    setBig(words, terms.scratch(FACTOR), size);
    domain.alu('mul', 64, words, terms.scratch(PRODUCT), product, terms.scratch(FACTOR));
    product = terms.scratch(PRODUCT);
  }
  domain.alu(factor < 0n ? 'sub' : 'add', 64, words, out, out, product);
}
