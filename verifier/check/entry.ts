/** The state in which a program starts. */

import * as domain from '../domain/index.ts';
import type { Walk } from '../explore/walk.ts';
import { CONTEXT, MEMORY } from '../state/kinds.ts';
import * as L from '../state/layout.ts';

/** r1 points to the context; `memory` programs get a buffer in r1 and its size in r2. */
export function entryState(walk: Walk): void {
  const { state, subject } = walk;
  if (subject.program.flags.includes('sleepable')) state.words[L.SLEEPABLE] = 1;
  const r1 = state.register(1);
  if (subject.type.name !== 'memory') {
    state.setPointer(r1, CONTEXT, 0);
    return;
  }
  const size = subject.program.contextSize ?? 0;
  state.setPointer(r1, MEMORY, 0);
  state.words[r1 + L.EXTENT] = size;
  const r2 = state.register(2);
  state.clearPointer(r2);
  domain.setConstant(state.words, r2 + L.NUMBER, size, 0);
}
