/**
 * Where a value came from: the steps of the path that made it, newest first, through copies, spills
 * to the stack and the frames of functions, back to the load, call or constant that it began as.
 */

import { readMask, writeMask } from '../../isa/index.ts';
import { slotFrame, slotNumber } from '../explore/trace.ts';
import { isPointer } from '../state/kinds.ts';
import type { History } from './history.ts';

export type Making =
  /** Moved between registers, or to and from the stack. */
  | 'copy'
  /** Computed from what it was before, and perhaps a second register. */
  | 'change'
  /** Read from memory that is not followed. */
  | 'load'
  /** The result of a call. */
  | 'call'
  | 'constant'
  /** A call destroyed the register. */
  | 'destroyed';

export interface Step {
  readonly index: number;
  readonly pc: number;
  readonly making: Making;
  /** For a change: the register of the other operand. */
  readonly operand?: number;
}

export interface Lineage {
  readonly steps: readonly Step[];
  /** The step where the value began; undefined: it was there at the entry. */
  readonly origin: Step | undefined;
}

/** Enough for any explanation. */
const MOST_STEPS = 64;
/** How far back it is looked, in instructions: a path may have millions. */
const MOST_PASSED = 5_000;

/** What is followed: a register or a stack slot of a frame. */
interface Followed {
  frame: number;
  register: number;
  slot: number;
}

/** The lineage of `register` as the step at `index` finds it. */
export function lineageOf(history: History, index: number, register: number): Lineage {
  const followed: Followed = { frame: history.frames[index]!, register, slot: -1 };
  const steps: Step[] = [];
  const oldest = Math.max(0, index - MOST_PASSED);
  for (let at = index - 1; at >= oldest && steps.length < MOST_STEPS; at--) {
    const made = stepBack(history, at, followed);
    if (made === undefined) continue;
    steps.push(made);
    if (['load', 'call', 'constant', 'destroyed'].includes(made.making)) {
      return { steps, origin: made };
    }
  }
  return { steps, origin: undefined };
}

function stepBack(history: History, at: number, followed: Followed): Step | undefined {
  const frame = history.frames[at]!;
  const next = history.frames[at + 1]!;
  if (next > frame) return enter(frame, followed);
  if (next < frame) return leave(history, at, followed);
  if (frame !== followed.frame && followed.slot < 0) return undefined;
  return followed.slot < 0 ? writtenRegister(history, at, followed) : store(history, at, followed);
}

/** Arguments are the caller's registers. */
function enter(caller: number, followed: Followed): undefined {
  if (followed.slot < 0 && followed.frame > caller) followed.frame = caller;
  return undefined;
}

/** A caller's r0 is what the callee returned; r1 to r5 are gone. */
function leave(history: History, at: number, followed: Followed): Step | undefined {
  const callee = history.frames[at]!;
  if (followed.slot >= 0 || followed.frame !== callee - 1 || followed.register > 5) {
    return undefined;
  }
  if (followed.register === 0) {
    followed.frame = callee;
    return undefined;
  }
  return { index: at, pc: history.pcs[at]!, making: 'destroyed' };
}

function writtenRegister(history: History, at: number, followed: Followed): Step | undefined {
  const insn = history.instruction(at);
  const row = history.row(at);
  const { register } = followed;
  if (row.kind === 'call' && row.operation === 'subprogram') return undefined;
  if (((writeMask(insn) >> register) & 1) === 0) return undefined;
  const made = (making: Making): Step => ({ index: at, pc: history.pcs[at]!, making });
  switch (row.kind) {
    case 'call':
    case 'packet':
      return made(register === 0 ? 'call' : 'destroyed');
    case 'constant':
      return made('constant');
    case 'load':
      return load(history, at, followed, made);
    case 'alu':
    case 'cast':
      return computed(history, at, followed, made);
    default:
      return made('load');
  }
}

function load(
  history: History,
  at: number,
  followed: Followed,
  made: (making: Making) => Step,
): Step {
  const packed = history.stacks[at]!;
  if (packed < 0) return made('load');
  followed.frame = slotFrame(packed);
  followed.slot = slotNumber(packed);
  return made('copy');
}

function computed(
  history: History,
  at: number,
  followed: Followed,
  made: (making: Making) => Step,
): Step {
  const insn = history.instruction(at);
  const row = history.row(at);
  if (row.dst === 'write') {
    if (row.source !== 'reg') return made('constant');
    followed.register = insn.src;
    return made(row.operation === 'mov' && row.width === 64 ? 'copy' : 'change');
  }
  if (row.source !== 'reg') return made('change');
  const state = history.state(at);
  const isNumber = state !== undefined && !isPointer(state.kind(state.register(insn.dst)));
  const addsPointer =
    isNumber && isPointer(state.kind(state.register(insn.src))) && row.operation === 'add';
  if (!addsPointer) return { ...made('change'), operand: insn.src };
  // number += pointer: the pointer is what goes on.
  followed.register = insn.src;
  return { ...made('change'), operand: insn.dst };
}

function store(history: History, at: number, followed: Followed): Step | undefined {
  const row = history.row(at);
  const packed = history.stacks[at]!;
  const isTarget =
    row.kind === 'store' &&
    packed >= 0 &&
    slotFrame(packed) === followed.frame &&
    slotNumber(packed) === followed.slot;
  if (!isTarget) return undefined;
  const insn = history.instruction(at);
  const step = { index: at, pc: history.pcs[at]! };
  if ((readMask(insn) & (1 << insn.src)) === 0 || row.source !== 'reg') {
    return { ...step, making: 'constant' };
  }
  followed.slot = -1;
  followed.frame = history.frames[at]!;
  followed.register = insn.src;
  return { ...step, making: 'copy' };
}
