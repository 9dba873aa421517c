/**
 * Conditional jumps: which ways are possible, and what is known on each.
 *
 * A comparison of numbers that its operands decide goes one way only; the operands then matter
 * (precision). Otherwise the state is copied, and each copy learns that the condition holds, or
 * does not. What one register learns holds for every value with its id.
 */

import type { Instruction, Row } from '../../isa/index.ts';
import { target } from '../cfg.ts';
import { isPacketComparison, KNOWN_NOT_NULL } from '../discharge/comparison.ts';
import * as domain from '../domain/index.ts';
import { registerLink, slotLink } from '../explore/precision.ts';
import type { Walk } from '../explore/walk.ts';
import { isTrusted } from '../kernel/pointer.ts';
import * as kinds from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import { hasSpill, type MachineState } from '../state/machine.ts';
import { shareNumber } from './distance.ts';
import { learnNull } from './null-check.ts';
import { learnPacketRange } from './packet-range.ts';

/** Continues at the returned slot; the other way, if possible, is left pending. */
export function transferJump(walk: Walk, pc: number, insn: Instruction, row: Row): number {
  const { state } = walk;
  const taken = target(pc, insn, row);
  const a = state.register(insn.dst);
  const b = row.source === 'reg' ? state.register(insn.src) : -1;
  const pointerA = kinds.isPointer(state.kind(a));
  const pointerB = b >= 0 && kinds.isPointer(state.kind(b));
  if (!pointerA && !pointerB) return jumpOnNumbers(walk, pc, insn, row, taken);
  if (row.width === 64 && pointerA && (b < 0 ? insn.imm === 0 : isZero(state, b))) {
    return jumpOnNull(walk, pc, insn.dst, insn, row, taken);
  }
  if (row.width === 64 && pointerB && isZero(state, a)) {
    return jumpOnNull(walk, pc, insn.src, insn, row, taken);
  }
  const other = walk.fork(taken);
  if (row.width === 64 && pointerA && pointerB) {
    if (row.operation === 'eq') learnFromEqual(other, insn);
    else if (row.operation === 'ne') learnFromEqual(state, insn);
  }
  if (row.width === 64 && pointerB && isPacketComparison(state.kind(a), state.kind(b))) {
    const condition = domain.conditionOf(row);
    learnPacketRange(walk, other, insn, condition);
    learnPacketRange(walk, state, insn, domain.negate(condition));
  }
  return pc + 1;
}

/** The number 0. */
const isZero = (state: MachineState, value: number): boolean =>
  state.kind(value) === kinds.SCALAR && domain.isConstantOf(state.words, value + L.NUMBER, 0, 0);

/** Pointers that may be null without saying so. */
const SILENT: ReadonlySet<number> = new Set([kinds.BTF_OBJECT, kinds.ALLOCATED, kinds.ARENA]);

/** Two pointers are equal: if one of them cannot be null, neither is the other one. */
function learnFromEqual(state: MachineState, insn: Instruction): void {
  const { words } = state;
  const a = state.register(insn.dst);
  const b = state.register(insn.src);
  if (SILENT.has(state.kind(a)) || SILENT.has(state.kind(b))) return;
  const nullable = (words[a + L.FLAGS]! ^ words[b + L.FLAGS]!) & L.FLAG_NULLABLE;
  if (nullable === 0) return;
  // The other one's flag is clear already. Linux, too, leaves copies as they are.
  words[a + L.FLAGS]! &= ~L.FLAG_NULLABLE;
  words[b + L.FLAGS]! &= ~L.FLAG_NULLABLE;
}

/** A pointer against null: known for pointers that cannot be null, learnt for the others. */
function jumpOnNull(
  walk: Walk,
  pc: number,
  register: number,
  insn: Instruction,
  row: Row,
  taken: number,
): number {
  const { state } = walk;
  if (row.source === 'reg') walk.needPrecise(register === insn.dst ? insn.src : insn.dst);
  const value = state.register(register);
  const nullable = (state.words[value + L.FLAGS]! & L.FLAG_NULLABLE) !== 0;
  if (row.operation !== 'eq' && row.operation !== 'ne') {
    walk.fork(taken);
    return pc + 1;
  }
  if (mayBeZero(state, value)) {
    walk.fork(taken);
    return pc + 1;
  }
  const takenMeansNull = row.operation === 'eq';
  const known = nullable
    ? row.source === 'imm' || walk.mayReason('null-in-register')
    : isKnownNotNull(state, value) || walk.mayReason('never-null');
  if (!known) {
    walk.fork(taken);
    return pc + 1;
  }
  if (!nullable) return takenMeansNull ? pc + 1 : taken;
  const other = walk.fork(taken);
  const id = state.words[value + L.ID]!;
  learnNull(other, id, takenMeansNull ? 'null' : 'valid');
  learnNull(state, id, takenMeansNull ? 'valid' : 'null');
  return pc + 1;
}

/** Linux, too, knows that the pointer, which does not say that it may be null, is not. */
function isKnownNotNull(state: MachineState, value: number): boolean {
  const kind = state.kind(value);
  if (kind !== kinds.ALLOCATED) return KNOWN_NOT_NULL.has(kind);
  const flags = state.words[value + L.FLAGS]!;
  return state.words[value + L.REFERENCE] !== 0 || (flags & L.FLAG_RCU) === 0;
}

