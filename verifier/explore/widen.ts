/**
 * Helps a bounded loop to converge: a number that changed since the last pass and that nothing
 * depends on so far becomes unknown. That only enlarges the state, so it is sound; should something
 * depend on the number after all, the walk says so where it happens.
 */

import * as domain from '../domain/index.ts';
import { SCALAR } from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import { hasSpill, type MachineState } from '../state/machine.ts';

export function widenImprecise(before: MachineState, now: MachineState): void {
  for (let frame = 0; frame < now.frameCount; frame++) {
    for (let r = 0; r < L.FRAME_POINTER; r++) {
      widenValue(before, before.registerOf(frame, r), now, now.registerOf(frame, r));
    }
    const slots = Math.min(before.slots(frame), now.slots(frame));
    for (let index = 0; index < slots; index++) {
      const a = before.slot(frame, index);
      const b = now.slot(frame, index);
      if (!hasSpill(before.words[a]!) || before.words[a] !== now.words[b]) continue;
      widenValue(before, a + L.SLOT_VALUE, now, b + L.SLOT_VALUE);
    }
  }
}

function widenValue(before: MachineState, a: number, now: MachineState, b: number): void {
  if (before.kind(a) !== SCALAR || now.kind(b) !== SCALAR) return;
  if ((before.words[a + L.FLAGS]! & L.FLAG_PRECISE) !== 0) return;
  if (domain.equals(before.words, a + L.NUMBER, now.words, b + L.NUMBER)) return;
  now.setUnknown(b);
}
