/** Programs that are not proven to end. */

import { type DiagnosticRow, rowsOf } from './row.ts';

const row = rowsOf('termination');

export const TERMINATION = {
  'loop-not-allowed': row(
    'the program has a loop (back to instruction {target}), which this profile does not allow',
    'unroll the loop (#pragma unroll)',
    'back-edge from insn {pc} to {target}',
  ),
  recursion: row(
    "function '{function}' calls itself",
    'use a loop',
    'recursive call from {caller} to {callee}',
  ),
  'infinite-loop': row(
    'the loop may run for ever: a pass changes nothing that decides whether it ends',
    'count the passes and compare the counter with a constant',
    'infinite loop detected at insn {pc}',
  ),
} as const satisfies Record<string, DiagnosticRow>;
