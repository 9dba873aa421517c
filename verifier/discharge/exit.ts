/** How a function may end: what r0 may be, and that nothing is still held. */

import { type ReturnRule, returnRule } from '../../platform/index.ts';
import type { Failure } from '../diagnose/failure.ts';
import { leavingBranch } from '../diagnose/leaving.ts';
import * as domain from '../domain/index.ts';
import type { Walk } from '../explore/walk.ts';
import { isPointer, KINDS, STACK } from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import type { MachineState } from '../state/machine.ts';
import { heldText } from './held.ts';
import { checkInitialised } from './initialised.ts';

export function checkExit(walk: Walk, pc: number): Failure | null {
  const { state } = walk;
  const how = state.words[state.frameRow(state.frame) + L.FRAME_CALLBACK]!;
  if (state.frame > 0 && how === 0) return checkReturn(walk, pc);
  return checkInitialised(walk, pc, 0) ?? checkEnd(walk, pc, how);
}

function checkEnd(walk: Walk, pc: number, how: number): Failure | null {
  switch (how) {
    case L.ENTERED_BY_HELPER:
    case L.ENTERED_UNDER_LOCK:
      return checkNumberIn(walk, pc, CALLBACK_RESULT, 32, 'callback');
    case L.ENTERED_ALONE:
    case L.ENTERED_UNHEEDED:
      return checkHeld(walk, pc) ?? checkScalar(walk, pc);
    case L.ENTERED_LATER:
      return checkHeld(walk, pc) ?? checkNumberIn(walk, pc, LATER_RESULT, 32, 'callback');
    default:
      return checkHeld(walk, pc) ?? checkResult(walk, pc);
  }
}

/**
 * bpf_throw ends the program from any depth: nothing may be held, and its argument is the result,
 * unless a function of the program catches it. What a helper called back must return to it.
 */
export function checkThrow(walk: Walk, pc: number): Failure | null {
  if (isCalledBack(walk.state)) return { code: 'throw-in-callback', pc, values: {} };
  const held = checkHeld(walk, pc);
  return held ?? (walk.subject.onException === undefined ? checkResult(walk, pc, 1) : null);
}

/** Some active frame was entered by a helper, or by the kernel after the program's end. */
export function isCalledBack(state: MachineState): boolean {
  for (let frame = 0; frame < state.frameCount; frame++) {
    const how = state.words[state.frameRow(frame) + L.FRAME_CALLBACK]!;
    if (how !== 0 && how !== L.ENTERED_ALONE) return true;
  }
  return false;
}

/** The caller of a global function takes its result for a number. */
function checkScalar({ state }: Walk, pc: number): Failure | null {
  const kind = state.kind(state.register(0));
  if (!isPointer(kind)) return null;
  const values = { kind: KINDS[kind]!.name, linux: KINDS[kind]!.linux, R: 'R0' };
  return { code: 'return-not-number', pc, values, registers: [0] };
}

/**
 * A local function may return nothing, or anything but a pointer to the frame that ends; on Linux
 * to any frame.
 */
function checkReturn({ state, subject }: Walk, pc: number): Failure | null {
  const r0 = state.register(0);
  if (state.kind(r0) !== STACK) return null;
  const outlives = state.words[r0 + L.TARGET]! < state.frame;
  if (outlives && subject.profile.family !== 'linux') return null;
  return { code: 'return-stack-pointer', pc, values: {}, registers: [0] };
}

function checkHeld(walk: Walk, pc: number): Failure | null {
  const { state } = walk;
  const held = heldText(walk);
  if (held === null) return null;
  const reference = state.reference(0);
  const has = state.words[L.REFERENCE_COUNT]! > 0;
  const source = has ? state.words[reference + L.REF_PC]! : pc;
  const values = {
    object: held.replace(/^(a|the) /, ''),
    source: `instruction ${source}`,
    source_pc: source,
    id: has ? state.words[reference + L.REF_ID]! : 0,
  };
  const places = has ? [{ pc: source, label: 'acquired here' }] : [];
  return { code: 'reference-not-released', pc, at: leavingBranch(walk, pc), values, places };
}

/** 0: go on, 1: stop. */
const CALLBACK_RESULT: ReturnRule = { min: 0, max: 1 };
/** What runs later has nobody to tell. */
const LATER_RESULT: ReturnRule = { min: 0, max: 0 };

function checkResult(walk: Walk, pc: number, register = 0): Failure | null {
  const { type, hook, program } = walk.subject;
  const rule = hook?.returns ?? returnRule(program, type);
  return checkNumberIn(walk, pc, rule, type.rangeBits, type.name, register);
}

function checkNumberIn(
  walk: Walk,
  pc: number,
  rule: ReturnRule,
  bits: 32 | 64,
  name: string,
  register = 0,
): Failure | null {
  const { state, subject } = walk;
  const r0 = state.register(register);
  const kind = state.kind(r0);
  if (isPointer(kind)) {
    const row = KINDS[kind]!;
    const values = {
      kind: row.name,
      linux: row.linux,
      R: `R${register}`,
      where: 'as return value',
    };
    if (!subject.mayLeakPointers)
      return { code: 'pointer-leak', pc, values, registers: [register] };
    return rule === 'any' ? null : { code: 'return-not-number', pc, values, registers: [register] };
  }
  if (rule === 'any') return null;
  walk.needPrecise(register);
  const words = state.words;
  const number = r0 + L.NUMBER;
  const wide = bits === 64;
  const low = wide ? domain.signedMin(words, number) : domain.signedMin32(words, number);
  const high = wide ? domain.signedMax(words, number) : domain.signedMax32(words, number);
  if (low >= rule.min && high <= rule.max) return null;
  const values = {
    proven: domain.format(words, number),
    type: name,
    expected: rule.min === rule.max ? String(rule.min) : `${rule.min}..${rule.max}`,
    least: rule.min,
    most: rule.max,
  };
  return { code: 'return-value', pc, values, registers: [register], needed: values.expected };
}
