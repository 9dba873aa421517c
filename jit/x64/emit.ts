/**
 * Allocated machine instructions as bytes: looks up the row, finds which register stands in which
 * field, picks the shortest encoding that means the same, and leaves jumps to the code buffer.
 */

import { InternalError } from '../../isa/index.ts';
import type { BranchForm, CodeBuffer } from '../mach/code-buffer.ts';
import type { MachInst, Memory, Move, Placement } from '../mach/types.ts';
import { isSlot, REMATERIALISE, SLOT_BASE } from '../mach/types.ts';
import type { EffectiveAddress, Fields } from './encode.ts';
import { encode, encodeImmediate, isInt8, NO_REGISTER } from './encode.ts';
import { emitReturn } from './frame.ts';
import { ROWS, rowOf, type X64Row } from './instructions.ts';
import { RAX, RSP } from './registers.ts';

const SLOT_BYTES = 8;

/** The registers of one instruction, in the fields of its row. */
export function fieldsOf(
  inst: MachInst,
  registers: Int8Array,
  first: number,
  addressOf: (memory: Memory, base: number, index: number) => EffectiveAddress,
): Fields {
  let k = first;
  let reg = 0;
  let rm = 0;
  let address: EffectiveAddress | undefined;
  for (const spec of ROWS[inst.op]!.specs) {
    if (spec.kind === 'imm' || spec.kind === 'cl' || spec.kind === 'rel') continue;
    if (spec.kind === 'rm' && inst.memory !== null) {
      const base = inst.memory.base === 'register' ? registers[k++]! : NO_REGISTER;
      const index = inst.memory.scale !== 0 ? registers[k++]! : NO_REGISTER;
      address = addressOf(inst.memory, base, index);
      continue;
    }
    const register = registers[k]!;
    k += spec.access === 'u' ? 2 : 1;
    if (spec.kind === 'reg') reg = register;
    else rm = register;
  }
  return { reg, rm, address };
}

export function effectiveAddress(
  buffer: CodeBuffer,
  memory: Memory,
  base: number,
  index: number,
  placement: Placement,
): EffectiveAddress {
  const { scale, displacement } = memory;
  switch (memory.base) {
    case 'register':
      return { base, index, scale, displacement, label: undefined };
    case 'absolute':
      return { base: NO_REGISTER, index, scale, displacement, label: undefined };
    case 'frame': {
      const area = placement.frame.areaOffsets[memory.area]!;
      return { base: RSP, index, scale, displacement: area + displacement, label: undefined };
    }
    case 'function': {
      const label = placement.functions[memory.area]!;
      return { base, index, scale: 0, displacement, label };
    }
    case 'pool': {
      const label = buffer.poolLabel(placement.pool[memory.area]!);
      return { base, index, scale: 0, displacement, label };
    }
  }
}

const MOV_32 = ROWS[rowOf('mov r32, imm32')]!;
const MOV_64 = ROWS[rowOf('mov r64, imm64')]!;
const MOV_SIGNED = ROWS[rowOf('mov r/m64, imm32')]!;
const ENTRY = rowOf('entry');
const CALL_DIRECT = rowOf('call rel32');
const COPY_64 = rowOf('mov r64, r/m64');

export function emit(
  buffer: CodeBuffer,
  inst: MachInst,
  registers: Int8Array,
  first: number,
  placement: Placement,
): void {
  const row = ROWS[inst.op]!;
  if (inst.op === ENTRY) return;
  if (row.flow === 'return') {
    emitReturn(buffer, placement);
  } else if (inst.op === CALL_DIRECT) {
    encode(buffer, row, NO_FIELDS, 0);
    buffer.fixup(0, placement.functions[inst.callee]!);
    buffer.u32(0);
  } else if (inst.op === MOV_64.index) {
    emitConstant(buffer, registers[first]!, inst);
  } else if (!isIdleCopy(inst, registers, first)) {
    const fields = fieldsOf(inst, registers, first, (memory, base, index) =>
      effectiveAddress(buffer, memory, base, index, placement),
    );
    emitRow(buffer, row, fields, inst.imm, inst.immHigh);
  }
}

const NO_FIELDS: Fields = { reg: 0, rm: 0, address: undefined };

/** A 64-bit register copied to itself. (In 32 bits that clears the upper half: not idle.) */
export function isIdleCopy(inst: MachInst, registers: Int8Array, first: number): boolean {
  return inst.op === COPY_64 && inst.memory === null && registers[first] === registers[first + 1];
}

