/**
 * Precision: which scalars a kept state must be compared by.
 *
 * Most numbers never matter to safety. A kept state may stand for another one that differs in such
 * a number; without that, every pass of a loop would be new. So scalars of kept states are imprecise
 * until something depends on one: a branch decided by it, an offset added to a pointer, a size given
 * to a helper. Then the trace is followed backwards from that use, and every scalar that the value
 * was computed from is marked precise in every kept state on the way.
 *
 * Why that is sound: let a kept state S be left out in favour of S' (S' was walked to the end). Each
 * obligation proven and each branch cut below S' used only values that the backward walk reached, or
 * values made below S'. Those of S' are precise, so S's lie within them; the others influenced
 * nothing. The instructions below S' therefore hold for S as well. The backward walk must reach
 * every input of a value: for each row below, the inputs of what it writes replace the output.
 */

import type { Instruction, Row } from '../../isa/index.ts';
import { ARGUMENTS, CALLER_SAVED } from '../liveness.ts';
import { SCALAR } from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import type { MachineState } from '../state/machine.ts';
import { hasSpill } from '../state/machine.ts';
import { slotFrame, slotNumber, type Trace } from './trace.ts';

/** A value as an element of a set: a register or a stack slot of a frame. */
export const registerLink = (frame: number, r: number): number => (frame << 16) | r;
const SLOT_BIT = 1 << 24;
export const slotLink = (frame: number, slot: number): number => SLOT_BIT | (frame << 16) | slot;
const linkFrame = (link: number): number => (link >>> 16) & 0xff;
const linkIndex = (link: number): number => link & 0xffff;
const isSlotLink = (link: number): boolean => (link & SLOT_BIT) !== 0;

/** The values whose inputs are still sought: per frame a mask of registers, and slots. */
export class Wanted {
  readonly registers = new Int32Array(L.MAX_FRAMES + 1);
  readonly slots = new Set<number>();

  clear(): void {
    this.registers.fill(0);
    this.slots.clear();
  }

  isEmpty(): boolean {
    if (this.slots.size > 0) return false;
    for (let frame = 0; frame < this.registers.length; frame++) {
      if (this.registers[frame] !== 0) return false;
    }
    return true;
  }

  hasRegister(frame: number, r: number): boolean {
    return ((this.registers[frame]! >> r) & 1) !== 0;
  }

  addRegister(frame: number, r: number): void {
    if (r !== L.FRAME_POINTER) this.registers[frame]! |= 1 << r;
  }

  removeRegister(frame: number, r: number): void {
    this.registers[frame]! &= ~(1 << r);
  }

  has(link: number): boolean {
    return isSlotLink(link)
      ? this.slots.has(link & ~SLOT_BIT)
      : this.hasRegister(linkFrame(link), linkIndex(link));
  }

  add(link: number): void {
    if (isSlotLink(link)) this.slots.add(link & ~SLOT_BIT);
    else this.addRegister(linkFrame(link), linkIndex(link));
  }
}

/** What backtracking reads: the decoded program and the kept states by index. */
export interface Backtrackable {
  readonly instructions: readonly Instruction[];
  readonly rows: readonly Row[];
  /** By slot: registers of which going back over the instruction makes others (liveness.ts). */
  readonly traced: Int16Array;
  readonly trace: Trace;
  keptState(index: number): MachineState | undefined;
}

/**
 * Marks precise everything that the `wanted` values, as they are just before `entry` executes, came
 * from. Empties `wanted`.
 */
export function markPrecise(walk: Backtrackable, entry: number, wanted: Wanted): void {
  const { trace } = walk;
  let at = entry;
  while (at >= 0) {
    const saved = trace.saved(at);
    const kept = saved >= 0 ? walk.keptState(saved) : undefined;
    if (kept !== undefined) {
      markState(kept, wanted);
      if (wanted.isEmpty()) break;
    }
    const before = trace.previous(at);
    if (before >= 0 && goBack(walk, before, trace.frame(at), wanted) && wanted.isEmpty()) break;
    at = before;
  }
  wanted.clear();
}

/**
 * Goes back over entry `at`, after which `frame` executed; false where that changes nothing, as for
 * most instructions: they write something else.
 */
