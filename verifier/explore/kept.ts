/**
 * States kept at merge points: for pruning, for finding endless loops, and for the worst case.
 *
 * Each kept state counts the paths below it that are still walked. When none is left, everything
 * that can follow it was walked, and it may stand for other states. The longest path below it is
 * then final: longest(S) = the longest path from S to an exit, where a path that ended by pruning
 * against S' counts on by longest(S'). Pruning uses finished states only, so this is well-founded,
 * and the outermost value bounds every execution.
 *
 * A path that converged to a state X still being walked goes on at X. Its length counts as a pass of
 * X's loop; when X is finished, its longest pass is multiplied by the number of passes that the
 * platform allows (calls/passes.ts), and added to each path that leaves X. X is always an ancestor
 * of the path's end, so passes are settled before anything that contains them.
 */

import { CALLEE_SAVED, liveAcrossCall } from '../liveness.ts';
import * as L from '../state/layout.ts';
import type { MachineState } from '../state/machine.ts';
import type { Subject } from '../subject.ts';
import { NO_WITNESS } from './compare.ts';
import type { Loop } from './loops.ts';

/** No path to an exit was found. */
export const NO_PATH = Number.NEGATIVE_INFINITY;

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
  /** Longest path from here to an exit found so far, in instructions. */
  longest: number;
  hits: number;
  misses: number;
  /**
   * A path below ended at a state that was still being walked, so what decides below this one is
   * not wholly known: all numbers count when it is compared.
   */
  inLoop: boolean;
  /** What was proven below rests on the path that led here: it stands for no other state. */
  isAlone: boolean;
  /** Where the last state compared with it differed (compare.ts). */
  witness: number;
  /** Longest path from here to the end of a pass of each loop that contains this state. */
  passes: Map<Kept, number> | undefined;
  /** The state is the invariant of a loop (summary.ts). */
  summary: HeadSummary | undefined;
}

export interface HeadSummary {
  readonly loop: Loop;
  /** Most times that control comes back, and what all of them cost in instructions. */
  readonly passes: number;
  readonly cost: number;
}

/** How often a loop that converged at the state may run, at most. */
export type PassesAt = (kept: Kept) => number;

/** Where the walk begins: never compared, but its longest path is the program's. */
export const rootOf = (state: MachineState, pc: number): Kept => ({
  index: -1,
  pc,
  state,
  parent: undefined,
  distance: 0,
  branches: 1,
  longest: NO_PATH,
  hits: 0,
  misses: 0,
  inLoop: false,
  isAlone: false,
  witness: NO_WITNESS,
  passes: undefined,
  summary: undefined,
});

/** A path below `kept` ended after `length` more instructions: at an exit, or as `end` tells. */
export function finishPath(
  kept: Kept | undefined,
  length: number,
  end: Kept | undefined,
  passesAt: PassesAt,
): void {
  if (kept === undefined) return;
  if (end !== undefined) lengthen(kept, end, length);
  else kept.longest = Math.max(kept.longest, length);
  kept.branches--;
  for (let at = kept; at.branches === 0; at = at.parent) {
    settle(at, passesAt);
    if (at.parent === undefined) return;
    lengthen(at.parent, at, at.distance);
    at.parent.branches--;
  }
}

/** A path of `length` instructions leads from `kept` to `end`; what follows `end` follows it. */
function lengthen(kept: Kept, end: Kept, length: number): void {
  if (end.branches > 0) {
    kept.passes ??= new Map();
    kept.passes.set(end, Math.max(kept.passes.get(end) ?? 0, length));
    return;
  }
  kept.longest = Math.max(kept.longest, length + end.longest);
  if (end.passes === undefined) return;
  for (const [loop, more] of end.passes) lengthen(kept, loop, length + more);
}

/** All paths below are known: what the loop at this state takes comes before each of them. */
function settle(kept: Kept, passesAt: PassesAt): void {
  const pass = kept.passes?.get(kept);
  if (pass === undefined) return;
  const all = pass * passesAt(kept);
  kept.passes!.delete(kept);
  kept.longest += all;
  for (const [loop, length] of kept.passes!) kept.passes!.set(loop, length + all);
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
