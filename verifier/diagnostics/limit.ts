/** Where the verification stopped, not what is wrong: a limit is reached before a verdict is. */

import { type DiagnosticRow, rowsOf } from './row.ts';

const row = rowsOf('limit', 'limit');

export const LIMIT = {
  'program-too-long': row(
    'the program has {count} instructions; the profile allows {most}',
    'split the program with tail calls, or move loops into a helper',
    'BPF program is too large. Processed {count} insn',
  ),
  'reference-limit': row(
    'more than {most} references are held at once',
    'release references earlier',
    '',
  ),
  'run-too-long': row(
    'one run may execute {worst} instructions; the program type allows {most}',
    'make loops shorter, or leave them earlier',
    '',
  ),
  'too-complex': row(
    'the program was not verified within {most} {unit}: {reason}',
    'simplify loops: keep state that changes per pass small, or use bpf_loop',
    'BPF program is too large. Processed {count} insn',
  ),
} as const satisfies Record<string, DiagnosticRow>;
