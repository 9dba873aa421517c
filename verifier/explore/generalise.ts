/**
 * From two states at the head of a loop, one that covers both and is likely to cover all passes:
 * numbers that differ are widened, constant offsets that differ become a varying part, and what
 * cannot be described by one value becomes one that nothing may read. Each of these only enlarges
 * the set of concrete states, so the result covers `known`; that it covers a later pass is checked
 * by comparing, not assumed.
 */

import * as domain from '../domain/index.ts';
import { isPacketKind, SCALAR, UNINITIALISED } from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import type { MachineState } from '../state/machine.ts';
import { spilledBytes } from '../state/stack.ts';

/** `step`: to the next threshold. `all`: at once to any number, for what keeps changing. */
export type Generality = { readonly thresholds: domain.Thresholds; readonly by: 'step' | 'all' };

/** Room for the later value while it is joined into the state. */
const LATER = L.SCRATCH_2;

/** Enlarges `known` towards `later`; false when the two have no common shape. */
export function generaliseState(
  known: MachineState,
  later: MachineState,
  how: Generality,
): boolean {
  if (known.frameCount !== later.frameCount) return false;
  for (let frame = 0; frame < known.frameCount; frame++) {
    for (let r = 0; r < L.FRAME_POINTER; r++) {
      generaliseValue(known, known.registerOf(frame, r), later, later.registerOf(frame, r), how);
    }
    for (let index = 0; index < known.slots(frame); index++) {
      if (!generaliseSlot(known, later, frame, index, how)) return false;
    }
  }
  return true;
}

function generaliseValue(
  known: MachineState,
  a: number,
  later: MachineState,
  b: number,
  how: Generality,
): void {
  const v = known.words;
  const w = later.words;
  if (v[a + L.KIND] === UNINITIALISED) return;
  v[a + L.FLAGS]! &= ~L.FLAG_PRECISE;
  if (v[a + L.KIND] !== w[b + L.KIND]) known.setUninitialised(a);
  else if (v[a + L.KIND] === SCALAR) {
    if (v[a + L.ID] !== w[b + L.ID]) v[a + L.ID] = 0;
    generaliseNumber(known, a, later, b, 0, how);
  } else generalisePointer(known, a, later, b, how);
}

/** The later number is `b`'s plus `distance`. */
function generaliseNumber(
  known: MachineState,
  a: number,
  later: MachineState,
  b: number,
  distance: number,
  how: Generality,
): void {
  const v = known.words;
  domain.copy(later.words, b + L.NUMBER, v, LATER);
  if (distance !== 0) {
    domain.setConstant(v, L.SCRATCH, distance, distance >> 31);
    domain.alu('add', 64, v, LATER, LATER, L.SCRATCH);
  }
  if (domain.includes(v, a + L.NUMBER, v, LATER)) return;
  v[a + L.ID] = v[a + L.KIND] === SCALAR ? 0 : v[a + L.ID]!;
  if (how.by === 'all') domain.setUnknown(v, a + L.NUMBER);
  else domain.generalise(v, a + L.NUMBER, a + L.NUMBER, LATER, how.thresholds);
}

function generalisePointer(
  known: MachineState,
  a: number,
  later: MachineState,
  b: number,
  how: Generality,
): void {
  const v = known.words;
  const w = later.words;
  const isPacket = isPacketKind(v[a + L.KIND]!);
  const distance = w[b + L.OFFSET]! - v[a + L.OFFSET]!;
  const moved = distance !== 0 || !domain.equals(v, a + L.NUMBER, w, b + L.NUMBER);
  if (
    v[a + L.FLAGS] !== (w[b + L.FLAGS]! & ~L.FLAG_PRECISE) ||
    v[a + L.TARGET] !== w[b + L.TARGET] ||
    v[a + L.DETAIL] !== w[b + L.DETAIL] ||
    (isPacket ? moved : v[a + L.EXTENT] !== w[b + L.EXTENT])
  ) {
    known.setUninitialised(a);
    return;
  }
  if (isPacket) v[a + L.EXTENT] = Math.min(v[a + L.EXTENT]!, w[b + L.EXTENT]!);
  else if (moved) generaliseNumber(known, a, later, b, distance, how);
}

/** False for objects on the stack that changed: those have states of their own. */
function generaliseSlot(
  known: MachineState,
  later: MachineState,
  frame: number,
  index: number,
  how: Generality,
): boolean {
  const a = known.slot(frame, index);
  const b = index < later.slots(frame) ? later.slot(frame, index) : -1;
  const types = known.words[a]!;
  const found = b < 0 ? 0 : later.words[b]!;
  const spilled = spilledBytes(types);
  if (types === found) {
    if (spilled === 0) return true;
    generaliseValue(known, a + L.SLOT_VALUE, later, b + L.SLOT_VALUE, how);
    if (known.kind(a + L.SLOT_VALUE) === UNINITIALISED) known.words[a] = 0;
    return true;
  }
  if (hasObject(types) || hasObject(found)) return false;
  let common = 0;
  for (let shift = 0; shift < 32; shift += 4) {
    const type = (types >>> shift) & 0xf;
    if (type === ((found >>> shift) & 0xf) && type !== L.BYTE_SPILL) common |= type << shift;
  }
  known.setUninitialised(a + L.SLOT_VALUE);
  known.words[a] = common;
  return true;
}

function hasObject(types: number): boolean {
  for (let shift = 0; shift < 32; shift += 4) {
    if (((types >>> shift) & 0xf) > L.BYTE_SPILL) return true;
  }
  return false;
}
