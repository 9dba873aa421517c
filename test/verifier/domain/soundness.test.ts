/**
 * Domain soundness at full width: for values in γ(a) and γ(b), what the instruction computes is in
 * γ of what the domain computes. Scalars are random, corner-heavy, and made around known members;
 * the concrete meaning is isa/evaluate.ts.
 */
import { describe, expect, it } from 'vitest';
import { type AluOperation, alu, compare, type JumpCondition, TABLE } from '../../../isa/index.ts';
import {
  assume,
  CONDITIONS,
  copy,
  decide,
  equals,
  includes,
  join,
  meet,
  negate,
  refine,
  SCALAR_WORDS,
  shrinkToBytes,
  transferOf,
  widen,
} from '../../../verifier/domain/index.ts';
import {
  holds,
  newScalars,
  Random,
  randomScalarWith,
  readScalar,
  sampleMembers,
} from '../../support/domain-model.ts';

const A = 0;
const B = SCALAR_WORDS;
const OUT = 2 * SCALAR_WORDS;
const hex = (x: bigint) => `0x${x.toString(16)}`;

const OPERATIONS = [
  ...new Map(
    TABLE.filter((row) => row.kind === 'alu').map((row) => [
      `${row.operation}${row.width}_${row.sizeBytes}`,
      row,
    ]),
  ).values(),
];

/** Runs more often when asked to, for the nightly search: DOMAIN_RUNS=1000000. */
const RUNS = Number(process.env.DOMAIN_RUNS ?? 1000);

function describeScalar(w: Int32Array, o: number): string {
  return Object.entries<bigint>({ ...readScalar(w, o) })
    .map(([name, x]) => `${name}=${x < 0n ? `-${hex(-x)}` : hex(x)}`)
    .join(' ');
}

describe('transfer', () => {
  for (const row of OPERATIONS) {
    const operation = row.operation as AluOperation;
    const width = row.width as 32 | 64;
    const transfer = transferOf(operation, width, row.sizeBytes);
    it(`${operation}${width}${row.sizeBytes ? `_${8 * row.sizeBytes}` : ''} covers`, () => {
      const random = new Random(row.index + 1);
      const w = newScalars(3);
      for (let run = 0; run < RUNS; run++) {
        const x = random.corner();
        const y = random.corner();
        randomScalarWith(random, w, A, x);
        randomScalarWith(random, w, B, y);
        const xs = sampleMembers(random, readScalar(w, A), x);
        const ys = sampleMembers(random, readScalar(w, B), y);
        transfer(w, OUT, A, B);
        const out = readScalar(w, OUT);
        for (const p of xs) {
          for (const q of ys) {
            const r = alu(operation, width, p, q, row.sizeBytes);
            if (holds(out, r)) continue;
            const sides = [A, B, OUT].map((o) => describeScalar(w, o)).join('\n');
            expect.fail(`${operation}${width}(${hex(p)}, ${hex(q)}) = ${hex(r)}\n${sides}`);
          }
        }
        // The result may replace an operand.
        const alias = w.slice();
        transfer(alias, run & 1 ? A : B, A, B);
        if (!equals(alias, run & 1 ? A : B, w, OUT)) expect.fail('result depends on aliasing');
      }
    });
  }
});

