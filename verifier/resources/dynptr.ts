/**
 * Dynptrs: 16 bytes of stack that describe memory of a size known only when the program runs. They
 * are made by one call, read, written, sliced and cloned by others, and end when the program writes
 * over them, unless they hold a ring-buffer record: then only submitting or discarding ends them.
 *
 * A slice is a pointer to bytes behind a dynptr. It dies with its dynptr, with the record, or, for
 * packets, whenever the packet may move.
 *
 * Rules: Documentation/bpf/kfuncs.rst, bpf-helpers(7); checked against Linux 6.18.
 */

import type { KfuncArgument } from '../../platform/index.ts';
import type { Contract } from '../contract.ts';
import type { Failure } from '../diagnose/failure.ts';
import { REFERENCE_OBJECT } from '../discharge/held.ts';
import { type Call, wrong } from '../discharge/passed.ts';
import * as domain from '../domain/index.ts';
import type { Walk } from '../explore/walk.ts';
import * as kinds from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import type { MachineState } from '../state/machine.ts';
import { slotIndex } from '../state/stack.ts';
import { invalidate, release } from './release.ts';
import {
  createObject,
  destroyObject,
  forEachObject,
  isFree,
  isHeld,
  objectAt,
  type Place,
  placeAt,
} from './stack-object.ts';

export const DYNPTR_BYTES = 16;

/** What a dynptr describes, as TARGET of its first slot; 0: nothing. */
const FORMS = ['none', 'local', 'ringbuf', 'skb', 'xdp', 'skb-meta', 'file'] as const;
type Form = (typeof FORMS)[number];
const LOCAL = FORMS.indexOf('local');
const RINGBUF = FORMS.indexOf('ringbuf');
const PACKETS: ReadonlySet<Form> = new Set(['skb', 'xdp', 'skb-meta']);

/** The dynptr that a register points to: its first slot, or the pointer that a callback got. */
function dynptrAt(walk: Walk, value: number): number {
  const { state } = walk;
  if (state.kind(value) === kinds.DYNPTR) return value;
  const place = placeAt(walk, value, DYNPTR_BYTES);
  return place === undefined ? -1 : objectAt(state, place, L.BYTE_DYNPTR);
}

export function checkDynptr(call: Call): Failure | null {
  return call.argument.dynptr === 'uninit' ? checkSpace(call) : checkMade(call);
}

const fault = (call: Call, code: Failure['code'], state: string): Failure => ({
  code,
  pc: call.pc,
  values: { name: call.callee.name, argument: call.register, object: 'dynptr', state },
  registers: [call.register],
});

/** Stack space for a dynptr, which may overwrite one that holds nothing. */
function checkSpace(call: Call): Failure | null {
  const { walk, value } = call;
  const place = placeAt(walk, value, DYNPTR_BYTES);
  if (place === undefined) return wrong(call, '16 bytes of stack for a dynptr', 'fp');
  if (isFree(walk.state, place)) return null;
  const held = [place.offset, place.offset + L.SLOT_BYTES].some((at) =>
    isHeld(walk.state, place.frame, at),
  );
  return held
    ? fault(call, 'dynptr-overwritten', '')
    : fault(call, 'stack-object-state', 'uninitialized');
}

/** An initialised dynptr of the form that the callee takes. */
function checkMade(call: Call): Failure | null {
  const { walk, value, argument } = call;
  const { state } = walk;
  const kind = state.kind(value);
  if (kind !== kinds.STACK && kind !== kinds.DYNPTR) {
    return wrong(call, 'a dynptr', 'fp, dynptr_ptr');
  }
  // What a callback is given belongs to its caller.
  const isLent = kind === kinds.DYNPTR;
  if (isLent && argument.releases) {
    return fault(call, 'dynptr-lent', '');
  }
  const object = dynptrAt(walk, value);
  if (object < 0) return fault(call, 'stack-object-state', 'initialized');
  const form = FORMS[state.words[object + L.TARGET]!]!;
  const wanted = argument.dynptr ?? 'any';
  if (wanted !== 'any' && wanted !== form) {
    const more = { wanted, form };
    const failure = fault(call, 'dynptr-form', '');
    return { ...failure, values: { ...failure.values, ...more } };
  }
  // Linux asks the program type, whatever the dynptr shows.
  if (slicesToWrite(call.callee) && !mayWritePacket(walk)) {
    return { code: 'packet-write', pc: call.pc, values: {}, registers: [call.register] };
  }
  if (!argument.releases || state.words[object + L.REFERENCE] !== 0) return null;
  return fault(call, 'reference-not-held', '');
}

/** Kernel functions that yield bytes to write; helpers yield null for packets. */
const slicesToWrite = ({ returns, flags }: Contract): boolean =>
  flags !== undefined && returns.ofDynptr === true && returns.readOnly !== true;

export const mayWritePacket = ({ subject }: Walk): boolean => subject.type.packet === 'read-write';

/** Before the arguments are lost: makes, or ends, the dynptr of the argument at `index`. */
export function passDynptr(
  walk: Walk,
  pc: number,
  callee: Contract,
  index: number,
  argument: KfuncArgument,
): void {
  const value = walk.state.register(index + 1);
  if (argument.dynptr === 'uninit') {
    makeDynptr(walk, pc, callee, placeAt(walk, value, DYNPTR_BYTES)!, argument);
  } else if (argument.releases) {
    endRecord(walk, walk.state.words[dynptrAt(walk, value) + L.REFERENCE]!);
  }
}

