/**
 * How `select` writes x64 instructions: results and sources as virtual registers in the order of the
 * row's text, and the row decides constraints. `instruction(rowOf('sub r64, r/m64'), pc, [d], [a, b])`
 * is d = a - b; the row knows that d shares a's register.
 */

import { InternalError } from '../../isa/index.ts';
import type { RelocationTarget } from '../mach/code-buffer.ts';
import type { MachInst, Memory, Operand } from '../mach/types.ts';
import { define, defineFixed, defineReuse, use, useFixed } from '../mach/types.ts';
import { ROWS, rowOf, type X64Row } from './instructions.ts';
import { REGISTERS } from './registers.ts';

/** In a list of results: nobody wants this one. */
export const UNUSED = -1;

export interface Address extends Memory {
  /** Virtual registers; -1: none. */
  readonly baseRegister: number;
  readonly indexRegister: number;
}

export interface Extras {
  readonly memory?: Address | undefined;
  readonly imm?: number;
  readonly immHigh?: number;
  readonly relocation?: RelocationTarget;
}

const NONE: Extras = {};

export function atRegister(
  baseRegister: number,
  displacement: number,
  indexRegister = -1,
  scale: 0 | 1 | 2 | 4 | 8 = indexRegister < 0 ? 0 : 1,
): Address {
  return { base: 'register', area: 0, scale, displacement, baseRegister, indexRegister };
}

/** A place in frame area `area`, e.g. of the BPF stack. */
export function inFrame(
  area: number,
  displacement: number,
  indexRegister = -1,
  scale: 0 | 1 | 2 | 4 | 8 = indexRegister < 0 ? 0 : 1,
): Address {
  return { base: 'frame', area, scale, displacement, baseRegister: -1, indexRegister };
}

/** No base: index * scale + displacement, for `lea`. */
export function scaled(indexRegister: number, scale: 1 | 2 | 4 | 8, displacement: number): Address {
  return { base: 'absolute', area: 0, scale, displacement, baseRegister: -1, indexRegister };
}

/** Entry `area` of the function's pool, or the entry of function `area` of the program. */
export function atLabel(base: 'pool' | 'function', area: number): Address {
  return { base, area, scale: 0, displacement: 0, baseRegister: -1, indexRegister: -1 };
}

/**
 * One instruction. Results: a virtual register for each operand that the row writes, explicit ones
 * first, implicit ones after (UNUSED drops an implicit result). Sources: one for each operand that
 * it reads, likewise. A memory operand stands in for the `r/m` operand and takes neither.
 */
export function instruction(
  op: number,
  pc: number,
  results: readonly number[],
  sources: readonly number[],
  extras: Extras = NONE,
): MachInst {
  const row = ROWS[op]!;
  const operands: Operand[] = [];
  const take = { results, sources, result: 0, source: 0 };
  const memory = extras.memory;
  for (const spec of row.specs) {
    if (spec.kind === 'imm' || spec.kind === 'cl' || spec.kind === 'rel') continue;
    if (spec.kind === 'rm' && memory !== undefined) pushAddress(operands, memory);
    else pushRegister(operands, row, spec.access, take);
  }
  const clobbers = pushImplicit(operands, row, take);
  if (take.result !== results.length || take.source !== sources.length) {
    throw new InternalError('x64 select', `wrong number of operands for '${row.name}'`);
  }
  return {
    op,
    operands,
    memory: memory ?? null,
    imm: extras.imm ?? 0,
    immHigh: extras.immHigh ?? 0,
    relocation: extras.relocation ?? null,
    callee: -1,
    clobbers,
    pc,
  };
}

interface Take {
  readonly results: readonly number[];
  readonly sources: readonly number[];
  result: number;
  source: number;
}

function next(list: readonly number[], index: number, row: X64Row): number {
  const v = list[index];
  if (v === undefined || v < 0) {
    throw new InternalError('x64 select', `missing operand for '${row.name}'`);
  }
  return v;
}

function pushAddress(operands: Operand[], { base, scale, baseRegister, indexRegister }: Address) {
  if (base === 'register') operands.push(use(baseRegister));
  if (scale !== 0) operands.push(use(indexRegister));
}

function pushRegister(operands: Operand[], row: X64Row, access: 'r' | 'w' | 'u', take: Take): void {
  if (access === 'w') {
    operands.push(define(next(take.results, take.result++, row)));
  } else if (access === 'r') {
    operands.push(use(next(take.sources, take.source++, row)));
  } else {
    operands.push(defineReuse(next(take.results, take.result++, row), operands.length + 1));
    operands.push(use(next(take.sources, take.source++, row)));
  }
}

/** Returns the registers of unwanted results, which are merely destroyed. */
function pushImplicit(operands: Operand[], row: X64Row, take: Take): number {
  let clobbers = 0;
  for (const { register, access } of row.implicit) {
    if (access !== 'r') {
      const v = take.results[take.result++];
      if (v === undefined || v === UNUSED) clobbers |= 1 << register;
      else operands.push(defineFixed(v, register));
    }
    if (access !== 'w') {
      operands.push(useFixed(next(take.sources, take.source++, row), register));
    }
  }
  return clobbers;
}

const ENTRY = rowOf('entry');
const RETURN = rowOf('ret');
const CALL_DIRECT = rowOf('call rel32');
const CALL_INDIRECT = rowOf('call r/m64');

const pseudo = (op: number, operands: readonly Operand[], pc: number): MachInst => ({
  op,
  operands,
  memory: null,
  imm: 0,
  immHigh: 0,
  relocation: null,
  callee: -1,
  clobbers: 0,
  pc,
});

/** First instruction of a function: defines the incoming r1 .. r5 and environment; -1: unused. */
export function entry(parameters: readonly number[], pc: number): MachInst {
  const operands = parameters.flatMap((v, i) =>
    v < 0 ? [] : [defineFixed(v, REGISTERS.arguments[i]!)],
  );
  return pseudo(ENTRY, operands, pc);
}

export const ret = (result: number, pc: number): MachInst =>
  pseudo(RETURN, [useFixed(result, REGISTERS.result)], pc);

/** Who is called: a function of the program, an address in a pool entry, or one in a register. */
export type CallTarget =
  | { readonly kind: 'function'; readonly index: number }
  | { readonly kind: 'pool'; readonly entry: number }
  | { readonly kind: 'register'; readonly register: number };

/** A call; `values` go to r1, r2, ... and the environment (-1: leave that one out). */
export function call(
  target: CallTarget,
  result: number,
  values: readonly number[],
  pc: number,
): MachInst {
  const operands: Operand[] = [];
  if (target.kind === 'register') operands.push(use(target.register));
  if (result >= 0) operands.push(defineFixed(result, REGISTERS.result));
  values.forEach((v, i) => {
    if (v >= 0) operands.push(useFixed(v, REGISTERS.arguments[i]!));
  });
  return {
    ...pseudo(target.kind === 'function' ? CALL_DIRECT : CALL_INDIRECT, operands, pc),
    memory: target.kind === 'pool' ? atLabel('pool', target.entry) : null,
    callee: target.kind === 'function' ? target.index : -1,
    clobbers: REGISTERS.clobbered,
  };
}
