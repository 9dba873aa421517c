/**
 * The intermediate representation: what one BPF function computes, as values that are assigned once
 * (SSA), so that a pass can ask "what is this?" without asking "when?".
 *
 * Every value is a 64-bit register. An operation of width 32 reads the low halves of its arguments
 * and leaves zeros above its result, which is BPF's rule for ALU32 (RFC 9669 section 4.1) and the
 * rule of x64 and arm64: a zero-extension is therefore no instruction of its own unless a program
 * asks for one, and `bits.ts` can tell when such a request changes nothing.
 *
 * A block holds phis, then values in execution order, then one terminator. Order matters only for
 * values with an effect; a pass may move others anywhere that their arguments dominate.
 * A value that a pass replaced stays behind as a `copy` until `resolve` has led every user past it.
 */

import type { AtomicOperation, JumpCondition } from '../../isa/index.ts';
import type { Region } from '../../verifier/index.ts';

export type Op =
  | 'const' // hi:lo
  | 'argument' // lo: 0..4 are r1..r5, 5 is the run environment
  | 'frame' // r10: one past the highest byte of the function's own stack frame
  | 'address' // of `symbol`
  | 'phi' // one argument per predecessor, in the order of the predecessors
  | 'copy' // replaced by its argument
  | 'add'
  | 'sub'
  | 'mul'
  | 'mulhi' // high half of the unsigned 128-bit product; width 64 only
  | 'div' // the four divisions follow BPF for a zero divisor unless `divisor` says it cannot be
  | 'sdiv'
  | 'mod'
  | 'smod'
  | 'and'
  | 'or'
  | 'xor'
  | 'shl' // shift counts are taken modulo the width
  | 'shr'
  | 'sar'
  | 'rol' // by the constant `lo`
  | 'neg'
  | 'zext' // of the low `size` bytes
  | 'sext' // of the low `size` bytes, to `width`
  | 'bswap' // of the low `size` bytes; zeros above
  | 'select' // condition(a, b) ? c : d, compared in `width`
  | 'load' // `size` bytes at arg 0 + disp, zero- or sign-extended
  | 'store' // low `size` bytes of arg 1 to arg 0 + disp
  | 'atomic' // `atomic` on `size` bytes at arg 0 + disp
  | 'call'; // of `callee`; the last argument is always the run environment

/** What a pass needs to know about an operation without knowing the operation. */
export interface OpRow {
  readonly arity: number | 'any';
  /** Its result depends on its arguments and fields alone, and it does nothing else. */
  readonly pure: boolean;
  readonly commutative: boolean;
  readonly result: boolean;
}

const PURE = { pure: true, commutative: false, result: true } as const;
const COMMUTATIVE = { ...PURE, commutative: true } as const;
const EFFECT = { pure: false, commutative: false, result: true } as const;

export const OPS: Readonly<Record<Op, OpRow>> = {
  const: { ...PURE, arity: 0 },
  argument: { ...PURE, arity: 0 },
  frame: { ...PURE, arity: 0 },
  address: { ...PURE, arity: 0 },
  phi: { ...PURE, arity: 'any' },
  copy: { ...PURE, arity: 1 },
  add: { ...COMMUTATIVE, arity: 2 },
  sub: { ...PURE, arity: 2 },
  mul: { ...COMMUTATIVE, arity: 2 },
  mulhi: { ...COMMUTATIVE, arity: 2 },
  div: { ...PURE, arity: 2 },
  sdiv: { ...PURE, arity: 2 },
  mod: { ...PURE, arity: 2 },
  smod: { ...PURE, arity: 2 },
  and: { ...COMMUTATIVE, arity: 2 },
  or: { ...COMMUTATIVE, arity: 2 },
  xor: { ...COMMUTATIVE, arity: 2 },
  shl: { ...PURE, arity: 2 },
  shr: { ...PURE, arity: 2 },
  sar: { ...PURE, arity: 2 },
  rol: { ...PURE, arity: 1 },
  neg: { ...PURE, arity: 1 },
  zext: { ...PURE, arity: 1 },
  sext: { ...PURE, arity: 1 },
  bswap: { ...PURE, arity: 1 },
  select: { ...PURE, arity: 4 },
  load: { ...EFFECT, arity: 1 },
  store: { ...EFFECT, arity: 2, result: false },
  atomic: { ...EFFECT, arity: 'any' },
  call: { ...EFFECT, arity: 'any' },
};

export type Width = 32 | 64;
export type Size = 0 | 1 | 2 | 4 | 8;

/** What an access touches, from the access fact of its instruction. */
export interface Memory {
  readonly region: Region;
  /** The function's own frame at this constant offset from r10; undefined: another place. */
  readonly frameOffset: number | undefined;
  readonly aligned: boolean;
  /** Loads only. */
  readonly signed: boolean;
}

export type Callee =
  | { readonly kind: 'helper'; readonly helper: number }
  | { readonly kind: 'kfunc'; readonly name: string }
  | { readonly kind: 'runtime'; readonly symbol: string }
  | { readonly kind: 'function'; readonly start: number }
  /** The address is the first argument. */
  | { readonly kind: 'indirect' };

export type IrSymbol =
  | { readonly kind: 'map'; readonly map: number }
  | { readonly kind: 'map-value'; readonly map: number; readonly valueOffset: number }
  | { readonly kind: 'function'; readonly start: number };

/** What is proven of a divisor. */
export interface Divisor {
  readonly nonZero: boolean;
  readonly notMinusOne: boolean;
}

