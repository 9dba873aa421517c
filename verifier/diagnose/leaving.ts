/**
 * Which line leaves a function? Compilers give all returns one exit, whose own line is the last
 * one. What people wrote is the branch that jumped there.
 */

import type { Walk } from '../explore/walk.ts';

/** The branch that led to the exit at `pc` with nothing but a result set on the way; or `pc`. */
export function leavingBranch(walk: Walk, pc: number): number {
  const { trace, subject } = walk;
  const frame = trace.frame(walk.entry);
  for (let at = trace.previous(walk.entry); at >= 0; at = trace.previous(at)) {
    const row = subject.rows[trace.pc(at)]!;
    if (trace.frame(at) !== frame) return pc;
    if (row.kind === 'jump') return trace.pc(at);
    const setsResult = row.operation === 'mov' && subject.instructions[trace.pc(at)]!.dst === 0;
    if (row.kind !== 'goto' && !setsResult) return pc;
  }
  return pc;
}