function goBack(walk: Backtrackable, at: number, frame: number, wanted: Wanted): boolean {
  const { trace } = walk;
  const executing = trace.frame(at);
  if (frame > executing) {
    enteredFrom(walk, at, wanted);
    return true;
  }
  if (frame < executing) leftTo(walk, at, wanted);
  else {
    const isWritten = (wanted.registers[executing]! & walk.traced[trace.pc(at)]!) !== 0;
    const isStored = wanted.slots.size > 0 && trace.stack(at) >= 0;
    if (!isWritten && !isStored && !trace.hasLinks(at)) return false;
  }
  stepBack(walk, at, wanted);
  return true;
}

/**
 * The call of entry `at` entered a frame: a callee's arguments are the caller's registers, a
 * callback's are computed from them. Calls write nothing before the callee returns.
 */
function enteredFrom(walk: Backtrackable, at: number, wanted: Wanted): void {
  const caller = walk.trace.frame(at);
  const passed = wanted.registers[caller + 1]! & ARGUMENTS;
  const { operation } = walk.rows[walk.trace.pc(at)]!;
  const isPlain = operation === 'subprogram' || operation === 'register';
  wanted.registers[caller]! |= isPlain ? passed : passed === 0 ? 0 : ARGUMENTS;
  wanted.registers[caller + 1] = 0;
  for (const slot of wanted.slots) if (slotFrame(slot) > caller) wanted.slots.delete(slot);
}

/**
 * The exit of entry `at` left a frame. A caller's r0 is then the callee's, and it lost r1 to r5;
 * after a callback it has what it had when it made the call.
 */
function leftTo(walk: Backtrackable, at: number, wanted: Wanted): void {
  if (walk.trace.isCallbackReturn(at)) return;
  const callee = walk.trace.frame(at);
  if (wanted.hasRegister(callee - 1, 0)) wanted.addRegister(callee, 0);
  wanted.registers[callee - 1]! &= ~CALLER_SAVED;
}

/** Replaces what the instruction of entry `at` wrote by what it computed that from. */
function stepBack(walk: Backtrackable, at: number, wanted: Wanted): void {
  const { trace } = walk;
  const pc = trace.pc(at);
  const frame = trace.frame(at);
  const insn = walk.instructions[pc]!;
  const row = walk.rows[pc]!;
  switch (row.kind) {
    case 'alu':
      stepBackAlu(insn, row, frame, wanted);
      return;
    case 'cast':
      if (wanted.hasRegister(frame, insn.dst)) {
        wanted.removeRegister(frame, insn.dst);
        wanted.addRegister(frame, insn.src);
      }
      return;
    case 'load': {
      if (!wanted.hasRegister(frame, insn.dst)) return;
      wanted.removeRegister(frame, insn.dst);
      const slot = trace.stack(at);
      if (slot >= 0) wanted.slots.add(slot);
      return;
    }
    case 'store': {
      const slot = trace.stack(at);
      if (slot < 0 || !wanted.slots.delete(slot)) return;
      if (row.source === 'reg') wanted.addRegister(frame, insn.src);
      return;
    }
    case 'atomic':
      stepBackAtomic(insn, row, frame, trace.stack(at), wanted);
      return;
    case 'jump':
      stepBackJump(insn, row, frame, trace.links(at), wanted);
      return;
    case 'call':
      // Calls that entered a frame are crossed at its ends; this one has done all it does.
      wanted.registers[frame]! &= ~CALLER_SAVED;
      return;
    case 'packet':
      wanted.registers[frame]! &= ~CALLER_SAVED;
      return;
    case 'constant':
      wanted.removeRegister(frame, insn.dst);
      return;
    case 'goto':
    case 'may_goto':
    case 'exit':
    case 'continuation':
      return;
    default:
      row.kind satisfies never;
      return;
  }
}

function stepBackAlu(insn: Instruction, row: Row, frame: number, wanted: Wanted): void {
  if (!wanted.hasRegister(frame, insn.dst)) return;
  if (row.dst === 'write') wanted.removeRegister(frame, insn.dst);
  if (row.source === 'reg') wanted.addRegister(frame, insn.src);
}

