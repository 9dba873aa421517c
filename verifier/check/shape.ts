/**
 * Loops and functions where the host does not have them, or has others. Linux refuses both to loaders
 * without CAP_BPF (observed on 6.18); other profiles say so themselves.
 */

import type { Instruction, Row } from '../../isa/index.ts';
import type { Profile } from '../../platform/index.ts';
import { type Cfg, MARK_LOOP_HEAD, namesFunction, target } from '../cfg.ts';
import type { Failure } from '../diagnose/failure.ts';
import type { Privilege } from '../subject.ts';

export function checkShape(
  cfg: Cfg,
  instructions: readonly Instruction[],
  rows: readonly Row[],
  profile: Profile,
  privilege: Privilege,
): Failure | undefined {
  const isRestricted = profile.family === 'linux' && privilege === 'none';
  if (isRestricted || !profile.subprograms) {
    const pc = rows.findIndex(namesFunction);
    if (pc >= 0) return { code: 'subprograms-not-allowed', pc, values: {} };
  }
  const shared = profile.family === 'linux' ? checkCallbacks(cfg, instructions, rows) : undefined;
  if (shared !== undefined) return shared;
  if (!isRestricted && profile.boundedLoops) return undefined;
  const head = cfg.marks.findIndex((marks) => (marks & MARK_LOOP_HEAD) !== 0);
  if (head < 0) return undefined;
  const back = rows.findIndex(
    (row, pc) => jumps(row) && target(pc, instructions[pc]!, row) === head,
  );
  return { code: 'loop-not-allowed', pc: back < 0 ? head : back, values: { target: head } };
}

/** What helpers call back is walked with its caller: on Linux no function that is verified alone. */
function checkCallbacks(
  { functions, functionOf }: Cfg,
  instructions: readonly Instruction[],
  rows: readonly Row[],
): Failure | undefined {
  for (const [pc, row] of rows.entries()) {
    if (row.kind !== 'constant' || row.operation !== 'function') continue;
    const { isGlobal, name } = functions[functionOf[target(pc, instructions[pc]!, row)]!]!;
    if (isGlobal) return { code: 'callback-global', pc, values: { function: name } };
  }
  return undefined;
}

const jumps = ({ kind }: Row): boolean => kind === 'jump' || kind === 'goto' || kind === 'may_goto';
