/** How deep the stack gets, and whether that is allowed. */

import { target } from '../cfg.ts';
import type { Failure } from '../diagnose/failure.ts';
import type { Subject } from '../subject.ts';
import type { Recorder } from './recorder.ts';

/** Linux rounds each frame up to this before it adds them (round_up_stack_depth). */
const FRAME_ROUNDING = 32;
const LEAST_FRAME = 1;

export interface StackUse {
  /** Deepest combined stack over all call chains. */
  readonly bytes: number;
  readonly failure: Failure | undefined;
}

export function stackUse(subject: Subject, recorder: Recorder): StackUse {
  const { functions } = subject.cfg;
  const own = functions.map(({ index }) => {
    const depth = Math.max(-recorder.stackDepth[index]!, LEAST_FRAME);
    return Math.ceil(depth / FRAME_ROUNDING) * FRAME_ROUNDING;
  });
  const callees = functions.map(() => [] as { pc: number; callee: number }[]);
  subject.rows.forEach((row, pc) => {
    const isCall = row.kind === 'call' && row.operation === 'subprogram';
    // A function whose address is taken may be called back from here.
    const isCallback = row.kind === 'constant' && row.operation === 'function';
    if (!isCall && !isCallback) return;
    const callee = subject.cfg.functionOf[target(pc, subject.instructions[pc]!, row)]!;
    callees[subject.cfg.functionOf[pc]!]!.push({ pc, callee });
  });
  const most = subject.profile.stackBytes;
  const deepest = new Map<number, number>();
  // Recursion was refused by the walk where it is reachable; `busy` guards the rest.
  const busy = new Set<number>();
  const depthOf = (index: number): number => {
    const known = deepest.get(index);
    if (known !== undefined) return known;
    if (busy.has(index)) return 0;
    busy.add(index);
    let below = 0;
    for (const { callee } of callees[index]!) below = Math.max(below, depthOf(callee));
    busy.delete(index);
    deepest.set(index, own[index]! + below);
    return own[index]! + below;
  };
  const rounded = depthOf(0);
  const hasCalls = callees[0]!.length > 0;
  const bytes = hasCalls ? rounded : Math.ceil(Math.abs(recorder.stackDepth[0]!) / 8) * 8;
  if (bytes <= most) return { bytes, failure: undefined };
  const pc = callees[0]![0]?.pc ?? 0;
  const values = { bytes, most, frames: functions.length };
  return { bytes, failure: { code: 'stack-too-deep', pc, values } };
}
