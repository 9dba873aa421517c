/**
 * Which bytes of the stack may still be read. Compilers leave old spills behind, and structures that
 * were used up; a state need not be compared by those.
 *
 * It is found out by walking. A read of a byte goes up the kept states of its path, and marks the
 * byte in each as read below it, until one where it was marked before, or below which it was written
 * first. For that every state has, by slot, the bytes written since the last kept state of its path:
 * the low eight bits of SLOT_USE; a kept state those between the kept state before and itself, and
 * in the next eight bits the bytes that are read below it.
 *
 * Why that is sound: let S be left out in favour of a kept state S' that was walked to its end, and
 * let them differ in a byte that is not marked in S'. Below S' no step looks at the byte before it is
 * written; so the walk below S would take the same steps, and no obligation or transfer would see
 * the difference. A path that ended at another kept state reads what is read below that one
 * (inheritReads). Where that one was still being walked, its marks are not complete: such states are
 * compared in all bytes (Kept.inLoop). A write counts only where the bytes are certain; a write that
 * may miss leaves them as they are. Slots of objects (dynptrs and the like) are always compared,
 * since writes are checked against those, too.
 */

import * as L from '../state/layout.ts';
import type { MachineState } from '../state/machine.ts';
import { slotIndex } from '../state/stack.ts';

const READ_SHIFT = 8;
const BYTES = 0xff;

/** A state kept on the path, and the one kept before it (kept.ts). */
interface Ancestor {
  readonly state: MachineState;
  readonly parent: Ancestor | undefined;
}

/** The bytes of the slot at `slot` that are read below the kept state. */
export const readBelow = (state: MachineState, slot: number): number =>
  (state.words[slot + L.SLOT_USE]! >>> READ_SHIFT) & BYTES;

/** Bytes [low, high) of `frame` are read now; `parent` is the last kept state. */
export function noteRead(
  state: MachineState,
  parent: Ancestor | undefined,
  frame: number,
  low: number,
  high: number,
): void {
  for (let index = slotIndex(high - 1); index <= slotIndex(low); index++) {
    if (index >= state.slots(frame)) return;
    // Byte 0 of the slot lies at -8 * (index + 1).
    const start = -8 * (index + 1);
    const first = Math.max(low - start, 0);
    const last = Math.min(high - start, 8);
    markRead(state, parent, frame, index, ((1 << last) - 1) & ~((1 << first) - 1));
  }
}

function markRead(
  state: MachineState,
  parent: Ancestor | undefined,
  frame: number,
  index: number,
  bytes: number,
): void {
  let wanted = bytes & ~state.words[state.slot(frame, index) + L.SLOT_USE]!;
  // What the first kept state is called, nobody compares: it has no parent.
  for (let at = parent; at?.parent !== undefined && wanted !== 0; at = at.parent) {
    const kept = at.state;
    // The frame, or the slot, came to be below it.
    if (frame >= kept.frameCount || index >= kept.slots(frame)) return;
    const use = kept.slot(frame, index) + L.SLOT_USE;
    const known = kept.words[use]!;
    wanted &= ~(known >>> READ_SHIFT);
    kept.words[use] = known | (wanted << READ_SHIFT);
    wanted &= ~known;
  }
}

/** The current path goes on as others did from `kept`: it reads what they read. */
export function inheritReads(
  state: MachineState,
  parent: Ancestor | undefined,
  kept: Ancestor,
): void {
  const from = kept.state;
  for (let frame = 0; frame < from.frameCount; frame++) {
    const slots = Math.min(from.slots(frame), state.slots(frame));
    for (let index = 0; index < slots; index++) {
      const bytes = readBelow(from, from.slot(frame, index));
      if (bytes !== 0) markRead(state, parent, frame, index, bytes);
    }
  }
}

/** The state was just kept: nothing was written since. */
export function forgetWrites(state: MachineState): void {
  for (let frame = 0; frame < state.frameCount; frame++) {
    const slots = state.slots(frame);
    for (let index = 0; index < slots; index++) {
      state.words[state.slot(frame, index) + L.SLOT_USE] = 0;
    }
  }
}
