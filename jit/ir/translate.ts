/**
 * The meaning of each instruction in IR terms, and the places where a proven fact makes it cheaper.
 * Memory and calls are in translate-memory.ts and translate-call.ts.
 */

import type { Instruction } from '../../isa/index.ts';
import {
  type AluOperation,
  type JumpCondition,
  type Kind,
  type Row,
  TABLE,
  UnsupportedError,
} from '../../isa/index.ts';
import type { OperandFact } from '../../verifier/index.ts';
import { arenaConstant, castAddress } from './arena.ts';
import {
  BUDGET,
  type Builder,
  cite,
  edgeTo,
  emit,
  extend,
  goTo,
  newInnerBlock,
  read,
  readOperand,
  settle,
  write,
} from './builder.ts';
import { branch, newConstant, newValue, type Op, returns, type Value } from './ir.ts';
import { leaveMeter } from './meter.ts';
import { hideFrame } from './shown-frame.ts';
import type { Stretch } from './stretches.ts';
import { translateCall, translatePacketLoad } from './translate-call.ts';
import { translateAtomic, translateLoad, translateStore } from './translate-memory.ts';

type Translation = (builder: Builder, instruction: Instruction, row: Row, stretch: Stretch) => void;

const TRANSLATIONS: Readonly<Record<Kind, Translation>> = {
  alu: (builder, instruction, row) => {
    write(builder, instruction.dst, translateAlu(builder, instruction, row));
  },
  load: translateLoad,
  store: translateStore,
  atomic: translateAtomic,
  jump: translateJump,
  goto: (builder, instruction) => goTo(builder, builder.pc + 1 + instruction.off),
  may_goto: translateMayGoto,
  call: translateCall,
  exit: (builder) => {
    leaveMeter(builder);
    hideFrame(builder);
    builder.block.terminator = returns(read(builder, 0), builder.pc);
  },
  constant: (builder, instruction, row) => {
    write(builder, instruction.dst, translateConstant(builder, instruction, row));
  },
  packet: translatePacketLoad,
  continuation: () => {},
  cast: castAddress,
};

export function translate(builder: Builder, instruction: Instruction, stretch: Stretch): void {
  const row = TABLE[instruction.op]!;
  TRANSLATIONS[row.kind](builder, instruction, row, stretch);
}

/** The immediate as the operation reads it: sign-extended, or its low word alone. */
function immediate(builder: Builder, instruction: Instruction, width: number): Value {
  const hi = width === 64 ? instruction.imm >> 31 : 0;
  return newConstant(builder.fn, instruction.imm, hi, builder.pc);
}

const IMMEDIATE_FACT: OperandFact = {
  pointer: false,
  constant: undefined,
  significantBits: 64,
  signedBits: 64,
  nonZero: false,
  nonZero32: false,
  notMinusOne: false,
};

function sourceOperand(builder: Builder, instruction: Instruction, row: Row): Value {
  if (row.source !== 'reg') return immediate(builder, instruction, row.width);
  const fact = builder.source.facts.operand(builder.pc, 'src');
  return readOperand(builder, 'src', instruction.src, fact);
}

const BINARY = {
  add: 'add',
  sub: 'sub',
  mul: 'mul',
  or: 'or',
  and: 'and',
  xor: 'xor',
  lsh: 'shl',
  rsh: 'shr',
  arsh: 'sar',
} as const satisfies Partial<Record<AluOperation, Op>>;

function translateAlu(builder: Builder, instruction: Instruction, row: Row): Value {
  const operation = row.operation as AluOperation;
  switch (operation) {
    case 'mov':
      return translateMove(builder, instruction, row);
    case 'movsx':
      return translateSignExtension(builder, instruction, row);
    case 'le':
    case 'be':
    case 'bswap':
    case 'neg':
      return translateUnary(builder, instruction, row);
    case 'div':
    case 'sdiv':
    case 'mod':
    case 'smod':
      return translateDivision(builder, instruction, row);
    default:
      return translateBinary(builder, instruction, row, BINARY[operation]);
  }
}

function translateMove(builder: Builder, instruction: Instruction, row: Row): Value {
  if (row.source !== 'reg') return immediate(builder, instruction, row.width);
  const fact = builder.source.facts.operand(builder.pc, 'src');
  const value = readOperand(builder, 'src', instruction.src, fact);
  if (row.width === 64) return value;
  if (fact.significantBits <= 32) {
    cite(builder, `src r${instruction.src} has a zero upper half: no extension`);
    return value;
  }
  return extend(builder, 'zext', 64, value, 4);
}

function translateSignExtension(builder: Builder, instruction: Instruction, row: Row): Value {
  const fact = builder.source.facts.operand(builder.pc, 'src');
  const value = readOperand(builder, 'src', instruction.src, fact);
  if (row.width === 64 && fact.signedBits <= row.sizeBytes * 8) {
    cite(builder, `src r${instruction.src} fits ${row.sizeBytes * 8} signed bits: no extension`);
    return value;
  }
  return extend(builder, 'sext', row.width === 32 ? 32 : 64, value, row.sizeBytes);
}

function translateUnary(builder: Builder, instruction: Instruction, row: Row): Value {
  const fact = builder.source.facts.operand(builder.pc, 'dst');
  const value = readOperand(builder, 'dst', instruction.dst, fact);
  if (row.operation === 'neg') return emit(builder, 'neg', row.width === 32 ? 32 : 64, [value]);
  if (row.operation !== 'le') return extend(builder, 'bswap', 64, value, row.sizeBytes);
  if (row.sizeBytes === 8) return value;
  if (fact.significantBits <= row.sizeBytes * 8) {
    cite(builder, `dst r${instruction.dst} fits ${row.sizeBytes * 8} bits: no extension`);
    return value;
  }
  return extend(builder, 'zext', 64, value, row.sizeBytes);
}

