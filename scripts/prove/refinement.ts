/**
 * Refinement keeps every member: proved function by function.
 *
 * As one formula, refine is too large. So each function is proved to keep a contract, running its
 * own text, with the functions that it calls replaced by their contracts. A contract is stated for
 * one arbitrary member z: whatever the call returns or stores is free, except that what holds of z
 * before implies what the contract says of z after. Loops of refine are unrolled, so the chain of
 * contracts ends at functions that are proved outright.
 */
import type { Value } from './execute.ts';
import type { Formula, NumberValue } from './symbols.ts';
import { type Bits, type Goal, WORDS, type Workbench } from './workbench.ts';

const FILE = 'refine.ts';
type Words = NumberValue[];

/** A number between -1 and 2^32 - 1, as the search functions return it. */
function searchResult(bench: Workbench): { value: NumberValue; found: Formula; word: Bits } {
  const word = bench.variable(32);
  const found = bench.z3.Bool.const(`found${bench.serial()}`);
  const value = bench.algebra.choose(found, bench.algebra.ofWord(word, 0, 2 ** 32 - 1), -1);
  return { value, found, word };
}

interface Search {
  readonly name: 'ceilBits' | 'floorBits' | 'ceilLow' | 'floorLow';
  readonly up: boolean;
}

const BIT_SEARCHES: readonly Search[] = [
  { name: 'ceilBits', up: true },
  { name: 'floorBits', up: false },
];
const LOW_SEARCHES: readonly Search[] = [
  { name: 'ceilLow', up: true },
  { name: 'floorLow', up: false },
];

/** x ≤ y on the way up, x ≥ y on the way down. */
const before = (search: Search, x: Bits, y: Bits) => (search.up ? x.ule(y) : x.uge(y));

/** Member y beyond x: found, and not past y. What is found is never on the wrong side of x. */
function searchAxiom(
  bench: Workbench,
  search: Search,
  start: Bits,
  result: { found: Formula; word: Bits },
  members: readonly (readonly [Formula, Bits])[],
): Formula {
  const { z3 } = bench;
  const near = z3.Implies(result.found, before(search, start, result.word));
  const exact = members.map(([is, y]) =>
    z3.Implies(
      z3.And(is, before(search, start, y)),
      z3.And(result.found, before(search, result.word, y)),
    ),
  );
  return z3.And(near, ...exact);
}

function searchGoal(search: Search): Goal {
  return {
    name: `${search.name} finds the nearest`,
    quick: true,
    state: (bench) => {
      const { algebra, z3 } = bench;
      const [x, value, mask, y] = [32, 32, 32, 32].map((bits) => bench.variable(bits)) as [
        Bits,
        Bits,
        Bits,
        Bits,
      ];
      bench.assume(value.and(mask).eq(z3.BitVec.val(0, 32)));
      const out = bench.number(
        bench.run(
          FILE,
          search.name,
          algebra.ofWord(x, 0, 2 ** 32 - 1),
          algebra.ofWord(value),
          algebra.ofWord(mask),
        ),
      );
      const found = algebra.formula(algebra.not(algebra.less(out, 0)));
      const fits = y.and(mask.not()).eq(value);
      const result = { found, word: algebra.word(out) };
      bench.claim('nearest', searchAxiom(bench, search, x, result, [[fits, y]]));
      bench.claim('sentinel', z3.Or(found, algebra.formula(algebra.equal(out, -1))));
    },
  };
}

/** Both halves of z are the members that callers look for. */
function bitSearchContract(bench: Workbench, search: Search, z: Bits): void {
  const { algebra, z3 } = bench;
  bench.executor.replace(FILE, search.name, ([x, value, mask]) => {
    const [start, v, m] = [x, value, mask].map((arg) => algebra.word(arg as NumberValue)) as [
      Bits,
      Bits,
      Bits,
    ];
    const result = searchResult(bench);
    const halves = [bench.low(z), z.extract(63, 32) as Bits];
    const clean = v.and(m).eq(z3.BitVec.val(0, 32));
    const members = halves.map((y) => [z3.And(clean, y.and(m.not()).eq(v)), y] as const);
    bench.assume(searchAxiom(bench, search, start, result, members));
    return result.value;
  });
}

