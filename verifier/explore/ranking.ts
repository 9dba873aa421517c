/**
 * How often can a loop run? A ranking argument: some value that every pass moves by a constant
 * distance in one direction, and that lies between known bounds whenever control is at the head.
 *
 * The distance is read off the trace. Going back from the end of a pass to its beginning, the value
 * at the end is expressed by one at the beginning: through copies, spills and fills, and additions
 * of constants. Where that meets the same place again, one pass adds exactly the sum. Anything else
 * that writes the place ends the argument.
 *
 * No wrap-around: all distances of a pass have one sign and sum to at most MOST_STEP, and the value
 * stays MOST_STEP away from 2^53 (from 2^32 where a pass computes or stores fewer than eight bytes),
 * so every number on the way lies between those at the beginning and at the end, as an integer.
 * With distances of at least d between heads, and all values at heads within [low, high], control
 * comes back at most (high - low) / d + 1 times.
 */

import { MARK_CONVERGE } from '../cfg.ts';
import * as domain from '../domain/index.ts';
import { writesOf } from '../liveness.ts';
import { SCALAR } from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import { hasSpill, type MachineState } from '../state/machine.ts';
import type { Kept } from './kept.ts';
import { packSlot } from './trace.ts';
import type { Walk } from './walk.ts';

/** A way through the loop and back to its head. */
export interface Pass {
  /** Trace entry of the arrival. */
  readonly entry: number;
  /** Instructions from head to head. */
  readonly length: number;
  /** The state on arrival. */
  readonly state: MachineState;
}

export interface Ranking {
  /** Most times that control comes back to the head. */
  readonly passes: number;
  /** `r6`, or `stack bytes -16..-9`. */
  readonly counter: string;
}

const MOST_STEP = 2 ** 20;

/** A register of a frame, or a slot: where the value is, going back. */
interface Place {
  readonly frame: number;
  /** -1: the value is in the slot. */
  readonly register: number;
  /** Packed slot (trace.ts), or -1. */
  readonly slot: number;
}

/** The best bound that some value gives, or undefined. */
export function rank(walk: Walk, head: Kept, passes: readonly Pass[]): Ranking | undefined {
  let best: Ranking | undefined;
  for (const place of candidates(head.state)) {
    const most = passesBy(walk, head, passes, place);
    if (most === undefined || (best !== undefined && best.passes <= most)) continue;
    best = { passes: most, counter: nameOf(place) };
  }
  return best;
}

function nameOf({ register, slot }: Place): string {
  if (register >= 0) return `r${register}`;
  const low = -8 * ((slot & 0xffff) + 1);
  return `stack bytes ${low}..${low + 7}`;
}

/** Numbers in registers and slots of the frame that runs the loop. */
function candidates(state: MachineState): Place[] {
  const places: Place[] = [];
  const { frame } = state;
  for (let register = 0; register < L.FRAME_POINTER; register++) {
    if (state.kind(state.registerOf(frame, register)) !== SCALAR) continue;
    places.push({ frame, register, slot: -1 });
  }
  for (let index = 0; index < state.slots(frame); index++) {
    const slot = state.slot(frame, index);
    if (!hasSpill(state.words[slot]!) || state.kind(slot + L.SLOT_VALUE) !== SCALAR) continue;
    places.push({ frame, register: -1, slot: packSlot(frame, index) });
  }
  return places;
}

/** Offset of the number at `place`, or -1 where the state has none there. */
function numberAt(state: MachineState, { frame, register, slot }: Place): number {
  if (register >= 0) {
    const value = state.registerOf(frame, register);
    return state.kind(value) === SCALAR ? value + L.NUMBER : -1;
  }
  const at = state.slot(frame, slot & 0xffff);
  const holds = hasSpill(state.words[at]!) && state.kind(at + L.SLOT_VALUE) === SCALAR;
  return holds ? at + L.SLOT_VALUE + L.NUMBER : -1;
}

function passesBy(
  walk: Walk,
  head: Kept,
  passes: readonly Pass[],
  place: Place,
): number | undefined {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  let step = Number.POSITIVE_INFINITY;
  let sign = 0;
  let isShort = false;
  for (const pass of passes) {
    const moved = distanceOf(walk, head, pass, place);
    const number = numberAt(pass.state, place);
    if (moved === undefined || moved.distance === 0 || number < 0) return undefined;
    if (sign !== 0 && Math.sign(moved.distance) !== sign) return undefined;
    sign = Math.sign(moved.distance);
    step = Math.min(step, Math.abs(moved.distance));
    isShort ||= moved.isShort;
    low = Math.min(low, domain.unsignedMin(pass.state.words, number));
    high = Math.max(high, domain.unsignedMax(pass.state.words, number));
  }
  const begin = domain.unsignedMax(head.state.words, numberAt(head.state, place));
  const most = (isShort ? 2 ** 32 : 2 ** 53) - MOST_STEP;
  if (begin >= most || high >= most) return undefined;
  return Math.floor((high - low) / step) + 1;
}

