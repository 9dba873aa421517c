/**
 * States kept at merge points: for pruning, for finding endless loops, and for the worst case.
 *
 * Each kept state counts the paths below it that are still walked. When none is left, everything
 * that can follow it was walked, and it may stand for other states. The longest path below it is
 * then final: longest(S) = the longest path from S to an exit, where a path that ended by pruning
 * against S' counts on by longest(S'). Pruning uses finished states only, so this is well-founded,
 * and the outermost value bounds every execution.
 */

import { CALLEE_SAVED, liveAcrossCall } from '../liveness.ts';
import * as L from '../state/layout.ts';
import type { MachineState } from '../state/machine.ts';
import type { Subject } from '../subject.ts';
import { NO_WITNESS } from './compare.ts';

export interface Kept {
  readonly index: number;
  readonly pc: number;
  readonly state: MachineState;
  /** The kept state before it on its path, or undefined. */
  readonly parent: Kept | undefined;
  /** Instructions between the parent and this one. */
  readonly distance: number;
  /** Paths below that are still being walked. */
  branches: number;
  /** Longest path below found so far, in instructions. */
  longest: number;
  hits: number;
  misses: number;
  /**
   * A path below ended at a state that was still being walked, so what decides below this one is
   * not wholly known: all numbers count when it is compared.
   */
  inLoop: boolean;
  /** Where the last state compared with it differed (compare.ts). */
  witness: number;
}

/** Where the walk begins: never compared, but its longest path is the program's. */
export const rootOf = (state: MachineState, pc: number): Kept => ({
  index: -1,
  pc,
  state,
  parent: undefined,
  distance: 0,
  branches: 1,
  longest: 0,
  hits: 0,
  misses: 0,
  inLoop: false,
  witness: NO_WITNESS,
});

/** A path below `kept` ended after `length` more instructions. */
export function finishPath(kept: Kept | undefined, length: number): void {
  let at = kept;
  let total = length;
  while (at !== undefined) {
    if (total > at.longest) at.longest = total;
    at.branches--;
    if (at.branches > 0) return;
    total = at.distance + at.longest;
    at = at.parent;
  }
}

/** The path that ends below `kept` relies on a state that is still being walked. */
export function markInLoop(kept: Kept | undefined): void {
  for (let at = kept; at !== undefined && !at.inLoop; at = at.parent) at.inLoop = true;
}

/** Removes from a state what nothing below can read. */
export function forgetDead(subject: Subject, state: MachineState, pc: number): void {
  for (let frame = 0; frame < state.frameCount; frame++) {
    const live = liveIn(subject, state, frame, pc);
    for (let r = 0; r < L.FRAME_POINTER; r++) {
      if (((live >> r) & 1) === 0) state.setUninitialised(state.registerOf(frame, r));
    }
  }
}

function liveIn(subject: Subject, state: MachineState, frame: number, pc: number): number {
  if (frame === state.frame) return subject.live[pc]!;
  const callee = state.frameRow(frame + 1);
  const callSite = state.words[callee + L.FRAME_CALL_SITE]!;
  // A callback returns to the call itself, which reads its arguments again.
  if (state.words[callee + L.FRAME_CALLBACK] !== 0) return subject.live[callSite]!;
  return callSite < 0 ? CALLEE_SAVED : liveAcrossCall(subject.live, subject.instructions, callSite);
}