/** Membership of the low half of z in the low constraints of words. */
function lowMember(bench: Workbench, words: Words, o: number, z: Bits): Formula {
  const low = /^(u32|s32)/;
  const { algebra, z3 } = bench;
  const parts = bench.membershipOf(words, o, z).filter(({ part }) => low.test(part));
  const [v, m] = [algebra.word(words[o]!), algebra.word(words[o + 2]!)];
  const bits = z3.And(bench.low(z).and(m.not()).eq(v), v.and(m).eq(z3.BitVec.val(0, 32)));
  return z3.And(bits, ...parts.map((claim) => claim.formula));
}

function lowSearchGoal(search: Search): Goal {
  return {
    name: `${search.name} finds the nearest`,
    quick: true,
    state: (bench) => {
      const { algebra, z3 } = bench;
      const w = bench.scalars(1);
      const [x, z] = [bench.variable(32), bench.variable(64)];
      const is = lowMember(bench, bench.wordsOf(w), 0, z);
      for (const inner of BIT_SEARCHES) bitSearchContract(bench, inner, z);
      const out = bench.number(
        bench.run(FILE, search.name, w, 0, algebra.ofWord(x, 0, 2 ** 32 - 1)),
      );
      const found = algebra.formula(algebra.not(algebra.less(out, 0)));
      const result = { found, word: algebra.word(out) };
      const axiom = searchAxiom(bench, search, x, result, [[is, bench.low(z)]]);
      bench.claim('nearest', z3.Implies(found, before(search, x, result.word)));
      bench.claim('not past a member', z3.Implies(is, axiom));
      bench.claim('sentinel', z3.Or(found, algebra.formula(algebra.equal(out, -1))));
    },
  };
}

function lowSearchContract(bench: Workbench, search: Search, z: Bits): void {
  bench.executor.replace(FILE, search.name, ([w, o, x], words) => {
    const is = lowMember(bench, words(w), o as number, z);
    const result = searchResult(bench);
    const start = bench.algebra.word(x as NumberValue);
    bench.assume(searchAxiom(bench, search, start, result, [[is, bench.low(z)]]));
    return result.value;
  });
}

const WHOLE_SEARCHES = [
  { name: 'ceilWhole', up: true },
  { name: 'floorWhole', up: false },
] as const;
type WholeSearch = (typeof WHOLE_SEARCHES)[number];

/** From `start` to `end`: not past a member z beyond the start, and never on the wrong side. */
function wholeAxiom(
  bench: Workbench,
  search: WholeSearch,
  [start, end]: readonly [Bits, Bits],
  kept: Formula,
  [member, z]: readonly [Formula, Bits],
): Formula {
  const { z3 } = bench;
  const beyond = (x: Bits, y: Bits) => (search.up ? x.ule(y) : x.uge(y));
  return z3.And(
    z3.Implies(kept, beyond(start, end)),
    z3.Implies(z3.And(member, beyond(start, z)), z3.And(kept, beyond(end, z))),
  );
}

function wholeGoal(search: WholeSearch): Goal {
  return {
    name: `${search.name} passes no member`,
    quick: true,
    state: (bench) => {
      const w = bench.scalars(1);
      const z = bench.variable(64);
      const member = isMember(bench, bench.wordsOf(w), 0, z);
      for (const inner of BIT_SEARCHES) bitSearchContract(bench, inner, z);
      for (const inner of LOW_SEARCHES) lowSearchContract(bench, inner, z);
      const ends = bench.wordsOf(bench.executor.array(FILE, 'T'));
      ends[0] = bench.algebra.ofWord(bench.variable(32));
      ends[1] = bench.algebra.ofWord(bench.variable(32));
      const start = bench.pair(ends, 0);
      const kept = bench.truth(bench.run(FILE, search.name, w, 0, 0));
      const end = bench.pair(bench.wordsOf(bench.executor.array(FILE, 'T')), 0);
      bench.claim('contract', wholeAxiom(bench, search, [start, end], kept, [member, z]));
    },
  };
}

