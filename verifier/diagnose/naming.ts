/** What a value is called in the source: the variable that its path shows it being given to. */

import { argumentsOf, assignedName, expressionText, withoutCasts } from './c-text.ts';
import type { History } from './history.ts';
import { lineageOf, type Step } from './lineage.ts';
import { cLineAt } from './span.ts';

/** Longer expressions are no names. */
const LONGEST_NAME = 40;

/** The source name of `register` as the step at `index` finds it, or undefined. */
export function sourceName(history: History, index: number, register: number): string | undefined {
  const { steps } = lineageOf(history, index, register);
  const here = cLineAt(history.subject.program, history.pcs[index]!);
  for (const step of steps) {
    const name = nameGivenAt(history, step);
    if (name !== undefined) return name;
  }
  const newest = steps[0];
  if (here === undefined || newest === undefined) return undefined;
  return expressionNamed(history, newest);
}

function nameGivenAt(history: History, step: Step): string | undefined {
  return step.making === 'destroyed' ? undefined : nameGivenTo(history, step.pc);
}

/** A value that no variable holds is called by its expression: `d->len`. */
function expressionNamed(history: History, step: Step): string | undefined {
  if (step.making !== 'load' && step.making !== 'copy') return undefined;
  const line = cLineAt(history.subject.program, step.pc);
  if (line === undefined) return undefined;
  const text = withoutCasts(expressionText(line.text, line.column));
  return isName(text) ? text : undefined;
}

/** `len`, `d->len`, `ctx[3]`, `*s`: something that has a value, and short. */
const isName = (text: string): boolean =>
  text.length <= LONGEST_NAME && /^\*?[A-Za-z_][\w.[\]]*(->[\w.[\]]+)*$/.test(text);

/** The expression that the source passes as argument `index` (from 0) of the call at `pc`. */
export function argumentName(
  history: History,
  pc: number,
  callee: string,
  index: number,
): string | undefined {
  const line = cLineAt(history.subject.program, pc);
  if (line === undefined) return undefined;
  const passed = argumentsOf(line.text, callee)?.[index];
  return passed === undefined ? undefined : withoutCasts(passed);
}

/** `len (r2)`, or `r2` where the source does not tell. */
export function named(name: string | undefined, register: number): string {
  return name === undefined ? `r${register}` : `'${name}' (r${register})`;
}

/** The variable that the line of the instruction at `pc` gives a value to. */
export function nameGivenTo(history: History, pc: number): string | undefined {
  const line = cLineAt(history.subject.program, pc);
  return line === undefined ? undefined : assignedName(line.text, line.column);
}
