/**
 * The passes, in order, each with the reason for its place. `after` names passes that must run
 * earlier; that is checked when this module loads, so that reordering cannot silently break one.
 */

import { InternalError } from '../../isa/index.ts';
import type { Source } from '../ir/builder.ts';
import type { IrFunction } from '../ir/ir.ts';
import { combineLoads } from './combine-loads.ts';
import { convertBranches } from './convert-branches.ts';
import { removeDeadCode } from './dead-code.ts';
import { divideByConstants } from './divide-by-constants.ts';
import { expandAtomics, expandDivisions } from './expand.ts';
import { forwardStores } from './forward-stores.ts';
import { inlineLookups } from './inline-lookups.ts';
import { narrowOperations } from './narrow.ts';
import { numberValues } from './number-values.ts';
import { promoteStack } from './promote.ts';
import { propagateChoices } from './propagate-choices.ts';
import { simplify } from './simplify.ts';
import { unrollLoops } from './unroll.ts';

export interface Pass {
  readonly name: string;
  readonly reason: string;
  readonly after: readonly string[];
  /** Without it no correct code can be made: it cannot be skipped. */
  readonly required?: true;
  readonly run: (fn: IrFunction, source: Source) => void;
}

/** The name under which the use of facts during translation is skipped or dumped. */
export const FACTS_PASS = 'facts';

export const PASSES: readonly Pass[] = [
  {
    name: 'inline-lookups',
    reason: 'first, so that everything else sees a comparison and an address',
    after: [],
    run: inlineLookups,
  },
  {
    name: 'simplify',
    reason: 'brings what clang wrote into the one form that later passes know',
    after: [],
    run: simplify,
  },
  {
    name: 'promote-stack',
    reason: 'frame addresses are r10 plus a constant by now',
    after: ['simplify'],
    run: promoteStack,
  },
  {
    name: 'forward-stores',
    reason: 'what could not be promoted is still known between calls',
    after: ['promote-stack'],
    run: forwardStores,
  },
  {
    name: 'simplify-promoted',
    reason: 'what was spilled and reloaded can be folded now',
    after: ['promote-stack', 'forward-stores'],
    run: simplify,
  },
  {
    name: 'divide-by-constants',
    reason: 'needs constants that may have come through the stack',
    after: ['simplify-promoted'],
    run: divideByConstants,
  },
  {
    name: 'expand-divisions',
    reason: 'constant divisors are settled by now; the others need their guards as control flow',
    after: ['divide-by-constants'],
    required: true,
    run: expandDivisions,
  },
  {
    name: 'expand-atomics',
    reason: 'machines have no fetching and, or, xor',
    after: [],
    required: true,
    run: expandAtomics,
  },
  {
    name: 'convert-branches',
    reason: 'guards of divisions stay branches: a division is never executed on suspicion',
    after: ['expand-divisions'],
    run: convertBranches,
  },
  {
    name: 'propagate-choices',
    reason: 'simplification has turned null checks of inlined look-ups into tests of the index',
    after: ['inline-lookups', 'simplify', 'convert-branches'],
    run: propagateChoices,
  },
  {
    name: 'number-values',
    reason: 'equal computations are in equal form after simplification',
    after: ['simplify-promoted', 'divide-by-constants'],
    run: numberValues,
  },
  {
    name: 'dead-code',
    reason: 'a dead user must not keep an upper half alive',
    after: ['number-values'],
    run: removeDeadCode,
  },
  {
    name: 'combine-loads',
    reason: 'sees single users only after numbering and removal of dead ones',
    after: ['number-values', 'dead-code'],
    run: combineLoads,
  },
  {
    name: 'narrow',
    reason: 'needs the users that remain',
    after: ['dead-code'],
    run: narrowOperations,
  },
  {
    name: 'simplify-narrowed',
    reason: 'operations of width 32 need no extended arguments, and show rotations',
    after: ['narrow'],
    run: simplify,
  },
  {
    name: 'unroll',
    reason: 'copies what is in its final form, so that nothing is improved several times',
    after: ['simplify-narrowed'],
    run: unrollLoops,
  },
  {
    name: 'simplify-unrolled',
    reason: 'counters of neighbouring copies fold',
    after: ['unroll'],
    run: simplify,
  },
  {
    name: 'dead-code-again',
    reason: 'selection counts uses',
    after: ['simplify-unrolled', 'expand-divisions', 'expand-atomics'],
    run: removeDeadCode,
  },
];

function checkOrder(passes: readonly Pass[]): void {
  const seen = new Set<string>();
  for (const { name, after } of passes) {
    for (const earlier of after) {
      if (!seen.has(earlier)) throw new InternalError('jit/opt', `${name} before ${earlier}`);
    }
    seen.add(name);
  }
}
checkOrder(PASSES);
