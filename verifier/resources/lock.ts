/**
 * Locks in map values and allocated objects. A lock is told apart by the object that contains it:
 * the id of the look-up (or allocation) that gave the pointer, and the map or type. Two look-ups of
 * one key are two objects to us, so their locks never match, which errs on the safe side.
 *
 * Locks are left in the reverse of the order in which they were taken. One plain spin lock may be
 * held at a time; resilient ones nest.
 */

import type { Contract } from '../contract.ts';
import { hasFlag } from '../contract.ts';
import type { Failure } from '../diagnose/failure.ts';
import {
  REFERENCE_LOCK,
  REFERENCE_RESILIENT_IRQ_LOCK,
  REFERENCE_RESILIENT_LOCK,
} from '../discharge/held.ts';
import { type Call, wrong } from '../discharge/passed.ts';
import * as domain from '../domain/index.ts';
import type { Walk } from '../explore/walk.ts';
import * as kinds from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import type { MachineState } from '../state/machine.ts';
import { invalidate } from './release.ts';
import { checkUsable, fieldAt, fieldsBehind, offsetOf } from './special-field.ts';

const MAX_ERRNO = 4095;

/** What contains the lock, as REF_TARGET: maps from 0 up, types from -1 down. */
function containerOf(state: MachineState, value: number): number {
  const target = state.words[value + L.TARGET]!;
  return state.kind(value) === kinds.MAP_VALUE ? target : -1 - target;
}

const isResilient = (callee: Contract): boolean =>
  callee.arguments[0]!.kind === 'resilient-spin-lock';

function typeOf(callee: Contract): number {
  if (!isResilient(callee)) return REFERENCE_LOCK;
  const savesIrq = hasFlag(callee, 'irq-save') || hasFlag(callee, 'irq-restore');
  return savesIrq ? REFERENCE_RESILIENT_IRQ_LOCK : REFERENCE_RESILIENT_LOCK;
}

const takes = (callee: Contract): boolean =>
  hasFlag(callee, 'lock') || callee.name === 'bpf_spin_lock';

export function checkLock(call: Call): Failure | null {
  const { walk, callee, value, pc, register } = call;
  const { state } = walk;
  const kind = isResilient(callee) ? 'res-spin-lock' : 'spin-lock';
  const structure = isResilient(callee) ? 'bpf_res_spin_lock' : 'bpf_spin_lock';
  const nullable = (state.words[value + L.FLAGS]! & L.FLAG_NULLABLE) !== 0;
  if (
    nullable ||
    (state.kind(value) !== kinds.MAP_VALUE && state.kind(value) !== kinds.ALLOCATED)
  ) {
    return wrong(call, `a ${structure} in a map value`, 'map_value, ptr_');
  }
  const unusable = checkUsable(call);
  if (unusable !== null) return unusable;
  if (fieldAt(walk, value, kind) === undefined) {
    const found = fieldsBehind(walk, value).find((field) => field.kind === kind);
    const values = { name: callee.name, structure, at: found?.offset ?? -1 };
    const offset = offsetOf(walk, value) ?? 'variable';
    return { code: 'lock-missing', pc, values: { ...values, offset }, registers: [register] };
  }
  if (inComparison(walk)) {
    const values = { name: callee.name };
    return { code: 'tree-comparison', pc, values, registers: [register] };
  }
  return takes(callee) ? checkTaking(call) : checkLeaving(call);
}

/** Some active frame is a comparison that a tree makes while its lock is held. */
export function inComparison({ state, subject }: Walk): boolean {
  for (let frame = 1; frame < state.frameCount; frame++) {
    const row = state.frameRow(frame);
    if (state.words[row + L.FRAME_CALLBACK] === 0) continue;
    const callee = subject.kfuncAt.get(state.words[row + L.FRAME_CALL_SITE]!);
    if (callee?.arguments.some(({ callback }) => callback === 'rbtree-less')) return true;
  }
  return false;
}

const LOCKS = [REFERENCE_LOCK, REFERENCE_RESILIENT_LOCK, REFERENCE_RESILIENT_IRQ_LOCK];