/** A read-modify-write yields what memory held; only a load-acquire of a spilled value has inputs. */
function stepBackAtomic(
  insn: Instruction,
  row: Row,
  frame: number,
  slot: number,
  wanted: Wanted,
): void {
  const result = row.operation === 'cmpxchg' ? 0 : row.dst === 'write' ? insn.dst : insn.src;
  const writes = row.dst === 'write' || row.src === 'update' || row.operation === 'cmpxchg';
  if (row.operation === 'store_release') {
    if (slot >= 0 && wanted.slots.delete(slot)) wanted.addRegister(frame, insn.src);
    return;
  }
  if (!writes || !wanted.hasRegister(frame, result)) return;
  wanted.removeRegister(frame, result);
  if (slot >= 0) wanted.slots.add(slot);
}

/** A branch narrows its operands by each other, and everything linked to them. */
function stepBackJump(
  insn: Instruction,
  row: Row,
  frame: number,
  links: readonly number[],
  wanted: Wanted,
): void {
  addLinked(links, wanted);
  if (row.source === 'reg') {
    if (wanted.hasRegister(frame, insn.dst) || wanted.hasRegister(frame, insn.src)) {
      wanted.addRegister(frame, insn.dst);
      wanted.addRegister(frame, insn.src);
    }
  }
  addLinked(links, wanted);
}

function addLinked(links: readonly number[], wanted: Wanted): void {
  if (links.some((link) => wanted.has(link))) for (const link of links) wanted.add(link);
}

/** Marks the wanted values of a kept state; what was marked before needs no further search. */
function markState(state: MachineState, wanted: Wanted): void {
  for (let frame = 0; frame < wanted.registers.length; frame++) {
    const mask = wanted.registers[frame]!;
    if (mask === 0) continue;
    for (let r = 0; r < L.FRAME_POINTER; r++) {
      if (((mask >> r) & 1) === 0) continue;
      if (frame >= state.frameCount || !markValue(state, state.registerOf(frame, r))) {
        wanted.removeRegister(frame, r);
      }
    }
  }
  for (const packed of wanted.slots) {
    if (!markSlot(state, slotFrame(packed), slotNumber(packed))) wanted.slots.delete(packed);
  }
}

function markSlot(state: MachineState, frame: number, index: number): boolean {
  if (frame >= state.frameCount || index >= state.slots(frame)) return false;
  const slot = state.slot(frame, index);
  return hasSpill(state.words[slot]!) && markValue(state, slot + L.SLOT_VALUE);
}

/** Whether the value is a scalar that was imprecise until now. */
function markValue(state: MachineState, value: number): boolean {
  if (state.kind(value) !== SCALAR) return false;
  const flags = state.words[value + L.FLAGS]!;
  if ((flags & L.FLAG_PRECISE) !== 0) return false;
  state.words[value + L.FLAGS] = flags | L.FLAG_PRECISE;
  return true;
}

/** Adds to `wanted` every value that is precise in `kept`, and not traced yet where `state` has it. */
export function addPrecise(kept: MachineState, state: MachineState, wanted: Wanted): void {
  for (let frame = 0; frame < kept.frameCount; frame++) {
    for (let r = 0; r < L.FRAME_POINTER; r++) {
      if (!isPrecise(kept, kept.registerOf(frame, r))) continue;
      if (!isTraced(state, state.registerOf(frame, r))) wanted.addRegister(frame, r);
    }
    const slots = kept.slots(frame);
    for (let index = 0; index < slots; index++) {
      const slot = kept.slot(frame, index);
      if (!hasSpill(kept.words[slot]!) || !isPrecise(kept, slot + L.SLOT_VALUE)) continue;
      const known = index < state.slots(frame) ? state.slot(frame, index) + L.SLOT_VALUE : -1;
      if (known < 0 || !isTraced(state, known)) wanted.slots.add((frame << 16) | index);
    }
  }
}

const isPrecise = (state: MachineState, value: number): boolean =>
  state.kind(value) === SCALAR && (state.words[value + L.FLAGS]! & L.FLAG_PRECISE) !== 0;

/**
 * Whether the number came from nothing that is not marked already, so that going back again would
 * find nothing new. The mark is set when a number was traced, goes with copies of it and with what
 * constants make of it, and ends where other numbers come in (transfer/), and where a state is kept,
 * in which nothing is marked yet.
 */
export const isTraced = (state: MachineState, value: number): boolean =>
  (state.words[value + L.FLAGS]! & L.FLAG_TRACED) !== 0;