export function emitRow(
  buffer: CodeBuffer,
  row: X64Row,
  fields: Fields,
  imm: number,
  immHigh: number,
): void {
  const chosen = row.imm8 >= 0 && isInt8(imm) ? ROWS[row.imm8]! : row;
  encode(buffer, chosen, fields, chosen.immBytes);
  encodeImmediate(buffer, chosen.immBytes, imm, immHigh);
}

/** 32-bit moves clear the upper half, 7-byte ones extend the sign, the rest takes 10 bytes. */
function emitConstant(buffer: CodeBuffer, register: number, inst: MachInst): void {
  const { imm, immHigh, relocation } = inst;
  const fields = { reg: 0, rm: register, address: undefined };
  if (relocation !== null) {
    encode(buffer, MOV_64, fields, 8);
    buffer.relocation(relocation);
    return;
  }
  if (immHigh === 0) emitRow(buffer, MOV_32, fields, imm, 0);
  else if (immHigh === imm >> 31) emitRow(buffer, MOV_SIGNED, fields, imm, 0);
  else emitRow(buffer, MOV_64, fields, imm, immHigh);
}

// ---- moves ------------------------------------------------------------------------------------

const LOAD = ROWS[COPY_64]!;
const STORE = ROWS[rowOf('mov r/m64, r64')]!;
const STORE_IMM = ROWS[rowOf('mov r/m64, imm32')]!;
const STORE_IMM_32 = ROWS[rowOf('mov r/m32, imm32')]!;
const EXCHANGE = ROWS[rowOf('xchg r/m64, r64')]!;
const PUSH_MEMORY = ROWS[rowOf('push r/m64')]!;
const POP_MEMORY = ROWS[rowOf('pop r/m64')]!;
const PUSH = ROWS[rowOf('push r64')]!;
const POP = ROWS[rowOf('pop r64')]!;

const stackAddress = (displacement: number): EffectiveAddress => ({
  base: RSP,
  index: NO_REGISTER,
  scale: 0,
  displacement,
  label: undefined,
});

export const slotOffset = (slot: number, placement: Placement): number =>
  placement.frame.slotOffset + (slot - SLOT_BASE) * SLOT_BYTES;

export function emitMove(
  buffer: CodeBuffer,
  move: Move,
  recipe: MachInst | undefined,
  placement: Placement,
): void {
  const { from, to } = move;
  if (from >= REMATERIALISE) {
    if (recipe === undefined) throw new InternalError('x64 emit', 'a value without a recipe');
    emitRecipe(buffer, recipe, to, placement);
    return;
  }
  const place = (slot: number) => stackAddress(slotOffset(slot, placement));
  const swap = move.kind === 'swap';
  if (isSlot(from) && isSlot(to)) {
    emitBetweenSlots(buffer, slotOffset(from, placement), slotOffset(to, placement), move.kind);
  } else if (isSlot(from)) {
    encode(buffer, swap ? EXCHANGE : LOAD, { reg: to, rm: 0, address: place(from) }, 0);
  } else if (isSlot(to)) {
    encode(buffer, swap ? EXCHANGE : STORE, { reg: from, rm: 0, address: place(to) }, 0);
  } else {
    encode(buffer, swap ? EXCHANGE : LOAD, { reg: to, rm: from, address: undefined }, 0);
  }
}

/**
 * Through the stack, since no register is known to be free. `push [rsp + d]` reads before rsp moves
 * and `pop [rsp + d]` computes its address after it moved back (SDM volume 2, POP), so with one
 * value in between both mean the frame's own offset; with two, the outer ones see rsp 8 lower.
 */
function emitBetweenSlots(buffer: CodeBuffer, from: number, to: number, kind: Move['kind']): void {
  const push = (offset: number) =>
    encode(buffer, PUSH_MEMORY, { reg: 0, rm: 0, address: stackAddress(offset) }, 0);
  const pop = (offset: number) =>
    encode(buffer, POP_MEMORY, { reg: 0, rm: 0, address: stackAddress(offset) }, 0);
  push(from);
  if (kind === 'swap') {
    push(to + SLOT_BYTES);
    pop(from + SLOT_BYTES);
  }
  pop(to);
}

