/** What an explanation is made from, and what it adds to the row of its code. */

import type { Span, ValueNote } from '../../diagnostic.ts';
import type { Walk } from '../../explore/walk.ts';
import { isPointer, PACKET_END } from '../../state/kinds.ts';
import * as L from '../../state/layout.ts';
import { baseVariable, conditionExtent, expressionText } from '../c-text.ts';
import { type Condition, conditionAt, conditionText } from '../condition.ts';
import type { Failure } from '../failure.ts';
import type { History } from '../history.ts';
import { lineageOf, type Step } from '../lineage.ts';
import { named, sourceName } from '../naming.ts';
import { cLineAt, lineAt, spanAt } from '../span.ts';

export interface Case {
  readonly failure: Failure;
  readonly walk: Walk;
  readonly history: History;
}

/** What replaces or adds to the texts of the code's row. */
export interface Explanation {
  readonly message?: string;
  readonly label?: string;
  readonly secondary?: readonly Span[];
  readonly help?: string;
  readonly notes?: readonly ValueNote[];
  readonly linux?: string;
}

export type Explain = (c: Case) => Explanation;

export const place = (c: Case, pc: number, label: string): Span =>
  spanAt(c.history.subject.program, pc, label);

export const lineOf = (c: Case, pc: number) => cLineAt(c.history.subject.program, pc);

/** The branch at `pc`: all of its condition, not only the operator that it came from. */
export function branchPlace(c: Case, pc: number, label: string): Span {
  const span = place(c, pc, label);
  const extent = conditionExtent(span.text ?? '');
  return extent === undefined
    ? span
    : { ...span, extent: { from: extent.from + 1, to: extent.to + 1 } };
}

/** `line 7`, or `instruction 12` where there is no line info. */
export const whereText = (c: Case, pc: number): string => {
  const line = lineAt(c.history.subject.program, pc);
  return line === undefined ? `instruction ${pc}` : `line ${line.line}`;
};

/** The source text at the failing instruction. */
export function expressionOf(c: Case, pc = c.failure.pc): string | undefined {
  const line = lineOf(c, pc);
  return line === undefined ? undefined : expressionText(line.text, line.column);
}

/** The variable through which the failing access goes, or the one its pointer was given to. */
export function pointerName(c: Case, register: number): string | undefined {
  const expression = expressionOf(c);
  const base = expression === undefined ? undefined : baseVariable(expression);
  return base ?? sourceName(c.history, c.history.last, register);
}

export const pointerText = (c: Case, register: number): string =>
  named(pointerName(c, register), register);

export const numberName = (c: Case, register: number, index = c.history.last) =>
  sourceName(c.history, index, register);

export const originOf = (c: Case, register: number, index = c.history.last): Step | undefined =>
  lineageOf(c.history, index, register).origin;

/** A jump of the path that compared a value with the same origin, newest first. */
export interface Check {
  readonly pc: number;
  readonly index: number;
  readonly text: string;
  readonly operator: string;
  readonly right: string;
}

/** What the branch at a step of the path told, in the words of its line. */
export function toldAt(c: Case, index: number): Condition {
  const pc = c.history.pcs[index]!;
  const condition = conditionAt(c.history, index, c.history.pcs[index + 1] !== pc + 1);
  const line = lineOf(c, pc);
  return line === undefined
    ? condition
    : { ...condition, text: conditionText(line.text, condition) };
}

/** Branches that are looked at, newest first. */
const MOST_BRANCHES = 256;

/** The comparisons of numbers on the path whose left side began at the step `origin`. */
export function checksOf(c: Case, origin: Step | undefined): Check[] {
  const { history } = c;
  const checks: Check[] = [];
  if (origin === undefined) return checks;
  let branches = 0;
  for (let index = history.last - 1; index > origin.index && branches < MOST_BRANCHES; index--) {
    if (history.row(index).kind !== 'jump') continue;
    branches++;
    const { dst } = history.instruction(index);
    if (lineageOf(history, index, dst).origin?.index !== origin.index) continue;
    const pc = history.pcs[index]!;
    checks.push({ pc, index, ...toldAt(c, index) });
  }
  return checks;
}

/** The newest comparison with the packet's end that a packet pointer of this id was in. */
export function packetCheck(c: Case, id: number): Check | undefined {
  const { history } = c;
  for (let index = history.last - 1; index >= 0; index--) {
    const state = history.state(index);
    const row = history.row(index);
    if (state === undefined || row.kind !== 'jump' || row.source !== 'reg') continue;
    const insn = history.instruction(index);
    const sides = [state.register(insn.dst), state.register(insn.src)];
    const isEnd = sides.some((side) => state.kind(side) === PACKET_END);
    const isSame = sides.some(
      (side) =>
        state.kind(side) !== PACKET_END &&
        isPointer(state.kind(side)) &&
        state.words[side + L.ID] === id,
    );
    if (!isEnd || !isSame) continue;
    const pc = history.pcs[index]!;
    return { pc, index, ...toldAt(c, index) };
  }
  return undefined;
}

/** What a program of this type returns to let things pass, in C. */
export function returnText(c: Case): string {
  const { name } = c.history.subject.type;
  if (name === 'xdp') return 'return XDP_PASS;';
  if (name === 'sched_cls' || name === 'sched_act') return 'return TC_ACT_OK;';
  return c.history.frames[c.history.last]! > 0 ? 'return;' : 'return 0;';
}

/** `3` or `12..13`. */
export const rangeText = (low: number, high: number): string =>
  low === high ? String(low) : `${low}..${high}`;
export const bytesText = (low: number, high: number): string =>
  low === high ? `byte ${low}` : `bytes ${low}..${high}`;
