/**
 * The branches and calls that led to a failure, for people: what each condition told, passes of
 * loops counted instead of listed.
 */

import { target } from '../cfg.ts';
import type { PathStep } from '../diagnostic.ts';
import { conditionAt, conditionText, wentInto } from './condition.ts';
import type { History } from './history.ts';
import { cLineAt, spanAt } from './span.ts';

/** Longest path that a diagnostic carries, in steps. */
const MOST_STEPS = 64;
/** Longest pass of a loop that is recognised as one, in steps. */
const LONGEST_PASS = 16;

/** A decision of the path: the step, and what tells it from others. */
interface Decision {
  readonly index: number;
  readonly key: number;
  readonly taken: boolean | undefined;
}

/** Decisions that follow each other, `times` times. */
interface Passes {
  readonly decisions: readonly Decision[];
  readonly times: number;
}

export function pathOf(history: History): PathStep[] {
  const passes = countPasses(decisionsOf(history));
  const steps: PathStep[] = [];
  for (let i = passes.length - 1; i >= 0 && steps.length < MOST_STEPS; i--) {
    const { decisions, times } = passes[i]!;
    const shown = decisions.map((decision) => stepOf(history, decision, times));
    steps.unshift(...shown);
  }
  return steps.slice(-MOST_STEPS);
}

function decisionsOf(history: History): Decision[] {
  const decisions: Decision[] = [];
  for (let index = 0; index < history.last; index++) {
    const pc = history.pcs[index]!;
    const row = history.row(index);
    if (row.kind === 'jump') {
      const taken = history.pcs[index + 1] === target(pc, history.instruction(index), row);
      decisions.push({ index, key: pc * 2 + (taken ? 1 : 0), taken });
    } else if (row.kind === 'call' && row.operation === 'subprogram') {
      decisions.push({ index, key: -pc - 1, taken: undefined });
    }
  }
  return decisions;
}

/** Groups what repeats at once: the last pass stands for all. */
function countPasses(decisions: readonly Decision[]): Passes[] {
  const passes: Passes[] = [];
  let at = 0;
  while (at < decisions.length) {
    const length = passLength(decisions, at);
    let times = 1;
    while (repeats(decisions, at + (times - 1) * length, length)) times++;
    const last = at + (times - 1) * length;
    passes.push({ decisions: decisions.slice(last, last + length), times });
    at = last + length;
  }
  return passes;
}

/** The shortest run of decisions from `at` that comes again right behind itself; 1 if none does. */
function passLength(decisions: readonly Decision[], at: number): number {
  for (let length = 1; length <= LONGEST_PASS; length++) {
    if (repeats(decisions, at, length)) return length;
  }
  return 1;
}

function repeats(decisions: readonly Decision[], at: number, length: number): boolean {
  if (at + 2 * length > decisions.length) return false;
  for (let i = at; i < at + length; i++) {
    if (decisions[i]!.key !== decisions[i + length]!.key) return false;
  }
  return true;
}

function stepOf(history: History, { index, taken }: Decision, times: number): PathStep {
  const { program } = history.subject;
  const pc = history.pcs[index]!;
  const repeated = times > 1 ? { times } : {};
  if (taken === undefined) return { ...spanAt(program, pc, 'called'), ...repeated };
  const condition = conditionAt(history, index, taken);
  const { text } = cLineAt(program, pc) ?? {};
  const span = spanAt(
    program,
    pc,
    text === undefined ? condition.text : conditionText(text, condition),
  );
  const into = text === undefined ? taken : wentInto(text, condition);
  return { ...span, ...(into === undefined ? {} : { taken: into }), ...repeated };
}
