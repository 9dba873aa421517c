/**
 * Facts about an accepted program, for the compiler.
 *
 * Two sources. What the walk recorded: which ways branches went and what accesses touch. That holds
 * for states left out in favour of kept ones too, because pruning compares kinds, targets and
 * constant offsets of pointers exactly, and marks precise whatever decides a branch. What numbers
 * are is not read off the walk, whose kept states stand for others that differ in imprecise numbers;
 * values.ts computes those over all paths.
 */

import type { Facts, FunctionFact } from '../facts.ts';
import { ARGUMENTS } from '../liveness.ts';
import type { Subject } from '../subject.ts';
import type { Termination } from './bound.ts';
import { type Operands, operandFacts, UNKNOWN_OPERAND } from './operands.ts';
import type { Recorder } from './recorder.ts';

/** The context, and its size for `memory` programs. */
const ENTRY_ARGUMENTS = 2;

/** One past the last of r1 to r5 that is live where a function begins. */
function argumentsRead(live: number): number {
  const passed = (live & ARGUMENTS) >> 1;
  return 32 - Math.clz32(passed);
}

export function makeFacts(
  subject: Subject,
  recorder: Recorder,
  stackBytes: number,
  termination: Termination,
): Facts {
  const functions = subject.cfg.functions.map((span): FunctionFact => {
    const depth = Math.ceil(-recorder.stackDepth[span.index]! / 8) * 8;
    return {
      start: span.start,
      end: span.end,
      name: span.name,
      stackBytes: depth,
      readsUninitialised: subject.mayReadUninitialised,
      escaping: recorder.indirectRange(span.index),
      isCallback: span.isCallback,
      isGlobal: span.isGlobal,
      argumentCount: span.index === 0 ? ENTRY_ARGUMENTS : argumentsRead(subject.live[span.start]!),
    };
  });
  let operands: Operands | undefined;
  return Object.freeze({
    reached: (pc: number) => recorder.reached(pc),
    mayJump: (pc: number) => recorder.mayJump(pc),
    mayFallThrough: (pc: number) => recorder.mayFallThrough(pc),
    access: (pc: number) => recorder.accessAt(pc),
    operand: (pc: number, which: 'dst' | 'src') => {
      operands ??= operandFacts(subject, recorder);
      return operands[which][pc] ?? UNKNOWN_OPERAND;
    },
    call: (pc: number) => recorder.callAt(pc),
    functions,
    ...termination,
    exceptionCallback: subject.onException,
    stackBytes,
  });
}