function translateBinary(builder: Builder, instruction: Instruction, row: Row, op: Op): Value {
  const width = row.width === 32 ? 32 : 64;
  const fact = builder.source.facts.operand(builder.pc, 'dst');
  const left = readOperand(builder, 'dst', instruction.dst, fact);
  if (op === 'and' && row.source === 'imm' && keepsAll(instruction.imm, fact.significantBits)) {
    cite(builder, `dst r${instruction.dst} < 2^${fact.significantBits}: the mask keeps all of it`);
    return left;
  }
  return emit(builder, op, width, [left, sourceOperand(builder, instruction, row)]);
}

/** Whether `and imm` changes no value below 2^bits. A result of width 32 keeps bits < 32 as well. */
function keepsAll(imm: number, bits: number): boolean {
  if (bits > 31) return false;
  const mask = 2 ** bits - 1;
  return (imm & mask) >>> 0 === mask;
}

function translateDivision(builder: Builder, instruction: Instruction, row: Row): Value {
  const { facts } = builder.source;
  const op = row.operation as 'div' | 'sdiv' | 'mod' | 'smod';
  const dstFact = facts.operand(builder.pc, 'dst');
  const left = readOperand(builder, 'dst', instruction.dst, dstFact);
  const right = sourceOperand(builder, instruction, row);
  const srcFact = row.source === 'reg' ? facts.operand(builder.pc, 'src') : IMMEDIATE_FACT;
  const nonZero = row.width === 32 ? srcFact.nonZero32 : srcFact.nonZero;
  if (nonZero) cite(builder, `src r${instruction.src} is not zero: no check`);
  const signed = op === 'sdiv' || op === 'smod';
  if (signed && srcFact.notMinusOne) cite(builder, `src r${instruction.src} is not -1: no check`);
  // Unsigned division of values below 2^32 has the same result in either width.
  const narrow =
    row.width === 64 &&
    !signed &&
    dstFact.significantBits <= 32 &&
    (row.source === 'reg' ? srcFact.significantBits <= 32 : instruction.imm >= 0);
  if (narrow) cite(builder, 'both operands are below 2^32: division in 32 bits');
  const value = emit(builder, op, row.width === 32 || narrow ? 32 : 64, [left, right]);
  value.divisor = { nonZero, notMinusOne: srcFact.notMinusOne };
  return value;
}

function translateConstant(builder: Builder, instruction: Instruction, row: Row): Value {
  const { fn, source, pc } = builder;
  const reference = source.mapReferences.get(pc);
  if (reference) {
    const { map, valueOffset } = reference;
    if (valueOffset !== undefined && source.program.maps[map]?.type === 'arena')
      return arenaConstant(builder, map, valueOffset);
    const value = newValue(fn, 'address', 64, [], pc);
    value.symbol =
      valueOffset === undefined ? { kind: 'map', map } : { kind: 'map-value', map, valueOffset };
    return value;
  }
  switch (row.operation) {
    case 'value':
      return newConstant(fn, instruction.imm, instruction.immHigh, pc);
    case 'function': {
      const value = newValue(fn, 'address', 64, [], pc);
      value.symbol = { kind: 'function', start: pc + 1 + instruction.imm };
      return value;
    }
    default:
      throw new UnsupportedError(
        `${row.name} at slot ${pc}: its address is known to a kernel only`,
      );
  }
}

function translateJump(
  builder: Builder,
  instruction: Instruction,
  row: Row,
  stretch: Stretch,
): void {
  const { facts } = builder.source;
  const { pc } = builder;
  const [only, other] = stretch.successors;
  if (only === undefined) return;
  if (other === undefined) {
    if (instruction.off !== 0) {
      cite(builder, facts.mayJump(pc) ? 'the jump is always taken' : 'the jump is never taken');
    }
    goTo(builder, only);
    return;
  }
  const left = readOperand(builder, 'dst', instruction.dst, facts.operand(pc, 'dst'));
  const right = sourceOperand(builder, instruction, row);
  const targets = [edgeTo(builder, only), edgeTo(builder, other)];
  const width = row.width === 32 ? 32 : 64;
  const condition = row.operation as JumpCondition;
  builder.block.terminator = branch(condition, width, [left, right], targets, pc);
  settle(builder, targets);
}

/**
 * The budget is a variable like any other: it lives in a register or a spill slot, and in programs
 * without `may_goto` nowhere. A budget of 0 stays 0.
 */
function translateMayGoto(builder: Builder, instruction: Instruction): void {
  const { fn, pc } = builder;
  if (instruction.off === 0) {
    goTo(builder, pc + 1);
    return;
  }
  const left = read(builder, BUDGET);
  const zero = newConstant(fn, 0, 0, pc);
  const exhausted = edgeTo(builder, pc + 1 + instruction.off);
  const goesOn = newInnerBlock(builder);
  builder.block.terminator = branch('eq', 64, [left, zero], [exhausted, goesOn], pc);
  settle(builder, [exhausted]);
  builder.block = goesOn;
  write(builder, BUDGET, emit(builder, 'sub', 64, [left, newConstant(fn, 1, 0, pc)]));
  goTo(builder, pc + 1);
}