describe('conditions', () => {
  const names = Object.keys(CONDITIONS) as (keyof typeof CONDITIONS)[];
  const truth = (name: (typeof names)[number], width: 32 | 64, p: bigint, q: bigint) =>
    name === 'notset' ? !compare('set', width, p, q) : compare(name as JumpCondition, width, p, q);

  for (const width of [64, 32] as const) {
    it.each(names)(`%s at ${width} bits`, (name) => {
      const condition = CONDITIONS[name];
      const random = new Random(condition * 2 + width);
      const w = newScalars(2);
      for (let run = 0; run < RUNS; run++) {
        const x = random.corner();
        const y = random.below(3) ? random.corner() : x;
        randomScalarWith(random, w, A, x);
        randomScalarWith(random, w, B, y);
        const xs = sampleMembers(random, readScalar(w, A), x);
        const ys = sampleMembers(random, readScalar(w, B), y);
        const decision = decide(condition, width, w, A, B);
        const refined = w.slice();
        const feasible = assume(condition, width, refined, A, B);
        const before = [readScalar(w, A), readScalar(w, B)];
        const left = readScalar(refined, A);
        const right = readScalar(refined, B);
        for (const p of xs) {
          for (const q of ys) {
            const held = truth(name, width, p, q);
            const wrong =
              (held && (decision === 0 || !feasible || !holds(left, p) || !holds(right, q))) ||
              (!held && decision === 1);
            if (!wrong) continue;
            const sides = `${describeScalar(w, A)}\n${describeScalar(w, B)}`;
            expect.fail(`${hex(p)} ${name} ${hex(q)} is ${held}, decided ${decision}\n${sides}`);
          }
        }
        if (feasible && !includes(w, A, refined, A)) {
          expect.fail(`${name} lost knowledge: ${JSON.stringify(before.map(String))}`);
        }
      }
    });
  }

  it('negation inverts every condition', () => {
    const random = new Random(7);
    for (let run = 0; run < 2000; run++) {
      const x = random.corner();
      const y = random.corner();
      for (const name of names) {
        const opposite = names.find((other) => CONDITIONS[other] === negate(CONDITIONS[name]))!;
        expect(truth(opposite, 64, x, y)).toBe(!truth(name, 64, x, y));
      }
    }
  });

  it('knows that a value equals itself', () => {
    const w = newScalars(1);
    const random = new Random(9);
    for (let run = 0; run < 500; run++) {
      const x = random.corner();
      for (const name of names) {
        randomScalarWith(random, w, A, x);
        const held = truth(name, 64, x, x);
        const decision = decide(CONDITIONS[name], 64, w, A, A);
        expect(decision === -1 || decision === Number(held)).toBe(true);
        const feasible = assume(CONDITIONS[name], 64, w, A, A);
        if (held) expect(feasible && holds(readScalar(w, A), x)).toBe(true);
      }
    }
  });
});

describe('lattice', () => {
  it('join, widen and meet cover what they must', () => {
    const random = new Random(3);
    const w = newScalars(3);
    for (let run = 0; run < 2 * RUNS; run++) {
      const x = random.corner();
      const y = random.below(2) ? x : random.corner();
      randomScalarWith(random, w, A, x);
      randomScalarWith(random, w, B, y);
      join(w, OUT, A, B);
      expect(includes(w, OUT, w, A) && includes(w, OUT, w, B)).toBe(true);
      widen(w, OUT, A, B);
      expect(includes(w, OUT, w, A) && includes(w, OUT, w, B)).toBe(true);
      const both = meet(w, OUT, A, B);
      if (x === y) expect(both && holds(readScalar(w, OUT), x)).toBe(true);
      for (const z of sampleMembers(random, readScalar(w, A), x)) {
        if (holds(readScalar(w, B), z)) expect(both && holds(readScalar(w, OUT), z)).toBe(true);
      }
    }
  });

  it('refining twice changes nothing more than seldom, and never loses members', () => {
    const random = new Random(5);
    const w = newScalars(2);
    let changed = 0;
    for (let run = 0; run < 2 * RUNS; run++) {
      randomScalarWith(random, w, A, random.corner());
      copy(w, A, w, B);
      expect(refine(w, B)).toBe(true);
      if (!equals(w, A, w, B)) changed++;
      expect(includes(w, A, w, B)).toBe(true);
    }
    expect(changed).toBeLessThan(RUNS / 50);
  });

  it('widening ends', () => {
    const random = new Random(11);
    const w = newScalars(2);
    for (let run = 0; run < 20; run++) {
      randomScalarWith(random, w, A, random.corner());
      let steps = 0;
      for (let visit = 0; visit < 3000; visit++) {
        randomScalarWith(random, w, B, random.corner());
        if (includes(w, A, w, B)) continue;
        widen(w, A, A, B);
        steps++;
      }
      expect(steps).toBeLessThan(64 + 8 * 18);
    }
  });

  it('shrinkToBytes cuts', () => {
    const random = new Random(13);
    const w = newScalars(1);
    for (const sizeBytes of [1, 2, 4, 8]) {
      for (let run = 0; run < RUNS; run++) {
        const x = random.corner();
        randomScalarWith(random, w, A, x);
        const xs = sampleMembers(random, readScalar(w, A), x);
        shrinkToBytes(w, A, sizeBytes);
        const out = readScalar(w, A);
        for (const p of xs) expect(holds(out, BigInt.asUintN(8 * sizeBytes, p))).toBe(true);
      }
    }
  });
});
