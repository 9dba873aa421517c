/** What arithmetic leaves in its destination, given that its obligations hold. */

import type { Instruction, Row } from '../../isa/index.ts';
import { isFree, isUntracked, offsetOperand } from '../discharge/arithmetic.ts';
import * as domain from '../domain/index.ts';
import { beyondLinux, losesRange } from '../explore/reasoning.ts';
import type { Walk } from '../explore/walk.ts';
import { ARENA, isPacketKind, isPointer, SCALAR } from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import { linkAfter, relink } from './distance.ts';

export function transferAlu(walk: Walk, pc: number, insn: Instruction, row: Row): void {
  const { state } = walk;
  const dst = state.register(insn.dst);
  if (row.operation === 'mov' || (row.operation === 'movsx' && keepsValue(walk, insn, row))) {
    transferMove(walk, insn, row, dst);
    return;
  }
  const src = row.source === 'reg' ? state.register(insn.src) : -1;
  const pointerDst = row.dst === 'update' && isPointer(state.kind(dst));
  const pointerSrc = src >= 0 && isPointer(state.kind(src));
  if (isFree(state, row, dst, src)) {
    state.setPointer(dst, ARENA, 0);
    return;
  }
  if (isUntracked(state, row, dst, src)) {
    if (!pointerDst) makeNumber(walk, dst, 8);
    return;
  }
  if (pointerDst || pointerSrc) {
    const moves = row.width === 64 && row.source !== 'none' && row.dst === 'update';
    if (moves && pointerDst !== pointerSrc) {
      movePointer(walk, insn, row, pointerDst);
      return;
    }
    makeNumber(walk, dst, row.width === 32 ? 4 : 8);
    return;
  }
  let operand = L.SCRATCH;
  if (src >= 0) operand = src + L.NUMBER;
  else domain.setConstant(state.words, L.SCRATCH, insn.imm, insn.imm >> 31);
  if (row.operation === 'and' || row.operation === 'or') splitMask(walk, pc, dst, operand);
  const beyond = beyondLinux(row, state.words, operand);
  if (beyond !== undefined && !walk.mayReason(beyond)) {
    state.setUnknown(dst);
    return;
  }
  const link = row.dst === 'update' ? linkAfter(state, row, dst, operand) : undefined;
  if (walk.reasoning === 'linux' && losesRange(row, state.words, dst + L.NUMBER, operand)) {
    shiftAsLinux(walk, row, dst, operand);
    return;
  }
  const { words } = state;
  let traced = words[dst + L.FLAGS]! & L.FLAG_TRACED;
  if (src >= 0) traced &= words[src + L.FLAGS]!;
  domain.transferOfRow(row)(words, dst + L.NUMBER, dst + L.NUMBER, operand);
  state.clearPointer(dst);
  if (row.dst === 'update') words[dst + L.FLAGS] = traced;
  relink(state, dst, link);
}

/**
 * Compilers choose between two constants without a branch: by a mask of all ones or none, as an
 * arithmetic shift leaves it, combined with a constant. Walked apart, as Linux does, each is known
 * exactly: the low half is one of two numbers, and so the whole where it is its sign extension. The
 * current state goes on with all ones.
 */
function splitMask(walk: Walk, pc: number, dst: number, operand: number): void {
  const { words } = walk.state;
  const number = dst + L.NUMBER;
  if (!domain.isConstant(words, operand)) return;
  const isLow = domain.signedMin32(words, number) === -1 && domain.signedMax32(words, number) === 0;
  if (!isLow) return;
  const isWhole = domain.signedMin(words, number) === -1 && domain.signedMax(words, number) === 0;
  const other = walk.fork(pc, 0);
  for (const [state, half] of [
    [other, 0],
    [walk.state, -1],
  ] as const) {
    domain.setBits(state.words, L.SCRATCH_2, half, half, 0, isWhole ? 0 : -1);
    domain.meet(state.words, number, number, L.SCRATCH_2);
    state.clearPointer(dst);
  }
}

/**
 * A shift whose range Linux forgets, except the signed one of a shift by 32, which is how a number
 * is made ready to be sign-extended.
 */
