/**
 * Which registers may still be read: at every slot, computed backwards over the control-flow graph
 * of each function before exploration starts. Two states that differ only in dead registers are
 * equal for pruning, and a kept state forgets them.
 *
 * Masks have bit r for register r. Over-approximation is safe: a register wrongly called live costs
 * a missed pruning; one wrongly called dead would be unsound, so every row whose reads depend on
 * something else (calls, exits) reads all that it could.
 */

import { type Instruction, type Row, TABLE } from '../isa/index.ts';
import { type Cfg, next, successors } from './cfg.ts';

export const CALLER_SAVED = 0b00000111111;
export const ARGUMENTS = 0b00000111110;
export const CALLEE_SAVED = 0b01111000000;
const R0 = 1;
const R6 = 1 << 6;

/** How many argument registers the call at `pc` reads; at most 5. */
export type ArgumentCount = (pc: number) => number;

const bit = (r: number): number => 1 << r;

export function readsOf(
  pc: number,
  insn: Instruction,
  row: Row,
  argumentCount: ArgumentCount,
): number {
  switch (row.kind) {
    case 'call':
      return (
        (ARGUMENTS & ((1 << (argumentCount(pc) + 1)) - 1)) |
        (row.operation === 'register' ? bit(insn.dst) : 0)
      );
    case 'exit':
      return R0;
    case 'packet':
      return R6 | (row.src === 'read' ? bit(insn.src) : 0);
    default: {
      const dst = row.dst === 'read' || row.dst === 'update' ? bit(insn.dst) : 0;
      const src = row.src === 'read' || row.src === 'update' ? bit(insn.src) : 0;
      return dst | src | (row.operation === 'cmpxchg' ? R0 : 0);
    }
  }
}

export function writesOf(insn: Instruction, row: Row): number {
  switch (row.kind) {
    case 'call':
    case 'packet':
      return CALLER_SAVED;
    default: {
      const dst = row.dst === 'write' || row.dst === 'update' ? bit(insn.dst) : 0;
      const src = row.src === 'write' || row.src === 'update' ? bit(insn.src) : 0;
      return dst | src | (row.operation === 'cmpxchg' ? R0 : 0);
    }
  }
}

/** What going back over the instruction replaces by something else (explore/precision.ts). */
export const tracedRegisters = (insn: Instruction, row: Row): number =>
  row.kind === 'jump' && row.source === 'reg' ? bit(insn.dst) | bit(insn.src) : writesOf(insn, row);

/** Mask of registers live before each slot. */
export function liveRegisters(
  cfg: Cfg,
  instructions: readonly Instruction[],
  argumentCount: ArgumentCount,
): Uint16Array {
  const live = new Uint16Array(instructions.length);
  for (const span of cfg.functions) {
    let changed = true;
    // Backward order settles straight code in one pass; each loop costs one more per nesting level.
    while (changed) {
      changed = false;
      for (let pc = span.end - 1; pc >= span.start; pc--) {
        const insn = instructions[pc]!;
        const row = TABLE[insn.op]!;
        if (row.kind === 'continuation') continue;
        let after = 0;
        for (const to of successors(pc, insn, row)) after |= live[to]!;
        const before = (after & ~writesOf(insn, row)) | readsOf(pc, insn, row, argumentCount);
        if (before === live[pc]) continue;
        live[pc] = before;
        changed = true;
      }
    }
  }
  return live;
}

/** What a frame waiting for the call at `callSite` to return still needs. */
export function liveAcrossCall(
  live: Uint16Array,
  instructions: readonly Instruction[],
  callSite: number,
): number {
  const after = next(callSite, TABLE[instructions[callSite]!.op]!);
  return live[after]! & CALLEE_SAVED;
}
