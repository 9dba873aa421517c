/** Which comparisons of pointers are allowed. */

import type { Instruction, Row } from '../../isa/index.ts';
import type { Failure } from '../diagnose/failure.ts';
import type { Walk } from '../explore/walk.ts';
import * as kinds from '../state/kinds.ts';
import * as L from '../state/layout.ts';

/** Kinds of which Linux, too, knows that they are never null where they do not say that they may be. */
export const KNOWN_NOT_NULL: ReadonlySet<number> = new Set([
  kinds.SOCKET,
  kinds.SOCK_COMMON,
  kinds.TCP_SOCKET,
  kinds.MAP,
  kinds.MAP_VALUE,
  kinds.MAP_KEY,
  kinds.MEMORY,
  kinds.BTF_OBJECT,
]);

/**
 * With full privilege any two values may be compared, and nothing is learnt. Otherwise the outcome
 * would tell address bits, except against null and within a packet.
 */
export function checkComparison(
  walk: Walk,
  pc: number,
  insn: Instruction,
  row: Row,
): Failure | null {
  const { state, subject } = walk;
  const a = state.kind(state.register(insn.dst));
  const b = row.source === 'reg' ? state.kind(state.register(insn.src)) : kinds.SCALAR;
  if (!kinds.isPointer(a) && !kinds.isPointer(b)) return null;
  if (subject.mayLeakPointers) return null;
  const isNullCheck =
    row.source === 'imm' && insn.imm === 0 && (row.operation === 'eq' || row.operation === 'ne');
  if (isNullCheck && row.width === 64 && isNullQuestion(walk, insn.dst)) return null;
  if (row.width === 64 && isPacketComparison(a, b)) return null;
  const register = kinds.isPointer(a) ? insn.dst : insn.src;
  const kind = kinds.KINDS[kinds.isPointer(a) ? a : b]!.name;
  const values = { kind, R: `R${register}` };
  return { code: 'pointer-comparison', pc, values, registers: [register] };
}

/** Elsewhere null decides; Linux asks only pointers of which it knows whether they may be null. */
function isNullQuestion({ state, subject }: Walk, register: number): boolean {
  if (subject.profile.family !== 'linux') return true;
  const pointer = state.register(register);
  const nullable = (state.words[pointer + L.FLAGS]! & L.FLAG_NULLABLE) !== 0;
  return nullable || KNOWN_NOT_NULL.has(state.kind(pointer));
}

/** A packet pointer with the end, or metadata with the packet's start. */
export function isPacketComparison(a: number, b: number): boolean {
  if (a === kinds.PACKET_END) return kinds.isPacketKind(b);
  if (b === kinds.PACKET_END) return kinds.isPacketKind(a);
  return kinds.isPacketKind(a) && kinds.isPacketKind(b);
}
