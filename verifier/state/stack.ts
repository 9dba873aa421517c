/**
 * The stack of a frame, byte by byte. Each slot of eight bytes has a type per byte and, where the
 * lowest bytes were stored from one register, the abstract value of that register. Compilers spill
 * whole registers, zero structures in odd sizes, and read narrower than they wrote; so a slot
 * remembers a value as long as nothing overwrote any of its bytes, and bytes otherwise.
 *
 * Concretisation: a byte of type ZERO is 0; MISC is any byte; INVALID is any byte that the program
 * did not write (engines clear frames where a program may read those); the SPILL bytes of a slot,
 * always its n lowest, are the little-endian low bytes of some member of the slot's value.
 *
 * A frame may be a caller's: pointers into it are passed down, and both see one copy.
 */

import * as domain from '../domain/index.ts';
import { SCALAR } from './kinds.ts';
import * as L from './layout.ts';
import type { MachineState } from './machine.ts';

/** Index of the slot that holds the byte at `offset` (negative) from the frame pointer. */
export const slotIndex = (offset: number): number => (-offset - 1) >> 3;
/** Slots a frame needs so that the byte at `offset` exists. */
export const slotsFor = (offset: number): number => slotIndex(offset) + 1;
const byteShift = (offset: number): number => (offset & 7) * 4;

export function byteType(state: MachineState, frame: number, offset: number): number {
  const index = slotIndex(offset);
  if (index >= state.slots(frame)) return L.BYTE_INVALID;
  return (state.words[state.slot(frame, index)]! >>> byteShift(offset)) & 0xf;
}

/** Number of low bytes that hold the slot's value; 0: none. */
export function spilledBytes(types: number): number {
  let count = 0;
  while (count < 8 && ((types >>> (count * 4)) & 0xf) === L.BYTE_SPILL) count++;
  return count;
}

/** Whether the slot of the byte at `offset` holds a pointer. */
export function holdsPointer(state: MachineState, frame: number, offset: number): boolean {
  if (byteType(state, frame, offset) !== L.BYTE_SPILL) return false;
  return state.kind(state.slot(frame, slotIndex(offset)) + L.SLOT_VALUE) !== SCALAR;
}

/** Forgets the slot's value: its bytes stay initialised, with anything. */
export function scrubSlot(state: MachineState, slot: number): void {
  const types = state.words[slot]!;
  let scrubbed = types;
  for (let shift = 0; shift < 32; shift += 4) {
    if (((types >>> shift) & 0xf) !== L.BYTE_SPILL) continue;
    scrubbed = (scrubbed & ~(0xf << shift)) | (L.BYTE_MISC << shift);
  }
  if (scrubbed === types) return;
  state.words[slot] = scrubbed;
  state.setUninitialised(slot + L.SLOT_VALUE);
}

/** Bytes [offset, offset + size) become `type`, which is not SPILL. The frame is large enough. */
export function setBytes(
  state: MachineState,
  frame: number,
  offset: number,
  size: number,
  type: number,
): void {
  for (let at = offset; at < offset + size; at++) {
    const slot = state.slot(frame, slotIndex(at));
    scrubSlot(state, slot);
    const shift = byteShift(at);
    state.words[slot] = (state.words[slot]! & ~(0xf << shift)) | (type << shift);
    state.words[slot + L.SLOT_USE]! |= 1 << (at & 7);
  }
}

/**
 * Stores the value at `value` (8 bytes of anything, fewer of a scalar) at a slot's lowest byte.
 * The rest of the slot keeps what it held, except that an older value is forgotten.
 */
export function spill(
  state: MachineState,
  frame: number,
  offset: number,
  size: number,
  value: number,
): void {
  const slot = state.slot(frame, slotIndex(offset));
  scrubSlot(state, slot);
  const mask = size === 8 ? -1 : (1 << (size * 4)) - 1;
  state.words[slot] = (state.words[slot]! & ~mask) | (L.SLOT_SPILLED & mask);
  state.words[slot + L.SLOT_USE]! |= (1 << size) - 1;
  const kept = slot + L.SLOT_VALUE;
  state.copyValue(kept, value);
  if (size === 8 || state.kind(value) !== SCALAR) return;
  if (domain.significantBits(state.words, kept + L.NUMBER) > size * 8) {
    state.clearPointer(kept);
    domain.shrinkToBytes(state.words, kept + L.NUMBER, size);
  }
}

