/**
 * Loads, stores and atomics. Accesses were proven, so nothing is checked; the access fact says what
 * is touched, which rewrites two kinds of address: one's own stack frame becomes frame + constant,
 * and a pointer field of the context, 32 bits wide in the uapi structure, becomes the 64-bit
 * pointer in the header before the native context (jit/code.ts).
 */

import type { AtomicOperation, Instruction, Row } from '../../isa/index.ts';
import { UnsupportedError } from '../../isa/index.ts';
import type { AccessFact } from '../../verifier/index.ts';
import { CONTEXT_HEADER_BYTES } from '../code.ts';
import { atomicInArena, loadFromArena, storeToArena } from './arena.ts';
import { type Builder, cite, emit, extend, read, readOperand, write } from './builder.ts';
import { type Memory, newConstant, type Value } from './ir.ts';

interface Place {
  readonly base: Value;
  readonly disp: number;
}

function describe(fact: AccessFact | undefined, row: Row): Memory {
  const own = fact?.region === 'stack' && fact.frame === 0 ? fact.offset : undefined;
  return {
    region: fact?.region ?? 'mixed',
    frameOffset: own,
    aligned: fact?.aligned ?? false,
    signed: row.signed,
  };
}

function place(builder: Builder, register: number, off: number, memory: Memory): Place {
  if (memory.region === 'map') {
    throw new UnsupportedError(`slot ${builder.pc}: only a kernel keeps maps as its BTF says`);
  }
  if (memory.frameOffset === undefined) return { base: read(builder, register), disp: off };
  if (register !== 10) cite(builder, `the address is r10 ${memory.frameOffset}`);
  return { base: builder.frame, disp: memory.frameOffset };
}

export function translateLoad(builder: Builder, instruction: Instruction, row: Row): void {
  const fact = builder.source.facts.access(builder.pc);
  const memory = describe(fact, row);
  if (memory.region === 'arena') {
    loadFromArena(builder, instruction, row);
    return;
  }
  const pointer = fact && pointerField(builder, instruction, fact);
  const target = pointer ?? place(builder, instruction.src, instruction.off, memory);
  const value =
    memory.region === 'btf-faulting'
      ? emitProbe(builder, target, row)
      : emitLoad(builder, target, pointer ? 8 : row.sizeBytes, memory);
  write(builder, instruction.dst, value);
}

function emitLoad(builder: Builder, target: Place, size: Row['sizeBytes'], memory: Memory): Value {
  const value = emit(builder, 'load', 64, [target.base]);
  value.disp = target.disp;
  value.size = size;
  value.memory = memory;
  return value;
}

/**
 * Where the native pointer lies for a load of a pointer field, if it is one. The base register may
 * be the context plus a constant: the fact's offset, less the instruction's, is that constant.
 */
function pointerField(
  builder: Builder,
  instruction: Instruction,
  fact: AccessFact,
): Place | undefined {
  if (fact.region !== 'context' || fact.field === undefined) return undefined;
  const slot = builder.source.contextFields[fact.field]?.pointerSlot;
  if (slot === undefined || fact.offset === undefined) return undefined;
  const delta = fact.offset - instruction.off;
  return {
    base: read(builder, instruction.src),
    disp: 8 * slot - CONTEXT_HEADER_BYTES - delta,
  };
}

/** A load that may fault yields 0 then: the support routine knows how. */
function emitProbe(builder: Builder, target: Place, row: Row): Value {
  const { fn, pc } = builder;
  const offset = newConstant(fn, target.disp, target.disp >> 31, pc);
  const address = target.disp === 0 ? target.base : emit(builder, 'add', 64, [target.base, offset]);
  const size = newConstant(fn, row.sizeBytes, 0, pc);
  const value = emit(builder, 'call', 64, [address, size, builder.environment]);
  value.callee = { kind: 'runtime', symbol: 'rf_probe_load' };
  return row.signed ? extend(builder, 'sext', 64, value, row.sizeBytes) : value;
}

function storedValue(builder: Builder, { src, imm }: Instruction, row: Row): Value {
  if (row.source !== 'reg') return newConstant(builder.fn, imm, imm >> 31, builder.pc);
  return readOperand(builder, 'src', src, builder.source.facts.operand(builder.pc, 'src'));
}

export function translateStore(builder: Builder, instruction: Instruction, row: Row): void {
  const memory = describe(builder.source.facts.access(builder.pc), row);
  if (memory.region === 'arena') {
    storeToArena(builder, instruction, row, storedValue(builder, instruction, row));
    return;
  }
  const target = place(builder, instruction.dst, instruction.off, memory);
  const stored = storedValue(builder, instruction, row);
  const value = emit(builder, 'store', 64, [target.base, stored]);
  value.disp = target.disp;
  value.size = row.sizeBytes;
  value.memory = memory;
}

export function translateAtomic(builder: Builder, instruction: Instruction, row: Row): void {
  const operation = row.operation as AtomicOperation;
  const memory = describe(builder.source.facts.access(builder.pc), row);
  const register = operation === 'load_acquire' ? instruction.src : instruction.dst;
  if (memory.region === 'btf-faulting') {
    throw new UnsupportedError(`slot ${builder.pc}: an atomic load of a kernel object may fault`);
  }
  const destination = atomicResult(instruction, operation);
  if (memory.region === 'arena') {
    const operands = atomicOperands(builder, instruction, operation);
    const before = atomicInArena(builder, instruction, row, register, operands);
    if (destination !== undefined) write(builder, destination, before);
    return;
  }
  const target = place(builder, register, instruction.off, memory);
  const value = emit(builder, 'atomic', row.sizeBytes === 8 ? 64 : 32, [
    target.base,
    ...atomicOperands(builder, instruction, operation),
  ]);
  value.disp = target.disp;
  value.size = row.sizeBytes;
  value.memory = memory;
  value.atomic = operation;
  if (destination !== undefined) write(builder, destination, value);
}

function atomicOperands(
  builder: Builder,
  instruction: Instruction,
  operation: AtomicOperation,
): Value[] {
  if (operation === 'load_acquire') return [];
  const operand = read(builder, instruction.src);
  return operation === 'cmpxchg' ? [read(builder, 0), operand] : [operand];
}

/** The register that receives what memory held before, if any. */
function atomicResult(instruction: Instruction, operation: AtomicOperation): number | undefined {
  switch (operation) {
    case 'load_acquire':
      return instruction.dst;
    case 'cmpxchg':
      return 0;
    case 'xchg':
    case 'fetch_add':
    case 'fetch_and':
    case 'fetch_or':
    case 'fetch_xor':
      return instruction.src;
    case 'add':
    case 'and':
    case 'or':
    case 'xor':
    case 'store_release':
      return undefined;
    default:
      return operation satisfies never;
  }
}