/** Pointers to kernel objects that nobody vouches for may be null without saying so. */
function mayBeZero(state: MachineState, value: number): boolean {
  const flags = state.words[value + L.FLAGS]!;
  if ((flags & L.FLAG_NULLABLE) !== 0) return false;
  switch (state.kind(value)) {
    case kinds.ARENA:
      return true;
    case kinds.BTF_OBJECT:
      return !isTrusted(state, value);
    case kinds.ALLOCATED:
      return (flags & L.FLAG_UNTRUSTED) !== 0;
    default:
      return false;
  }
}

function jumpOnNumbers(walk: Walk, pc: number, insn: Instruction, row: Row, taken: number): number {
  const condition = domain.conditionOf(row);
  const width = row.width as 32 | 64;
  const { state } = walk;
  const a = state.register(insn.dst) + L.NUMBER;
  const isSame = row.source === 'reg' && insn.dst === insn.src;
  if (isSame && !domain.isConstant(state.words, a) && !walk.mayReason('same-register')) {
    walk.fork(taken);
    return pc + 1;
  }
  const b = operand(state, insn, row);
  const decision = domain.decide(condition, width, state.words, a, b);
  if (decision !== -1) {
    needOperands(walk, insn, row);
    return decision === 1 ? taken : pc + 1;
  }
  noteLinks(walk, insn, row);
  const other = walk.fork(taken);
  const mayTake = learn(other, insn, row, condition);
  const mayFall = learn(state, insn, row, domain.negate(condition));
  // A way that refinement finds empty is as decided as one that `decide` saw.
  if (!mayTake || !mayFall) {
    if (!walk.mayReason('contradiction')) {
      ignore(mayTake ? state : other, mayTake ? other : state, insn, row);
      return pc + 1;
    }
    needOperands(walk, insn, row);
    forgetOperandTraces(state, insn, row);
  }
  if (!mayTake) walk.unfork();
  if (mayFall) return pc + 1;
  return mayTake ? walk.resumeFork() : -1;
}

/**
 * Linux goes on where its ranges contradict each other, with operands of which it knows nothing
 * (reg_bounds_sanity_check). `possible` is the state on the other way, which always is the case.
 */
function ignore(
  impossible: MachineState,
  possible: MachineState,
  insn: Instruction,
  row: Row,
): void {
  impossible.copyFrom(possible);
  for (const register of row.source === 'reg' ? [insn.dst, insn.src] : [insn.dst]) {
    const value = impossible.register(register);
    domain.setUnknown(impossible.words, value + L.NUMBER);
    shareNumber(impossible, value);
  }
}

function needOperands(walk: Walk, insn: Instruction, row: Row): void {
  walk.needPrecise(insn.dst);
  if (row.source === 'reg') walk.needPrecise(insn.src);
}

function operand(state: MachineState, insn: Instruction, row: Row): number {
  if (row.source === 'reg') return state.register(insn.src) + L.NUMBER;
  domain.setConstant(state.words, L.SCRATCH, insn.imm, insn.imm >> 31);
  return L.SCRATCH;
}

/** Assumes the condition in the state; false when no member satisfies it. */
function learn(
  state: MachineState,
  insn: Instruction,
  row: Row,
  condition: domain.Condition,
): boolean {
  const a = state.register(insn.dst);
  const b = operand(state, insn, row);
  const width = row.width as 32 | 64;
  if (!domain.assume(condition, width, state.words, a + L.NUMBER, b)) return false;
  shareNumber(state, a);
  if (row.source === 'reg') shareNumber(state, state.register(insn.src));
  return true;
}

const forgetTrace = (state: MachineState, value: number): void => {
  state.words[value + L.FLAGS]! &= ~L.FLAG_TRACED;
};

/** Operands that narrow each other come from each other from now on. */
function forgetOperandTraces(state: MachineState, insn: Instruction, row: Row): void {
  forgetTrace(state, state.register(insn.dst));
  if (row.source === 'reg') forgetTrace(state, state.register(insn.src));
}

/** Tells the trace which values this branch refines together. */
function noteLinks(walk: Walk, insn: Instruction, row: Row): void {
  const { state } = walk;
  const { words } = state;
  if (row.source === 'reg') forgetOperandTraces(state, insn, row);
  const idA = words[state.register(insn.dst) + L.ID]!;
  const idB = row.source === 'reg' ? words[state.register(insn.src) + L.ID]! : 0;
  if (idA === 0 && idB === 0) return;
  const links: number[] = [];
  const isLinked = (value: number): boolean => {
    const id = words[value + L.ID]!;
    return id !== 0 && (id === idA || id === idB) && words[value + L.KIND] === kinds.SCALAR;
  };
  for (let frame = 0; frame < state.frameCount; frame++) {
    for (let r = 0; r < L.FRAME_POINTER; r++) {
      if (isLinked(state.registerOf(frame, r))) links.push(registerLink(frame, r));
    }
    const slots = state.slots(frame);
    for (let index = 0; index < slots; index++) {
      const slot = state.slot(frame, index);
      if (hasSpill(words[slot]!) && isLinked(slot + L.SLOT_VALUE)) {
        links.push(slotLink(frame, index));
      }
    }
  }
  if (row.source === 'reg') {
    links.push(registerLink(state.frame, insn.dst), registerLink(state.frame, insn.src));
  }
  if (links.length <= 1) return;
  walk.trace.setLinks(walk.entry, links);
  state.forEachValue((value) => {
    if (isLinked(value)) forgetTrace(state, value);
  });
}
