/**
 * Allocated functions as one piece of code: prologues, instructions with the allocator's moves
 * between them, and jumps only where the next block does not follow anyway.
 */

import { InternalError } from '../../isa/index.ts';
import { CodeBuffer, type Label, type MachineCode } from './code-buffer.ts';
import type { Allocation, Backend, MachInst, Move, Placement } from './types.ts';
import { REMATERIALISE } from './types.ts';

/** One line of the listing: native offset, BPF slot (-1: none), text. */
export interface ListingLine {
  readonly native: number;
  readonly pc: number;
  readonly text: string;
}

export interface AssembledCode extends MachineCode {
  /** Offset of the first byte of each function. */
  readonly functions: readonly number[];
  /** One line for each instruction; empty unless asked for. */
  readonly listing: readonly ListingLine[];
}

/** Saved registers up to which an epilogue is copied rather than jumped to. */
const MAX_COPIED_RESTORES = 2;

export type ListingChoice = 'with-listing' | 'code-only';

export function assemble(
  allocations: readonly Allocation[],
  backend: Backend,
  listing: ListingChoice = 'code-only',
): AssembledCode {
  const buffer = new CodeBuffer();
  const functions = allocations.map(() => buffer.newLabel());
  const lines: PendingLine[] = [];
  const collect = listing === 'with-listing' ? lines : undefined;
  allocations.forEach((allocation, n) => {
    new FunctionAssembler(allocation, backend, buffer, functions, collect).assemble(functions[n]!);
  });
  const code = buffer.finish(backend);
  return {
    ...code,
    functions: functions.map((label) => code.labels[label]!),
    listing: lines.map(({ text, pc, target }, i) => ({
      native: code.marks[i]!,
      pc,
      text: target < 0 ? text : text.replace(TARGET, `0x${code.labels[target]!.toString(16)}`),
    })),
  };
}

/** Stands in the text for the address of `target`, which is known at the end. */
const TARGET = '@';

interface PendingLine {
  readonly text: string;
  readonly pc: number;
  readonly target: Label;
}

class FunctionAssembler {
  readonly #allocation: Allocation;
  readonly #backend: Backend;
  readonly #buffer: CodeBuffer;
  readonly #placement: Placement;
  readonly #labels: readonly Label[];
  /** Where a jump to each block should go: to itself unless the block is empty, and left out. */
  readonly #forward: Int32Array;
  readonly #lines: PendingLine[] | undefined;
  #pc = -1;

