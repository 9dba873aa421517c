/** Accesses through pointers: which bytes, what was proven of them, which comparison to write. */

import * as domain from '../../domain/index.ts';
import { isPointer } from '../../state/kinds.ts';
import * as L from '../../state/layout.ts';
import { baseVariable, expressionAt, indexOf } from '../c-text.ts';
import { withOffset } from '../condition.ts';
import { lineageOf, type Step } from '../lineage.ts';
import { numberText } from '../number-text.ts';
import {
  branchPlace,
  bytesText,
  type Case,
  type Check,
  checksOf,
  type Explanation,
  expressionOf,
  lineOf,
  numberName,
  packetCheck,
  pointerName,
  pointerText,
  rangeText,
  returnText,
} from './case.ts';

/** The bytes that the expression reads: compilers split a read that may be unaligned. */
function wholeAccess(c: Case): { readonly low: number; readonly high: number } {
  const { subject } = c.history;
  const { pc } = c.failure;
  const insn = subject.instructions[pc]!;
  const row = subject.rows[pc]!;
  const here = lineOf(c, pc);
  let { off: low } = insn;
  let high = insn.off + Math.max(1, row.sizeBytes) - 1;
  if (here === undefined || row.kind !== 'load') return { low, high };
  for (let at = pc + 1; at < subject.rows.length && at < pc + 16; at++) {
    const line = lineOf(c, at);
    const other = subject.instructions[at]!;
    if (line?.line !== here.line || line.column !== here.column) break;
    if (subject.rows[at]!.kind !== 'load' || other.src !== insn.src) continue;
    if (other.off > high + 1 || other.off + subject.rows[at]!.sizeBytes < low) continue;
    low = Math.min(low, other.off);
    high = Math.max(high, other.off + subject.rows[at]!.sizeBytes - 1);
    if (other.dst === insn.src) break;
  }
  return { low, high };
}

const verbed = (verb: unknown): string => (verb === 'write' ? 'writes' : 'reads');

export function explainPacket(c: Case): Explanation {
  const { values, registers } = c.failure;
  const register = registers?.[0] ?? 0;
  const { state } = c.walk;
  const value = state.register(register);
  const { words } = state;
  const isHelper = c.history.row(c.history.last).kind === 'call';
  const fixed = words[value + L.OFFSET]!;
  const split = isHelper ? { low: 0, high: Number(values.size) - 1 } : wholeAccess(c);
  const low = fixed + split.low;
  const high = fixed + split.high;
  const proven = words[value + L.EXTENT]!;
  const isFixed = domain.isConstantOf(words, value + L.NUMBER, 0, 0);
  const base = isFixed ? 'data' : (numberName(c, register) ?? `r${register}`);
  const check = packetCheck(c, words[value + L.ID]!);
  const needed = withOffset(base, high + 1);
  const known = proven === 0 ? 'no byte is proven' : `only ${bytesText(0, proven - 1)} are proven`;
  const relative = isFixed ? '' : ` behind '${base}'`;
  return {
    message: `packet ${values.verb} may pass the end of the packet: it needs ${bytesText(low, high)}${relative}, ${known}`,
    label: `${verbed(values.verb)} ${bytesText(low, high)}`,
    secondary: check === undefined ? [] : [packetCheckSpan(c, check, proven)],
    help: `${sizeofHint(c, check)}compare ${needed} with data_end before the access: if (${needed} > data_end) ${returnText(c)}`,
    notes: [packetNote(c, register, proven, high + 1)],
  };
}

function packetNote(c: Case, register: number, proven: number, needed: number) {
  const start = proven === 0 ? 'with no byte proven' : `with ${bytesText(0, proven - 1)} proven`;
  const name = pointerName(c, register);
  return {
    name: name === undefined ? `r${register}` : `${name} (r${register})`,
    proven: `a packet pointer, ${start}`,
    needed: bytesText(0, needed - 1),
  };
}

function packetCheckSpan(c: Case, check: Check, proven: number) {
  const extent =
    proven === 0 ? 'proves no packet byte' : `proves packet ${bytesText(0, proven - 1)} only`;
  return branchPlace(c, check.pc, `${extent}: ${check.text}${sizeofNote(c, check)}`);
}

/** `sizeof(p)` in a comparison, where `p` is the pointer that is read through. */
function sizeofPointer(c: Case, check: Check | undefined): string | undefined {
  const line = check === undefined ? undefined : lineOf(c, check.pc);
  const found = /sizeof\s*\(?\s*(\w+)\s*\)?/.exec(line?.text ?? '');
  const base = baseVariable(expressionOf(c) ?? '');
  return found !== null && found[1] === base ? base : undefined;
}

const sizeofNote = (c: Case, check: Check): string => {
  const pointer = sizeofPointer(c, check);
  return pointer === undefined ? '' : `; sizeof(${pointer}) is the size of a pointer, 8 bytes`;
};

const sizeofHint = (c: Case, check: Check | undefined): string => {
  const pointer = sizeofPointer(c, check);
  return pointer === undefined ? '' : `write sizeof(*${pointer}), or `;
};

/** The number that was added to a pointer last, as a register of an earlier step. */
interface Varying {
  readonly step: Step;
  readonly register: number;
}

export function varyingPart(c: Case, register: number): Varying | undefined {
  const { steps } = lineageOf(c.history, c.history.last, register);
  for (const step of steps) {
    const state = c.history.state(step.index);
    if (step.operand === undefined || state === undefined) continue;
    const operand = state.register(step.operand);
    if (isPointer(state.kind(operand))) continue;
    if (domain.isConstant(state.words, operand + L.NUMBER)) continue;
    return { step, register: step.operand };
  }
  return undefined;
}

