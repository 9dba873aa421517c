/** Which function of the program a call enters. */

import { target } from '../cfg.ts';
import type { Walk } from '../explore/walk.ts';
import * as L from '../state/layout.ts';

/** Entry slot: named by the instruction, or proven to be what the register holds. */
export function calleeOf(walk: Walk, pc: number): number {
  const { state, subject } = walk;
  const insn = subject.instructions[pc]!;
  const row = subject.rows[pc]!;
  if (row.operation !== 'register') return target(pc, insn, row);
  return state.words[state.register(insn.dst) + L.TARGET]!;
}