function wholeContract(bench: Workbench, search: WholeSearch, z: Bits): void {
  const { algebra, z3 } = bench;
  bench.executor.replace(FILE, search.name, ([w, o, t], words) => {
    const member = isMember(bench, words(w), o as number, z);
    const ends = words(bench.executor.array(FILE, 'T'));
    const at = t as number;
    const start = bench.pair(ends, at);
    ends[at] = algebra.ofWord(bench.variable(32));
    ends[at + 1] = algebra.ofWord(bench.variable(32));
    const kept = z3.Bool.const(`kept${bench.serial()}`);
    bench.assume(wholeAxiom(bench, search, [start, bench.pair(ends, at)], kept, [member, z]));
    return algebra.ofFormula(kept);
  });
}

/** z in its half lies between the ends at T; the ends keep the sign of the half. */
const HALVES = [
  { name: 'positiveHalf', at: 0, negative: false },
  { name: 'negativeHalf', at: 4, negative: true },
] as const;
type Half = (typeof HALVES)[number];

function halfAxiom(
  bench: Workbench,
  half: Half,
  ends: readonly NumberValue[],
  kept: Formula,
  z: Bits,
) {
  const { z3 } = bench;
  const [least, most] = [bench.pair(ends, half.at), bench.pair(ends, half.at + 2)];
  const sign = z3.BitVec.val(half.negative ? 1 : 0, 1);
  const inHalf = z.extract(63, 63).eq(sign);
  const signs = z3.And(least.extract(63, 63).eq(sign), most.extract(63, 63).eq(sign));
  return {
    bounded: (member: Formula) =>
      z3.Implies(z3.And(member, inHalf), z3.And(kept, least.ule(z), z.ule(most))),
    signed: z3.Implies(kept, signs),
  };
}

const isMember = (bench: Workbench, words: Words, o: number, z: Bits) =>
  bench.z3.And(...bench.membershipOf(words, o, z).map((claim) => claim.formula));

function halfGoal(half: Half): Goal {
  return {
    name: `${half.name} keeps members`,
    quick: false,
    state: (bench) => {
      const w = bench.scalars(1);
      const z = bench.variable(64);
      const member = isMember(bench, bench.wordsOf(w), 0, z);
      for (const search of WHOLE_SEARCHES) wholeContract(bench, search, z);
      const kept = bench.truth(bench.run(FILE, half.name, w, 0));
      const ends = bench.executor.words(bench.executor.array(FILE, 'T'));
      const { bounded, signed } = halfAxiom(bench, half, ends, kept, z);
      bench.claim('bounded', bounded(member));
      bench.claim('sign of the ends', signed);
    },
  };
}

function halfContract(bench: Workbench, half: Half, z: Bits): void {
  const { algebra, z3 } = bench;
  bench.executor.replace(FILE, half.name, ([w, o], words) => {
    const ends = words(bench.executor.array(FILE, 'T'));
    const member = isMember(bench, words(w), o as number, z);
    for (let i = 0; i < 4; i++) ends[half.at + i] = algebra.ofWord(bench.variable(32));
    const kept = z3.Bool.const(`kept${bench.serial()}`);
    const { bounded, signed } = halfAxiom(bench, half, ends, kept, z);
    bench.assume(z3.And(bounded(member), signed));
    return algebra.ofFormula(kept);
  });
}

/** storeHalves and narrowLow, given halves that bound z. */
function afterHalves(name: 'storeHalves' | 'narrowLow'): Goal {
  return {
    name: `${name} keeps members`,
    quick: true,
    state: (bench) => {
      const { algebra, z3 } = bench;
      const w = bench.scalars(1);
      const z = bench.variable(64);
      bench.assumeMember(w, 0, z);
      const ends = bench.executor.words(bench.executor.array(FILE, 'T')) as Words;
      for (let i = 0; i < 8; i++) ends[i] = algebra.ofWord(bench.variable(32));
      const flags = HALVES.map((half) => {
        const kept = z3.Bool.const(half.name);
        const { bounded, signed } = halfAxiom(bench, half, ends, kept, z);
        bench.assume(z3.And(bounded(z3.Bool.val(true)), signed));
        return algebra.ofFormula(kept);
      });
      bench.assume(z3.Or(...flags.map((flag) => bench.truth(flag))));
      bench.run(FILE, name, w, 0, ...flags);
      bench.claimMember(w, 0, z);
    },
  };
}