export interface Value {
  readonly id: number;
  op: Op;
  width: Width;
  args: Value[];
  /** Constant words, argument index, rotation count. */
  lo: number;
  hi: number;
  /** Bytes accessed, extended from, or swapped. */
  size: Size;
  /** Byte displacement of an access, within int32. */
  disp: number;
  memory: Memory | undefined;
  atomic: AtomicOperation | undefined;
  callee: Callee | undefined;
  symbol: IrSymbol | undefined;
  divisor: Divisor | undefined;
  condition: JumpCondition | undefined;
  /** BPF slot it stems from. */
  pc: number;
  /** Scratch word of the running pass. */
  mark: number;
}

export interface Terminator {
  kind: 'jump' | 'branch' | 'return' | 'trap';
  /** Branches compare args[0] with args[1] in `width`; targets: taken, otherwise. */
  condition: JumpCondition;
  width: Width;
  args: Value[];
  targets: Block[];
  pc: number;
}

export interface Block {
  readonly id: number;
  phis: Value[];
  values: Value[];
  terminator: Terminator;
  predecessors: Block[];
  /** BPF slot of its first instruction. */
  pc: number;
}

/** One native function. Blocks are in reverse post order after `orderBlocks`; the first is entry. */
export interface IrFunction {
  readonly name: string;
  readonly start: number;
  blocks: Block[];
  valueCount: number;
  blockCount: number;
  /** Bytes of BPF stack frame that must exist in memory. */
  frameBytes: number;
  /** The frame must read as zeros on entry. */
  zeroFrame: boolean;
  /** Frame bytes that calls or computed addresses may touch: [low, high) from r10. */
  escaping: { readonly low: number; readonly high: number } | undefined;
  /** What was removed because of which fact, for dumps. */
  readonly citations: string[];
}

const NO_ARGS: Value[] = [];

export function newFunction(name: string, start: number): IrFunction {
  return {
    name,
    start,
    blocks: [],
    valueCount: 0,
    blockCount: 0,
    frameBytes: 0,
    zeroFrame: false,
    escaping: undefined,
    citations: [],
  };
}

/** A value that is not in any block yet. All fields are set here so that values share one shape. */
export function newValue(fn: IrFunction, op: Op, width: Width, args: Value[], pc: number): Value {
  return {
    id: fn.valueCount++,
    op,
    width,
    args: args.length === 0 ? NO_ARGS : args,
    lo: 0,
    hi: 0,
    size: 0,
    disp: 0,
    memory: undefined,
    atomic: undefined,
    callee: undefined,
    symbol: undefined,
    divisor: undefined,
    condition: undefined,
    pc,
    mark: 0,
  };
}

export function newConstant(fn: IrFunction, lo: number, hi: number, pc: number): Value {
  const value = newValue(fn, 'const', 64, NO_ARGS, pc);
  value.lo = lo | 0;
  value.hi = hi | 0;
  return value;
}

export function newBlock(fn: IrFunction, pc: number): Block {
  return {
    id: fn.blockCount++,
    phis: [],
    values: [],
    terminator: trap(pc),
    predecessors: [],
    pc,
  };
}

export function trap(pc: number): Terminator {
  return { kind: 'trap', condition: 'eq', width: 64, args: [], targets: [], pc };
}

export function jump(target: Block, pc: number): Terminator {
  return { kind: 'jump', condition: 'eq', width: 64, args: [], targets: [target], pc };
}

export function branch(
  condition: JumpCondition,
  width: Width,
  args: Value[],
  targets: Block[],
  pc: number,
): Terminator {
  return { kind: 'branch', condition, width, args, targets, pc };
}

export function returns(value: Value, pc: number): Terminator {
  return { kind: 'return', condition: 'eq', width: 64, args: [value], targets: [], pc };
}

/** What `value` stands for, past the copies that passes left behind. Shortens the chain it walked. */
export function resolve(value: Value): Value {
  if (value.op !== 'copy') return value;
  let end = value;
  while (end.op === 'copy') end = end.args[0]!;
  let link = value;
  while (link.op === 'copy' && link.args[0] !== end) {
    const next = link.args[0]!;
    link.args[0] = end;
    link = next;
  }
  return end;
}

/** Turns `value` into a copy of `by`: every user sees `by` from now on. */
export function replace(value: Value, by: Value): void {
  const target = resolve(by);
  if (target === value) return;
  value.op = 'copy';
  value.args = [target];
}

export function resolveArgs(args: Value[]): void {
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg.op === 'copy') args[i] = resolve(arg);
  }
}

/** Leads every use past the copies and drops those: afterwards no `copy` is left anywhere. */
export function resolveAll(fn: IrFunction): void {
  for (const block of fn.blocks) {
    for (const phi of block.phis) resolveArgs(phi.args);
    let kept = 0;
    for (const value of block.values) {
      if (value.op === 'copy') continue;
      resolveArgs(value.args);
      block.values[kept++] = value;
    }
    block.values.length = kept;
    resolveArgs(block.terminator.args);
  }
}

export function isConstant(value: Value, lo: number, hi: number): boolean {
  return value.op === 'const' && value.lo === lo && value.hi === hi;
}

/** Whether nothing is lost when a value that nobody uses is dropped. Loads cannot fault: proven. */
export function isRemovable(value: Value): boolean {
  return OPS[value.op].pure || (value.op === 'load' && value.memory?.region !== 'btf-faulting');
}

/** Values that stand in no block because every block can make them. */
export const isFloating = (value: Value): boolean =>
  value.op === 'const' || value.op === 'frame' || value.op === 'address';
