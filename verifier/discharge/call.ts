/** What a call owes beyond its arguments: nesting, recursion, and what may not be held during it. */

import { target } from '../cfg.ts';
import type { Failure } from '../diagnose/failure.ts';
import type { Walk } from '../explore/walk.ts';
import * as L from '../state/layout.ts';
import { heldText } from './held.ts';

export function checkCall(walk: Walk, pc: number): Failure | null {
  const { subject } = walk;
  const row = subject.rows[pc]!;
  switch (row.operation) {
    case 'subprogram':
      return checkNesting(walk, pc, target(pc, subject.instructions[pc]!, row));
    case 'helper':
      return checkHelper(walk, pc);
    default:
      return {
        code: row.operation === 'kfunc' ? 'kfunc-unsupported' : 'call-unsupported',
        pc,
        values: { name: kfuncName(walk, pc), opcode: row.code.toString(16) },
      };
  }
}

const kfuncName = (walk: Walk, pc: number): string =>
  walk.subject.program.kfuncCalls.find((call) => call.instruction === pc)?.name ?? 'callx';

/** A frame more must be allowed, and the function must not be active already. */
export function checkNesting(walk: Walk, pc: number, entry: number): Failure | null {
  const { state, subject } = walk;
  for (let frame = 0; frame < state.frameCount; frame++) {
    if (state.words[state.frameRow(frame) + L.FRAME_ENTRY] !== entry) continue;
    const callee = subject.cfg.functions[subject.cfg.functionOf[entry]!]!.name;
    return { code: 'recursion', pc, values: { function: callee, caller: callee, callee } };
  }
  const most = Math.min(subject.profile.maxCallDepth, L.MAX_FRAMES);
  if (state.frameCount < most) return null;
  return { code: 'call-too-deep', pc, values: { depth: state.frameCount + 1, most } };
}

function checkHelper(walk: Walk, pc: number): Failure | null {
  const helper = walk.subject.helperAt.get(pc)!;
  if (helper.returns.kind !== 'never') return null;
  const held = heldText(walk);
  return held === null ? null : { code: 'tail-call-reference', pc, values: { what: held } };
}
