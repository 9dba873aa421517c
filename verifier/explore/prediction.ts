/**
 * What Linux makes of loops that were proven by a summary: it walks every pass. Where one pass goes
 * one way only, that takes as many instructions as the proof counted, at most; passes that split
 * multiply, or merge, and nobody knows beforehand.
 *
 * BPF_COMPLEXITY_LIMIT_INSNS (1 M, Profile.maxProcessed) and BPF_COMPLEXITY_LIMIT_JMP_SEQ (8192
 * branches waiting) are kernel/bpf/verifier.c's; both observed on 6.18.
 */

import { MARK_LOOP_HEAD } from '../cfg.ts';
import type { Subject } from '../subject.ts';
import type { Summary } from './summary.ts';

const MOST_WAITING = 8192;
/** Share of the limit up to which a count that may be too low by a little predicts acceptance. */
const SAFE_SHARE = 0.5;

/** The prediction, given how many instructions were walked here besides. */
export function predictLoops(
  summaries: readonly Summary[],
  processed: number,
  maxProcessed: number,
): 'accepted' | 'limit' | 'unknown' {
  let most = 0;
  let isOneWay = true;
  for (const { passes, ways, shortest, longest } of summaries) {
    if (passes * shortest > maxProcessed) return 'limit';
    if (ways > 1 && passes > MOST_WAITING) return 'limit';
    most += passes * longest;
    isOneWay &&= ways <= 1;
  }
  return summaries.length === 0 || (isOneWay && processed + most <= maxProcessed * SAFE_SHARE)
    ? 'accepted'
    : 'unknown';
}

/** For people: which rule the proof used, and where. */
export function describeSummary({ head, counter, passes }: Summary): string {
  const by = counter === '' ? '' : `, counted by ${counter}`;
  return (
    `the loop at instruction ${head} was proven at once for at most ${passes} more passes${by}; ` +
    'Linux walks each of them'
  );
}

/**
 * For loaders without CAP_PERFMON Linux also walks what a processor may guess: each decided branch
 * the other way. On such a path a counted loop need not end, and 6.18 refuses many as endless.
 */
export const guessesLoops = ({ masksArithmetic, cfg }: Subject): boolean =>
  masksArithmetic && cfg.marks.some((marks) => (marks & MARK_LOOP_HEAD) !== 0);

export const GUESSED_LOOPS =
  'Linux may take a loop for endless on a path that a processor guesses, unless the loader has CAP_PERFMON';
