/**
 * The state of building one function, and the few steps that every translation is made of: emit a
 * value, read and write a register, end a block, cite a fact.
 */

import type { Instruction, Program } from '../../isa/index.ts';
import type { ContextField } from '../../platform/index.ts';
import type { Facts, FunctionFact, OperandFact } from '../../verifier/index.ts';
import type { Op, Size, Value, Width } from './ir.ts';
import { type Block, type IrFunction, jump, newBlock, newConstant, newValue } from './ir.ts';
import { assign, lookUp, openBlock, seal, type Variables } from './variables.ts';

/** What the whole program shares. */
export interface Source {
  readonly program: Program;
  readonly instructions: readonly Instruction[];
  readonly facts: Facts;
  /** Fields of the program type's context, or none for raw contexts. */
  readonly contextFields: readonly ContextField[];
  /** How many argument registers a helper reads. */
  readonly helperArguments: (helper: number) => number;
  /** Slot → index into Program.maps and the offset into its value. */
  readonly mapReferences: ReadonlyMap<
    number,
    { readonly map: number; readonly valueOffset?: number }
  >;
  readonly kfuncs: ReadonlyMap<number, string>;
  /** How many argument registers a kernel function reads. */
  readonly kfuncArguments: (name: string) => number;
  /** Code counts the instructions that it executes; see meter.ts. */
  readonly metered: boolean;
  /** Calls helpers or kernel functions that read memory nobody has proven; see shown-frame.ts. */
  readonly readsByNumber: boolean;
  /** Whether a helper calls functions of the program. */
  readonly helperCallsBack: (helper: number) => boolean;
}

/** Variables beside r0..r9: what is left of the budget of `may_goto` in this call, and of the run's. */
export const BUDGET = 11;
export const METER = 12;
export const VARIABLE_COUNT = 13;

/** Iterations that one call of a function may spend in `may_goto` (BPF_MAX_LOOPS, linux/bpf.h). */
export const MAY_GOTO_BUDGET = 8 * 1024 * 1024;

/** The state of building one function. */
export interface Builder {
  readonly source: Source;
  readonly fn: IrFunction;
  readonly range: FunctionFact;
  readonly variables: Variables;
  readonly targets: ReadonlyMap<number, Target>;
  readonly environment: Value;
  readonly frame: Value;
  block: Block;
  pc: number;
  /** Metered code: where a run goes whose budget does not suffice. */
  stop: Block | undefined;
  /** The loader knows of this frame. */
  showsFrame: boolean;
}

export interface Target {
  readonly block: Block;
  /** Edges still to come; none left: the block can be sealed. */
  missing: number;
}

/** Appends a value to the current block. */
export function emit(builder: Builder, op: Op, width: Width, args: Value[]): Value {
  const value = newValue(builder.fn, op, width, args, builder.pc);
  builder.block.values.push(value);
  return value;
}

export function read(builder: Builder, register: number): Value {
  if (register === 10) return builder.frame;
  return lookUp(builder.variables, builder.block, register);
}

export function write(builder: Builder, register: number, value: Value): void {
  assign(builder.variables, builder.block, register, value);
}

/** A block that belongs to the middle of an instruction; its only predecessor is the current one. */
export function newInnerBlock(builder: Builder): Block {
  const block = newBlock(builder.fn, builder.pc);
  builder.fn.blocks.push(block);
  openBlock(builder.variables, block);
  block.predecessors.push(builder.block);
  seal(builder.variables, block);
  return block;
}

/** Registers the edge from the current block to the stretch at `pc`, and yields its block. */
export function edgeTo(builder: Builder, pc: number): Block {
  const target = builder.targets.get(pc)!;
  target.block.predecessors.push(builder.block);
  target.missing--;
  return target.block;
}

/** To be called after the current block has its terminator: seals targets that are complete. */
export function settle(builder: Builder, blocks: readonly Block[]): void {
  for (const block of blocks) {
    const target = builder.targets.get(block.pc);
    if (target?.block === block && target.missing === 0) seal(builder.variables, block);
  }
}

export function goTo(builder: Builder, pc: number): void {
  const target = edgeTo(builder, pc);
  builder.block.terminator = jump(target, builder.pc);
  settle(builder, [target]);
}

export function cite(builder: Builder, effect: string, pc = builder.pc): void {
  builder.fn.citations.push(`${pc}: ${effect}`);
}

/** The register `which` names, or the constant it is proven to hold. */
export function readOperand(
  builder: Builder,
  which: 'dst' | 'src',
  register: number,
  fact: OperandFact,
): Value {
  if (fact.constant === undefined || fact.pointer) return read(builder, register);
  const { lo, hi } = fact.constant;
  const value = read(builder, register);
  if (value.op === 'const') return value;
  cite(builder, `${which} r${register} is the constant ${hi >>> 0}:${lo >>> 0}`);
  return newConstant(builder.fn, lo, hi, builder.pc);
}

/** `zext`, `sext` or `bswap` of the low `size` bytes. */
export function extend(
  builder: Builder,
  op: 'zext' | 'sext' | 'bswap',
  width: 32 | 64,
  value: Value,
  size: Size,
): Value {
  const result = emit(builder, op, width, [value]);
  result.size = size;
  return result;
}
