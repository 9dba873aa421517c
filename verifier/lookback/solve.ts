/**
 * What the branches of a path say together about its numbers.
 *
 * A small decision procedure, bounded and incomplete: it narrows the range of every term by every
 * fact at hand until nothing changes or the rounds are used up. Facts are
 *   - the conditions of the branches that the path took;
 *   - what a term is made of, forwards (ranges.ts) and backwards (inverse.ts);
 *   - differences: a <= b says of b - a that it does not wrap, so it lies in [0, max b - min a];
 *   - sums of two differences, where they are one: (a - b) + (b - c) = a - c.
 * Where that leaves a term with a few values only, each is tried, and what holds for all is kept.
 *
 * Soundness: a range is only ever met with a superset of the values that the term takes on concrete
 * runs of the path. If a meet is empty there are none: no run takes the path.
 */

import * as domain from '../domain/index.ts';
import { narrowParts } from './inverse.ts';
import { computeRange, setBig } from './ranges.ts';
import { relationsOf } from './relations.ts';
import type { Condition, Part, Relation, Term } from './shapes.ts';
import type { Terms } from './terms.ts';

/**
 * Where a packet or value begins may be anywhere, null included, but not this close to the last
 * address: no kernel or process lays such memory there.
 */
const MOST_OFFSET = 2 ** 33;

/** `larger` - `smaller` as whole numbers, at least `least`. */
interface Difference {
  readonly term: Term;
  readonly larger: Term;
  readonly smaller: Term;
  readonly least: 0 | 1;
  readonly order: 'unsigned' | 'signed';
  readonly guards: readonly Term[];
}

const MOST_ROUNDS = 8;
/** Terms of which each value is tried, and how many values those may have. */
const MOST_SPLITS = 4;
const MOST_CASES = 16;
/** Scratch ranges: the lower ones belong to ranges.ts, the next to inverse.ts. */
const RESULT = 2;

const { eq, ne, lt, le, gt, ge, slt, sle, sgt, sge } = domain.CONDITIONS;

/** How many terms may still be narrowed. What is left unfinished is known less of, no more. */
export interface Effort {
  left: number;
}

export class Solver {
  readonly #terms: Terms;
  readonly #sought: readonly Term[];
  readonly #conditions: Condition[];
  readonly #differences: Difference[];
  readonly #relations: Relation[];
  readonly #before = new Int32Array(domain.SCALAR_WORDS);
  readonly #effort: Effort;
  #changed = false;

  /** Of the `sought` terms as much as possible shall be known. */
  constructor(
    terms: Terms,
    conditions: readonly Condition[],
    sought: readonly Term[],
    effort: Effort,
  ) {
    this.#effort = effort;
    this.#terms = terms;
    this.#sought = sought;
    this.#conditions = [...conditions, ...partsBelow(terms)];
    this.#differences = this.#conditions.flatMap((condition) => differenceOf(terms, condition));
    const bounded = this.#differences.map(({ term }) => term);
    this.#relations = relationsOf(terms, bounded, sought);
  }

