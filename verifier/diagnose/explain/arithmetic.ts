/** Arithmetic on pointers: which number, where it came from, how far it was bounded. */

import { isPointer, KINDS, STACK } from '../../state/kinds.ts';
import * as L from '../../state/layout.ts';
import { baseVariable, indexOf } from '../c-text.ts';
import { lineageOf, type Step } from '../lineage.ts';
import { named, sourceName } from '../naming.ts';
import { numberText } from '../number-text.ts';
import {
  branchPlace,
  type Case,
  checksOf,
  type Explanation,
  expressionOf,
  lineOf,
  place,
  pointerText,
  returnText,
} from './case.ts';

const C_OPERATORS: Readonly<Record<string, string>> = {
  and: '&',
  or: '|',
  xor: '^',
  mul: '*',
  div: '/',
  mod: '%',
  lsh: '<<',
  rsh: '>>',
  arsh: '>>',
};

/** The number that the failing instruction adds to the pointer, as it was before it was scaled. */
interface Added {
  readonly name: string;
  readonly range: string;
  readonly register: number;
  readonly origin: Step | undefined;
}

function addedNumber(c: Case): Added | undefined {
  const { history } = c;
  const { state } = c.walk;
  const insn = history.instruction(history.last);
  const row = history.row(history.last);
  if (row.source !== 'reg') return undefined;
  const register = isPointer(state.kind(state.register(insn.dst))) ? insn.src : insn.dst;
  const { steps, origin } = lineageOf(history, history.last, register);
  const scaled = steps.find((step) => {
    const { imm } = history.instruction(step.index);
    const made = history.row(step.index);
    return made.operation === 'lsh' && made.source === 'imm' && imm < 16;
  });
  const before = scaled === undefined ? undefined : history.state(scaled.index);
  const from = before ?? state;
  const scaledRegister = before === undefined ? register : history.instruction(scaled!.index).dst;
  const expression = expressionOf(c);
  const index = expression === undefined ? undefined : indexOf(expression);
  return {
    name: index ?? sourceName(history, history.last, register) ?? `r${register}`,
    range: numberText(from.words, from.register(scaledRegister) + L.NUMBER),
    register,
    origin,
  };
}

/** Where a number was read from: `the packet`, `map value`. */
function sourceOf(c: Case, origin: Step | undefined): string | undefined {
  const state = origin?.making === 'load' ? c.history.state(origin.index) : undefined;
  if (origin === undefined || state === undefined) return undefined;
  const value = state.register(c.history.instruction(origin.index).src);
  const kind = KINDS[state.kind(value)]!;
  const map = c.history.subject.maps[state.words[value + L.TARGET]!];
  if (kind.linux === 'map_value' && map !== undefined) return `a value of map '${map.name}'`;
  return kind.linux === 'pkt' ? 'the packet' : `behind a ${kind.name}`;
}

export function explainOffset(c: Case): Explanation {
  const added = addedNumber(c);
  const { kind } = c.failure.values;
  if (added === undefined) return {};
  const source = sourceOf(c, added.origin);
  const elements = arraySize(c);
  const secondary = [
    ...(source === undefined || added.origin === undefined
      ? []
      : [place(c, added.origin.pc, `read from ${source}: any value it can hold`)]),
    ...checksOf(c, added.origin)
      .slice(0, 2)
      .map((check) => branchPlace(c, check.pc, `proves ${check.text}`)),
  ];
  const subject = added.name === `r${added.register}` ? added.name : `'${added.name}'`;
  const array = elements === undefined ? '' : `; the array has ${elements} elements`;
  return {
    message: `${subject} is not bounded enough to be added to a ${kind}: it is ${added.range}${array}`,
    label: `may lead ${added.range.startsWith('-') ? 'before or ' : ''}far beyond what the pointer points into`,
    secondary,
    help: boundHelp(c, added, elements),
    notes: [
      {
        name: named(added.name, added.register).replaceAll("'", ''),
        proven: added.range,
        needed: elements === undefined ? 'a small range from 0' : `0..${elements - 1}`,
      },
    ],
  };
}

function boundHelp(c: Case, added: Added, elements: number | undefined): string {
  const { name } = added;
  if (elements !== undefined) {
    const isPower = (elements & (elements - 1)) === 0;
    const base = baseVariable(expressionOf(c) ?? '') ?? 'array';
    const mask = isPower ? `write ${base}[${name} & ${elements - 1}], or ` : '';
    return `${mask}check 0..${elements - 1} first: if ((unsigned)${name} >= ${elements}) ${returnText(c)}`;
  }
  const variable = /^\w+$/.test(name) ? name : 'x';
  return `make ${name} unsigned and bound it before the addition, for example ${variable} &= 0x7ff`;
}

/** Elements of the array that the expression indexes, from its declaration in a line we have. */
function arraySize(c: Case): number | undefined {
  const { state } = c.walk;
  const insn = c.history.instruction(c.history.last);
  if (state.kind(state.register(insn.dst)) !== STACK) return undefined;
  const base = baseVariable(expressionOf(c) ?? '');
  if (base === undefined) return undefined;
  const declaration = new RegExp(`\\w[\\s*]+${base}\\s*\\[(\\d+)\\]\\s*[=;,]`);
  const { file } = lineOf(c, c.failure.pc)!;
  for (const line of c.history.subject.program.lines) {
    const found = line.file === file ? declaration.exec(line.text) : null;
    if (found !== null) return Number(found[1]);
  }
  return undefined;
}

export function explainOperator(c: Case): Explanation {
  const register = c.failure.registers?.[0] ?? 0;
  const operation = String(c.failure.values.operation);
  const name = sourceName(c.history, c.history.last, register);
  const isComplement = operation === 'xor' && c.history.instruction(c.history.last).imm === -1;
  const what = isComplement ? "'~'" : `'${C_OPERATORS[operation] ?? operation}'`;
  return {
    message: `${what} on ${named(name, register)}, a ${c.failure.values.kind}: pointers allow only + and -`,
    label: 'computes with the bits of an address',
    help: isComplement
      ? 'compilers turn end - p - 1 into end + ~p: write the test as p + n <= end instead'
      : 'keep the pointer as it is, and compute with offsets or lengths instead',
  };
}

export function explainNullArithmetic(c: Case): Explanation {
  const register = c.failure.registers?.[0] ?? 0;
  const name = pointerText(c, register);
  return {
    message: `${name} may be NULL: arithmetic on it would hide that`,
    label: 'moves a pointer that may be NULL',
    help: `check it for NULL before: if (!${name.replace(/^'(.*)'.*$/, '$1')}) ${returnText(c)}`,
  };
}