/** A constant into a register, or into a slot without disturbing any register. */
function emitRecipe(buffer: CodeBuffer, recipe: MachInst, to: number, placement: Placement): void {
  if (!isSlot(to)) {
    emit(buffer, recipe, Int8Array.of(to), 0, placement);
    return;
  }
  const offset = slotOffset(to, placement);
  const { imm, immHigh, relocation } = recipe;
  const high = recipe.op === MOV_32.index ? 0 : immHigh;
  const constant = recipe.memory === null && relocation === null;
  if (constant && high === imm >> 31) {
    emitRow(buffer, STORE_IMM, { reg: 0, rm: 0, address: stackAddress(offset) }, imm, 0);
  } else if (constant) {
    emitRow(buffer, STORE_IMM_32, { reg: 0, rm: 0, address: stackAddress(offset) }, imm, 0);
    emitRow(buffer, STORE_IMM_32, { reg: 0, rm: 0, address: stackAddress(offset + 4) }, high, 0);
  } else {
    emitThroughRax(buffer, recipe, offset, placement);
  }
}

/** An address into a slot: rax is borrowed, and while it is on the stack the frame is 8 bytes off. */
function emitThroughRax(
  buffer: CodeBuffer,
  recipe: MachInst,
  offset: number,
  placement: Placement,
): void {
  const { frame } = placement;
  const shifted = { ...frame, areaOffsets: frame.areaOffsets.map((area) => area + SLOT_BYTES) };
  encode(buffer, PUSH, { reg: 0, rm: RAX, address: undefined }, 0);
  emit(buffer, recipe, Int8Array.of(RAX), 0, { ...placement, frame: shifted });
  encode(buffer, STORE, { reg: RAX, rm: 0, address: stackAddress(offset + SLOT_BYTES) }, 0);
  encode(buffer, POP, { reg: 0, rm: RAX, address: undefined }, 0);
}

// ---- jumps ------------------------------------------------------------------------------------

const near = (sizeBytes: number): BranchForm => ({ sizeBytes, min: -(2 ** 31), max: 2 ** 31 - 1 });
const SHORT: BranchForm = { sizeBytes: 2, min: -128, max: 127 };
const JUMP_FORMS: readonly BranchForm[] = [SHORT, near(5)];
const BRANCH_FORMS: readonly BranchForm[] = [SHORT, near(6)];

export const branchForms = (op: number): readonly BranchForm[] =>
  ROWS[op]!.flow === 'jump' ? JUMP_FORMS : BRANCH_FORMS;

export function writeBranch(
  bytes: Uint8Array,
  offset: number,
  op: number,
  form: number,
  distance: number,
): void {
  const { opcode, flow, condition } = ROWS[op]!;
  if (form === 0) {
    bytes[offset] = flow === 'jump' ? 0xeb : 0x70 | condition;
    bytes[offset + 1] = distance;
    return;
  }
  bytes.set(opcode, offset);
  writeInt32(bytes, offset + opcode.length, distance);
}

/** rip-relative: from the end of the instruction, `kind` immediate bytes after the field. */
export function writeFixup(bytes: Uint8Array, offset: number, kind: number, to: number): void {
  const displacement = readInt32(bytes, offset);
  writeInt32(bytes, offset, to + displacement - (offset + 4 + kind));
}

function readInt32(bytes: Uint8Array, offset: number): number {
  return (
    bytes[offset]! |
    (bytes[offset + 1]! << 8) |
    (bytes[offset + 2]! << 16) |
    (bytes[offset + 3]! << 24)
  );
}

function writeInt32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value;
  bytes[offset + 1] = value >> 8;
  bytes[offset + 2] = value >> 16;
  bytes[offset + 3] = value >> 24;
}

/** Recommended multi-byte no-operations, SDM volume 2, NOP, by length. */
const NOPS: readonly (readonly number[])[] = [
  [],
  [0x90],
  [0x66, 0x90],
  [0x0f, 0x1f, 0x00],
  [0x0f, 0x1f, 0x40, 0x00],
  [0x0f, 0x1f, 0x44, 0x00, 0x00],
  [0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00],
  [0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00],
  [0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
];

export function nop(bytes: Uint8Array, offset: number, sizeBytes: number): void {
  for (let done = 0; done < sizeBytes; ) {
    const length = Math.min(sizeBytes - done, NOPS.length - 1);
    bytes.set(NOPS[length]!, offset + done);
    done += length;
  }
}