function makeDynptr(
  walk: Walk,
  pc: number,
  callee: Contract,
  place: Place,
  argument: KfuncArgument,
): void {
  const { state } = walk;
  const creates = argument.creates ?? 'local';
  const source = creates === 'copy' ? dynptrAt(walk, state.register(1)) : -1;
  const form = source < 0 ? FORMS.indexOf(creates as Form) : state.words[source + L.TARGET]!;
  const flags = source < 0 ? 0 : state.words[source + L.FLAGS]!;
  let reference = source < 0 ? 0 : state.words[source + L.REFERENCE]!;
  overwrite(walk, place.frame, place.offset, place.offset + DYNPTR_BYTES);
  if (form === RINGBUF && reference === 0) {
    reference = walk.freshId();
    state.addReference(reference, REFERENCE_OBJECT, pc, callee.id ?? 0);
  }
  const object = createObject(walk, place, L.BYTE_DYNPTR);
  const { words } = state;
  words[object + L.TARGET] = form;
  words[object + L.ID] = walk.freshId();
  for (const part of [object, object - L.SLOT_WORDS]) {
    words[part + L.REFERENCE] = reference;
    words[part + L.FLAGS] = flags;
  }
}

/** The record is submitted or discarded: every clone of its dynptr ends, and every slice. */
function endRecord(walk: Walk, reference: number): void {
  const { state } = walk;
  const ended: Place[] = [];
  forEachObject(state, L.BYTE_DYNPTR, (value, frame, offset) => {
    if (state.words[value + L.REFERENCE] !== reference) return;
    ended.push({ frame, offset, slots: DYNPTR_BYTES / L.SLOT_BYTES });
  });
  for (const place of ended) endDynptr(walk, place);
  release(walk, reference);
}

function endDynptr(walk: Walk, place: Place): void {
  const { state } = walk;
  const object = objectAt(state, place, L.BYTE_DYNPTR);
  if (object < 0) return;
  const id = state.words[object + L.ID]!;
  destroyObject(state, place);
  state.forEachValue((value) => {
    const isSlice = state.kind(value) === kinds.MEMORY && state.words[value + L.DETAIL] === id;
    // The bytes of a packet stay where they are until something moves them.
    if (isSlice && (state.words[value + L.FLAGS]! & L.FLAG_SLICE) === 0) invalidate(walk, value);
  });
}

/** The program writes [low, high) of a frame: dynptrs there end. They hold no record. */
export function overwrite(walk: Walk, frame: number, low: number, high: number): void {
  const { state } = walk;
  for (let slot = slotIndex(high - 1); slot <= slotIndex(low); slot++) {
    if (slot >= state.slots(frame)) return;
    if ((state.words[state.slot(frame, slot)]! & 0xf) !== L.BYTE_DYNPTR) continue;
    const part = state.words[state.slot(frame, slot) + L.SLOT_VALUE + L.EXTENT]!;
    const offset = -(slot + part + 1) * L.SLOT_BYTES;
    endDynptr(walk, { frame, offset, slots: DYNPTR_BYTES / L.SLOT_BYTES });
  }
}

/** The dynptr argument of a call, as its result depends on it. */
export interface Sliced {
  readonly id: number;
  readonly form: Form;
  readonly reference: number;
  readonly flags: number;
}

export function slicedOf(walk: Walk, callee: Contract): Sliced | undefined {
  const index = callee.arguments.findIndex(({ kind }) => kind === 'dynptr');
  const object = index < 0 ? -1 : dynptrAt(walk, walk.state.register(index + 1));
  if (object < 0) return undefined;
  const { words } = walk.state;
  return {
    id: words[object + L.ID]!,
    form: FORMS[words[object + L.TARGET]!]!,
    reference: words[object + L.REFERENCE]!,
    flags: words[object + L.FLAGS]!,
  };
}

/** Whether it shows a packet. */
export const isPacket = ({ form }: Sliced): boolean => PACKETS.has(form);

/** Whether writing through it may move the packet: an xdp packet stays where it is. */
export const mayMove = (sliced: Sliced): boolean => isPacket(sliced) && sliced.form !== 'xdp';

/** The result is memory behind the dynptr. */
export function bindSlice(state: MachineState, value: number, sliced: Sliced): void {
  const { words } = state;
  words[value + L.DETAIL] = sliced.id;
  words[value + L.REFERENCE] = sliced.reference;
  if (isPacket(sliced)) words[value + L.FLAGS]! |= L.FLAG_SLICE;
}

/** The packet may have moved: slices of it are worthless. */
export function forgetSlices(walk: Walk): void {
  const { state } = walk;
  state.forEachValue((value) => {
    if (state.kind(value) !== kinds.MEMORY) return;
    if ((state.words[value + L.FLAGS]! & L.FLAG_SLICE) !== 0) invalidate(walk, value);
  });
}

/** The value becomes a dynptr that a callback is lent. */
export function lendDynptr(walk: Walk, state: MachineState, value: number): void {
  state.setPointer(value, kinds.DYNPTR, LOCAL);
  state.words[value + L.ID] = walk.freshId();
  domain.setConstant(state.words, value + L.NUMBER, 0, 0);
}
