/**
 * What arithmetic is defined on pointers. A pointer may have a bounded number added or subtracted;
 * everything else would make an address out of bits. Offsets are kept far from any wrap-around
 * (LIMITS.pointerOffset), so that later bounds checks may compute with them as integers.
 */

import type { Instruction, Row } from '../../isa/index.ts';
import type { Failure } from '../diagnose/failure.ts';
import * as domain from '../domain/index.ts';
import type { Walk } from '../explore/walk.ts';
import { NO_TYPE } from '../kernel/pointer.ts';
import { LIMITS } from '../limits.ts';
import { BTF_OBJECT, isPointer, KINDS, MAP, STACK } from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import type { MachineState } from '../state/machine.ts';
import { checkMask, checkMaskOfNumbers } from './masking.ts';

const MOST = LIMITS.pointerOffset.value;

export function checkArithmetic(
  walk: Walk,
  pc: number,
  insn: Instruction,
  row: Row,
): Failure | null {
  const { state } = walk;
  if (row.kind === 'cast')
    return walk.subject.usesArena ? null : { code: 'arena-missing', pc, values: {} };
  const refused = row.source === 'imm' ? checkConstant(walk, pc, insn, row) : null;
  if (refused !== null) return refused;
  const dst = state.register(insn.dst);
  const src = row.source === 'reg' ? state.register(insn.src) : -1;
  const pointerDst = row.dst === 'update' && isPointer(state.kind(dst));
  const pointerSrc = src >= 0 && isPointer(state.kind(src));
  if (!pointerDst && !pointerSrc) {
    return walk.subject.masksArithmetic ? checkMaskOfNumbers(walk, pc, insn, row) : null;
  }
  if (row.operation === 'mov' && row.width === 64) return null;
  if (isFree(state, row, dst, src) || isUntracked(state, row, dst, src)) return null;
  if (row.dst === 'write' || row.source === 'none') {
    return checkBitsOfPointer(walk, pc, pointerSrc ? insn.src : insn.dst);
  }
  return checkOffset(walk, pc, insn, row, pointerDst, pointerSrc);
}

/**
 * A number joined to a pointer into memory of no type, which is read where a fault yields 0: the
 * pointer stays one, wherever it points then; a number becomes any number.
 */
export function isUntracked(state: MachineState, row: Row, dst: number, src: number): boolean {
  if (row.dst !== 'update' || row.source === 'none' || row.width === 32) return false;
  const srcIsNumber = src < 0 || !isPointer(state.kind(src));
  if (isPointer(state.kind(dst))) return srcIsNumber && isTypeless(state, dst);
  return src >= 0 && isTypeless(state, src);
}

const isTypeless = ({ words }: MachineState, value: number): boolean =>
  words[value + L.KIND] === BTF_OBJECT &&
  words[value + L.TARGET] === NO_TYPE &&
  (words[value + L.FLAGS]! & L.FLAG_UNTRUSTED) !== 0;

/** Arithmetic with a pointer into an arena, whose bits are a number, too. */
export const isFree = (state: MachineState, row: Row, dst: number, src: number): boolean =>
  row.dst === 'update' &&
  row.source !== 'none' &&
  (KINDS[state.kind(dst)]!.arithmetic === 'free' ||
    (src >= 0 && KINDS[state.kind(src)]!.arithmetic === 'free'));

const DIVISIONS: ReadonlySet<string> = new Set(['div', 'sdiv', 'mod', 'smod']);
const SHIFTS: ReadonlySet<string> = new Set(['lsh', 'rsh', 'arsh']);

/** RFC 9669 defines these; Linux refuses them where they are constants, if anything gets there. */
function checkConstant(walk: Walk, pc: number, { imm }: Instruction, row: Row): Failure | null {
  if (walk.subject.profile.family === 'memory') return null;
  if (DIVISIONS.has(row.operation) && imm === 0) {
    return { code: 'division-by-zero', pc, values: {} };
  }
  if (!SHIFTS.has(row.operation) || (imm >= 0 && imm < row.width)) return null;
  return { code: 'shift-too-far', pc, values: { imm, width: row.width, most: row.width - 1 } };
}

/** mov32, movsx, neg and byte swaps of a pointer make a number of its bits. */
function checkBitsOfPointer(walk: Walk, pc: number, register: number): Failure | null {
  if (walk.subject.mayLeakPointers) return null;
  const kind = KINDS[walk.state.kind(walk.state.register(register))]!.name;
  const values = { kind, where: 'into register', R: `R${register}` };
  return { code: 'pointer-leak', pc, values, registers: [register] };
}

