/** What a conditional jump told on the path: `data + 8 <= data_end`, `value != NULL`. */

import * as domain from '../domain/index.ts';
import { isPacketKind, isPointer, PACKET, PACKET_END } from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import type { MachineState } from '../state/machine.ts';
import { conditionExtent, tokensOf } from './c-text.ts';
import type { History } from './history.ts';
import { lineageOf } from './lineage.ts';
import { sourceName } from './naming.ts';
import { numberText } from './number-text.ts';
import { cLineAt } from './span.ts';

/** The C operator of each condition, and of its negation. */
const OPERATORS: Readonly<Record<string, readonly [string, string]>> = {
  eq: ['==', '!='],
  ne: ['!=', '=='],
  gt: ['>', '<='],
  ge: ['>=', '<'],
  lt: ['<', '>='],
  le: ['<=', '>'],
  sgt: ['>', '<='],
  sge: ['>=', '<'],
  slt: ['<', '>='],
  sle: ['<=', '>'],
  set: ['&', '&'],
};

/** A condition that holds after a jump. */
export interface Condition {
  readonly left: string;
  readonly operator: string;
  readonly right: string;
  /** For people, with what `left` is in the source. */
  readonly text: string;
}

/** The condition that held when the jump at `index` was taken, or was not. */
export function conditionAt(history: History, index: number, taken: boolean): Condition {
  const insn = history.instruction(index);
  const row = history.row(index);
  const state = history.state(index);
  const left = operandText(history, index, state, insn.dst, 'left');
  const right =
    row.source === 'reg'
      ? operandText(history, index, state, insn.src, 'right')
      : immediateText(state, insn.dst, insn.imm);
  const operator = OPERATORS[row.operation]?.[taken ? 0 : 1] ?? row.operation;
  if (row.operation === 'set') {
    const text = `${left} & ${right}`;
    return { left, operator: taken ? '!=' : '==', right: '0', text: taken ? text : `!(${text})` };
  }
  return { left, operator, right, text: `${left} ${operator} ${right}` };
}

function immediateText(state: MachineState | undefined, register: number, imm: number): string {
  const isPointerTest = state !== undefined && isPointer(state.kind(state.register(register)));
  return isPointerTest && imm === 0 ? 'NULL' : String(imm);
}

function operandText(
  history: History,
  index: number,
  state: MachineState | undefined,
  register: number,
  side: 'left' | 'right',
): string {
  const value = state === undefined ? -1 : state.register(register);
  const kind = value < 0 ? -1 : state!.kind(value);
  const name = sourceName(history, index, register);
  if (kind === PACKET_END) return name ?? 'data_end';
  if (isPacketKind(kind)) return packetText(history, index, state!, register, name);
  if (name !== undefined) return name;
  const isKnown =
    value >= 0 && !isPointer(kind) && domain.isConstant(state!.words, value + L.NUMBER);
  return isKnown && side === 'right' ? numberText(state!.words, value + L.NUMBER) : `r${register}`;
}

/** `data + 14` where only constants were added, else the variable and what was added since. */
function packetText(
  history: History,
  index: number,
  state: MachineState,
  register: number,
  name: string | undefined,
): string {
  const value = state.register(register);
  const fixed = state.words[value + L.OFFSET]!;
  const isFixed = domain.isConstantOf(state.words, value + L.NUMBER, 0, 0);
  if (isFixed) {
    const start = state.kind(value) === PACKET ? 'data' : 'data_meta';
    return withOffset(start, fixed);
  }
  return withOffset(name ?? `r${register}`, addedSince(history, index, register));
}

export const withOffset = (name: string, offset: number): string =>
  offset === 0 ? name : `${name} ${offset < 0 ? '-' : '+'} ${Math.abs(offset)}`;

/** Constants added to the register on the line of the step at `index`. */
function addedSince(history: History, index: number, register: number): number {
  const { program } = history.subject;
  const here = cLineAt(program, history.pcs[index]!);
  let sum = 0;
  for (const step of lineageOf(history, index, register).steps) {
    if (cLineAt(program, step.pc)?.line !== here?.line) break;
    const insn = history.instruction(step.index);
    const row = history.row(step.index);
    const isAddition = row.operation === 'add' && row.source === 'imm';
    if (step.making === 'change' && isAddition) sum += insn.imm;
  }
  return sum;
}

/** What held, as the line says it where the compiler computed something without a name. */
export function conditionText(line: string, condition: Condition): string {
  const into = wentInto(line, condition);
  const extent = conditionExtent(line);
  if (into === undefined || extent === undefined || !/\br\d\b/.test(condition.text)) {
    return condition.text;
  }
  const source = line.slice(extent.from, extent.to);
  if (into) return source;
  const operator = tokensOf(source).find(({ text }) => text in NEGATIONS);
  if (operator === undefined) return `!(${source})`;
  return source.slice(0, operator.start) + NEGATIONS[operator.text] + source.slice(operator.end);
}

const NEGATIONS: Readonly<Record<string, string>> = {
  '<': '>=',
  '<=': '>',
  '>': '<=',
  '>=': '<',
  '==': '!=',
  '!=': '==',
};

const GROUPS: Readonly<Record<string, string>> = {
  '<': 'less',
  '<=': 'less',
  '>': 'greater',
  '>=': 'greater',
  '==': 'equal',
  '!=': 'different',
};
const OPPOSITE: Readonly<Record<string, string>> = {
  less: 'greater',
  greater: 'less',
  equal: 'different',
  different: 'equal',
};

/**
 * Whether the `if` of the source line went into its statement. A compiler turns conditions around
 * as it likes, so this compares what held with what the line says; undefined: not clear.
 */
export function wentInto(line: string, condition: Condition): boolean | undefined {
  const extent = conditionExtent(line);
  if (extent === undefined) return undefined;
  const source = line.slice(extent.from, extent.to);
  const inner = tokensOf(source);
  const holds = GROUPS[condition.operator];
  const operator = inner.find(({ text }) => text in GROUPS);
  if (operator === undefined) {
    const isNegated = inner[0]?.text === '!';
    if (holds !== 'equal' && holds !== 'different') return undefined;
    return (holds === 'equal') === isNegated;
  }
  const left = source.slice(0, operator.start);
  const isTurned = /^\s*(0x)?\d/.test(left) || /end\W*$/.test(left);
  const group = GROUPS[operator.text]!;
  const says = isTurned && (group === 'less' || group === 'greater') ? OPPOSITE[group] : group;
  if (says === holds) return true;
  return says === OPPOSITE[holds ?? ''] ? false : undefined;
}
