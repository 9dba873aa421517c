/**
 * Numbers at a known distance. Compilers check a copy: `n - 1 > 31` in one register, `n` used in
 * another. Values with one id share a base: each is base + OFFSET modulo 2^64, or, where
 * FLAG_DISTANCE_32 says that the sum was made in 32 bits, modulo 2^32 with the upper half zero. What
 * a branch teaches about one of them so holds, shifted, for the others.
 *
 * Only one addition is followed, as by Linux 6.18: a second one makes the value stand alone.
 */

import type { Row } from '../../isa/index.ts';
import * as domain from '../domain/index.ts';
import { SCALAR } from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import type { MachineState } from '../state/machine.ts';

const DISTANT = L.FLAG_DISTANCE | L.FLAG_DISTANCE_32;

/** A link that outlives the instruction: the value's id, and its new distance and flags. */
export interface Link {
  readonly id: number;
  readonly distance: number;
  readonly flags: number;
}

/** What remains of the link of the number at `dst` when the row adds `operand` to it. */
export function linkAfter(
  state: MachineState,
  row: Row,
  dst: number,
  operand: number,
): Link | undefined {
  const { words } = state;
  const id = words[dst + L.ID]!;
  if (id === 0 || (words[dst + L.FLAGS]! & DISTANT) !== 0) return undefined;
  if (row.operation !== 'add' && row.operation !== 'sub') return undefined;
  const amount = constantAmount(words, row, operand);
  if (amount === undefined) return undefined;
  if (row.width === 32 && !domain.isZeroExtended(words, dst + L.NUMBER)) return undefined;
  const distance = row.operation === 'add' ? amount : -amount;
  if (distance !== (distance | 0)) return undefined;
  return { id, distance, flags: row.width === 32 ? DISTANT : L.FLAG_DISTANCE };
}

/** The constant as a signed 32-bit number, if it is one. */
function constantAmount(words: Int32Array, row: Row, operand: number): number | undefined {
  if (row.width === 32) {
    return domain.isConstantLow(words, operand) ? domain.constantLo(words, operand) : undefined;
  }
  if (!domain.isConstant(words, operand)) return undefined;
  const lo = domain.constantLo(words, operand);
  return domain.constantHi(words, operand) === lo >> 31 ? lo : undefined;
}

export function relink(state: MachineState, value: number, link: Link | undefined): void {
  if (link === undefined || domain.isConstant(state.words, value + L.NUMBER)) return;
  state.words[value + L.ID] = link.id;
  state.words[value + L.OFFSET] = link.distance;
  state.words[value + L.FLAGS]! |= link.flags;
}

/** Gives every value with the same id what is known of this one. */
export function shareNumber(state: MachineState, value: number): void {
  const { words } = state;
  const id = words[value + L.ID]!;
  if (id === 0) return;
  state.forEachValue((other) => {
    if (other === value || words[other + L.ID] !== id || words[other + L.KIND] !== SCALAR) return;
    const flags = (words[value + L.FLAGS]! | words[other + L.FLAGS]!) & DISTANT;
    if (flags === 0) domain.copy(words, value + L.NUMBER, words, other + L.NUMBER);
    else shareDistant(state, value, other, flags);
  });
}

/** other := other ∩ (value + the difference of their distances). */
function shareDistant(state: MachineState, value: number, other: number, flags: number): void {
  const { words } = state;
  const width = (flags & L.FLAG_DISTANCE_32) !== 0 ? 32 : 64;
  // Of the low half alone nothing follows for a value whose upper half is not known.
  if (width === 32 && !domain.isZeroExtended(words, other + L.NUMBER)) return;
  const difference = words[other + L.OFFSET]! - words[value + L.OFFSET]!;
  domain.setConstant(words, L.SCRATCH_2, difference | 0, Math.floor(difference / 2 ** 32));
  domain.alu('add', width, words, L.SCRATCH_2, value + L.NUMBER, L.SCRATCH_2);
  domain.meet(words, other + L.NUMBER, other + L.NUMBER, L.SCRATCH_2);
}
