/** What a call owes beyond its arguments: nesting, recursion, and what may not be held during it. */

import { calleeOf, globalAt } from '../calls/callee.ts';
import { checkGlobalCall } from '../calls/global.ts';
import type { Failure } from '../diagnose/failure.ts';
import * as domain from '../domain/index.ts';
import type { Walk } from '../explore/walk.ts';
import { checkRegions } from '../resources/regions.ts';
import * as kinds from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import type { MachineState } from '../state/machine.ts';
import { checkThrow } from './exit.ts';
import { heldText } from './held.ts';

export function checkCall(walk: Walk, pc: number): Failure | null {
  const { subject } = walk;
  const refused = subject.refusedCalls.get(pc);
  if (refused !== undefined) return refused;
  const row = subject.rows[pc]!;
  switch (row.operation) {
    case 'subprogram':
      return checkFunction(walk, pc);
    case 'helper':
      return checkHelper(walk, pc);
    case 'kfunc':
      return checkKfunc(walk, pc);
    default:
      return checkCallThroughRegister(walk, pc);
  }
}

function checkKfunc(walk: Walk, pc: number): Failure | null {
  const callee = walk.subject.kfuncAt.get(pc)!;
  const failure = checkRegions(walk, pc, callee);
  return failure ?? (callee.returns.kind === 'never' ? checkThrow(walk, pc) : null);
}

function checkFunction(walk: Walk, pc: number): Failure | null {
  const prototype = globalAt(walk, pc);
  if (prototype !== undefined) {
    return checkUnlocked(walk, pc) ?? checkGlobalCall(walk, pc, prototype);
  }
  return checkNesting(walk, pc, calleeOf(walk, pc));
}

/** A global function is verified for itself, and may do what is not allowed under a lock. */
function checkUnlocked(walk: Walk, pc: number): Failure | null {
  if (walk.state.words[L.LOCK_COUNT] === 0) return null;
  const { functions, functionOf } = walk.subject.cfg;
  const { name } = functions[functionOf[calleeOf(walk, pc)]!]!;
  return { code: 'call-while-locked', pc, values: { name } };
}

/** callx: a function of the program whose address is known here. Linux has no such instruction. */
function checkCallThroughRegister(walk: Walk, pc: number): Failure | null {
  const { state, subject } = walk;
  const { dst } = subject.instructions[pc]!;
  const value = state.register(dst);
  if (!subject.profile.features.has('callx')) {
    const opcode = subject.rows[pc]!.code.toString(16);
    return { code: 'call-unsupported', pc, values: { name: 'callx', opcode } };
  }
  const isWhole =
    state.words[value + L.OFFSET] === 0 && domain.isConstantOf(state.words, value + L.NUMBER, 0, 0);
  if (state.kind(value) === kinds.FUNCTION && isWhole) {
    return checkNesting(walk, pc, state.words[value + L.TARGET]!);
  }
  const values = { register: `r${dst}`, kind: kinds.KINDS[state.kind(value)]!.name };
  return { code: 'call-target-unknown', pc, values, registers: [dst] };
}

/** A frame more must be allowed, and the function must not be active already. */
export function checkNesting(walk: Walk, pc: number, entry: number): Failure | null {
  const { state, subject } = walk;
  for (let frame = 0; frame < state.frameCount; frame++) {
    if (state.words[state.frameRow(frame) + L.FRAME_ENTRY] !== entry) continue;
    const callee = subject.cfg.functions[subject.cfg.functionOf[entry]!]!.name;
    return { code: 'recursion', pc, values: { function: callee, caller: callee, callee } };
  }
  const most = Math.min(subject.profile.maxCallDepth, L.MAX_FRAMES);
  if (state.frameCount < most) return null;
  return { code: 'call-too-deep', pc, values: { depth: state.frameCount + 1, most } };
}

/** The executing frame was entered by a helper, which does not expect it to end in its middle. */
export function inCallback(state: MachineState): boolean {
  const how = state.words[state.frameRow(state.frame) + L.FRAME_CALLBACK]!;
  return how !== 0 && how !== L.ENTERED_ALONE;
}

function checkHelper(walk: Walk, pc: number): Failure | null {
  const helper = walk.subject.helperAt.get(pc)!;
  const failure = checkRegions(walk, pc, helper);
  if (failure !== null || helper.returns.kind !== 'never') return failure;
  if (inCallback(walk.state)) {
    return { code: 'early-return', pc, values: { function: 'a callback', what: 'tail_call' } };
  }
  const held = heldText(walk);
  return held === null ? null : { code: 'tail-call-reference', pc, values: { what: held } };
}