function shiftAsLinux(walk: Walk, row: Row, dst: number, operand: number): void {
  const { words } = walk.state;
  const number = dst + L.NUMBER;
  const isHalf = row.width === 64 && domain.constantLo(words, operand) === 32;
  const low = domain.signedMin32(words, number);
  const high = domain.signedMax32(words, number);
  domain.transferOfRow(row)(words, number, number, operand);
  walk.state.clearPointer(dst);
  if (domain.isConstant(words, number) || walk.mayReason('wide-shift')) return;
  domain.forgetRanges(words, number);
  if (!isHalf) return;
  domain.setSignedRange(words, L.SCRATCH_2, 0, low, 0, high);
  domain.meet(words, number, number, L.SCRATCH_2);
}

/** The sign bit of the part that is extended is clear, and everything above it. */
function keepsValue({ state }: Walk, insn: Instruction, row: Row): boolean {
  const src = state.register(insn.src);
  const bits = row.sizeBytes * 8;
  const { words } = state;
  return state.kind(src) === SCALAR && domain.significantBits(words, src + L.NUMBER) < bits;
}

/** A number made of a pointer's bits. */
function makeNumber(walk: Walk, value: number, sizeBytes: number): void {
  walk.state.clearPointer(value);
  domain.setBytes(walk.state.words, value + L.NUMBER, sizeBytes);
}

/** Copies share an id, so that what a branch teaches about one holds for the other. */
function transferMove(walk: Walk, insn: Instruction, row: Row, dst: number): void {
  const { state } = walk;
  const words = state.words;
  if (row.source === 'imm') {
    state.setConstant(dst, insn.imm, row.width === 64 ? insn.imm >> 31 : 0);
    return;
  }
  const src = state.register(insn.src);
  if (isPointer(state.kind(src))) {
    if (row.width === 32) makeNumber(walk, dst, 4);
    else state.copyValue(dst, src);
    return;
  }
  const keeps = row.width === 64 || domain.isZeroExtended(words, src + L.NUMBER);
  if (keeps) {
    linkNumber(walk, src);
    state.copyValue(dst, src);
    return;
  }
  domain.copy(words, src + L.NUMBER, words, dst + L.NUMBER);
  state.clearPointer(dst);
  domain.truncate32(words, dst + L.NUMBER);
}

/**
 * Gives a number that is about to be copied an id, unless it is a constant. Linux does not copy
 * distances: the copy of a number at a distance, and the number itself, begin anew.
 */
export function linkNumber(walk: Walk, value: number): void {
  const { words } = walk.state;
  if (words[value + L.KIND] !== SCALAR) return;
  const isDistant = (words[value + L.FLAGS]! & L.FLAG_DISTANCE) !== 0;
  if (isDistant && !walk.mayReason('copied-distance')) walk.state.clearPointer(value);
  if (words[value + L.ID] !== 0) return;
  if (!domain.isConstant(words, value + L.NUMBER)) words[value + L.ID] = walk.freshId();
}

/**
 * pointer ± number. A constant goes into the constant part; anything else into the variable part,
 * which for packets makes a new base whose range is unknown.
 */
function movePointer(walk: Walk, insn: Instruction, row: Row, pointerDst: boolean): void {
  const { state } = walk;
  const words = state.words;
  const dst = state.register(insn.dst);
  const operand = offsetOperand(walk, insn, row, pointerDst);
  if (row.source === 'reg') walk.needPrecise(pointerDst ? insn.src : insn.dst);
  // The number may lie in dst itself, which the pointer is about to overwrite.
  domain.copy(words, operand, words, L.SCRATCH_2);
  if (!pointerDst) state.copyValue(dst, state.register(insn.src));
  const sign = row.operation === 'sub' ? -1 : 1;
  if (domain.isConstant(words, L.SCRATCH_2)) {
    words[dst + L.OFFSET]! += sign * domain.constantLo(words, L.SCRATCH_2);
    return;
  }
  const number = dst + L.NUMBER;
  domain.alu(sign > 0 ? 'add' : 'sub', 64, words, number, number, L.SCRATCH_2);
  if (isPacketKind(state.kind(dst))) {
    words[dst + L.ID] = walk.freshId();
    words[dst + L.EXTENT] = 0;
  }
}
