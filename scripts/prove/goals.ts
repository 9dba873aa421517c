/**
 * What is proved of the scalar domain, for all values at full width.
 *
 * Each goal runs functions of verifier/domain on scalars whose sixteen words are free variables, and
 * claims that members stay members. Nothing is assumed of a scalar but that the value in question
 * satisfies its constraints; in particular it need not be refined.
 */

import type { Executor } from './execute.ts';
import { REFINEMENT, refineContract } from './refinement.ts';
import type { Formula, NumberValue, Z3 } from './symbols.ts';
import { type Bits, type Goal, WORDS, type Workbench } from './workbench.ts';

const A = 0;
const B = WORDS;
const OUT = 2 * WORDS;

/** x ∈ γ(a), y ∈ γ(b) ⇒ meaning(x, y) ∈ γ(out). */
function binary(
  file: string,
  name: string,
  meaning: (x: Bits, y: Bits, bench: Workbench) => Bits,
): Goal {
  return {
    name,
    quick: file === 'bitwise.ts',
    state: (bench) => {
      const w = bench.scalars(3);
      const [x, y] = [bench.variable(64), bench.variable(64)];
      bench.assumeMember(w, A, x);
      bench.assumeMember(w, B, y);
      bench.run(file, name, w, OUT, A, B);
      bench.claimMember(w, OUT, meaning(x, y, bench));
    },
  };
}

const ARITHMETIC: readonly Goal[] = [
  binary('arithmetic.ts', 'addWhole', (x, y) => x.add(y)),
  binary('arithmetic.ts', 'subtractWhole', (x, y) => x.sub(y)),
  binary('bitwise.ts', 'andWhole', (x, y) => x.and(y)),
  binary('bitwise.ts', 'orWhole', (x, y) => x.or(y)),
  binary('bitwise.ts', 'xorWhole', (x, y) => x.xor(y)),
  {
    name: 'negation is 0 - x',
    quick: true,
    state: (bench) => {
      const w = bench.scalars(3);
      const x = bench.variable(64);
      bench.run('scalar.ts', 'setConstant', w, A, 0, 0);
      bench.assumeMember(w, B, x);
      bench.run('arithmetic.ts', 'subtractWhole', w, OUT, A, B);
      bench.claimMember(w, OUT, x.neg());
    },
  },
];

/** One goal for each amount: a shift by a constant. */
function shift(name: string, amount: number, meaning: (x: Bits, k: Bits) => Bits): Goal {
  return {
    name: `${name} by ${amount}`,
    quick: amount === 35,
    state: (bench) => {
      const w = bench.scalars(3);
      const x = bench.variable(64);
      bench.assumeMember(w, A, x);
      bench.run('shift.ts', name, w, OUT, A, amount);
      bench.claimMember(w, OUT, meaning(x, bench.z3.BitVec.val(amount, 64)));
    },
  };
}

const SHIFTS: readonly Goal[] = Array.from({ length: 64 }, (_, amount) => [
  shift('leftByConstant', amount, (x, k) => x.shl(k)),
  shift('rightByConstant', amount, (x, k) => x.lshr(k)),
  shift('arithmeticByConstant', amount, (x, k) => x.shr(k)),
]).flat();

/** x ∈ γ(a) ⇒ meaning(x) ∈ γ(a) after an operation in place. */
function inPlace(
  file: string,
  name: string,
  extra: readonly number[],
  meaning: (x: Bits, bench: Workbench) => Bits,
): Goal {
  return {
    name: [name, ...extra].join(' '),
    quick: extra[0] === 2,
    state: (bench) => {
      const w = bench.scalars(1);
      const x = bench.variable(64);
      bench.assumeMember(w, A, x);
      const result = meaning(x, bench);
      bench.executor.load(file);
      refineContract(bench, result);
      bench.run(file, name, w, A, ...extra);
      bench.claimMember(w, A, result);
    },
  };
}

/** Low `bits` bits of x, widened again. */
const cut = (bits: number, extension: 'zero' | 'sign') => (x: Bits, bench: Workbench) => {
  const low = x.extract(bits - 1, 0) as Bits;
  return extension === 'sign' ? bench.signExtended(low) : (low.zeroExt(64 - bits) as Bits);
};