/** An index into something: its name, range, scale and the checks that it went through. */
interface Index {
  readonly name: string;
  readonly range: string;
  readonly checks: readonly Check[];
  readonly most: number;
  readonly least: number;
  readonly scale: number;
}

export function indexOfAccess(c: Case, varying: Varying | undefined): Index | undefined {
  if (varying === undefined) return undefined;
  const { step, register } = varying;
  const state = c.history.state(step.index)!;
  const { steps, origin } = lineageOf(c.history, step.index, register);
  const scaled = steps.find((other) => isScaling(c, other));
  const at = scaled?.index ?? step.index;
  const before = c.history.state(at) ?? state;
  const from = before.register(scaled === undefined ? register : c.history.instruction(at).dst);
  const number = from + L.NUMBER;
  const expression = expressionOf(c);
  const name =
    (expression === undefined ? undefined : indexOf(expression)) ??
    numberName(c, register, step.index) ??
    `r${register}`;
  return {
    name,
    range: numberText(before.words, number),
    checks: checksOf(c, origin),
    most: domain.signedMax(before.words, number),
    least: domain.signedMin(before.words, number),
    scale: scaled === undefined ? 1 : 1 << c.history.instruction(at).imm,
  };
}

function isScaling(c: Case, step: Step): boolean {
  const row = c.history.row(step.index);
  const { imm } = c.history.instruction(step.index);
  return row.operation === 'lsh' && row.source === 'imm' && imm > 0 && imm < 16;
}

const REGION_NAMES: Readonly<Record<string, (c: Case) => string>> = {
  'map-value-out-of-bounds': (c) => `the value of map '${c.failure.values.map}'`,
  'memory-out-of-bounds': () => 'the memory',
};

/** Reads and writes of regions whose size is known. */
export function explainExtent(c: Case): Explanation {
  const { values, code } = c.failure;
  const register = c.failure.registers?.[0] ?? 0;
  const whole = REGION_NAMES[code]?.(c) ?? 'the region';
  const extent = Number(values.extent);
  const low = Number(values.low);
  const high = Number(values.high);
  const index = indexOfAccess(c, varyingPart(c, register));
  const text = expressionOf(c);
  const what = text === undefined ? `the ${values.verb}` : `'${text}'`;
  const has = `${whole} has ${extent} bytes, 0..${extent - 1}`;
  const label = `${verbed(values.verb)} within bytes ${rangeText(low, high)}`;
  if (index === undefined) {
    return {
      message: `${what} lies outside: it touches ${bytesText(low, high)}, ${has}`,
      label: `${verbed(values.verb)} ${bytesText(low, high)}`,
    };
  }
  const size = Number(values.size);
  const most = Math.floor((extent - size - (low - index.least * index.scale)) / index.scale);
  const end = high >= extent ? `${index.name} = ${index.most}` : `${index.name} = ${index.least}`;
  const isNear = Number.isSafeInteger(index.most) && Number.isSafeInteger(index.least);
  const example = isNear ? `; with ${end} it touches byte ${high >= extent ? high : low}` : '';
  return {
    message: `${what} may lie outside ${whole}: ${index.name} is ${index.range}, but ${has}${example}`,
    label,
    secondary: index.checks
      .slice(0, 2)
      .map((check) => branchPlace(c, check.pc, `proves ${check.text}`)),
    help: `${index.name} must be at most ${most}: ${comparison(c, index, most)}`,
    notes: [{ name: index.name, proven: index.range, needed: `0..${most}` }],
  };
}

/** How to write the comparison, as near to the one that is there as can be. */
function comparison(c: Case, index: Index, most: number): string {
  const upper = index.checks.find(({ operator }) => operator === '<=' || operator === '<');
  const line = upper === undefined ? undefined : lineOf(c, upper.pc);
  if (line !== undefined && upper !== undefined) {
    const { from, to } = expressionAt(line.text, line.column);
    const written = / > (\w+)/.exec(line.text.slice(from)) ?? / > (\w+)/.exec(line.text);
    if (written !== null && to > from && index.most === most + 1) {
      return `write >= in place of > on line ${line.line}`;
    }
  }
  return `if (${index.name} > ${most}) ${returnText(c)}`;
}

export function explainNegative(c: Case): Explanation {
  const register = c.failure.registers?.[0] ?? 0;
  const index = indexOfAccess(c, varyingPart(c, register));
  if (index === undefined) return {};
  return {
    message: `the access may begin before the ${c.failure.values.kind}: ${index.name} is ${index.range}`,
    label: `${index.name} may be negative here`,
    secondary: index.checks
      .slice(0, 2)
      .map((check) => branchPlace(c, check.pc, `proves ${check.text}`)),
    help: `make ${index.name} unsigned, or check that it is not negative: if (${index.name} < 0) ${returnText(c)}`,
    notes: [{ name: index.name, proven: index.range, needed: 'at least 0' }],
  };
}

export function explainMisaligned(c: Case): Explanation {
  const { values } = c.failure;
  const verb = c.history.row(c.history.last).kind === 'store' ? 'writes' : 'reads';
  return { label: `${verb} ${values.size} bytes at ${values.offset}` };
}

export function explainNotPointer(c: Case): Explanation {
  const register = c.failure.registers?.[0] ?? 0;
  const name = pointerText(c, register);
  const { words } = c.walk.state;
  const range = numberText(words, c.walk.state.register(register) + L.NUMBER);
  return {
    message: `${name} is a number (${range}), not a pointer: it cannot be dereferenced`,
    label: 'takes the number for an address',
  };
}
