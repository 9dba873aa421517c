/** The end of a reference: what relied on it becomes worthless. */

import type { Walk } from '../explore/walk.ts';
import * as L from '../state/layout.ts';

/** The value was a pointer that nothing vouches for any more. */
export function invalidate(walk: Walk, value: number): void {
  if (walk.subject.mayLeakPointers) walk.state.setUnknown(value);
  else walk.state.setUninitialised(value);
}

/** The reference is gone, and with it every pointer that relied on it. */
export function release(walk: Walk, id: number): void {
  const { state } = walk;
  const held = state.findReference(id);
  if (held >= 0) state.removeReference(held);
  state.forEachValue((value) => {
    if (state.words[value + L.REFERENCE] === id) invalidate(walk, value);
  });
}