/** What a read of [offset, offset + size) finds; the first that applies. */
export const READ_INVALID = 0;
export const READ_SPECIAL = 1;
/** All bytes are the low bytes of the slot's value, or bytes of its zero. */
export const READ_VALUE = 2;
/** Some, but not all or not the lowest, bytes of a spilled pointer. */
export const READ_PART_OF_POINTER = 3;
export const READ_ZERO = 4;
export const READ_ANYTHING = 5;

export function classifyRead(
  state: MachineState,
  frame: number,
  offset: number,
  size: number,
): number {
  let zero = true;
  let pointer = false;
  let invalid = false;
  for (let at = offset; at < offset + size; at++) {
    const type = byteType(state, frame, at);
    if (type > L.BYTE_SPILL) return READ_SPECIAL;
    if (type === L.BYTE_INVALID) invalid = true;
    if (type !== L.BYTE_ZERO) zero = false;
    if (type === L.BYTE_SPILL) {
      const value = state.slot(frame, slotIndex(at)) + L.SLOT_VALUE;
      pointer ||= state.kind(value) !== SCALAR;
    }
  }
  if (isValueRead(state, frame, offset, size, pointer)) return READ_VALUE;
  if (invalid) return READ_INVALID;
  if (pointer) return READ_PART_OF_POINTER;
  return zero ? READ_ZERO : READ_ANYTHING;
}

function isValueRead(
  state: MachineState,
  frame: number,
  offset: number,
  size: number,
  pointer: boolean,
): boolean {
  if (slotIndex(offset) >= state.slots(frame)) return false;
  const slot = state.slot(frame, slotIndex(offset));
  const spilled = spilledBytes(state.words[slot]!);
  if (pointer) return spilled === 8 && size === 8 && (offset & 7) === 0;
  if ((offset & 7) + size > spilled) return false;
  // Any bytes of a zero are its lowest ones.
  return (offset & 7) === 0 || holdsZero(state, slot);
}

/**
 * Puts what a read of [offset, offset + size) yields, zero-extended, into the value at `to`.
 * Returns the slot whose value it is, or -1.
 */
export function fill(
  state: MachineState,
  frame: number,
  offset: number,
  size: number,
  to: number,
): number {
  const found = classifyRead(state, frame, offset, size);
  if (found === READ_VALUE) {
    const index = slotIndex(offset);
    const value = state.slot(frame, index) + L.SLOT_VALUE;
    state.copyValue(to, value);
    if (size < 8 && domain.significantBits(state.words, to + L.NUMBER) > size * 8) {
      state.clearPointer(to);
      domain.shrinkToBytes(state.words, to + L.NUMBER, size);
    }
    return index;
  }
  if (found === READ_ZERO) state.setConstant(to, 0, 0);
  else {
    state.clearPointer(to);
    domain.setBytes(state.words, to + L.NUMBER, size);
  }
  return -1;
}

/** The slot's value is the number 0. */
const holdsZero = (state: MachineState, slot: number): boolean =>
  state.kind(slot + L.SLOT_VALUE) === SCALAR &&
  domain.isConstantOf(state.words, slot + L.SLOT_VALUE + L.NUMBER, 0, 0);

/**
 * A write somewhere in [low, high): every byte may keep what it had or change. A byte never written
 * stays INVALID, since the write need not have hit it, unless reads of such bytes are allowed
 * anyway. Where zeros are `written`, a byte that is 0 already is 0 in either case. Returns whether
 * there was such a byte.
 */
export function clobber(
  state: MachineState,
  frame: number,
  low: number,
  high: number,
  uninitialised: 'stays' | 'becomes-misc',
  written: 'anything' | 'zeros',
): boolean {
  let kept = false;
  for (let at = low; at < high; at++) {
    const slot = state.slot(frame, slotIndex(at));
    const shift = byteShift(at);
    const type = (state.words[slot]! >>> shift) & 0xf;
    const isZero = type === L.BYTE_ZERO || (type === L.BYTE_SPILL && holdsZero(state, slot));
    if (isZero && written === 'zeros') {
      kept = true;
      continue;
    }
    scrubSlot(state, slot);
    if (type === L.BYTE_INVALID && uninitialised === 'stays') continue;
    state.words[slot] = (state.words[slot]! & ~(0xf << shift)) | (L.BYTE_MISC << shift);
  }
  return kept;
}
