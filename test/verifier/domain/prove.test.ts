/**
 * The quick part of `npm run prove`, and a check of the prover itself: what is false is refuted.
 */

import { beforeAll, describe, expect, it } from 'vitest';
import { GOALS } from '../../../scripts/prove/goals.ts';
import { prove } from '../../../scripts/prove/prove.ts';
import { openSolver } from '../../../scripts/prove/solver.ts';
import type { Z3 } from '../../../scripts/prove/symbols.ts';
import type { Goal } from '../../../scripts/prove/workbench.ts';

const FOLDER = 'verifier/domain';
let z3: Z3;

beforeAll(async () => {
  z3 = await openSolver();
});

describe('proofs at full width', () => {
  it.each(GOALS.filter((goal) => goal.quick).map((goal) => [goal.name, goal] as const))(
    '%s',
    async (_name, goal) => {
      expect((await prove(z3, goal, FOLDER)).failures).toEqual([]);
    },
  );
});

describe('the prover', () => {
  /** a + b, claimed to be something else. */
  const wrong = (name: string, operation: string): Goal => ({
    name,
    quick: false,
    state: (bench) => {
      const w = bench.scalars(3);
      const [x, y] = [bench.variable(64), bench.variable(64)];
      bench.assumeMember(w, 0, x);
      bench.assumeMember(w, 16, y);
      bench.run('bitwise.ts', operation, w, 32, 0, 16);
      bench.claimMember(w, 32, x.xor(y), /bits|umax/);
    },
  });

  it('refutes wrong claims', async () => {
    const proof = await prove(z3, wrong('or is not xor', 'orWhole'), FOLDER);
    expect(proof.failures).toEqual(['bits: sat']);
    expect((await prove(z3, wrong('xor is', 'xorWhole'), FOLDER)).failures).toEqual([]);
  });

  it('refuses an assumption-free claim', async () => {
    const goal: Goal = {
      name: 'every value is a member of every scalar',
      quick: false,
      state: (bench) => bench.claimMember(bench.scalars(1), 0, bench.variable(64), /umax/),
    };
    expect((await prove(z3, goal, FOLDER)).failures).toEqual(['umax: sat']);
  });
});