interface Distance {
  readonly distance: number;
  /** Fewer than eight bytes of it were computed or stored on the way. */
  readonly isShort: boolean;
}

/** What a pass adds to the number at `place`; undefined: not a constant, or not known. */
function distanceOf(walk: Walk, head: Kept, pass: Pass, place: Place): Distance | undefined {
  const { trace } = walk;
  const end = pass.entry;
  let at = place;
  let distance = 0;
  let sign = 0;
  let isShort = false;
  for (let entry = end; trace.saved(entry) !== head.index; ) {
    if (entry !== end && !leavesAlone(walk, entry, at)) return undefined;
    const before = trace.previous(entry);
    if (before < 0) return undefined;
    const back = stepBack(walk, before, at);
    if (back === undefined) return undefined;
    if (back.add !== 0) {
      if (sign !== 0 && Math.sign(back.add) !== sign) return undefined;
      sign = Math.sign(back.add);
      distance += back.add;
      if (Math.abs(distance) > MOST_STEP) return undefined;
    }
    isShort ||= back.isShort;
    at = back.place;
    entry = before;
  }
  const isBack = at.register === place.register && at.slot === place.slot;
  return isBack && at.frame === place.frame ? { distance, isShort } : undefined;
}

/**
 * At the head of an inner loop that was not walked pass by pass, other passes than the one on the
 * trace may have run: none of them may write the place.
 */
function leavesAlone(walk: Walk, entry: number, place: Place): boolean {
  const { subject, trace } = walk;
  const pc = trace.pc(entry);
  const index = trace.saved(entry);
  const loop = index < 0 ? undefined : walk.kept[index]?.summary?.loop;
  if ((subject.cfg.marks[pc]! & MARK_CONVERGE) !== 0) {
    // A callback cannot write its caller's registers; other loops may.
    const isCallback = subject.rows[pc]!.operation === 'helper';
    return isCallback && place.register >= 0;
  }
  if (loop === undefined) return true;
  if (place.register < 0) return false;
  if (place.frame !== trace.frame(entry)) return true;
  for (const inner of loop.pcs) {
    const written = writesOf(subject.instructions[inner]!, subject.rows[inner]!);
    if (((written >> place.register) & 1) !== 0) return false;
  }
  return true;
}

interface Back {
  readonly place: Place;
  readonly add: number;
  readonly isShort: boolean;
}

/** Where the value at `place`, after the instruction of `entry`, was before it. */
function stepBack(walk: Walk, entry: number, place: Place): Back | undefined {
  const { trace } = walk;
  const pc = trace.pc(entry);
  const row = walk.rows[pc]!;
  const insn = walk.instructions[pc]!;
  const frame = trace.frame(entry);
  const same: Back = { place, add: 0, isShort: false };
  if (place.register < 0) {
    const slot = trace.stack(entry);
    if ((row.kind !== 'store' && row.kind !== 'atomic') || slot !== place.slot) return same;
    if (row.kind !== 'store' || row.source !== 'reg' || frame !== place.frame) return undefined;
    return {
      place: { frame, register: insn.src, slot: -1 },
      add: 0,
      isShort: row.sizeBytes < 8,
    };
  }
  if (frame !== place.frame) return frame > place.frame ? same : undefined;
  if (((writesOf(insn, row) >> place.register) & 1) === 0) return same;
  const isShort = row.width === 32;
  if (row.kind === 'alu') {
    if (row.operation === 'mov' && row.source === 'reg') {
      return { place: { frame, register: insn.src, slot: -1 }, add: 0, isShort };
    }
    if (row.source !== 'imm' || row.operation === 'mov') return undefined;
    if (row.operation === 'add') return { place, add: insn.imm, isShort };
    return row.operation === 'sub' ? { place, add: -insn.imm, isShort } : undefined;
  }
  const slot = row.kind === 'load' && !row.signed ? trace.stack(entry) : -1;
  if (slot < 0) return undefined;
  return { place: { frame, register: -1, slot }, add: 0, isShort: row.sizeBytes < 8 };
}
