/** What a program holds that must be given back before it may end. */

import type { Walk } from '../explore/walk.ts';
import * as L from '../state/layout.ts';

/** Types of references (REF_TYPE). */
export const REFERENCE_OBJECT = 0;
/** bpf_spin_lock. */
export const REFERENCE_LOCK = 1;
export const REFERENCE_RESILIENT_LOCK = 2;
/** A resilient lock that also saved the interrupt state. */
export const REFERENCE_RESILIENT_IRQ_LOCK = 3;
/** A saved interrupt state. */
export const REFERENCE_IRQ = 4;

const NAMES: readonly string[] = [
  'a reference',
  'a lock',
  'a lock',
  'a lock',
  'the interrupt state',
];

/** The first thing that is held, for people; null: nothing. */
export function heldText(walk: Walk): string | null {
  const { words } = walk.state;
  if (words[L.REFERENCE_COUNT]! > 0) {
    return NAMES[words[walk.state.reference(0) + L.REF_TYPE]!]!;
  }
  if (words[L.RCU_DEPTH]! > 0) return 'the RCU read lock';
  if (words[L.PREEMPT_DEPTH]! > 0) return 'the preemption lock';
  return null;
}
