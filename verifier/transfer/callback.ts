/**
 * Helpers that call a function of the program back: bpf_loop, bpf_for_each_map_elem and their like.
 *
 * The callback runs zero to n times. So the call site is a loop head: from it, the walk goes on
 * behind the call (no more passes), or enters the callback, whose exit leads back to the call site,
 * with the caller's registers as they were. A pass that ends within the state it began with ends the
 * search (prune.ts).
 */

import type { Contract } from '../contract.ts';
import * as domain from '../domain/index.ts';
import type { Walk } from '../explore/walk.ts';
import { type Content, contentOfCall, setNode } from '../resources/graph.ts';
import * as kinds from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import type { MachineState } from '../state/machine.ts';

/** Shapes that the walk can enter. */
export const KNOWN_SHAPES: ReadonlySet<string> = new Set(['loop', 'for-each-map', 'rbtree-less']);

/** The callback argument of a helper: its index, or -1. */
export const callbackIndex = (helper: Contract): number =>
  helper.arguments.findIndex((argument) => argument.kind === 'callback');

/** Leaves a pass through the callback to be walked from its first instruction. */
export function forkCallback(walk: Walk, pc: number, helper: Contract): void {
  const index = callbackIndex(helper);
  const { state } = walk;
  const entry = state.words[state.register(index + 1) + L.TARGET]!;
  // The call counts when it ends, however often it called back.
  const other = walk.fork(entry, 0);
  const caller = other.frame;
  other.pushFrame(entry, pc);
  other.words[other.frameRow(other.frame) + L.FRAME_CALLBACK] = L.ENTERED_BY_HELPER;
  other.words[L.CALLBACK_DEPTH]! += 1;
  const shape = helper.arguments[index]!.callback;
  if (shape === 'rbtree-less') {
    const content = contentOfCall(walk, helper);
    if (content !== undefined) passNodes(walk, other, content);
    return;
  }
  if (shape === 'loop') passIndex(other, caller);
  else passElement(walk, other, caller);
  const context = shape === 'loop' ? 2 : 4;
  other.copyValue(other.register(context), other.registerOf(caller, index + 2));
}

/** r1 of a loop body: below the number of passes. */
function passIndex(state: MachineState, caller: number): void {
  const r1 = state.register(1);
  const { words } = state;
  state.setUnknown(r1);
  const passes = domain.unsignedMax(words, state.registerOf(caller, 1) + L.NUMBER);
  if (passes > 0 && passes <= 2 ** 32) {
    domain.setUnsignedRange(words, r1 + L.NUMBER, 0, 0, (passes - 1) | 0, 0);
  }
}

/** r1 to r3 of a callback over a map: the map, a key that may be read, a value. */
function passElement(walk: Walk, state: MachineState, caller: number): void {
  state.copyValue(state.register(1), state.registerOf(caller, 1));
  const map = state.words[state.register(1) + L.TARGET]!;
  const key = state.register(2);
  state.setPointer(key, kinds.MEMORY, 0);
  state.words[key + L.EXTENT] = walk.subject.maps[map]!.keySize;
  state.words[key + L.FLAGS] = L.FLAG_READ_ONLY;
  const value = state.register(3);
  state.setPointer(value, kinds.MAP_VALUE, map);
  state.words[value + L.ID] = walk.freshId();
}

/** r1 and r2 of a comparison: two nodes of the tree, whose lock is held. */
function passNodes(walk: Walk, state: MachineState, content: Content): void {
  setNode(walk, state, state.register(1), content, L.FLAG_BORROWED);
  setNode(walk, state, state.register(2), content, L.FLAG_BORROWED);
}

/** The callback's frame ends; control is back at the call. */
export function leaveCallback(walk: Walk): number {
  const { state } = walk;
  const callSite = state.words[state.frameRow(state.frame) + L.FRAME_CALL_SITE]!;
  state.popFrame();
  walk.trace.markCallbackReturn(walk.entry);
  return callSite;
}
