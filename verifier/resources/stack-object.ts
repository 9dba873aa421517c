/**
 * Objects that kernel functions keep on the program's stack: dynptrs, iterators, saved interrupt
 * states. Their slots hold addresses of the kernel, so the program may not write them itself.
 *
 * Every slot of an object has the type of the object in all its bytes. Its value, of kind DYNPTR
 * whatever the object, says the rest: EXTENT which slot of the object it is (0: the lowest
 * address), TARGET and DETAIL what the object's rules keep there, REFERENCE what it holds.
 */

import * as domain from '../domain/index.ts';
import type { Walk } from '../explore/walk.ts';
import { DYNPTR, STACK } from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import type { MachineState } from '../state/machine.ts';
import { byteType, setBytes, slotIndex, slotsFor } from '../state/stack.ts';

/** A place on some frame's stack, aligned to slots. */
export interface Place {
  readonly frame: number;
  /** Offset of the lowest byte from the frame pointer. */
  readonly offset: number;
  readonly slots: number;
}

/** Where the pointer points, if an object of so many bytes can lie there. */
export function placeAt(walk: Walk, value: number, sizeBytes: number): Place | undefined {
  const { state } = walk;
  const { words } = state;
  if (state.kind(value) !== STACK || !domain.isConstant(words, value + L.NUMBER)) return undefined;
  const offset = words[value + L.OFFSET]! + domain.signedMin(words, value + L.NUMBER);
  const inside = offset >= -walk.subject.profile.stackBytes && offset + sizeBytes <= 0;
  if (!inside || (offset & 7) !== 0) return undefined;
  return { frame: words[value + L.TARGET]!, offset, slots: sizeBytes / L.SLOT_BYTES };
}

/** Value of the object's first slot; -1 where no object of the type begins. */
export function objectAt(state: MachineState, place: Place, type: number): number {
  for (let part = 0; part < place.slots; part++) {
    const offset = place.offset + part * L.SLOT_BYTES;
    if (byteType(state, place.frame, offset) !== type) return -1;
    const value = state.slot(place.frame, slotIndex(offset)) + L.SLOT_VALUE;
    if (state.words[value + L.EXTENT] !== part) return -1;
  }
  return state.slot(place.frame, slotIndex(place.offset)) + L.SLOT_VALUE;
}

/** Whether an object may be made there: nothing lies there but dynptrs that hold nothing. */
export function isFree(state: MachineState, place: Place): boolean {
  for (let part = 0; part < place.slots; part++) {
    const at = place.offset + part * L.SLOT_BYTES;
    const type = byteType(state, place.frame, at);
    if (type > L.BYTE_DYNPTR || isHeld(state, place.frame, at)) return false;
  }
  return true;
}

/** Whether the byte belongs to a dynptr that holds a ring-buffer record. */
export function isHeld(state: MachineState, frame: number, at: number): boolean {
  if (byteType(state, frame, at) !== L.BYTE_DYNPTR) return false;
  const value = state.slot(frame, slotIndex(at)) + L.SLOT_VALUE;
  return state.words[value + L.REFERENCE] !== 0;
}

/** Makes an object there and returns the value of its first slot. The frame is grown as needed. */
export function createObject(walk: Walk, place: Place, type: number): number {
  const { state, subject, recorder } = walk;
  const { frame, offset, slots } = place;
  const end = offset + slots * L.SLOT_BYTES;
  state.growStack(frame, slotsFor(offset));
  const owner = subject.cfg.functionOf[state.words[state.frameRow(frame) + L.FRAME_ENTRY]!]!;
  recorder.stack(owner, offset);
  recorder.indirect(owner, offset, end);
  setBytes(state, frame, offset, end - offset, type);
  for (let part = 0; part < slots; part++) {
    const value = state.slot(frame, slotIndex(offset) - part) + L.SLOT_VALUE;
    state.setPointer(value, DYNPTR, 0);
    state.words[value + L.EXTENT] = part;
  }
  return state.slot(frame, slotIndex(offset)) + L.SLOT_VALUE;
}

/** The object is gone: what its bytes hold, nobody says. */
export function destroyObject(state: MachineState, place: Place): void {
  const { frame, offset, slots } = place;
  for (let part = 0; part < slots; part++) {
    const slot = state.slot(frame, slotIndex(offset) - part);
    state.words[slot] = L.allBytes(L.BYTE_INVALID);
    state.setUninitialised(slot + L.SLOT_VALUE);
  }
}

/** Calls `visit` with the place and first value of every object of the type, of every frame. */
export function forEachObject(
  state: MachineState,
  type: number,
  visit: (value: number, frame: number, offset: number) => void,
): void {
  for (let frame = 0; frame < state.frameCount; frame++) {
    for (let index = state.slots(frame) - 1; index >= 0; index--) {
      const slot = state.slot(frame, index);
      if ((state.words[slot]! & 0xf) !== type) continue;
      const value = slot + L.SLOT_VALUE;
      if (state.words[value + L.EXTENT] === 0) visit(value, frame, -(index + 1) * L.SLOT_BYTES);
    }
  }
}
