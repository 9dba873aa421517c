/**
 * What the numbers of one path are, as terms over what the path began with: `n`, `n - 1`, the low
 * half of `n`. A state knows of each number a range; that one is another's double, or one less than
 * a third that was compared, it forgets. Looking back over a path, terms recall it.
 *
 * Equal terms are one node (hash-consing), so a value computed twice is known to be the same. Sums
 * are kept in a normal form modulo 2^64, a constant plus multiples of other terms: what adds and
 * subtracts in different orders meets in one node. Operations that are not linear are nodes of their
 * own. Each rewriting below is an identity on 64-bit words, or holds by the range at hand, which
 * every concrete value of the path lies in.
 *
 * Each node has a range, packed as everywhere (domain/), narrowed by solve.ts.
 */

import * as domain from '../domain/index.ts';
import { computeRange } from './ranges.ts';
import type { BinaryOperation, Part, Shape, Term } from './shapes.ts';

/** Sums of more parts are not followed: the sum is then a number of its own. */
const MOST_PARTS = 6;
/** Ranges before those of the nodes, for intermediate results. */
const SCRATCH_RANGES = 8;
const FIRST = SCRATCH_RANGES * domain.SCALAR_WORDS;

const low64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const signed64 = (value: bigint): bigint => BigInt.asIntN(64, value);

interface Linear {
  readonly parts: Map<Term, bigint>;
  readonly constant: bigint;
}

export class Terms {
  readonly #shapes: Shape[] = [];
  readonly #known = new Map<string, Term>();
  /** Ranges of the nodes; those of solve.ts for intermediate results first. */
  words = new Int32Array(FIRST + 64 * domain.SCALAR_WORDS);

  get count(): number {
    return this.#shapes.length;
  }

  shape(term: Term): Shape {
    return this.#shapes[term]!;
  }

  /** Where the range of the term lies in `words`; valid until a node is made. */
  range(term: Term): number {
    return FIRST + term * domain.SCALAR_WORDS;
  }

  /** Room for an intermediate range. */
  scratch(index: number): number {
    return index * domain.SCALAR_WORDS;
  }

  /** A number of which only a range is known: the scalar at `offset` of `words`. */
  unknown(words: Int32Array, offset: number): Term {
    if (domain.isConstant(words, offset)) return this.constant(constantOf(words, offset));
    const term = this.#add({ kind: 'unknown' });
    domain.copy(words, offset, this.words, this.range(term));
    return term;
  }

  /** The term is known to lie in the scalar at `offset` of `words`, too. */
  narrow(term: Term, words: Int32Array, offset: number): void {
    const other = this.scratch(2);
    domain.copy(words, offset, this.words, other);
    domain.meet(this.words, this.range(term), this.range(term), other);
  }

  constant(value: bigint): Term {
    const exact = low64(value);
    return this.#intern(`c${exact}`, { kind: 'constant', value: exact });
  }

  valueOf(term: Term): bigint | undefined {
    const shape = this.shape(term);
    return shape.kind === 'constant' ? shape.value : undefined;
  }

  add(a: Term, b: Term): Term {
    return this.combine([
      [a, 1n],
      [b, 1n],
    ]);
  }

  subtract(a: Term, b: Term): Term {
    return this.combine([
      [a, 1n],
      [b, -1n],
    ]);
  }

  /** The sum of multiples of terms, in normal form. */
  combine(parts: readonly Part[], constant = 0n): Term {
    return this.#fromLinear(this.#combined(parts, constant));
  }

  /** The same, where its parts were summed up before; else undefined. */
  find(parts: readonly Part[]): Term | undefined {
    const linear = this.#combined(parts, 0n);
    if (linear.parts.size > MOST_PARTS) return undefined;
    if (linear.parts.size > 0) {
      const { base } = this.#base(linear.parts);
      if (typeof base !== 'number' && !this.#known.has(keyOfSum(base))) return undefined;
    }
    return this.#fromLinear(linear);
  }

  #combined(parts: readonly Part[], constant: bigint): Linear {
    const sum = new Map<Term, bigint>();
    let rest = constant;
    for (const [term, factor] of parts) {
      const linear = this.#linear(term);
      rest += factor * linear.constant;
      for (const [base, times] of linear.parts) {
        const total = low64((sum.get(base) ?? 0n) + factor * times);
        if (total === 0n) sum.delete(base);
        else sum.set(base, total);
      }
    }
    const sorted = [...sum].sort(([a], [b]) => a - b);
    return { parts: new Map(sorted), constant: low64(rest) };
  }