/** What a caller of refineShort has seen to: nothing at or above 2^32. */
const isShort = (bench: Workbench, words: Words, o: number) =>
  bench.algebra.formula(bench.algebra.equal(words[o + 7]!, 0));

/** Any function that keeps z: it may change all words, and may answer false where z is not in γ. */
function keepContract(bench: Workbench, name: string, z: Bits): void {
  const { algebra, z3 } = bench;
  bench.executor.replace(FILE, name, ([w, o], words) => {
    const all = words(w);
    const at = o as number;
    const given = name === 'refineShort' ? isShort(bench, all, at) : z3.Bool.val(true);
    const member = z3.And(given, isMember(bench, all, at, z));
    for (let i = 0; i < WORDS; i++) all[at + i] = algebra.ofWord(bench.variable(32));
    const kept = z3.Bool.const(`kept${bench.serial()}`);
    bench.assume(z3.Implies(member, z3.And(kept, isMember(bench, all, at, z))));
    return algebra.ofFormula(kept);
  });
}

/** For other files' goals: refine keeps `z`. */
export function refineContract(bench: Workbench, z: Bits): void {
  keepContract(bench, 'refine', z);
}

/** A function of refine.ts keeps every member, given the contracts of those it calls. */
function keeps(name: string, prepare: (bench: Workbench, z: Bits) => void): Goal {
  return {
    name: `${name} keeps members`,
    quick: name === 'refine',
    state: (bench) => {
      const w = bench.scalars(1);
      const z = bench.variable(64);
      bench.assumeMember(w, 0, z);
      if (name === 'refineShort') bench.assume(isShort(bench, bench.wordsOf(w), 0));
      prepare(bench, z);
      const kept: Value = bench.run(FILE, name, w, 0);
      bench.claim('not empty', bench.truth(kept));
      bench.claimMember(w, 0, z);
    },
  };
}

export const REFINEMENT: readonly Goal[] = [
  ...BIT_SEARCHES.map(searchGoal),
  ...LOW_SEARCHES.map(lowSearchGoal),
  ...WHOLE_SEARCHES.map(wholeGoal),
  ...HALVES.map(halfGoal),
  afterHalves('storeHalves'),
  afterHalves('narrowLow'),
  keeps('refineLow', (bench, z) => {
    for (const search of BIT_SEARCHES) bitSearchContract(bench, search, z);
  }),
  keeps('refineShort', (bench, z) => keepContract(bench, 'refineLow', z)),
  keeps('refine', (bench, z) => {
    keepContract(bench, 'refineLow', z);
    keepContract(bench, 'refineShort', z);
    for (const half of HALVES) halfContract(bench, half, z);
    for (const name of ['storeHalves', 'narrowLow']) afterHalvesContract(bench, name, z);
  }),
];

/** Given what the halves' contracts ensure at the call, z is kept. */
function afterHalvesContract(bench: Workbench, name: string, z: Bits): void {
  const { algebra, z3 } = bench;
  bench.executor.replace(FILE, name, ([w, o, ...flags], words) => {
    const all = words(w);
    const at = o as number;
    const ends = words(bench.executor.array(FILE, 'T'));
    const sound = HALVES.map((half, i) => {
      const { bounded, signed } = halfAxiom(bench, half, ends, bench.truth(flags[i]), z);
      return z3.And(bounded(z3.Bool.val(true)), signed);
    });
    const some = z3.Or(...flags.map((flag) => bench.truth(flag)));
    const given = z3.And(some, isMember(bench, all, at, z), ...sound);
    for (let i = 0; i < WORDS; i++) all[at + i] = algebra.ofWord(bench.variable(32));
    bench.assume(z3.Implies(given, isMember(bench, all, at, z)));
    return algebra.ofFormula(z3.Bool.const(`changed${bench.serial()}`));
  });
}
