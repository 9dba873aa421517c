/** Which function of the program a call enters. */

import { target } from '../cfg.ts';
import type { Walk } from '../explore/walk.ts';
import * as L from '../state/layout.ts';
import type { Prototype } from './prototype.ts';

/** Entry slot: named by the instruction, or proven to be what the register holds. */
export function calleeOf(walk: Walk, pc: number): number {
  const { state, subject } = walk;
  const insn = subject.instructions[pc]!;
  const row = subject.rows[pc]!;
  if (row.operation !== 'register') return target(pc, insn, row);
  return state.words[state.register(insn.dst) + L.TARGET]!;
}

/** The callee's prototype, where it is called by name and verified on its own. */
export function globalAt(walk: Walk, pc: number): Prototype | undefined {
  const { globals, instructions, rows } = walk.subject;
  const row = rows[pc]!;
  if (globals.size === 0 || row.operation !== 'subprogram') return undefined;
  return globals.get(target(pc, instructions[pc]!, row));
}