function swapped(sizeBytes: number) {
  return (x: Bits, bench: Workbench): Bits => {
    let result: Bits | undefined;
    for (let i = 0; i < sizeBytes; i++) {
      const byte = x.extract(8 * i + 7, 8 * i) as Bits;
      result = result ? (bench.z3.Concat(result, byte) as Bits) : byte;
    }
    const missing = 64 - 8 * sizeBytes;
    return missing === 0 ? result! : (result!.zeroExt(missing) as Bits);
  };
}

const CASTS: readonly Goal[] = [
  inPlace('cast.ts', 'truncate32', [], cut(32, 'zero')),
  inPlace('cast.ts', 'signExtend32', [], cut(32, 'sign')),
  ...[1, 2, 4].map((n) => inPlace('cast.ts', 'shrinkToBytes', [n], cut(8 * n, 'zero'))),
  ...[1, 2, 4].map((n) => inPlace('cast.ts', 'signExtendBytes', [n], cut(8 * n, 'sign'))),
  ...[2, 4, 8].map((n) => inPlace('cast.ts', 'swapBytes', [n], swapped(n))),
];

const LATTICE: readonly Goal[] = [
  {
    name: 'join covers',
    quick: true,
    state: (bench) => {
      const w = bench.scalars(3);
      const x = bench.variable(64);
      const member = (o: number) =>
        bench.z3.And(...bench.membership(w, o, x).map((claim) => claim.formula));
      bench.assume(bench.z3.Or(member(A), member(B)));
      for (const o of [A, B]) {
        const words = bench.executor.words(w as Parameters<Executor['words']>[0]);
        const both = bench.pair(words, o).and(bench.pair(words, o + 2));
        bench.assume(both.eq(bench.z3.BitVec.val(0, 64)));
      }
      bench.run('scalar.ts', 'join', w, OUT, A, B);
      bench.claimMember(w, OUT, x);
    },
  },
  {
    name: 'meet covers',
    quick: true,
    state: (bench) => {
      const w = bench.scalars(2);
      const x = bench.variable(64);
      bench.assumeMember(w, A, x);
      bench.assumeMember(w, B, x);
      bench.claim('not empty', bench.truth(bench.run('scalar.ts', 'constrain', w, A, B)));
      bench.claimMember(w, A, x);
    },
  },
  {
    name: 'includes is sound',
    quick: false,
    state: (bench) => {
      const w = bench.scalars(2);
      const x = bench.variable(64);
      bench.assumeMember(w, B, x);
      const words = bench.executor.words(w as Parameters<Executor['words']>[0]);
      const both = bench.pair(words, A).and(bench.pair(words, A + 2));
      bench.assume(both.eq(bench.z3.BitVec.val(0, 64)));
      bench.assume(bench.truth(bench.run('scalar.ts', 'includes', w, A, w, B)));
      bench.claimMember(w, A, x);
    },
  },
  {
    name: 'contains is membership',
    quick: false,
    state: (bench) => {
      const w = bench.scalars(1);
      const [lo, hi] = [bench.variable(32), bench.variable(32)];
      const { algebra, z3 } = bench;
      const x = z3.Concat(hi, lo) as Bits;
      const words = bench.executor.words(w as Parameters<Executor['words']>[0]);
      const both = bench.pair(words, A).and(bench.pair(words, A + 2));
      bench.assume(both.eq(z3.BitVec.val(0, 64)));
      const said = bench.run('scalar.ts', 'contains', w, A, algebra.ofWord(lo), algebra.ofWord(hi));
      const is = z3.And(...bench.membership(w, A, x).map((claim) => claim.formula));
      bench.claim('same', bench.truth(said).eq(is));
    },
  },
];

type Relation = (x: Bits, y: Bits, z3: Z3) => Formula;

/** By the numbers of branch.ts. */
const CONDITIONS: readonly (readonly [string, Relation])[] = [
  ['eq', (x, y) => x.eq(y)],
  ['ne', (x, y) => x.neq(y)],
  ['set', (x, y, z3) => x.and(y).neq(z3.BitVec.val(0, x.size()))],
  ['notset', (x, y, z3) => x.and(y).eq(z3.BitVec.val(0, x.size()))],
  ['lt', (x, y) => x.ult(y)],
  ['ge', (x, y) => x.uge(y)],
  ['gt', (x, y) => x.ugt(y)],
  ['le', (x, y) => x.ule(y)],
  ['slt', (x, y) => x.slt(y)],
  ['sge', (x, y) => x.sge(y)],
  ['sgt', (x, y) => x.sgt(y)],
  ['sle', (x, y) => x.sle(y)],
];

