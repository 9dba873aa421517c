/**
 * The SMT solver, with its expressions kept for the life of the process.
 *
 * z3-solver releases an expression when JavaScript collects its wrapper, on this thread, while a
 * check of the same context may be running on a thread of the solver. That race has been seen to turn
 * a claim that holds into a refuted one. So its finalisers are switched off: a proof run is short.
 */
import { init } from 'z3-solver';
import type { Z3 } from './symbols.ts';

class NoFinalisation {
  register(): void {}
  unregister(): boolean {
    return false;
  }
}

/** Opens the solver; once per process. */
export async function openSolver(): Promise<Z3> {
  const original = globalThis.FinalizationRegistry;
  globalThis.FinalizationRegistry = NoFinalisation as unknown as typeof FinalizationRegistry;
  try {
    return (await init()).Context('main');
  } finally {
    globalThis.FinalizationRegistry = original;
  }
}
