/** What a program holds that must be given back before it may end. */

import type { Walk } from '../explore/walk.ts';
import * as L from '../state/layout.ts';

/** Types of references (REF_TYPE). */
export const REFERENCE_OBJECT = 0;
export const REFERENCE_LOCK = 1;

/** The first thing that is held, for people; null: nothing. */
export function heldText(walk: Walk): string | null {
  const { words } = walk.state;
  if (words[L.REFERENCE_COUNT]! > 0) {
    const type = words[walk.state.reference(0) + L.REF_TYPE];
    return type === REFERENCE_LOCK ? 'a lock' : 'a reference';
  }
  if (words[L.RCU_DEPTH]! > 0) return 'the RCU read lock';
  if (words[L.PREEMPT_DEPTH]! > 0) return 'the preemption lock';
  if (words[L.IRQ_FLAG_ID]! > 0) return 'the interrupt state';
  return null;
}
