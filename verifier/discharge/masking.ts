/**
 * Pointer arithmetic of programs that may not see kernel memory (loaded without CAP_PERFMON).
 *
 * A processor that guesses a branch wrongly executes what the verifier excluded, with any number in
 * a register. So Linux masks every number that such a program adds to a pointer, by the distance to
 * the end of the object, and refuses arithmetic that one mask cannot serve: on another object or at
 * another distance on another path, with a number of unknown sign, or of a pointer whose object has
 * no end that is known beforehand. It also refuses a pointer that leaves its object, even if it
 * returns before it is used. Facts: verdicts of Linux 6.18 for loaders without that privilege.
 *
 * Nothing here makes an unsafe program safe; it keeps `verdict` as strict as that kernel's.
 */

import type { Instruction, Row } from '../../isa/index.ts';
import type { Failure } from '../diagnose/failure.ts';
import * as domain from '../domain/index.ts';
import type { Walk } from '../explore/walk.ts';
import { MAP_VALUE, STACK } from '../state/kinds.ts';
import * as L from '../state/layout.ts';

/** What the mask of an instruction depends on, for `Walk.masks`. */
const OF_NUMBERS = 'numbers';

const isMasked = (row: Row): boolean =>
  row.source === 'reg' && (row.operation === 'add' || row.operation === 'sub');

/** Numbers are added here: then no path may add to a pointer here. */
export function checkMaskOfNumbers(walk: Walk, pc: number, insn: Instruction, row: Row) {
  return isMasked(row) ? agree(walk, pc, insn.dst, row, OF_NUMBERS) : null;
}

/**
 * `pointer` is moved by the number at `operand`, both offsets in the state's words; other rules have
 * found that the sum is an offset.
 */
export function checkMask(
  walk: Walk,
  pc: number,
  insn: Instruction,
  row: Row,
  pointer: number,
  operand: number,
): Failure | null {
  const { state } = walk;
  const { words } = state;
  const isLeft = domain.signedMin(words, operand) < 0 === (row.operation === 'add');
  const isConstant = domain.isConstant(words, operand);
  if (isMasked(row)) {
    const isMixed = domain.signedMin(words, operand) < 0 !== domain.signedMax(words, operand) < 0;
    if (!isConstant && isMixed) return fail(pc, 'masking-sign', insn.src);
    if (state.kind(pointer) !== STACK && state.kind(pointer) !== MAP_VALUE) {
      return fail(pc, 'masking-kind', insn.dst);
    }
  }
  const distance = distanceOf(
    walk,
    pointer,
    words[pointer + L.OFFSET]!,
    pointer + L.NUMBER,
    isLeft,
  );
  const end = endOf(walk, pointer, isLeft);
  if (isMasked(row) && !isWithin(distance, end)) return fail(pc, 'masking-end', insn.dst);
  const moved = move(walk, row, pointer, operand);
  const left = leavesObject(walk, pc, insn.dst, pointer, moved);
  if (left !== null || !isMasked(row)) return left;
  const after = distanceOf(walk, pointer, moved, L.SCRATCH_2, isLeft);
  if (!isWithin(after, end)) return fail(pc, 'masking-end', insn.dst);
  const sign = domain.signedMin(words, operand) < 0 ? 'down' : 'up';
  const how = isConstant ? 'constant' : 'variable';
  const side = pointer === state.register(insn.dst) ? 'to' : 'from';
  const mask = `${side} ${sign} ${how} ${Math.abs(distance - after)}`;
  return agree(walk, pc, insn.dst, row, mask);
}

const isWithin = (distance: number, end: number) => distance >= 0 && distance < end;

/** Bytes between the pointer and the far end of where it may be moved from. */
function distanceOf(
  { state }: Walk,
  pointer: number,
  offset: number,
  variable: number,
  isLeft: boolean,
): number {
  if (state.kind(pointer) === STACK) return -offset;
  const { words } = state;
  return (
    offset + (isLeft ? domain.signedMin(words, variable) : domain.unsignedMax(words, variable))
  );
}

const endOf = ({ state, subject }: Walk, pointer: number, isLeft: boolean): number =>
  state.kind(pointer) === STACK
    ? subject.profile.stackBytes + (isLeft ? 1 : 0)
    : (subject.maps[state.words[pointer + L.TARGET]!]?.valueSize ?? 0);

/** Puts the variable part of the moved pointer into SCRATCH_2; returns the constant part. */
function move({ state }: Walk, row: Row, pointer: number, operand: number): number {
  const { words } = state;
  const sign = row.operation === 'sub' ? -1 : 1;
  const offset = words[pointer + L.OFFSET]!;
  domain.copy(words, pointer + L.NUMBER, words, L.SCRATCH_2);
  if (domain.isConstant(words, operand)) return offset + sign * domain.constantLo(words, operand);
  domain.alu(sign > 0 ? 'add' : 'sub', 64, words, L.SCRATCH_2, L.SCRATCH_2, operand);
  return offset;
}

/** The moved pointer must stay in the frame, or in the value: one byte of it at least. */
function leavesObject(
  walk: Walk,
  pc: number,
  register: number,
  pointer: number,
  offset: number,
): Failure | null {
  const { state, subject } = walk;
  const { words } = state;
  const low = offset + domain.signedMin(words, L.SCRATCH_2);
  const high = offset + domain.unsignedMax(words, L.SCRATCH_2);
  if (state.kind(pointer) === STACK) {
    if (!domain.isConstant(words, L.SCRATCH_2)) {
      const proven = domain.format(words, L.SCRATCH_2);
      return { ...fail(pc, 'stack-variable-access', register), values: { register, proven } };
    }
    const isInside = low < 0 && low >= -subject.profile.stackBytes;
    return isInside ? null : fail(pc, 'masking-left', register, low);
  }
  if (state.kind(pointer) !== MAP_VALUE) return null;
  const isInside = low >= 0 && high < endOf(walk, pointer, false);
  return isInside ? null : fail(pc, 'masking-left', register, low);
}

function fail(pc: number, code: Failure['code'], register: number, offset = 0): Failure {
  const values = { register: `r${register}`, R: `R${register}`, offset: String(offset) };
  return { code, pc, values, registers: [register] };
}

/** One mask must do for all paths through an instruction. */
function agree(walk: Walk, pc: number, register: number, row: Row, mask: string): Failure | null {
  const known = walk.masks.get(pc);
  if (known === undefined) walk.masks.set(pc, mask);
  if (known === undefined || known === mask) return null;
  const failure = fail(pc, 'masking-paths', register);
  return { ...failure, values: { ...failure.values, operation: row.operation } };
}
