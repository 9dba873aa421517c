/**
 * Saved interrupt states: 8 bytes of stack that one call writes and its partner restores, in the
 * reverse order of saving. Those of resilient locks cannot be restored by the plain function, nor
 * the other way round.
 */

import { type Contract, hasFlag } from '../contract.ts';
import type { Failure } from '../diagnose/failure.ts';
import { REFERENCE_IRQ } from '../discharge/held.ts';
import { type Call, wrong } from '../discharge/passed.ts';
import type { Walk } from '../explore/walk.ts';
import * as L from '../state/layout.ts';
import type { MachineState } from '../state/machine.ts';
import { overwrite } from './dynptr.ts';
import { createObject, destroyObject, isFree, objectAt, placeAt } from './stack-object.ts';

/** DETAIL of the slot: whose functions saved it. */
const PLAIN = 0;
const OF_LOCK = 1;

const originOf = (callee: Contract): number =>
  callee.arguments[0]!.kind === 'resilient-spin-lock' ? OF_LOCK : PLAIN;

export function checkIrqFlag(call: Call): Failure | null {
  const { walk, callee, value, pc, register } = call;
  const { state } = walk;
  const place = placeAt(walk, value, L.SLOT_BYTES);
  if (place === undefined) return wrong(call, 'stack space for the interrupt state', 'fp');
  const fail = (code: Failure['code'], wanted: string): Failure => {
    const values = { name: callee.name, argument: register, object: 'irq flag', state: wanted };
    return { code, pc, values, registers: [register] };
  };
  if (call.argument.irq === 'save') {
    const free = isFree(state, place);
    return free ? null : fail('stack-object-state', 'uninitialized');
  }
  const object = objectAt(state, place, L.BYTE_IRQ_FLAG);
  if (object < 0) return fail('stack-object-state', 'initialized');
  if (state.words[object + L.DETAIL] !== originOf(callee)) return fail('irq-other-origin', '');
  const last = lastSaved(state);
  const id = last < 0 ? 0 : state.words[state.reference(last) + L.REF_ID];
  return state.words[object + L.REFERENCE] === id ? null : fail('irq-order', '');
}

/** Index of the reference that the last saved state is. */
function lastSaved(state: MachineState): number {
  for (let i = state.words[L.REFERENCE_COUNT]! - 1; i >= 0; i--) {
    if (state.words[state.reference(i) + L.REF_TYPE] === REFERENCE_IRQ) return i;
  }
  return -1;
}

/** Saves or restores, as the callee does. */
export function passIrqFlag(walk: Walk, pc: number, callee: Contract): void {
  const index = callee.arguments.findIndex(({ kind }) => kind === 'irq-flag');
  const { state } = walk;
  const place = placeAt(walk, state.register(index + 1), L.SLOT_BYTES);
  if (place === undefined) return;
  if (hasFlag(callee, 'irq-save')) {
    const id = walk.freshId();
    state.addReference(id, REFERENCE_IRQ, pc, 0);
    overwrite(walk, place.frame, place.offset, place.offset + L.SLOT_BYTES);
    const object = createObject(walk, place, L.BYTE_IRQ_FLAG);
    state.words[object + L.REFERENCE] = id;
    state.words[object + L.DETAIL] = originOf(callee);
    state.words[L.IRQ_DEPTH]! += 1;
    return;
  }
  state.removeReference(lastSaved(state));
  state.words[L.IRQ_DEPTH]! -= 1;
  destroyObject(state, place);
}