  #linear(term: Term): Linear {
    const shape = this.shape(term);
    switch (shape.kind) {
      case 'constant':
        return { parts: new Map(), constant: shape.value };
      case 'sum':
        return { parts: new Map(shape.parts), constant: 0n };
      case 'shifted': {
        const { parts } = this.#linear(shape.base);
        const signed = [...parts].map(([base, factor]) => [base, shape.sign * factor] as const);
        return { parts: new Map(signed), constant: shape.constant };
      }
      default:
        return { parts: new Map([[term, 1n]]), constant: 0n };
    }
  }

  /**
   * A sum with a constant, or whose first factor is negative, is made of the one without, so that
   * whatever is known of one holds for all of its kind.
   */
  #fromLinear(linear: Linear): Term {
    const { parts, constant } = linear;
    if (parts.size === 0) return this.constant(constant);
    if (parts.size > MOST_PARTS) return this.#add({ kind: 'unknown' });
    const { base, sign } = this.#base(parts);
    const plain = typeof base === 'number' ? base : this.#intern(keyOfSum(base), sumOf(base));
    if (sign === 1n && constant === 0n) return plain;
    const shape: Shape = { kind: 'shifted', base: plain, sign, constant };
    return this.#intern(`p${plain} ${sign} ${constant}`, shape);
  }

  /** The parts without their sign: a term that is no sum, or the parts of one. */
  #base(parts: ReadonlyMap<Term, bigint>): { base: Term | readonly Part[]; sign: 1n | -1n } {
    const list = [...parts];
    const sign = signed64(list[0]![1]) < 0n ? -1n : 1n;
    const positive = list.map(([term, factor]): Part => [term, signed64(sign * factor)]);
    const [term, factor] = positive[0]!;
    return { base: positive.length === 1 && factor === 1n ? term : positive, sign };
  }

  /** The low `bits` bits. */
  zeroExtend(of: Term, bits: number): Term {
    if (domain.significantBits(this.words, this.range(of)) <= bits) return of;
    const value = this.valueOf(of);
    if (value !== undefined) return this.constant(BigInt.asUintN(bits, value));
    const inner = this.#withoutExtension(of, bits);
    if (inner !== of) return this.zeroExtend(inner, bits);
    return this.#intern(`z${bits} ${of}`, { kind: 'zero-extended', of, bits });
  }

  signExtend(of: Term, bits: number): Term {
    if (domain.signedBits(this.words, this.range(of)) <= bits) return of;
    const value = this.valueOf(of);
    if (value !== undefined) return this.constant(BigInt.asIntN(bits, value));
    const inner = this.#withoutExtension(of, bits);
    if (inner !== of) return this.signExtend(inner, bits);
    return this.#intern(`s${bits} ${of}`, { kind: 'sign-extended', of, bits });
  }

  /** The term without extensions that, by what is known now, change nothing. */
  simplified(term: Term): Term {
    const { parts, constant } = this.#linear(term);
    const inner = [...parts].map(([base, factor]): Part => [this.#unextended(base), factor]);
    const isSame = inner.every(([base]) => parts.has(base));
    return isSame ? term : this.combine(inner, constant);
  }

  #unextended(term: Term): Term {
    const shape = this.shape(term);
    if (shape.kind !== 'zero-extended' && shape.kind !== 'sign-extended') return term;
    const at = this.range(shape.of);
    const count = shape.kind === 'zero-extended' ? domain.significantBits : domain.signedBits;
    return count(this.words, at) <= shape.bits ? this.simplified(shape.of) : term;
  }

  /** A term with the same low `bits` bits: an extension from as many bits or more keeps those. */
  #withoutExtension(of: Term, bits: number): Term {
    const { parts, constant } = this.#linear(of);
    let isSame = true;
    const inner = [...parts].map(([base, factor]): Part => {
      const shape = this.shape(base);
      const isExtended = shape.kind === 'zero-extended' || shape.kind === 'sign-extended';
      if (!isExtended || shape.bits < bits) return [base, factor];
      isSame = false;
      return [shape.of, factor];
    });
    return isSame ? of : this.combine(inner, constant);
  }

  swap(of: Term, bytes: number): Term {
    return this.#intern(`w${bytes} ${of}`, { kind: 'swapped', of, bytes });
  }

  /** An operation on 64 bits that is not linear. */
  operation(operation: BinaryOperation, a: Term, b: Term): Term {
    const isCommutative = operation === 'and' || operation === 'or' || operation === 'xor';
    const [x, y] = isCommutative && a > b ? [b, a] : [a, b];
    const cancelled =
      operation === 'xor' ? (this.#cancelled(x, y) ?? this.#cancelled(y, x)) : undefined;
    if (cancelled !== undefined) return cancelled;
    return this.#intern(`${operation} ${x} ${y}`, { kind: 'operation', operation, a: x, b: y });
  }

  /** (p ^ q) ^ q is p. */
  #cancelled(difference: Term, other: Term): Term | undefined {
    const shape = this.shape(difference);
    if (shape.kind !== 'operation' || shape.operation !== 'xor') return undefined;
    return shape.a === other ? shape.b : shape.b === other ? shape.a : undefined;
  }

  /** `of` divided by 2^amount, where every part of it is a multiple; else undefined. */
  divided(of: Term, amount: number): Term | undefined {
    const { parts, constant } = this.#linear(of);
    const mask = (1n << BigInt(amount)) - 1n;
    if ((constant & mask) !== 0n) return undefined;
    const divided: Part[] = [];
    for (const [base, factor] of parts) {
      if ((factor & mask) !== 0n) return undefined;
      divided.push([base, signed64(factor) >> BigInt(amount)]);
    }
    return this.combine(divided, signed64(constant) >> BigInt(amount));
  }

  /** Terms that are no sums, of which the term is one. */
  partsOf(term: Term): readonly Part[] {
    return [...this.#linear(term).parts];
  }

  #intern(key: string, shape: Shape): Term {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const term = this.#add(shape);
    this.#known.set(key, term);
    return term;
  }

  #add(shape: Shape): Term {
    const term = this.#shapes.length;
    this.#shapes.push(shape);
    const end = this.range(term) + domain.SCALAR_WORDS;
    if (end > this.words.length) {
      const wider = new Int32Array(2 * end);
      wider.set(this.words);
      this.words = wider;
    }
    computeRange(this, term, this.range(term));
    return term;
  }
}

const keyOfSum = (parts: readonly Part[]): string =>
  `+${parts.map(([base, factor]) => `${base}*${factor}`).join(' ')}`;

const sumOf = (parts: readonly Part[]): Shape => ({ kind: 'sum', parts });

const constantOf = (words: Int32Array, offset: number): bigint =>
  (BigInt(domain.constantHi(words, offset) >>> 0) << 32n) |
  BigInt(domain.constantLo(words, offset) >>> 0);