function checkOffset(
  walk: Walk,
  pc: number,
  insn: Instruction,
  row: Row,
  pointerDst: boolean,
  pointerSrc: boolean,
): Failure | null {
  const { state, subject } = walk;
  const register = pointerDst ? insn.dst : insn.src;
  const pointer = state.register(register);
  const kind = KINDS[state.kind(pointer)]!;
  const values = { kind: kind.name, linux: kind.linux, operation: row.operation };
  const fail = (code: Failure['code'], more: Record<string, string> = {}): Failure => ({
    code,
    pc,
    values: { ...values, register: `r${register}`, R: `R${register}`, ...more },
    registers: [register],
  });
  if (pointerDst && pointerSrc) {
    if (row.operation === 'sub' && subject.mayLeakPointers) return null;
    const first = kind.name;
    const second = KINDS[state.kind(state.register(insn.src))]!.name;
    return fail('pointer-plus-pointer', { first, second });
  }
  if (row.width === 32) {
    const allowed = row.operation === 'sub' && subject.mayLeakPointers;
    return allowed ? null : fail('pointer-arithmetic-32');
  }
  if (row.operation !== 'add' && row.operation !== 'sub') {
    return fail('pointer-arithmetic', { what: operatorText(row.operation) });
  }
  if (row.operation === 'sub' && !pointerDst) return fail('pointer-from-number');
  if (row.operation === 'sub' && state.kind(pointer) === STACK && isLinux(walk)) {
    return fail('stack-pointer-subtraction');
  }
  if ((state.words[pointer + L.FLAGS]! & L.FLAG_NULLABLE) !== 0) {
    return fail('pointer-maybe-null-arithmetic');
  }
  const failure = checkDistance(walk, insn, row, pointerDst, pointer, fail);
  if (failure !== null || !subject.masksArithmetic) return failure;
  return checkMask(walk, pc, insn, row, pointer, offsetOperand(walk, insn, row, pointerDst));
}

/** Linux moves stack pointers down by adding what is negative. */
const isLinux = ({ subject }: Walk): boolean => subject.profile.family === 'linux';

type Fail = (code: Failure['code'], more?: Record<string, string>) => Failure;

function checkDistance(
  walk: Walk,
  insn: Instruction,
  row: Row,
  pointerDst: boolean,
  pointer: number,
  fail: Fail,
): Failure | null {
  const { state } = walk;
  const words = state.words;
  const number = offsetOperand(walk, insn, row, pointerDst);
  const kind = state.kind(pointer);
  const rule = KINDS[kind]!.arithmetic;
  const isZero = domain.isConstantOf(words, number, 0, 0);
  if (rule === 'none' && !(kind === MAP && isZero && row.operation === 'add')) {
    return fail('pointer-fixed');
  }
  if (rule === 'constant' && !domain.isConstant(words, number)) return fail('pointer-fixed');
  const min = domain.signedMin(words, number);
  const max = domain.signedMax(words, number);
  if (min === Number.NEGATIVE_INFINITY || min < -(2 ** 53)) {
    return fail('pointer-offset-unbounded', { proven: domain.format(words, number) });
  }
  const sign = row.operation === 'sub' ? -1 : 1;
  const variable = pointer + L.NUMBER;
  const low = sign > 0 ? min : -max;
  const total = words[pointer + L.OFFSET]! + domain.signedMin(words, variable) + low;
  if (min <= -MOST || min >= MOST || Math.abs(words[pointer + L.OFFSET]! + sign * min) >= MOST) {
    const proven = domain.format(words, number);
    return fail('pointer-offset-out-of-range', { proven, least: String(min) });
  }
  const isFar = isDistant(walk, number) && !walk.mayReason('distant-number');
  if (isFar) return fail('pointer-offset-out-of-range', { proven: '', least: String(min) });
  if (total > -MOST && total < MOST) return null;
  return fail('pointer-offset-unbounded', { proven: domain.format(words, number) });
}

/** Linux takes the distance of a linked number for an offset of its own. */
function isDistant({ state }: Walk, number: number): boolean {
  const { words } = state;
  const value = number - L.NUMBER;
  if (number === L.SCRATCH || (words[value + L.FLAGS]! & L.FLAG_DISTANCE) === 0) return false;
  return Math.abs(words[value + L.OFFSET]!) >= MOST;
}

/** Offset in the state's words of the number that is added: a register's, or the immediate. */
export function offsetOperand(
  walk: Walk,
  insn: Instruction,
  row: Row,
  pointerDst: boolean,
): number {
  const { state } = walk;
  if (row.source === 'imm') {
    domain.setConstant(state.words, L.SCRATCH, insn.imm, insn.imm >> 31);
    return L.SCRATCH;
  }
  return state.register(pointerDst ? insn.src : insn.dst) + L.NUMBER;
}

const BITWISE: Readonly<Record<string, string>> = { and: '&=', or: '|=', xor: '^=' };

const operatorText = (operation: string): string =>
  operation in BITWISE
    ? `bitwise operator ${BITWISE[operation]} on pointer prohibited`
    : `pointer arithmetic with ${operation} operator prohibited`;
