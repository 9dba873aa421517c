/**
 * What an instruction may take its registers for, beyond what the state says: proven by looking back
 * over the one path that led there.
 */

import * as domain from '../domain/index.ts';
import * as L from '../state/layout.ts';
import type { MachineState } from '../state/machine.ts';

/** The whole value of a register of the executing frame. */
export interface Amendment {
  readonly register: number;
  readonly value: Int32Array;
}

export function amendmentOf(state: MachineState, register: number): Amendment {
  const at = state.register(register);
  return { register, value: state.words.slice(at, at + L.VALUE_WORDS) };
}

/** Numbers and proven ranges only: what ids a value has is the state's own affair. */
export function amend(state: MachineState, amendments: readonly Amendment[]): void {
  for (const { register, value } of amendments) {
    const at = state.register(register);
    domain.copy(value, L.NUMBER, state.words, at + L.NUMBER);
    state.words[at + L.EXTENT] = value[L.EXTENT]!;
  }
}
