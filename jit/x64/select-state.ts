/**
 * The state of selecting one function, and how a value becomes an operand: a register, an
 * immediate, or part of an address.
 */

import { InternalError } from '../../isa/index.ts';
import { type Block, type IrFunction, type IrSymbol, isFloating, type Value } from '../ir/ir.ts';
import type { PoolEntry, RelocationTarget } from '../mach/code-buffer.ts';
import type { MachInst } from '../mach/types.ts';
import { type Address, atLabel, atRegister, type Extras, inFrame, instruction } from './build.ts';
import { rowOf } from './instructions.ts';

export interface Selection {
  readonly fn: IrFunction;
  /** Number of the function that starts at a slot. */
  readonly functionNumbers: ReadonlyMap<number, number>;
  /** Bit i: the function that starts at the slot reads r(i + 1). */
  readonly argumentMasks: ReadonlyMap<number, number>;
  /** Virtual register by value id; 0: nobody asked yet (register 0 is never given to a value). */
  readonly registers: Int32Array;
  /** How many users a value has, by value id. */
  readonly uses: Int32Array;
  /**
   * Counts block starts and effects up to the value, by value id: two values with the same number
   * stand in one block with no effect between them, so a load may sink from one to the other.
   */
  readonly epochs: Int32Array;
  /** The same number at the end of a block, by block id. */
  readonly endEpochs: Int32Array;
  readonly pool: PoolEntry[];
  readonly poolNumbers: Map<string, number>;
  registerCount: number;
  /** The instructions of the value being selected, in execution order. */
  out: MachInst[];
  block: Block;
  pc: number;
}

export const newRegister = (s: Selection): number => s.registerCount++;

const NO_REGISTERS: readonly number[] = [];

/** Appends an instruction; see `instruction`. */
export function put(
  s: Selection,
  row: number,
  results: readonly number[],
  sources: readonly number[],
  extras?: Extras,
): void {
  s.out.push(instruction(row, s.pc, results, sources, extras));
}

/** Appends an instruction with one result in a new register, and yields the register. */
export function make(
  s: Selection,
  row: number,
  sources: readonly number[],
  extras?: Extras,
): number {
  const result = newRegister(s);
  put(s, row, [result], sources, extras);
  return result;
}

/** Whether somebody who executes later wants the value in a register. */
export const isWanted = (s: Selection, value: Value): boolean => s.registers[value.id] !== 0;

/** The register that holds `value`; asks for it, or makes a constant on the spot. */
export function registerOf(s: Selection, value: Value): number {
  if (isFloating(value)) return materialise(s, value);
  let register = s.registers[value.id]!;
  if (register === 0) {
    register = newRegister(s);
    s.registers[value.id] = register;
  }
  return register;
}

const MOV_32 = rowOf('mov r32, imm32');
const MOV_64 = rowOf('mov r64, imm64');
const LEA = rowOf('lea r64, m');

/** A floating value in a new register; the allocator may make it again instead of spilling it. */
function materialise(s: Selection, value: Value): number {
  switch (value.op) {
    case 'const':
      return constant(s, value.lo, value.hi);
    case 'frame':
      return make(s, LEA, NO_REGISTERS, { memory: inFrame(0, s.fn.frameBytes) });
    default:
      return symbol(s, value.symbol!);
  }
}

export function constant(s: Selection, lo: number, hi: number): number {
  if (hi === 0) return make(s, MOV_32, NO_REGISTERS, { imm: lo });
  return make(s, MOV_64, NO_REGISTERS, { imm: lo, immHigh: hi });
}

function symbol(s: Selection, of: IrSymbol): number {
  if (of.kind !== 'function') return make(s, MOV_64, NO_REGISTERS, { relocation: of });
  const memory = atLabel('function', s.functionNumbers.get(of.start)!);
  return make(s, LEA, NO_REGISTERS, { memory });
}

