/** Arguments of calls: what was passed, by its name in the source, and what to pass instead. */

import * as domain from '../../domain/index.ts';
import { SCALAR } from '../../state/kinds.ts';
import * as L from '../../state/layout.ts';
import { argumentName, named, sourceName } from '../naming.ts';
import { numberText } from '../number-text.ts';
import {
  branchPlace,
  type Case,
  checksOf,
  type Explanation,
  originOf,
  place,
  returnText,
} from './case.ts';

function passedName(c: Case, register: number): string | undefined {
  const callee = String(c.failure.values.name ?? '');
  const passed = argumentName(c.history, c.failure.pc, callee, register - 1);
  return passed ?? sourceName(c.history, c.history.last, register);
}

/** The size of memory: what bounds it from either side. */
export function explainSize(c: Case): Explanation {
  const register = Number(c.failure.values.argument);
  const { words } = c.walk.state;
  const number = c.walk.state.register(register) + L.NUMBER;
  const name = passedName(c, register);
  const variable = name ?? `r${register}`;
  const range = sizeText(words, number);
  const checks = checksOf(c, originOf(c, register));
  const isNegative = c.failure.code === 'helper-size-negative';
  const isUnbounded = c.failure.code === 'helper-size-unbounded';
  const problem = isNegative ? 'may be negative' : isUnbounded ? 'has no upper bound' : 'may be 0';
  const why = isNegative ? '; a negative size is taken for a huge one' : '';
  const missing = isNegative ? ', nothing from below' : isUnbounded ? ', nothing from above' : '';
  return {
    message: `the size passed to ${c.failure.values.name}, ${named(name, register)}, ${problem}: it is ${range}${why}`,
    label: `takes '${variable}' as a size`,
    secondary: checks
      .slice(0, 2)
      .map((check) => branchPlace(c, check.pc, `proves ${check.text}${missing}`)),
    help: sizeHelp(c, variable),
    notes: [
      {
        name: name === undefined ? variable : `${name} (r${register})`,
        proven: range,
        needed: c.failure.code === 'helper-size-zero' ? 'at least 1' : 'a bound from 0 up',
      },
    ],
  };
}

/** A 64-bit register that a 32-bit variable lives in shows the variable's range. */
function sizeText(words: Int32Array, number: number): string {
  const text = numberText(words, number);
  if (!text.endsWith(' in its low 32 bits')) return text;
  const low = domain.signedMin32(words, number);
  const high = domain.signedMax32(words, number);
  return `${low}..${high} as a 32-bit number`;
}

function sizeHelp(c: Case, variable: string): string {
  switch (c.failure.code) {
    case 'helper-size-negative':
      return `declare ${variable} unsigned (__u64) before it is bounded, or check it: if (${variable} < 0) ${returnText(c)}`;
    case 'helper-size-unbounded':
      return `bound it before the call: if (${variable} > sizeof(buffer)) ${returnText(c)}`;
    default:
      return `check it before the call: if (${variable} == 0) ${returnText(c)}`;
  }
}

/** What kinds of argument are called by people. */
const ROLES: Readonly<Record<string, string>> = {
  'map-key': 'the key',
  'map-value': 'the value',
  memory: 'the buffer',
  context: 'the context',
  map: 'the map',
};

export function explainArgument(c: Case): Explanation {
  const { values } = c.failure;
  const register = Number(values.argument);
  const { state, subject } = c.walk;
  const value = state.register(register);
  const name = passedName(c, register);
  const callee =
    subject.helperAt.get(c.failure.pc)?.arguments[register - 1] ??
    subject.kfuncAt.get(c.failure.pc)?.arguments[register - 1];
  const role = ROLES[callee?.kind ?? ''];
  const isNumber = state.kind(value) === SCALAR;
  const range = isNumber ? numberText(state.words, value + L.NUMBER) : '';
  const given = isNumber ? `a plain number (${range})` : String(values.proven);
  const isBytes = String(values.expected).startsWith('a pointer to');
  const subjectText = role === undefined ? '' : ` (${role})`;
  const origin = originOf(c, register);
  const size = Number(/\d+/.exec(String(values.expected))?.[0] ?? 8);
  const isNullable = !isNumber && String(values.proven).endsWith('or null');
  return {
    message: `argument ${register} of ${values.name}${subjectText} must be ${values.expected}; ${named(name, register)} is ${given}`,
    label: isNumber ? `argument ${register} is a number, not an address` : `argument ${register}`,
    secondary:
      origin === undefined || origin.pc === c.failure.pc || !isNullable
        ? []
        : [place(c, origin.pc, 'this may be NULL')],
    help: argumentHelp(c, { isNumber, isBytes, isNullable, size, name: name ?? `r${register}` }),
    notes: [
      {
        name: name === undefined ? `r${register}` : `${name} (r${register})`,
        proven: given,
        needed: String(values.expected),
      },
    ],
  };
}

interface Passed {
  readonly isNumber: boolean;
  readonly isBytes: boolean;
  readonly isNullable: boolean;
  /** Bytes that the call takes. */
  readonly size: number;
  readonly name: string;
}

function argumentHelp(c: Case, { isNumber, isBytes, isNullable, size, name }: Passed): string {
  if (isNullable) return `check it for NULL before the call: if (!${name}) ${returnText(c)}`;
  if (isNumber && isBytes) {
    const type = { 1: '__u8', 2: '__u16', 4: '__u32', 8: '__u64' }[size] ?? 'struct key';
    return `copy the number to a variable and pass the address of that: ${type} key = ${name}; ... &key`;
  }
  if (isBytes) return 'copy the bytes to a variable on the stack and pass its address';
  return `pass ${c.failure.values.expected}`;
}