  constructor(
    allocation: Allocation,
    backend: Backend,
    buffer: CodeBuffer,
    functions: readonly Label[],
    lines: PendingLine[] | undefined,
  ) {
    const { code } = allocation;
    const calls = code.blocks.some((block) =>
      block.instructions.some(({ op }) => backend.rows[op]!.flow === 'call'),
    );
    this.#allocation = allocation;
    this.#backend = backend;
    this.#buffer = buffer;
    this.#placement = {
      frame: backend.frame(allocation, calls ? 'calls' : 'leaf'),
      functions,
      pool: code.pool,
      note: lines === undefined ? undefined : (text) => this.#line(() => text),
    };
    this.#labels = code.blocks.map(() => buffer.newLabel());
    this.#forward = forwarded(allocation, backend);
    this.#lines = lines;
  }

  assemble(entry: Label): void {
    const { code } = this.#allocation;
    this.#buffer.bind(entry);
    this.#backend.emitPrologue(this.#buffer, this.#placement);
    code.blocks.forEach((_, b) => {
      this.#buffer.bind(this.#labels[b]!);
      if (this.#forward[b] === b) this.#block(b);
    });
  }

  #block(b: number): void {
    const { firstInstruction, code, before, after, dropped } = this.#allocation;
    const { instructions, successors } = code.blocks[b]!;
    instructions.forEach((inst, n) => {
      const i = firstInstruction[b]! + n;
      this.#enterSlot(inst.pc);
      this.#moves(before[i]);
      if (dropped[i] === 1) return;
      if (n === instructions.length - 1 && successors.length > 0) {
        this.#terminator(inst, b);
      } else {
        this.#emit(inst, i);
      }
      this.#moves(after[i]);
    });
  }

  #enterSlot(pc: number): void {
    if (pc < 0 || pc === this.#pc) return;
    this.#pc = pc;
    this.#buffer.slot(pc);
  }

  #moves(moves: readonly Move[] | undefined): void {
    if (moves === undefined) return;
    for (const move of moves) {
      const recipe = this.#recipeOf(move);
      this.#line(() => this.#backend.printMove(move, recipe, this.#placement));
      this.#backend.emitMove(this.#buffer, move, recipe, this.#placement);
    }
  }

  #recipeOf({ from }: Move): MachInst | undefined {
    if (from < REMATERIALISE) return undefined;
    const { firstInstruction, code } = this.#allocation;
    const i = from - REMATERIALISE;
    let low = 0;
    let high = code.blocks.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (firstInstruction[middle]! <= i) low = middle;
      else high = middle;
    }
    return code.blocks[low]!.instructions[i - firstInstruction[low]!];
  }

  #terminator(inst: MachInst, b: number): void {
    const { successors } = this.#allocation.code.blocks[b]!;
    const targets = successors.map((s) => this.#forward[s]!);
    const [taken, otherwise] = targets as [number, number | undefined];
    const { flow, inverse } = this.#backend.rows[inst.op]!;
    if (flow === 'jump') {
      if (!this.#falls(b, taken)) this.#jumpOrReturn(inst, taken);
    } else if (flow !== 'branch' || otherwise === undefined) {
      throw new InternalError('assembler', `block ${b} does not end in a jump or branch`);
    } else if (taken === otherwise) {
      if (!this.#falls(b, taken)) this.#jumpOrReturn(inst, taken);
    } else if (this.#falls(b, taken)) {
      this.#jump(inst, inverse, otherwise);
    } else {
      this.#jump(inst, inst.op, taken);
      if (!this.#falls(b, otherwise)) this.#jumpOrReturn(inst, otherwise);
    }
  }

  /** Whether block `target` starts where block `b` ends: blocks that are left out lie between. */
  #falls(b: number, target: number): boolean {
    let next = b + 1;
    while (next < target && this.#forward[next] !== next) next++;
    return next === target;
  }

  /** A jump to a block that only returns is a return, unless that restores much. */
  #jumpOrReturn(inst: MachInst, target: number): void {
    const { code, firstInstruction, before } = this.#allocation;
    const first = code.blocks[target]!.instructions[0]!;
    const { flow } = this.#backend.rows[first.op]!;
    const saves = this.#placement.frame.saved.length;
    if (flow === 'return' && !before[firstInstruction[target]!] && saves <= MAX_COPIED_RESTORES) {
      this.#emit(first, firstInstruction[target]!);
    } else {
      this.#jump(inst, this.#backend.jump, target);
    }
  }

  #emit(inst: MachInst, i: number): void {
    const { registers, firstOperand } = this.#allocation;
    const label = inst.callee >= 0 ? this.#placement.functions[inst.callee]! : -1;
    const first = firstOperand[i]!;
    this.#line(() => this.#backend.print(inst, registers, first, this.#placement, TARGET), label);
    this.#backend.emit(this.#buffer, inst, registers, first, this.#placement);
  }

  #jump(inst: MachInst, op: number, target: number): void {
    const label = this.#labels[target]!;
    const jump = { ...inst, op, operands: op === inst.op ? inst.operands : [] };
    this.#line(
      () => this.#backend.print(jump, this.#allocation.registers, 0, this.#placement, TARGET),
      label,
    );
    this.#buffer.jump(op, label);
  }

  #line(text: () => string, target: Label = -1): void {
    if (this.#lines === undefined) return;
    const line = text();
    if (line === '') return;
    this.#buffer.mark();
    this.#lines.push({ text: line, pc: this.#pc, target });
  }
}

/** An empty block holds a jump and nothing else. A loop of such blocks is kept as it is. */
function forwarded(allocation: Allocation, backend: Backend): Int32Array {
  const { code, firstInstruction, before } = allocation;
  const isEmpty = (b: number): boolean => {
    const { instructions } = code.blocks[b]!;
    const { flow } = backend.rows[instructions[0]!.op]!;
    return instructions.length === 1 && flow === 'jump' && !before[firstInstruction[b]!];
  };
  return Int32Array.from(code.blocks, (_, start) => {
    let b = start;
    for (let steps = 0; isEmpty(b); steps++) {
      if (steps > code.blocks.length) return start;
      b = code.blocks[b]!.successors[0]!;
    }
    return b;
  });
}
