/** Calls of the program's own functions: entering and leaving their frames. */

import type { Walk } from '../explore/walk.ts';
import * as L from '../state/layout.ts';
import { leaveCallback } from './callback.ts';
import { forgetPacket } from './packet-range.ts';

const ARGUMENT_REGISTERS = 5;

/** Enters a local function: its arguments are the caller's; everything else is unset. */
export function enterFunction(walk: Walk, pc: number, entry: number): number {
  const { state, recorder } = walk;
  const caller = state.frame;
  recorder.called(state.words[state.frameRow(caller) + L.FRAME_ENTRY]!, entry);
  state.pushFrame(entry, pc);
  state.words[state.frameRow(state.frame) + L.FRAME_INSTANCE] = walk.freshId();
  for (let r = 1; r <= ARGUMENT_REGISTERS; r++) {
    state.copyValue(state.register(r), state.registerOf(caller, r));
  }
  clobberArguments(walk, caller);
  return entry;
}

/** Returns to the caller: r0 is the callee's. */
export function leaveFunction(walk: Walk): number {
  const { state } = walk;
  const callee = state.frame;
  const row = state.frameRow(callee);
  if (state.words[row + L.FRAME_CALLBACK] !== 0) return leaveCallback(walk);
  const callSite = state.words[row + L.FRAME_CALL_SITE]!;
  state.copyValue(state.registerOf(callee - 1, 0), state.registerOf(callee, 0));
  state.popFrame();
  return callSite + 1;
}

/**
 * Leaves a copy of the state in which the function has returned already: with 0, as a legacy load
 * behind the packet's end does; or with what the program returned that a tail call went to, and
 * that may have moved the packet.
 */
export function forkReturn(walk: Walk, result: 'zero' | 'anything'): void {
  const { state } = walk;
  const callSite = state.words[state.frameRow(state.frame) + L.FRAME_CALL_SITE]!;
  const other = walk.fork(callSite + 1);
  const r0 = other.registerOf(other.frame - 1, 0);
  if (result === 'zero') other.setConstant(r0, 0, 0);
  else {
    other.setUnknown(r0);
    forgetPacket(other);
  }
  other.popFrame();
}

/** r0 to r5 are lost to the caller. */
export function clobberArguments(walk: Walk, frame: number): void {
  const { state } = walk;
  for (let r = 0; r <= ARGUMENT_REGISTERS; r++) state.setUninitialised(state.registerOf(frame, r));
}
