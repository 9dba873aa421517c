/**
 * Helpers that call a function of the program back: bpf_loop, bpf_for_each_map_elem and their like.
 *
 * The callback runs zero to n times. So the call site is a loop head: from it, the walk goes on
 * behind the call (no more passes), or enters the callback, whose exit leads back to the call site,
 * with the caller's registers as they were. A pass that ends within the state it began with ends the
 * search (prune.ts).
 *
 * What runs later starts with nothing of the state in which it was registered: it is walked on its
 * own (calls/roots.ts).
 */

import { callbackIndex, type Shape, setElement, shapeOf } from '../calls/callback-arguments.ts';
import type { Contract } from '../contract.ts';
import * as domain from '../domain/index.ts';
import type { Walk } from '../explore/walk.ts';
import * as L from '../state/layout.ts';

/** The call of `callee` at `pc` may enter a function of the program. */
export function callBack(walk: Walk, pc: number, callee: Contract): void {
  const shape = shapeOf(callee);
  if (shape === undefined) return;
  const entry = calledBack(walk, callee);
  if (shape.runs === 'now') forkCallback(walk, pc, callee, shape, entry);
  else leaveForLater(walk, callee, shape, entry);
}

/** Entry of the function that the callee may call, or -1. */
export function calledBack({ state }: Walk, callee: Contract): number {
  const index = callbackIndex(callee);
  return index < 0 ? -1 : state.words[state.register(index + 1) + L.TARGET]!;
}

/** Leaves a pass through the callback to be walked from its first instruction. */
function forkCallback(walk: Walk, pc: number, callee: Contract, shape: Shape, entry: number): void {
  const caller = walk.state.frame;
  const { words } = walk.state;
  const row = walk.state.frameRow(caller);
  const passes = words[row + L.FRAME_CALLBACK_DEPTH]!;
  const run = words[row + L.FRAME_RUN]!;
  words[row + L.FRAME_CALLBACK_DEPTH] = 0;
  words[row + L.FRAME_RUN] = 0;
  const most = mostPasses(walk, callee);
  if (passes >= most) return;
  walk.recorder.called(words[row + L.FRAME_ENTRY]!, entry);
  const behind = walk.state;
  // The call counts when it ends, however often it called back.
  const state = walk.fork(entry, 0);
  if (Number.isFinite(most)) state.words[row + L.FRAME_CALLBACK_DEPTH] = passes + 1;
  state.words[row + L.FRAME_RUN] = run;
  state.pushFrame(entry, pc);
  state.words[state.frameRow(state.frame) + L.FRAME_INSTANCE] = walk.freshId();
  const how = shape.keepsLock ? L.ENTERED_UNDER_LOCK : L.ENTERED_BY_HELPER;
  state.words[state.frameRow(state.frame) + L.FRAME_CALLBACK] = how;
  state.words[L.CALLBACK_DEPTH]! += 1;
  walk.state = state;
  shape.set(walk, caller);
  if (shape.passes !== undefined) {
    const [argument, register] = shape.passes;
    state.copyValue(state.register(register), state.registerOf(caller, argument));
  }
  walk.state = behind;
}

/** Only bpf_loop says how often it calls: its first argument was made precise (checkCallback). */
function mostPasses({ state }: Walk, callee: Contract): number {
  if (callee.arguments[callbackIndex(callee)]!.callback !== 'loop') return Number.POSITIVE_INFINITY;
  return domain.unsignedMax(state.words, state.register(1) + L.NUMBER);
}

/** The first argument is the timer, or its like, in a map value that the callback gets. */
function leaveForLater(walk: Walk, callee: Contract, shape: Shape, entry: number): void {
  const { state, recorder } = walk;
  const field = callee.arguments.findIndex(({ kind }) => DEFERRED.has(kind));
  const map = state.words[state.register(field + 1) + L.TARGET]!;
  recorder.later.add(entry);
  const set = (fresh: Walk): void => {
    const { words } = fresh.state;
    words[fresh.state.frameRow(0) + L.FRAME_CALLBACK] = shape.isUnheeded
      ? L.ENTERED_UNHEEDED
      : L.ENTERED_LATER;
    if (shape.runs === 'asleep') words[L.SLEEPABLE] = 1;
    setElement(fresh, map);
  };
  walk.apart.walkLater(`${entry} ${map} ${shape.runs}`, { entry, set });
}

const DEFERRED: ReadonlySet<string> = new Set(['timer', 'workqueue', 'task-work']);

/** The callback's frame ends; control is back at the call. */
export function leaveCallback(walk: Walk): number {
  const { state } = walk;
  const callSite = state.words[state.frameRow(state.frame) + L.FRAME_CALL_SITE]!;
  state.popFrame();
  walk.trace.markCallbackReturn(walk.entry);
  return callSite;
}
