/** What is read was written before. */

import type { Failure } from '../diagnose/failure.ts';
import type { Walk } from '../explore/walk.ts';
import { UNINITIALISED } from '../state/kinds.ts';

export function checkInitialised(walk: Walk, pc: number, register: number): Failure | null {
  const { state } = walk;
  if (state.kind(state.register(register)) !== UNINITIALISED) return null;
  const values = { register: `r${register}`, R: `R${register}` };
  return { code: 'uninitialised-register', pc, values, registers: [register] };
}
