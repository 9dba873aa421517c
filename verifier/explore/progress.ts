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
 * Each of these happens finitely often in an execution, so the loop ends. It counts from the head of
 * the loop, be it that the path comes back there itself, or that it ends at a state from which
 * others did.
 */

import { shapeOf } from '../calls/callback-arguments.ts';
import { isSameIterator } from '../resources/iterator.ts';
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

/**
 * Whether a pass of the loop at `head`, which is on the path, has cost some of what bounds it. The
 * state here may be at the head again, or on the way there in any frame above it.
 */
export function hasProgressed(walk: Walk, head: Kept): boolean {
  const { state, subject } = walk;
  const isBudget = subject.rows[head.pc]!.kind === 'may_goto';
  const callee = calleeAt(walk, head.pc);
  const isCall = callee !== undefined && shapeOf(callee)?.runs === 'now';
  if (!isBudget && !isCall) return isSameIterator(head.state, state);
  const { frame } = head.state;
  if (state.frame < frame) return false;
  const now = state.frameRow(frame);
  const then = head.state.frameRow(frame);
  const grows = (word: number) => state.words[now + word]! > head.state.words[then + word]!;
  const isSame = (word: number) => state.words[now + word] === head.state.words[then + word];
  if (isCall) return isSame(L.FRAME_RUN);
  return isSame(L.FRAME_INSTANCE) && grows(L.FRAME_PASSES);
}

/**
 * Whether what was proven below `kept`, a finished state, holds on this path too where it rests on
 * loops that are still open: paths below `kept` end at their heads, with the progress that the path
 * to `kept` had made. The path here must have made it as well, or it might go round for nothing.
 */
export function mayRelyOn(walk: Walk, kept: Kept): boolean {
  if (kept.passes === undefined) return true;
  for (const head of kept.passes.keys()) {
    const isOpen = head.branches > 0 && head.summary === undefined;
    if (isOpen && !hasProgressed(walk, head)) return false;
  }
  return true;
}
