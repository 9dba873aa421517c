/** Which obligations each kind of instruction has. */

import type { Instruction, Row } from '../../isa/index.ts';
import type { Contract } from '../contract.ts';
import type { AccessRequest, AccessVerb, Obligation } from './obligation.ts';

const CALL: Obligation = { rule: 'call' };
const EXIT: Obligation = { rule: 'exit' };
const ARITHMETIC: Obligation = { rule: 'arithmetic' };
const COMPARISON: Obligation = { rule: 'comparison' };
const LEGACY: Obligation = { rule: 'legacy-packet-load' };
const initialised = (register: number): Obligation => ({ rule: 'initialised', register });
const changeable = (register: number): Obligation => ({ rule: 'changeable', register });

export function obligationsOf(
  pc: number,
  insn: Instruction,
  row: Row,
  callee: Contract | undefined,
): readonly Obligation[] {
  switch (row.kind) {
    case 'alu':
    case 'cast':
      return [...operands(insn, row), changeable(insn.dst), ARITHMETIC];
    case 'load':
      return [
        initialised(insn.src),
        changeable(insn.dst),
        { rule: 'access', request: request(pc, insn.src, insn, row, 'read', 'instruction') },
      ];
    case 'store':
      return storeObligations(pc, insn, row);
    case 'atomic':
      return atomicObligations(pc, insn, row);
    case 'jump':
      return [...operands(insn, row), COMPARISON];
    case 'call':
      return callObligations(insn, row, callee);
    case 'exit':
      return [EXIT];
    case 'constant':
      return [changeable(insn.dst)];
    case 'packet':
      return row.src === 'read' ? [initialised(insn.src), LEGACY] : [LEGACY];
    case 'goto':
    case 'may_goto':
    case 'continuation':
      return [];
    default:
      return row.kind satisfies never;
  }
}

/** The operands that the instruction reads, source first as Linux does. */
function operands(insn: Instruction, row: Row): Obligation[] {
  const owed: Obligation[] = [];
  if (row.src === 'read') owed.push(initialised(insn.src));
  if (row.dst === 'read' || row.dst === 'update') owed.push(initialised(insn.dst));
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
  const access = request(pc, insn.dst, insn, row, 'write', 'instruction');
  const owed: Obligation[] = [...operands(insn, row), { rule: 'access', request: access }];
  if (row.source === 'reg') {
    owed.push({ rule: 'storable', register: insn.src, request: access });
  }
  return owed;
}

function atomicObligations(pc: number, insn: Instruction, row: Row): Obligation[] {
  if (row.operation === 'load_acquire') {
    const access = request(pc, insn.src, insn, row, 'read', 'atomic');
    return [initialised(insn.src), changeable(insn.dst), { rule: 'access', request: access }];
  }
  const write = request(pc, insn.dst, insn, row, 'write', 'atomic');
  const owed: Obligation[] = [initialised(insn.src), initialised(insn.dst)];
  if (row.operation === 'store_release') {
    owed.push({ rule: 'access', request: write });
    owed.push({ rule: 'storable', register: insn.src, request: write });
    return owed;
  }
  if (row.operation === 'cmpxchg') owed.push(initialised(0), { rule: 'number', register: 0 });
  if (row.src === 'update') owed.push(changeable(insn.src));
  const read = request(pc, insn.dst, insn, row, 'read', 'atomic');
  owed.push({ rule: 'number', register: insn.src });
  owed.push({ rule: 'access', request: read }, { rule: 'access', request: write });
  return owed;
}

function callObligations(
  insn: Instruction,
  row: Row,
  callee: Contract | undefined,
): readonly Obligation[] {
  if (row.operation === 'register') return [initialised(insn.dst), CALL];
  if (callee === undefined) return [CALL];
  const owed: Obligation[] = [];
  callee.arguments.forEach((argument, index) => {
    if (argument.kind === 'ignored') return;
    // What a format does not use is passed by chance, and looked at by nobody.
    if (index >= (callee.variadicFrom ?? callee.arguments.length)) return;
    owed.push(initialised(index + 1), { rule: 'argument', callee, index });
  });
  owed.push(CALL);
  return owed;
}
