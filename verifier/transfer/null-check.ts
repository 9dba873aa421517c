/** What a comparison with null teaches: every copy of the pointer has the same id. */

import { ALLOCATED, MAP_VALUE } from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import type { MachineState } from '../state/machine.ts';

/**
 * All nullable pointers with this id are null, which makes them the number 0, or valid. A call that
 * acquires a reference names it after the pointer: if that is null, nothing was acquired.
 */
export function learnNull(state: MachineState, id: number, found: 'null' | 'valid'): void {
  const { words } = state;
  let reference = 0;
  state.forEachValue((value) => {
    const flags = words[value + L.FLAGS]!;
    if (words[value + L.ID] !== id || (flags & L.FLAG_NULLABLE) === 0) return;
    reference = words[value + L.REFERENCE]!;
    if (found === 'null') {
      state.setConstant(value, 0, 0);
      return;
    }
    words[value + L.FLAGS] = flags & ~L.FLAG_NULLABLE;
    // The id only told copies of the unchecked pointer apart; what may contain a lock keeps it.
    const kind = words[value + L.KIND]!;
    if (kind !== MAP_VALUE && kind !== ALLOCATED) words[value + L.ID] = 0;
  });
  if (found !== 'null' || reference !== id) return;
  const held = state.findReference(reference);
  if (held >= 0) state.removeReference(held);
}
