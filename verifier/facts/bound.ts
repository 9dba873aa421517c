/**
 * How many instructions one run may execute.
 *
 * The walk is a tree whose leaves are exits, or states covered by finished ones; its longest path,
 * counted through the covering states, bounds every execution (kept.ts). Two things are bounded by
 * the platform instead: tail calls, and loops that converged without being walked to their end.
 */

import type { Exploration } from '../explore/explore.ts';
import type { Walk } from '../explore/walk.ts';

export interface Termination {
  readonly worstCaseInstructions: number | null;
  /** Why there is no number. */
  readonly unboundedBy: string | undefined;
}

export function boundOf(walk: Walk, exploration: Exploration): Termination {
  for (const helper of walk.subject.helperAt.values()) {
    if (helper.returns.kind === 'never') {
      return { worstCaseInstructions: null, unboundedBy: 'tail calls' };
    }
  }
  return walk.hasOpenLoop
    ? { worstCaseInstructions: null, unboundedBy: 'passes of loops that the platform counts' }
    : { worstCaseInstructions: exploration.longest, unboundedBy: undefined };
}
