/**
 * Does the prediction for Linux agree with Linux? Programs by the hundred, made systematically from
 * a few templates each, so that every combination of instruction, operand, region and check is asked
 * once: what a fuzzer reaches by luck only, and the border between accepted and rejected in the
 * middle of every row.
 */

import { loadIntoKernel } from '../../hosts/kernel/index.ts';
import { assembleProgram, type Program } from '../../isa/index.ts';
import { HELPERS } from '../../platform/index.ts';
import { type Verdict, verify } from '../../verifier/index.ts';
import { describeFunctions } from '../support/describe-functions.ts';
import { kernelBtf } from '../support/kernel-program.ts';

/** One program of a matrix: assembly, and whether its functions are described by BTF. */
export interface Entry {
  readonly text: string;
  readonly functions?: 'described' | 'bare';
}

/** The programs of one area, always the same and in the same order. */
export type Area = () => Iterable<string | Entry>;

export type Answer =
  /** Prediction and kernel say the same. */
  | 'agrees'
  /** The kernel accepts what is predicted to be refused. */
  | 'kernel-accepts'
  /** The kernel refuses what is predicted to be accepted. */
  | 'kernel-rejects'
  /** Proven by reasoning that Linux does not have, and Linux refuses it. */
  | 'beyond'
  /** No prediction, and Linux accepts it. */
  | 'unpredicted'
  | 'unsupported';

export interface Comparison {
  readonly answer: Answer;
  /** What ringfence says, in a few words. */
  readonly ours: string;
  /** The kernel's last words, where it was asked twice. */
  readonly kernel: string;
}

const HELPER_NUMBERS = new Map(HELPERS.map(({ name, id }) => [name, id]));

export function assembleEntry(entry: string | Entry): Program {
  const { text, functions = 'described' } = typeof entry === 'string' ? { text: entry } : entry;
  const program = assembleProgram(text, 'matrix', HELPER_NUMBERS);
  return functions === 'described' ? describeFunctions(program) : program;
}

export function compare(program: Program): Comparison {
  const verdict = verify(program, { kernelBtf });
  const loaded = loadIntoKernel(program, { kernelBtf: kernelBtf() });
  if (loaded.accepted) loaded.program.close();
  const answer = answerOf(verdict, loaded.accepted);
  const ours = verdict.ok
    ? `accepted (${verdict.linux}) ${verdict.warnings.join('; ')}`
    : `${verdict.diagnostics[0]!.code} @${verdict.diagnostics[0]!.primary.instruction}`;
  const kernel = answer === 'agrees' || loaded.accepted ? '' : reasonOf(program);
  return { answer, ours, kernel };
}

function answerOf(verdict: Verdict, accepted: boolean): Answer {
  switch (verdict.linux) {
    case 'accepted':
      return accepted ? 'agrees' : 'kernel-rejects';
    case 'rejected':
    case 'limit':
      return accepted ? 'kernel-accepts' : 'agrees';
    case 'unknown':
      if (!verdict.ok) return 'unsupported';
      return accepted ? 'unpredicted' : 'beyond';
    default:
      return verdict.linux satisfies never;
  }
}

const QUIET = /^(processed|verification time|stack depth|mark_precise|\d+: \(|from \d+|$)/;

/** The last words of the verifier's log, which costs a second attempt. */
function reasonOf(program: Program): string {
  const again = loadIntoKernel(program, { logLevel: 1, kernelBtf: kernelBtf() });
  if (again.accepted) {
    again.program.close();
    return 'accepted at the second attempt';
  }
  const lines = again.log.split('\n').filter((line) => !QUIET.test(line));
  return `${lines.at(-1) ?? 'no reason'} (errno ${again.errno})`;
}