  /** Narrows all ranges; false: no run takes this path. */
  solve(): boolean {
    if (!this.#propagate()) return false;
    if (this.#simplify() && !this.#propagate()) return false;
    for (const term of this.#fewValued()) {
      if (this.#effort.left < 0) break;
      if (!this.#split(term)) return false;
    }
    return true;
  }

  /**
   * What is known now may show that an extension changes nothing: then sums that cancelled only but
   * for it do so. Whether there are any.
   */
  #simplify(): boolean {
    const terms = this.#terms;
    const before = this.#relations.length;
    const simple = (term: Term): Term => {
      const other = terms.simplified(term);
      if (other !== term) this.#relations.push({ term, parts: [[other, 1n]] });
      return other;
    };
    const sought = this.#sought.map(simple);
    const conditions = this.#conditions.map((condition) => {
      return { ...condition, a: simple(condition.a), b: simple(condition.b) };
    });
    if (this.#relations.length === before) return false;
    const differences = conditions.flatMap((condition) => differenceOf(terms, condition));
    this.#conditions.push(...conditions);
    this.#differences.push(...differences);
    const bounded = differences.map(({ term }) => term);
    this.#relations.push(...relationsOf(terms, bounded, sought));
    return true;
  }

  #propagate(): boolean {
    const { count } = this.#terms;
    for (let round = 0; round < MOST_ROUNDS; round++) {
      this.#changed = false;
      for (const condition of this.#conditions) if (!this.#assume(condition)) return false;
      for (const difference of this.#differences) if (!this.#bound(difference)) return false;
      for (let term = 0; term < count; term++) if (!this.#narrowTerm(term)) return false;
      for (const { term, parts } of this.#relations) {
        if (!narrowParts(this.#terms, term, parts, this.#meet)) return false;
      }
      this.#effort.left -= count;
      if (!this.#changed || this.#effort.left < 0) break;
    }
    return true;
  }

  #assume({ condition, width, a, b, guards }: Condition): boolean {
    const terms = this.#terms;
    const { words } = terms;
    if (!areOffsets(terms, guards)) return true;
    if (a === b) return isReflexive(condition);
    const x = terms.scratch(RESULT);
    const y = terms.scratch(RESULT + 1);
    domain.copy(words, terms.range(a), words, x);
    domain.copy(words, terms.range(b), words, y);
    if (!domain.assume(condition, width, words, x, y)) return false;
    return this.#meet(a, x) && this.#meet(b, y);
  }

  #bound({ term, larger, smaller, least, order, guards }: Difference): boolean {
    const terms = this.#terms;
    const { words } = terms;
    if (!areOffsets(terms, guards)) return true;
    const a = terms.range(larger);
    const b = terms.range(smaller);
    const isUnsigned = order === 'unsigned';
    const most = isUnsigned
      ? domain.unsignedMax(words, a) - domain.unsignedMin(words, b)
      : domain.signedMax(words, a) - domain.signedMin(words, b);
    if (most < least) return false;
    if (most > Number.MAX_SAFE_INTEGER) return true;
    const x = terms.scratch(RESULT);
    const high = Math.floor(most / 2 ** 32);
    domain.setUnsignedRange(words, x, least, 0, most | 0, high);
    return this.#meet(term, x);
  }

  #narrowTerm(term: Term): boolean {
    const terms = this.#terms;
    const shape = terms.shape(term);
    if (shape.kind === 'constant' || shape.kind === 'unknown') return true;
    const x = terms.scratch(RESULT);
    computeRange(terms, term, x);
    if (!this.#meet(term, x)) return false;
    return narrowParts(terms, term, undefined, this.#meet);
  }

  /** range(term) := range(term) ∩ the range at `offset`; false where that is empty. */
  readonly #meet = (term: Term, offset: number): boolean => {
    const { words } = this.#terms;
    const at = this.#terms.range(term);
    const before = this.#before;
    domain.copy(words, at, before, 0);
    if (!domain.meet(words, at, at, offset)) return false;
    this.#changed ||= !domain.equals(words, at, before, 0);
    return true;
  };

  /** Terms that operations are made of and that have a few values only. */
  #fewValued(): Term[] {
    const terms = this.#terms;
    const found = new Set<Term>();
    for (let term = terms.count - 1; term >= 0; term--) {
      const shape = terms.shape(term);
      if (shape.kind !== 'operation') continue;
      for (const part of [shape.a, shape.b]) {
        if (found.size < MOST_SPLITS && casesOf(terms, part).length > 1) found.add(part);
      }
    }
    return [...found];
  }

  /** Every value of the term in turn: what holds in all cases, holds. */
  #split(term: Term): boolean {
    const terms = this.#terms;
    const cases = casesOf(terms, term);
    // An earlier split may have left one value.
    if (cases.length === 0) return true;
    const saved = terms.words.slice();
    let joined: Int32Array | undefined;
    for (const value of cases) {
      terms.words.set(saved);
      setBig(terms.words, terms.scratch(RESULT), value);
      if (!this.#meet(term, terms.scratch(RESULT)) || !this.#propagate()) continue;
      joined = joined === undefined ? terms.words.slice() : joinAll(terms, joined);
    }
    if (joined === undefined) return false;
    terms.words.set(joined);
    return true;
  }
}

/** Each range of `other` joined with that of the terms. */
function joinAll(terms: Terms, other: Int32Array): Int32Array {
  const x = terms.scratch(RESULT);
  for (let term = 0; term < terms.count; term++) {
    domain.copy(terms.words, terms.range(term), other, x);
    domain.join(other, terms.range(term), terms.range(term), x);
  }
  return other;
}

/** The values of the term, where they are few; else none. */
function casesOf(terms: Terms, term: Term): bigint[] {
  const { words } = terms;
  const at = terms.range(term);
  const least = domain.signedMin(words, at);
  const most = domain.signedMax(words, at);
  if (!(most - least < MOST_CASES) || most === least) return [];
  return Array.from({ length: most - least + 1 }, (_, index) => BigInt(least + index));
}

const areOffsets = (terms: Terms, guards: readonly Term[]): boolean =>
  guards.every((term) => {
    const at = terms.range(term);
    return (
      domain.signedMin(terms.words, at) >= 0 && domain.signedMax(terms.words, at) <= MOST_OFFSET
    );
  });

const isReflexive = (condition: domain.Condition): boolean =>
  ![ne, lt, gt, slt, sgt].some((strict) => strict === condition);

/**
 * Some bits of a number, its quotients and its remainders are no larger than it is, and neither is a
 * quotient times its divisor. Said of those only whose difference matters: x - x % 8, x - (x & 7).
 */
function partsBelow(terms: Terms): Condition[] {
  const found: Condition[] = [];
  for (let term = 0; term < terms.count; term++) {
    for (const [whole, factor] of wholesOf(terms, term)) {
      const parts: Part[] = [
        [whole, 1n],
        [term, -factor],
      ];
      if (terms.valueOf(whole) !== undefined || terms.find(parts) === undefined) continue;
      const part = terms.combine([[term, factor]]);
      found.push({ condition: le, width: 64, a: part, b: whole, guards: [] });
    }
  }
  return found;
}

/** Terms than which this one, so many times, is not larger, as an unsigned number. */
function wholesOf(terms: Terms, term: Term): readonly Part[] {
  const shape = terms.shape(term);
  if (shape.kind === 'zero-extended') return [[shape.of, 1n]];
  if (shape.kind !== 'operation') return [];
  const { operation, a, b } = shape;
  const divisor = terms.valueOf(b) ?? 0n;
  switch (operation) {
    case 'and':
      return [
        [a, 1n],
        [b, 1n],
      ];
    case 'mod':
      return [[a, 1n]];
    case 'rsh':
      return [
        [a, 1n],
        [a, 1n << (divisor & 63n)],
      ];
    case 'div':
      return divisor === 0n
        ? []
        : [
            [a, 1n],
            [a, divisor],
          ];
    default:
      return [];
  }
}

/** What the condition says of the difference of its operands. */
function differenceOf(terms: Terms, { condition, width, a, b, guards }: Condition): Difference[] {
  const isConstant = terms.valueOf(a) !== undefined || terms.valueOf(b) !== undefined;
  if (isConstant || a === b) return [];
  const unsigned = (x: Term): Term => (width === 32 ? terms.zeroExtend(x, 32) : x);
  const signed = (x: Term): Term => (width === 32 ? terms.signExtend(x, 32) : x);
  const difference = (
    larger: Term,
    smaller: Term,
    least: 0 | 1,
    order: Difference['order'],
  ): Difference[] => [
    { term: terms.subtract(larger, smaller), larger, smaller, least, order, guards },
  ];
  switch (condition) {
    case eq: {
      const [x, y] = [unsigned(a), unsigned(b)];
      return [...difference(x, y, 0, 'unsigned'), ...difference(y, x, 0, 'unsigned')];
    }
    case lt:
      return difference(unsigned(b), unsigned(a), 1, 'unsigned');
    case le:
      return difference(unsigned(b), unsigned(a), 0, 'unsigned');
    case gt:
      return difference(unsigned(a), unsigned(b), 1, 'unsigned');
    case ge:
      return difference(unsigned(a), unsigned(b), 0, 'unsigned');
    case slt:
      return difference(signed(b), signed(a), 1, 'signed');
    case sle:
      return difference(signed(b), signed(a), 0, 'signed');
    case sgt:
      return difference(signed(a), signed(b), 1, 'signed');
    case sge:
      return difference(signed(a), signed(b), 0, 'signed');
    default:
      return [];
  }
}
