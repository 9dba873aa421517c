/** Legacy packet loads end the program when the packet is too short: nothing may be held then. */

import type { Failure } from '../diagnose/failure.ts';
import type { Walk } from '../explore/walk.ts';
import { CONTEXT } from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import { inCallback } from './call.ts';
import { heldText } from './held.ts';

export function checkLegacyLoad(walk: Walk, pc: number): Failure | null {
  const { state, subject } = walk;
  if (!subject.type.legacyPacketLoads) {
    return { code: 'legacy-packet-load', pc, values: { type: subject.type.name } };
  }
  const held = heldText(walk);
  if (held !== null) return { code: 'legacy-packet-reference', pc, values: { what: held } };
  if (inCallback(state)) {
    return { code: 'early-return', pc, values: { function: 'a callback', what: 'LD_ABS' } };
  }
  const r6 = state.register(6);
  if (state.kind(r6) !== CONTEXT || state.words[r6 + L.OFFSET] !== 0) {
    return { code: 'legacy-packet-context', pc, values: {}, registers: [6] };
  }
  return null;
}
