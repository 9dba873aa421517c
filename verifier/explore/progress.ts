/**
 * What bounds the passes of a loop that converges? The platform does: a frame has a budget for its
 * `may_goto`, a helper calls back so often, an iterator yields so many elements. That holds of one
 * frame, one call, one iterator only: a program that makes a new one in each pass is not bounded by
 * any of them, nor is one that goes round after the budget is spent or the iterator is drained.
 *
 * So a pass counts when, between the kept state and now,
 *   may_goto   the same frame went on past one of its may_goto, which costs it some of its budget;
 *   callback   the same call has called back: only its callback's end leads back into it;
 *   iterator   the same iterator was asked and has yielded an element: it is not drained.
 * Each of these happens finitely often in an execution, so the loop ends.
 */

import { shapeOf } from '../calls/callback-arguments.ts';
import { activeIterator } from '../resources/iterator.ts';
import * as L from '../state/layout.ts';
import type { MachineState } from '../state/machine.ts';
import type { Kept } from './kept.ts';
import type { Walk } from './walk.ts';

/** A may_goto goes on. */
export function countPass(state: MachineState): void {
  state.words[L.MAY_GOTO_DEPTH]! += 1;
  state.words[state.frameRow(state.frame) + L.FRAME_PASSES]! += 1;
}

/** Arrives at a call that may call back: for the first time, unless its callback has just ended. */
export function beginRun(walk: Walk, pc: number): void {
  const callee = calleeAt(walk, pc);
  if (callee === undefined || shapeOf(callee)?.runs !== 'now') return;
  const { state } = walk;
  const run = state.frameRow(state.frame) + L.FRAME_RUN;
  if (state.words[run] === 0) state.words[run] = walk.freshId();
}

const calleeAt = ({ subject }: Walk, pc: number) =>
  subject.helperAt.get(pc) ?? subject.kfuncAt.get(pc);

/** Whether a bounded number of passes lead from `kept`, which is on the path, to the state here. */
export function hasProgressed(walk: Walk, kept: Kept): boolean {
  const { state, subject } = walk;
  const now = state.frameRow(state.frame);
  const then = kept.state.frameRow(kept.state.frame);
  const grows = (word: number) => state.words[now + word]! > kept.state.words[then + word]!;
  const isSame = (word: number) => state.words[now + word] === kept.state.words[then + word];
  if (subject.rows[kept.pc]!.kind === 'may_goto') {
    return isSame(L.FRAME_INSTANCE) && grows(L.FRAME_PASSES);
  }
  const callee = calleeAt(walk, kept.pc);
  if (callee === undefined) return false;
  if (shapeOf(callee)?.runs === 'now') return isSame(L.FRAME_RUN);
  const before = activeIterator(kept.state);
  return before !== undefined && before === activeIterator(state);
}
