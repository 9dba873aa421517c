/**
 * How many instructions one run may execute.
 *
 * The walk is a tree whose leaves are exits, states covered by finished ones, and ends of passes of
 * loops that converged; its longest path, counted through the covering states and with each loop's
 * passes multiplied out, bounds every execution (explore/kept.ts, calls/passes.ts). No number exists
 * where the platform alone bounds a run: tail calls, and iterations over what others may change.
 */

import type { Walk } from '../explore/walk.ts';

export interface Termination {
  readonly worstCaseInstructions: number | null;
  /** Why there is no number. */
  readonly unboundedBy: string | undefined;
}

export function boundOf({ subject, recorder }: Walk, longest: number): Termination {
  for (const [pc, helper] of subject.helperAt) {
    if (helper.returns.kind === 'never' && recorder.reached(pc)) return unbounded('tail calls');
  }
  if (Number.isSafeInteger(longest)) {
    return { worstCaseInstructions: longest, unboundedBy: undefined };
  }
  return unbounded(recorder.unboundedBy ?? 'nested loops of more than 2^53 instructions in all');
}

const unbounded = (unboundedBy: string): Termination => ({
  worstCaseInstructions: null,
  unboundedBy,
});