/** Number of the pool entry for an address that the loader knows. */
export function poolEntry(s: Selection, target: RelocationTarget, key: string): number {
  let number = s.poolNumbers.get(key);
  if (number === undefined) {
    number = s.pool.length;
    s.pool.push({ kind: 'address', target });
    s.poolNumbers.set(key, number);
  }
  return number;
}

/** Whether a constant is a sign-extended 32-bit immediate for an operation of this width. */
export function isImmediate(value: Value, width: 32 | 64): boolean {
  return value.op === 'const' && (width === 32 || value.hi === value.lo >> 31);
}

const isInt32 = (n: number): boolean => n === (n | 0);

/**
 * The address value + displacement as an x64 operand. A constant summand always goes into the
 * displacement; a scaled index and a second register are taken in only if nobody else needs the
 * sum, for otherwise it would be computed twice.
 */
export function addressOf(s: Selection, value: Value, displacement: number): Address {
  let base = value;
  let offset = displacement;
  for (;;) {
    const step = constantStep(base);
    if (step === undefined || !isInt32(offset + step)) break;
    offset += step;
    base = base.args[0]!;
  }
  if (base.op === 'frame') return inFrame(0, s.fn.frameBytes + offset);
  if (base.op === 'add' && base.width === 64 && s.uses[base.id] === 1) {
    return sumAddress(s, base, offset);
  }
  return atRegister(registerOf(s, base), offset);
}

/**
 * The address of an access of `sizeBytes`. A constant place in the frame must lie inside it: a fact
 * that said otherwise would let the program write over its own return address.
 */
export function placeOf(
  s: Selection,
  base: Value,
  displacement: number,
  sizeBytes: number,
): Address {
  const address = addressOf(s, base, displacement);
  const { displacement: at } = address;
  const isOutside = at < 0 || at + sizeBytes > s.fn.frameBytes;
  if (address.base === 'frame' && address.scale === 0 && isOutside) {
    throw new InternalError('x64 select', `frame access outside the ${s.fn.frameBytes} byte frame`);
  }
  return address;
}

/** The constant that `value` adds to its first argument, if it is such an addition. */
function constantStep(value: Value): number | undefined {
  if (value.op !== 'add' || value.width !== 64) return undefined;
  const step = value.args[1]!;
  return isImmediate(step, 64) ? step.lo : undefined;
}

/** The sum of two values and an offset, whoever else wants the sum. */
export function sumAddress(s: Selection, sum: Value, offset: number): Address {
  const [first, second] = sum.args as [Value, Value];
  const scaledSecond = scaleOf(s, second);
  if (scaledSecond) return indexed(s, first, scaledSecond, offset);
  const scaledFirst = scaleOf(s, first);
  if (scaledFirst) return indexed(s, second, scaledFirst, offset);
  return indexed(s, first, { index: second, scale: 1 }, offset);
}

interface Scaled {
  readonly index: Value;
  readonly scale: 1 | 2 | 4 | 8;
}

const SCALES = [1, 2, 4, 8] as const;

function scaleOf(s: Selection, value: Value): Scaled | undefined {
  if (value.op !== 'shl' || value.width !== 64 || s.uses[value.id] !== 1) return undefined;
  const count = value.args[1]!;
  const scale = count.op === 'const' ? SCALES[count.lo & 63] : undefined;
  return scale === undefined ? undefined : { index: value.args[0]!, scale };
}

function indexed(s: Selection, base: Value, { index, scale }: Scaled, offset: number): Address {
  const indexRegister = registerOf(s, index);
  if (base.op === 'frame') return inFrame(0, s.fn.frameBytes + offset, indexRegister, scale);
  return atRegister(registerOf(s, base), offset, indexRegister, scale);
}

/**
 * Whether the load `value` may be an operand of an instruction at `user`, both in the same block
 * with no effect between them, and nobody else wants its result.
 */
export function isFoldable(s: Selection, value: Value, epoch: number): boolean {
  return (
    value.op === 'load' &&
    s.uses[value.id] === 1 &&
    s.epochs[value.id] === epoch &&
    value.memory?.signed === false
  );
}
