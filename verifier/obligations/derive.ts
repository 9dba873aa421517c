/**
 * Which obligations each kind of instruction has. What the instruction's own fields decide is decided
 * here: r10 is always initialised, and any other register may be changed.
 */

import { type Instruction, REGISTER_COUNT, type Row } from '../../isa/index.ts';
import type { Contract } from '../contract.ts';
import {
  type AccessRequest,
  type AccessVerb,
  type Obligation,
  type Rule,
  UNUSED,
} from './obligation.ts';

const FRAME_POINTER = 10;

function owe(rule: Rule, details: Partial<Omit<Obligation, 'rule'>> = {}): Obligation {
  const { register, request, callee, index } = { ...UNUSED, ...details };
  return Object.freeze({ rule, register, request, callee, index });
}

const CALL: readonly Obligation[] = [owe('call')];
const EXIT: readonly Obligation[] = [owe('exit')];
const ARITHMETIC: readonly Obligation[] = [owe('arithmetic')];
const COMPARISON: readonly Obligation[] = [owe('comparison')];
const LEGACY: readonly Obligation[] = [owe('legacy-packet-load')];

/** One row per register, made once. */
const perRegister = (rule: Rule, isOwed: (register: number) => boolean) =>
  Array.from({ length: REGISTER_COUNT }, (_, register): readonly Obligation[] =>
    isOwed(register) ? [owe(rule, { register })] : [],
  );
const INITIALISED = perRegister('initialised', (register) => register !== FRAME_POINTER);
const CHANGEABLE = perRegister('changeable', (register) => register === FRAME_POINTER);
const NUMBER = perRegister('number', () => true);

const initialised = (register: number): readonly Obligation[] => INITIALISED[register]!;
const changeable = (register: number): readonly Obligation[] => CHANGEABLE[register]!;
const number = (register: number): readonly Obligation[] => NUMBER[register]!;
const access = (request: AccessRequest) => owe('access', { request });

export function obligationsOf(
  pc: number,
  insn: Instruction,
  row: Row,
  callee: Contract | undefined,
): readonly Obligation[] {
  switch (row.kind) {
    case 'alu':
    case 'cast':
      return [...operands(insn, row), ...changeable(insn.dst), ...ARITHMETIC];
    case 'load':
      return [
        ...initialised(insn.src),
        ...changeable(insn.dst),
        access(request(pc, insn.src, insn, row, 'read', 'instruction')),
      ];
    case 'store':
      return storeObligations(pc, insn, row);
    case 'atomic':
      return atomicObligations(pc, insn, row);
    case 'jump':
      return [...operands(insn, row), ...COMPARISON];
    case 'call':
      return callObligations(insn, row, callee);
    case 'exit':
      return EXIT;
    case 'constant':
      return changeable(insn.dst);
    case 'packet':
      return row.src === 'read' ? [...initialised(insn.src), ...LEGACY] : LEGACY;
    case 'goto':
    case 'may_goto':
    case 'continuation':
      return [];
    default:
      return row.kind satisfies never;
  }
}

const OF_NUMBERS_BY_CONSTANT: ReadonlySet<string> = new Set([
  ...['div', 'sdiv', 'mod', 'smod'],
  ...['lsh', 'rsh', 'arsh'],
]);

/**
 * Arithmetic and comparisons owe nothing when their operands are numbers: then the mask of those
 * registers. Otherwise -1: constants that divide or shift must be looked at, as must r10, a pointer.
 */
export function numbersSuffice(insn: Instruction, row: Row): number {
  if (row.kind !== 'alu' && row.kind !== 'jump') return -1;
  if (insn.dst === FRAME_POINTER || (row.source === 'reg' && insn.src === FRAME_POINTER)) return -1;
  const isSmall = insn.imm > 0 && insn.imm < row.width;
  if (row.source === 'imm' && OF_NUMBERS_BY_CONSTANT.has(row.operation) && !isSmall) return -1;
  return operands(insn, row).reduce((mask, { register }) => mask | (1 << register), 0);
}

/** The operands that the instruction reads, source first as Linux does. */
function operands(insn: Instruction, row: Row): Obligation[] {
  const owed: Obligation[] = [];
  if (row.src === 'read') owed.push(...initialised(insn.src));
  if (row.dst === 'read' || row.dst === 'update') owed.push(...initialised(insn.dst));
  return owed;
}

function request(
  pc: number,
  register: number,
  insn: Instruction,
  row: Row,
  verb: AccessVerb,
  by: AccessRequest['by'],
): AccessRequest {
  return { pc, register, offset: insn.off, size: row.sizeBytes, verb, by };
}

function storeObligations(pc: number, insn: Instruction, row: Row): Obligation[] {
  const write = request(pc, insn.dst, insn, row, 'write', 'instruction');
  const owed: Obligation[] = [...operands(insn, row), access(write)];
  if (row.source === 'reg') owed.push(owe('storable', { register: insn.src, request: write }));
  return owed;
}

function atomicObligations(pc: number, insn: Instruction, row: Row): Obligation[] {
  if (row.operation === 'load_acquire') {
    const read = request(pc, insn.src, insn, row, 'read', 'atomic');
    return [...initialised(insn.src), ...changeable(insn.dst), access(read)];
  }
  const write = request(pc, insn.dst, insn, row, 'write', 'atomic');
  const owed: Obligation[] = [...initialised(insn.src), ...initialised(insn.dst)];
  if (row.operation === 'store_release') {
    owed.push(access(write), owe('storable', { register: insn.src, request: write }));
    return owed;
  }
  if (row.operation === 'cmpxchg') owed.push(...initialised(0), ...number(0));
  if (row.src === 'update') owed.push(...changeable(insn.src));
  const read = request(pc, insn.dst, insn, row, 'read', 'atomic');
  owed.push(...number(insn.src), access(read), access(write));
  return owed;
}

function callObligations(
  insn: Instruction,
  row: Row,
  callee: Contract | undefined,
): readonly Obligation[] {
  if (row.operation === 'register') return [...initialised(insn.dst), ...CALL];
  if (callee === undefined) return CALL;
  const owed: Obligation[] = [];
  callee.arguments.forEach((argument, index) => {
    if (argument.kind === 'ignored') return;
    // What a format does not use is passed by chance, and looked at by nobody.
    if (index >= (callee.variadicFrom ?? callee.arguments.length)) return;
    owed.push(...initialised(index + 1), owe('argument', { callee, index }));
  });
  owed.push(...CALL);
  return owed;
}
