/**
 * The means to state goals: free variables, the domain's functions run on them, membership in γ as
 * words.ts defines it, assumptions and claims.
 */
import type { BitVec as Vector } from 'z3-solver';
import { Executor, type Value } from './execute.ts';
import { Algebra, type Formula, type NumberValue, type Z3 } from './symbols.ts';

export type Bits = Vector<number, 'main'>;

export interface Claim {
  readonly part: string;
  readonly formula: Formula;
}

export interface Goal {
  readonly name: string;
  /** Takes about a second at most: in the subset that the unit tests prove. */
  readonly quick: boolean;
  readonly state: (bench: Workbench) => void;
}

export const WORDS = 16;
const PAIRS = ['value', 'mask', 'umin', 'umax', 'smin', 'smax'] as const;

/** Assumptions, claims, and the means to state them. */
export class Workbench {
  readonly z3: Z3;
  readonly algebra: Algebra;
  readonly executor: Executor;
  readonly assumptions: Formula[] = [];
  readonly claims: Claim[] = [];
  #fresh = 0;

  constructor(z3: Z3, folder: string) {
    this.z3 = z3;
    this.algebra = new Algebra(z3);
    this.executor = new Executor(this.algebra, folder);
  }

  /** A number for a fresh name. */
  serial(): number {
    return this.#fresh++;
  }

  variable(bits: number): Bits {
    return this.z3.BitVec.const(`x${this.serial()}`, bits);
  }

  /** An array of `count` scalars that could hold anything. */
  scalars(count: number): Value {
    const words = Array.from({ length: count * WORDS }, () =>
      this.algebra.ofWord(this.variable(32)),
    );
    return this.executor.newArray(words);
  }

  run(file: string, name: string, ...values: Value[]): Value {
    return this.executor.call(file, name, ...values);
  }

  assume(formula: Formula): void {
    this.assumptions.push(formula);
  }

  claim(part: string, formula: Formula): void {
    this.claims.push({ part, formula });
  }

  truth(value: Value): Formula {
    return this.algebra.formula(value as Parameters<Algebra['formula']>[0]);
  }

  number(value: Value): NumberValue {
    return value as NumberValue;
  }

  pair(words: readonly NumberValue[], at: number): Bits {
    const { algebra, z3 } = this;
    return z3.Concat(algebra.word(words[at + 1]!), algebra.word(words[at]!)) as Bits;
  }

  low(x: Bits): Bits {
    return x.extract(31, 0) as Bits;
  }

  zeroExtended(x: Bits): Bits {
    return x.zeroExt(32) as Bits;
  }

  signExtended(x: Bits): Bits {
    return x.signExt(64 - x.size()) as Bits;
  }

  /** The constraints of words.ts, part by part, on the value x. */
  membership(array: Value, o: number, x: Bits): Claim[] {
    return this.membershipOf(this.wordsOf(array), o, x);
  }

  wordsOf(array: Value): NumberValue[] {
    return this.executor.words(array as Parameters<Executor['words']>[0]) as NumberValue[];
  }

  membershipOf(words: readonly NumberValue[], o: number, x: Bits): Claim[] {
    const p = Object.fromEntries(
      PAIRS.map((name, i) => [name, this.pair(words, o + 2 * i)]),
    ) as Record<(typeof PAIRS)[number], Bits>;
    const low = this.low(x);
    const word = (i: number) => this.algebra.word(words[o + i]!);
    return [
      { part: 'bits', formula: x.and(p.mask.not()).eq(p.value) },
      { part: 'no value in mask', formula: p.value.and(p.mask).eq(this.z3.BitVec.val(0, 64)) },
      { part: 'umin', formula: p.umin.ule(x) },
      { part: 'umax', formula: x.ule(p.umax) },
      { part: 'smin', formula: p.smin.sle(x) },
      { part: 'smax', formula: x.sle(p.smax) },
      { part: 'u32min', formula: word(12).ule(low) },
      { part: 'u32max', formula: low.ule(word(13)) },
      { part: 's32min', formula: word(14).sle(low) },
      { part: 's32max', formula: low.sle(word(15)) },
    ];
  }

  assumeMember(array: Value, o: number, x: Bits): void {
    for (const { formula } of this.membership(array, o, x)) this.assume(formula);
  }

  claimMember(array: Value, o: number, x: Bits, parts: RegExp = /./): void {
    for (const claim of this.membership(array, o, x)) {
      if (parts.test(claim.part)) this.claims.push(claim);
    }
  }
}
