/**
 * Open-coded iterators: an object on the stack that `new` makes, `next` moves and `destroy` ends.
 * `next` yields an element or null, and after null it yields null for ever; so the walk goes on in
 * two states, and a loop around `next` is one whose passes something else bounds: exploration
 * seeks a state that covers every pass (prune.ts).
 *
 * Rules: Documentation/bpf/bpf_iterators.rst (open-coded iterators), checked against Linux 6.18.
 */

import { KFUNCS } from '../../platform/index.ts';
import { type Contract, hasFlag } from '../contract.ts';
import type { Failure } from '../diagnose/failure.ts';
import { REFERENCE_OBJECT } from '../discharge/held.ts';
import { type Call, wrong } from '../discharge/passed.ts';
import * as domain from '../domain/index.ts';
import type { Walk } from '../explore/walk.ts';
import { holdsRcu } from '../kernel/pointer.ts';
import { STACK } from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import type { MachineState } from '../state/machine.ts';
import { byteType, slotIndex } from '../state/stack.ts';
import { overwrite } from './dynptr.ts';
import { release } from './release.ts';
import {
  createObject,
  destroyObject,
  isFree,
  objectAt,
  type Place,
  placeAt,
} from './stack-object.ts';

/** DETAIL of an iterator's first slot. */
const ACTIVE = 1;
const DRAINED = 2;

const isStart = (callee: Contract): boolean => hasFlag(callee, 'iter-new');

/** Names of iterator types; a slot tells by the number whose it is. */
const TYPES: readonly (string | undefined)[] = KFUNCS.flatMap((row) =>
  row.flags.includes('iter-new') ? [row.arguments[0]!.typeName] : [],
);

function placeOf(walk: Walk, callee: Contract, value: number): Place | undefined {
  const argument = callee.arguments.find(({ kind }) => kind === 'iterator');
  return placeAt(walk, value, argument?.sizeBytes ?? L.SLOT_BYTES);
}

export function checkIterator(call: Call): Failure | null {
  const { walk, callee, value, pc, register } = call;
  const { state } = walk;
  const name = call.argument.typeName ?? 'iterator';
  const place = placeOf(walk, callee, value);
  if (place === undefined) return wrong(call, `stack space for a ${name}`, 'fp');
  const fail = (state: string, code: Failure['code'] = 'stack-object-state'): Failure => ({
    code,
    pc,
    values: { name: callee.name, argument: register, object: name, state },
    registers: [register],
  });
  if (isStart(callee)) {
    return isFree(state, place) ? null : fail('uninitialized');
  }
  const object = objectAt(state, place, L.BYTE_ITERATOR);
  if (object < 0 || state.words[object + L.TARGET] !== TYPES.indexOf(name))
    return fail('initialized');
  const spoiled = (state.words[object + L.FLAGS]! & L.FLAG_UNTRUSTED) !== 0;
  return spoiled ? fail('protected', 'iterator-outlived') : null;
}

/** Before the arguments are lost: makes or ends the iterator. */
export function passIterator(walk: Walk, pc: number, callee: Contract): void {
  const { state } = walk;
  const place = placeOf(walk, callee, state.register(1));
  if (place === undefined) return;
  if (isStart(callee)) {
    startIterator(walk, pc, callee, place);
  } else if (hasFlag(callee, 'iter-destroy')) {
    const object = objectAt(state, place, L.BYTE_ITERATOR);
    const reference = state.words[object + L.REFERENCE]!;
    destroyObject(state, place);
    release(walk, reference);
  }
}

function startIterator(walk: Walk, pc: number, callee: Contract, place: Place): void {
  const { state } = walk;
  const id = walk.freshId();
  state.addReference(id, REFERENCE_OBJECT, pc, 0);
  overwrite(walk, place.frame, place.offset, place.offset + place.slots * L.SLOT_BYTES);
  const object = createObject(walk, place, L.BYTE_ITERATOR);
  const { words } = state;
  words[object + L.TARGET] = TYPES.indexOf(callee.arguments[0]!.typeName);
  words[object + L.DETAIL] = ACTIVE;
  words[object + L.REFERENCE] = id;
  const isGuarded = hasFlag(callee, 'rcu-protected');
  words[object + L.FLAGS] = isGuarded && holdsRcu(walk) ? L.FLAG_RCU : L.FLAG_TRUSTED;
}

/** The iterator that `next` was called on: what its elements rely on, and whether RCU guards them. */
export interface Iteration {
  readonly place: Place;
  readonly reference: number;
  readonly flags: number;
}

export function iterationOf(walk: Walk, callee: Contract): Iteration {
  const { state } = walk;
  const place = placeOf(walk, callee, state.register(1))!;
  const object = objectAt(state, place, L.BYTE_ITERATOR);
  const { words } = state;
  return { place, reference: words[object + L.REFERENCE]!, flags: words[object + L.FLAGS]! };
}

/** The iterator in r1 of the one state may yield more, and is in the other state what it was. */
export function isSameIterator(head: MachineState, now: MachineState): boolean {
  const pointer = head.register(1);
  if (head.kind(pointer) !== STACK) return false;
  const frame = head.words[pointer + L.TARGET]!;
  const number = pointer + L.NUMBER;
  const offset = head.words[pointer + L.OFFSET]! + domain.constantLo(head.words, number);
  const reference = activeReference(head, frame, offset);
  return reference !== 0 && reference === activeReference(now, frame, offset);
}

/** What the iterator at that place holds; 0 where there is none, or one that is drained. */
function activeReference(state: MachineState, frame: number, offset: number): number {
  if (frame > state.frame || byteType(state, frame, offset) !== L.BYTE_ITERATOR) return 0;
  const object = state.slot(frame, slotIndex(offset)) + L.SLOT_VALUE;
  return state.words[object + L.DETAIL] === ACTIVE ? state.words[object + L.REFERENCE]! : 0;
}

/**
 * r0 holds the element, or null. Leaves the pass with an element to be walked; the current state
 * goes on with null. An iterator that is drained already yields null only.
 */
export function splitIteration(walk: Walk, pc: number, { place }: Iteration): void {
  const { state } = walk;
  const object = objectAt(state, place, L.BYTE_ITERATOR);
  if (state.words[object + L.DETAIL] === ACTIVE) {
    const other = walk.fork(pc + 1);
    other.words[other.register(0) + L.FLAGS]! &= ~L.FLAG_NULLABLE;
    other.words[L.MAY_GOTO_DEPTH]! += 1;
  }
  state.words[object + L.DETAIL] = DRAINED;
  state.setConstant(state.register(0), 0, 0);
}
