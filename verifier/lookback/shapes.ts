/** The forms of a term (terms.ts), and of what is known of terms (solve.ts). */

import type * as domain from '../domain/index.ts';

/** Index of a node. */
export type Term = number;

/** `base` times `factor`, summed up over all parts. */
export type Part = readonly [base: Term, factor: bigint];

export type BinaryOperation =
  | 'and'
  | 'or'
  | 'xor'
  | 'mul'
  | 'lsh'
  | 'rsh'
  | 'arsh'
  | 'div'
  | 'mod'
  | 'sdiv'
  | 'smod';

export type Shape =
  | { readonly kind: 'constant'; readonly value: bigint }
  | { readonly kind: 'unknown' }
  /** The sum of the parts, none of which is a sum itself; the first factor is positive. */
  | { readonly kind: 'sum'; readonly parts: readonly Part[] }
  /** sign * base + constant, where `base` is neither a constant nor shifted itself. */
  | {
      readonly kind: 'shifted';
      readonly base: Term;
      readonly sign: 1n | -1n;
      readonly constant: bigint;
    }
  /** The low `bits` bits, extended by zeros, or by the highest of them. */
  | { readonly kind: 'zero-extended'; readonly of: Term; readonly bits: number }
  | { readonly kind: 'sign-extended'; readonly of: Term; readonly bits: number }
  | { readonly kind: 'swapped'; readonly of: Term; readonly bytes: number }
  | {
      readonly kind: 'operation';
      readonly operation: BinaryOperation;
      readonly a: Term;
      readonly b: Term;
    };

/** `a condition b` holds, comparing the low `width` bits. */
export interface Condition {
  readonly condition: domain.Condition;
  readonly width: 32 | 64;
  readonly a: Term;
  readonly b: Term;
  /** It does if these lie in [0, 2^33]: offsets with which an address does not wrap. */
  readonly guards: readonly Term[];
}

/** `term` = the sum of the parts. */
export interface Relation {
  readonly term: Term;
  readonly parts: readonly Part[];
}
