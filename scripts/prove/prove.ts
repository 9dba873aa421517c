/**
 * Proves goals: a claim holds when no assignment satisfies the assumptions and refutes it.
 */

import type { Z3 } from './symbols.ts';
import { type Goal, Workbench } from './workbench.ts';

export interface Proof {
  readonly goal: string;
  readonly milliseconds: number;
  /** Parts that were refuted or not decided in time, with what the solver said. */
  readonly failures: readonly string[];
  readonly claims: number;
}

/** Time for one claim; all of today's take a small part of it. */
const CLAIM_TIMEOUT_MS = 300_000;

export async function prove(z3: Z3, goal: Goal, folder: string): Promise<Proof> {
  const started = performance.now();
  const bench = new Workbench(z3, folder);
  goal.state(bench);
  const failures: string[] = [];
  for (const { part, formula } of bench.claims) {
    // A solver of its own for each claim: an incremental one cannot use the bit-vector tactics.
    const solver = new z3.Solver('QF_BV');
    solver.set('timeout', CLAIM_TIMEOUT_MS);
    for (const assumption of bench.assumptions) solver.add(assumption);
    solver.add(formula.not());
    const answer = await solver.check();
    if (answer !== 'unsat') failures.push(`${part}: ${answer}`);
  }
  const milliseconds = performance.now() - started;
  return { goal: goal.name, milliseconds, failures, claims: bench.claims.length };
}
