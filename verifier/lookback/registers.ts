/** Which registers an instruction reads, calls by their contracts. */

import { readMask } from '../../isa/index.ts';
import type { Walk } from '../explore/walk.ts';
import * as kinds from '../state/kinds.ts';

const CALLEE_ARGUMENTS = [1, 2, 3, 4, 5];

export function readRegisters(walk: Walk, pc: number): number[] {
  const { subject, state } = walk;
  const row = subject.rows[pc]!;
  const mask = readMask(subject.instructions[pc]!);
  const callee = subject.helperAt.get(pc) ?? subject.kfuncAt.get(pc);
  const given = callee?.arguments.length ?? CALLEE_ARGUMENTS.length;
  const read = row.kind === 'call' ? CALLEE_ARGUMENTS.slice(0, given) : registersIn(mask);
  return read.filter((register) => FOLLOWED.has(state.kind(state.register(register))));
}

const registersIn = (mask: number): number[] =>
  Array.from({ length: 10 }, (_, register) => register).filter((r) => ((mask >> r) & 1) !== 0);

/** Kinds whose number, or variable offset, decides something. */
const FOLLOWED: ReadonlySet<number> = new Set([
  kinds.SCALAR,
  kinds.STACK,
  kinds.PACKET,
  kinds.MAP_VALUE,
  kinds.MAP_KEY,
  kinds.MEMORY,
  kinds.BTF_OBJECT,
  kinds.ALLOCATED,
  kinds.ARENA,
]);
