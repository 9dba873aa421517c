/**
 * What a comparison of a packet pointer with the packet's end teaches.
 *
 * Let p = base + v + c, with variable part v and constant part c >= 0, and let p <= end hold. Then
 * bytes base + v .. base + v + c - 1 exist, provided that the addition did not wrap; v is below
 * LIMITS.packetOffset and non-negative where anything is learnt, so it did not. From p < end one
 * more byte follows. Every pointer with the same base and v (the same id) may rely on it.
 *
 * With metadata, `meta <= data` plays the part of `p <= end`.
 */

import type { Instruction } from '../../isa/index.ts';
import * as domain from '../domain/index.ts';
import type { Walk } from '../explore/walk.ts';
import { LIMITS } from '../limits.ts';
import { isPacketKind, PACKET, PACKET_END, PACKET_META } from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import type { MachineState } from '../state/machine.ts';

const { lt, le, eq } = domain.CONDITIONS;

/** `condition` holds between the registers dst and src of `insn`, one of which is an end. */
export function learnPacketRange(
  walk: Walk,
  state: MachineState,
  insn: Instruction,
  condition: domain.Condition,
): void {
  const a = state.register(insn.dst);
  const b = state.register(insn.src);
  if (isEndFor(state, b, a)) learn(walk, state, a, condition);
  else if (isEndFor(state, a, b)) learn(walk, state, b, domain.swapped(condition));
}

/** Whether `end` bounds the bytes that `pointer` points into. */
function isEndFor(state: MachineState, end: number, pointer: number): boolean {
  const kind = state.kind(pointer);
  if (state.kind(end) === PACKET_END) return kind === PACKET;
  const isStart =
    state.kind(end) === PACKET &&
    state.words[end + L.OFFSET] === 0 &&
    domain.isConstantOf(state.words, end + L.NUMBER, 0, 0);
  return isStart && kind === PACKET_META;
}

function learn(
  walk: Walk,
  state: MachineState,
  pointer: number,
  condition: domain.Condition,
): void {
  const { words } = state;
  let range: number;
  if (condition === le || condition === eq) range = words[pointer + L.OFFSET]!;
  else if (condition === lt) range = words[pointer + L.OFFSET]! + 1;
  else return;
  const most = LIMITS.packetOffset.value;
  if (range <= 0 || range > most) return;
  const variable = pointer + L.NUMBER;
  if (domain.signedMin(words, variable) < 0) return;
  if (domain.unsignedMax(words, variable) + range > most) return;
  const isBeyond = condition === eq || words[pointer + L.OFFSET] === 0;
  if (isBeyond && !walk.mayReason('packet-start')) return;
  const kind = words[pointer + L.KIND]!;
  const id = words[pointer + L.ID]!;
  state.forEachValue((value) => {
    if (words[value + L.KIND] !== kind || words[value + L.ID] !== id) return;
    if (words[value + L.EXTENT]! < range) words[value + L.EXTENT] = range;
  });
}

/** Helpers that move or reallocate the packet make every pointer into it worthless. */
export function forgetPacket(state: MachineState): void {
  state.forEachValue((value) => {
    const kind = state.kind(value);
    if (isPacketKind(kind) || kind === PACKET_END) state.setUnknown(value);
  });
}