/** x ∈ γ(a), y ∈ γ(b), x condition y ⇒ restrict succeeds and keeps both; decide never lies. */
const BRANCHES: readonly Goal[] = CONDITIONS.flatMap(([name, relation], condition) =>
  ([64, 32] as const).map(
    (width): Goal => ({
      name: `branch ${name} at ${width} bits`,
      quick: condition > 1,
      state: (bench) => {
        const w = bench.scalars(2);
        const [x, y] = [bench.variable(64), bench.variable(64)];
        bench.assumeMember(w, A, x);
        bench.assumeMember(w, B, y);
        const holds =
          width === 64 ? relation(x, y, bench.z3) : relation(bench.low(x), bench.low(y), bench.z3);
        const decision = bench.number(bench.run('branch.ts', 'decide', condition, width, w, A, B));
        const { algebra, z3 } = bench;
        const is = (k: number) => algebra.formula(algebra.equal(decision, k));
        bench.claim('always', z3.Implies(is(1), holds));
        bench.claim('never', z3.Implies(is(0), holds.not()));
        const kept = bench.run('branch.ts', 'restrict', condition, width, w, A, B);
        bench.claim('feasible', z3.Implies(holds, bench.truth(kept)));
        for (const [o, value] of [
          [A, x],
          [B, y],
        ] as const) {
          for (const { part, formula } of bench.membership(w, o, value)) {
            bench.claim(`${o === A ? 'left' : 'right'} ${part}`, z3.Implies(holds, formula));
          }
        }
      },
    }),
  ),
);

/** Bits of the operands of products and quotients: larger ones are beyond the solver. */
const SMALL_BITS = 4;

/** A scalar of values below 2^SMALL_BITS, its upper words known to the interpreter. */
function smallScalar(bench: Workbench): NumberValue[] {
  const limit = 2 ** SMALL_BITS - 1;
  const small = () => {
    const word = bench.variable(SMALL_BITS).zeroExt(32 - SMALL_BITS) as Bits;
    return bench.algebra.ofWord(word, 0, limit);
  };
  const pairs = Array.from({ length: 6 }, () => [small(), 0]).flat();
  return [...pairs, small(), small(), small(), small()];
}

function smallBinary(
  file: string,
  name: string,
  meaning: (x: Bits, y: Bits, z3: Z3) => Bits,
): Goal {
  return {
    name: `${name} below 2^${SMALL_BITS}`,
    quick: false,
    state: (bench) => {
      const blank = new Array<NumberValue>(WORDS).fill(0);
      const words = [...smallScalar(bench), ...smallScalar(bench), ...blank];
      const w = bench.executor.newArray(words);
      const [x, y] = [0, 1].map(() => bench.variable(SMALL_BITS).zeroExt(64 - SMALL_BITS) as Bits);
      bench.assumeMember(w, A, x!);
      bench.assumeMember(w, B, y!);
      bench.executor.load(file);
      const result = meaning(x!, y!, bench.z3);
      refineContract(bench, result);
      bench.run(file, name, w, OUT, A, B);
      bench.claimMember(w, OUT, result);
    },
  };
}

const zero = (z3: Z3) => z3.BitVec.val(0, 64);

const PRODUCTS: readonly Goal[] = [
  smallBinary('multiply.ts', 'multiplyWhole', (x, y) => x.mul(y)),
  smallBinary(
    'divide.ts',
    'divideWhole',
    (x, y, z3) => z3.If(y.eq(zero(z3)), zero(z3), x.udiv(y)) as Bits,
  ),
  smallBinary(
    'divide.ts',
    'remainderWhole',
    (x, y, z3) => z3.If(y.eq(zero(z3)), x, x.urem(y)) as Bits,
  ),
];

export const GOALS: readonly Goal[] = [
  ...REFINEMENT,
  ...LATTICE,
  ...ARITHMETIC,
  ...CASTS,
  ...BRANCHES,
  ...SHIFTS,
  ...PRODUCTS,
];
