/**
 * Accesses to an arena and casts of its addresses. Nothing of a pointer into an arena is proven, so
 * every access calls a routine of the loader that looks whether its page is there: a load yields 0
 * where none is, and a store is dropped. What the routine gets is the low half of the register plus
 * the instruction's offset, as the kernel computes it: below 0 and beyond 4 GiB nothing lies.
 *
 * An arena's place in user space follows from its definition (platform/arena.ts), so the address of a
 * variable, and what a cast to user space puts in the upper half, are constants.
 */

import type { AtomicOperation, Instruction, Row } from '../../isa/index.ts';
import { InternalError } from '../../isa/index.ts';
import { type ArenaRange, arenaRange } from '../../platform/index.ts';
import { type Builder, emit, extend, read, readOperand, write } from './builder.ts';
import { newConstant, type Value } from './ir.ts';

/** The numbers of enum atomic in loader/native/map_arena.c. */
const ARENA_ATOMICS: Readonly<Record<AtomicOperation, number>> = {
  add: 0,
  fetch_add: 0,
  and: 1,
  fetch_and: 1,
  or: 2,
  fetch_or: 2,
  xor: 3,
  fetch_xor: 3,
  xchg: 4,
  cmpxchg: 5,
  load_acquire: 6,
  store_release: 7,
};

type Routine = 'rf_arena_load' | 'rf_arena_store' | 'rf_arena_atomic';

function callRoutine(builder: Builder, symbol: Routine, args: readonly Value[]): Value {
  const value = emit(builder, 'call', 64, [...args, builder.environment]);
  value.callee = { kind: 'runtime', symbol };
  return value;
}

const small = (builder: Builder, number: number): Value =>
  newConstant(builder.fn, number, 0, builder.pc);

function addressOf(builder: Builder, register: number, off: number): Value {
  const low = extend(builder, 'zext', 64, read(builder, register), 4);
  if (off === 0) return low;
  return emit(builder, 'add', 64, [low, newConstant(builder.fn, off, off >> 31, builder.pc)]);
}

export function loadFromArena(builder: Builder, { dst, src, off }: Instruction, row: Row): void {
  const address = addressOf(builder, src, off);
  const value = callRoutine(builder, 'rf_arena_load', [address, small(builder, row.sizeBytes)]);
  write(builder, dst, row.signed ? extend(builder, 'sext', 64, value, row.sizeBytes) : value);
}

export function storeToArena(
  builder: Builder,
  { dst, off }: Instruction,
  row: Row,
  stored: Value,
): void {
  const address = addressOf(builder, dst, off);
  callRoutine(builder, 'rf_arena_store', [address, small(builder, row.sizeBytes), stored]);
}

/** `operands` are what the instruction takes: none, one, or for cmpxchg what to compare with first. */
export function atomicInArena(
  builder: Builder,
  { off }: Instruction,
  row: Row,
  register: number,
  operands: readonly Value[],
): Value {
  const operation = ARENA_ATOMICS[row.operation as AtomicOperation];
  const [compared, stored] = operands.length === 2 ? operands : [undefined, operands[0]];
  const zero = small(builder, 0);
  return callRoutine(builder, 'rf_arena_atomic', [
    addressOf(builder, register, off),
    small(builder, row.sizeBytes | (operation << 8)),
    stored ?? zero,
    compared ?? zero,
  ]);
}

function rangeOf(builder: Builder, map: number | undefined): ArenaRange {
  const spec = builder.source.program.maps[map ?? -1];
  if (spec === undefined) throw new InternalError('jit/ir', 'a cast without an arena');
  return arenaRange(spec);
}

/** The number that stands for byte `offset` of an arena, where others get an address of memory. */
export function arenaConstant(builder: Builder, map: number, offset: number): Value {
  const address = rangeOf(builder, map).start + BigInt(offset);
  const word = (bits: bigint) => Number(BigInt.asIntN(32, bits));
  return newConstant(builder.fn, word(address), word(address >> 32n), builder.pc);
}

/** Immediate of the cast that makes a pointer for accesses. */
const INTO_ARENA = 1;

/** Into the arena: the low half. To user space: null stays null, others get the upper half. */
export function castAddress(builder: Builder, instruction: Instruction): void {
  const { fn, pc, source } = builder;
  const fact = source.facts.operand(pc, 'src');
  const low = extend(builder, 'zext', 64, readOperand(builder, 'src', instruction.src, fact), 4);
  const arena = source.program.maps.findIndex(({ type }) => type === 'arena');
  if (instruction.imm === INTO_ARENA || !rangeOf(builder, arena).converts) {
    write(builder, instruction.dst, low);
    return;
  }
  const upper = Number(BigInt.asIntN(32, rangeOf(builder, arena).start >> 32n));
  // All ones unless the number is 0: the negative of 1 to 2^32 - 1 has its sign bit set.
  const sign = newConstant(fn, 63, 0, pc);
  const mask = emit(builder, 'sar', 64, [emit(builder, 'neg', 64, [low]), sign]);
  const added = emit(builder, 'and', 64, [mask, newConstant(fn, 0, upper, pc)]);
  write(builder, instruction.dst, emit(builder, 'or', 64, [low, added]));
}
