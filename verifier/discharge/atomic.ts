/**
 * Operands of atomic operations. They end in memory as numbers, so pointers are leaked by them; and
 * what memory held goes into a register, which may be the one that holds the address.
 */

import type { Instruction, Row } from '../../isa/index.ts';
import type { Failure } from '../diagnose/failure.ts';
import type { Walk } from '../explore/walk.ts';
import * as kinds from '../state/kinds.ts';

/** The register that gets what memory held, or -1. */
export function fetchedInto(insn: Instruction, row: Row): number {
  if (row.operation === 'cmpxchg') return 0;
  return row.src === 'update' ? insn.src : -1;
}

/**
 * An operand is a number; with full privilege, a pointer too, unless it is at once the address and
 * the place of the result: Linux then looks for the address where the result is already.
 */
export function checkOperand(walk: Walk, pc: number, register: number): Failure | null {
  const { state, subject } = walk;
  const kind = state.kind(state.register(register));
  if (!kinds.isPointer(kind)) return null;
  const insn = subject.instructions[pc]!;
  const isAddress = register === insn.dst;
  if (isAddress && fetchedInto(insn, subject.rows[pc]!) === register) {
    const values = { register: `r${register}`, R: `R${register}` };
    return { code: 'not-a-pointer', pc, values, registers: [register] };
  }
  if (subject.mayLeakPointers) return null;
  const values = { kind: kinds.KINDS[kind]!.name, where: 'into mem', R: `R${register}` };
  return { code: 'pointer-leak', pc, values, registers: [register] };
}
