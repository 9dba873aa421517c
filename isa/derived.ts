/**
 * What hot loops ask of TABLE, as typed arrays by op index: a lookup there costs one indexed load,
 * where a row costs a property of one of several hidden classes. Everything here is computed from
 * the rows; nothing here is a second truth.
 */

import type { Instruction } from './program.ts';
import { type Kind, type Row, TABLE } from './table.ts';

/** Small codes of `Row.kind`, for `switch` over KIND[op]. */
export const KIND_ALU = 0;
export const KIND_CAST = 1;
export const KIND_LOAD = 2;
export const KIND_STORE = 3;
export const KIND_ATOMIC = 4;
export const KIND_JUMP = 5;
export const KIND_GOTO = 6;
export const KIND_MAY_GOTO = 7;
export const KIND_CALL = 8;
export const KIND_EXIT = 9;
export const KIND_CONSTANT = 10;
export const KIND_PACKET = 11;
export const KIND_CONTINUATION = 12;

const KIND_CODES: Record<Kind, number> = {
  alu: KIND_ALU,
  cast: KIND_CAST,
  load: KIND_LOAD,
  store: KIND_STORE,
  atomic: KIND_ATOMIC,
  jump: KIND_JUMP,
  goto: KIND_GOTO,
  may_goto: KIND_MAY_GOTO,
  call: KIND_CALL,
  exit: KIND_EXIT,
  constant: KIND_CONSTANT,
  packet: KIND_PACKET,
  continuation: KIND_CONTINUATION,
};

export const KIND = Uint8Array.from(TABLE, (row) => KIND_CODES[row.kind]);
/** Operand width in bits, 0 where it has no meaning. */
export const WIDTH = Uint8Array.from(TABLE, (row) => row.width);
/** Bytes accessed, swapped or extended from; 0 where it has no meaning. */
export const SIZE_BYTES = Uint8Array.from(TABLE, (row) => row.sizeBytes);
/** 1 where the second operand is the src register. */
export const SOURCE_IS_REGISTER = Uint8Array.from(TABLE, (row) => (row.source === 'reg' ? 1 : 0));

/** r0..r5: what a call may change. */
export const CALL_CLOBBERS = 0b111111;
const R0 = 1;
const R6 = 1 << 6;

const uses = (role: Row['dst'], ...wanted: readonly Row['dst'][]) =>
  wanted.includes(role) ? 1 : 0;
const READS_DST = Uint8Array.from(TABLE, (row) => uses(row.dst, 'read', 'update'));
const READS_SRC = Uint8Array.from(TABLE, (row) => uses(row.src, 'read', 'update'));
const WRITES_DST = Uint8Array.from(TABLE, (row) => uses(row.dst, 'write', 'update'));
const WRITES_SRC = Uint8Array.from(TABLE, (row) => uses(row.src, 'write', 'update'));
const READS_ALWAYS = Uint16Array.from(TABLE, implicitReads);
const WRITES_ALWAYS = Uint16Array.from(TABLE, implicitWrites);

/** Registers that an instruction reads without naming them. */
function implicitReads(row: Row): number {
  if (row.kind === 'exit' || row.operation === 'cmpxchg') return R0;
  return row.kind === 'packet' ? R6 : 0;
}

function implicitWrites(row: Row): number {
  if (row.kind === 'call' || row.kind === 'packet') return CALL_CLOBBERS;
  return row.operation === 'cmpxchg' ? R0 : 0;
}

/**
 * Bit n: the instruction reads register n. Two conventions: a call reads no argument (its contract
 * or callee says which, the caller adds them), and `exit` reads r0.
 */
export function readMask({ op, dst, src }: Instruction): number {
  return (READS_DST[op]! << dst) | (READS_SRC[op]! << src) | READS_ALWAYS[op]!;
}

/**
 * Bit n: the instruction writes or destroys register n. A call and a legacy packet load destroy
 * r0..r5.
 */
export function writeMask({ op, dst, src }: Instruction): number {
  return (WRITES_DST[op]! << dst) | (WRITES_SRC[op]! << src) | WRITES_ALWAYS[op]!;
}

/** Slots that the instruction takes: 2 for a constant, else 1. */
export function slotCount({ op }: Instruction): 1 | 2 {
  return KIND[op] === KIND_CONSTANT ? 2 : 1;
}

/** The 64 bits of a `constant_value`, unsigned. */
export function constantValue({ imm, immHigh }: Instruction): bigint {
  return (BigInt(immHigh >>> 0) << 32n) | BigInt(imm >>> 0);
}

/**
 * Slot to which a jump, goto, may_goto, subprogram call or function constant at slot `pc` leads;
 * undefined for other instructions. Not checked to be inside the program.
 */
export function targetOf(instruction: Instruction, pc: number): number | undefined {
  switch (TABLE[instruction.op]!.kind) {
    case 'jump':
    case 'goto':
    case 'may_goto':
      return pc + 1 + instruction.off;
    case 'call':
      return TABLE[instruction.op]!.operation === 'subprogram'
        ? pc + 1 + instruction.imm
        : undefined;
    case 'constant':
      // Relative to the constant's own slot plus one, like a call's.
      return TABLE[instruction.op]!.operation === 'function' ? pc + 1 + instruction.imm : undefined;
    default:
      return undefined;
  }
}