const isLock = (state: MachineState, reference: number): boolean =>
  LOCKS.includes(state.words[reference + L.REF_TYPE]!);

/** Whether the held reference is the lock in what the pointer points into. */
const isOf = (state: MachineState, reference: number, value: number): boolean =>
  state.words[reference + L.REF_ID] === -state.words[value + L.ID]! &&
  state.words[reference + L.REF_TARGET] === containerOf(state, value);

function heldLocks(state: MachineState): number[] {
  const held: number[] = [];
  for (let i = 0; i < state.words[L.REFERENCE_COUNT]!; i++) {
    if (isLock(state, state.reference(i))) held.push(state.reference(i));
  }
  return held;
}

function checkTaking({ walk, callee, value, pc, register }: Call): Failure | null {
  const { state } = walk;
  const held = heldLocks(state);
  const type = (reference: number) => state.words[reference + L.REF_TYPE];
  const first = isResilient(callee)
    ? held.find((each) => type(each) !== REFERENCE_LOCK && isOf(state, each, value))
    : held.find((each) => type(each) === REFERENCE_LOCK);
  if (first === undefined) return null;
  const places = [{ pc: state.words[first + L.REF_PC]!, label: 'taken here' }];
  const code = isResilient(callee) ? 'lock-twice' : 'lock-nested';
  return { code, pc, values: { name: callee.name }, registers: [register], places };
}

function checkLeaving({ walk, callee, value, pc, register }: Call): Failure | null {
  const { state } = walk;
  const held = heldLocks(state);
  const fail = (code: Failure['code']): Failure => {
    const places = held.slice(-1).map((each) => {
      return { pc: state.words[each + L.REF_PC]!, label: 'the last lock was taken here' };
    });
    return { code, pc, values: { name: callee.name }, registers: [register], places };
  };
  if (held.length === 0) return fail('lock-not-held');
  const last = held[held.length - 1]!;
  const type = typeOf(callee);
  const isSame = (each: number) =>
    state.words[each + L.REF_TYPE] === type && isOf(state, each, value);
  if (!held.some(isSame)) return fail('lock-other');
  return isSame(last) ? null : fail('lock-order');
}

/** Takes or leaves the lock that the call's first argument points to. */
export function passLock(walk: Walk, pc: number, callee: Contract): void {
  const { state } = walk;
  const value = state.register(1);
  if (takes(callee)) {
    if (isResilient(callee)) forkRefusal(walk, pc);
    // Negative: a look-up's own reference may have the id of its pointer, too.
    const id = -state.words[value + L.ID]!;
    const container = containerOf(state, value);
    state.addReference(id, typeOf(callee), pc, container);
    state.words[L.LOCK_COUNT]! += 1;
    return;
  }
  for (let i = state.words[L.REFERENCE_COUNT]! - 1; i >= 0; i--) {
    if (!isLock(state, state.reference(i))) continue;
    state.removeReference(i);
    break;
  }
  state.words[L.LOCK_COUNT]! -= 1;
  forgetBorrowed(walk);
}

/** A resilient lock may be refused (a deadlock was seen): then nothing is held. */
function forkRefusal(walk: Walk, pc: number): void {
  const other = walk.fork(pc + 1);
  for (let r = 0; r <= 5; r++) other.setUninitialised(other.register(r));
  const r0 = other.register(0);
  other.setUnknown(r0);
  domain.setSignedRange(other.words, r0 + L.NUMBER, -MAX_ERRNO, -1, -1, -1);
}

/** Nodes that were seen in a collection may be removed from it once its lock is free. */
export function forgetBorrowed(walk: Walk): void {
  const { state } = walk;
  state.forEachValue((value) => {
    if (state.kind(value) !== kinds.ALLOCATED) return;
    if ((state.words[value + L.FLAGS]! & L.FLAG_BORROWED) !== 0) invalidate(walk, value);
  });
}

/** Whether the lock of what the pointer points into is held. */
export function isLocked(walk: Walk, value: number): boolean {
  const { state } = walk;
  return heldLocks(state).some((each) => isOf(state, each, value));
}
