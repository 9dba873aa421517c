/**
 * Look-ups that find more than a value or null. Arrays have every element from the beginning: a
 * constant key below their length is found. Maps of sockets hand out a reference to a socket.
 */

import type { Contract } from '../contract.ts';
import * as domain from '../domain/index.ts';
import { slotLink } from '../explore/precision.ts';
import type { Walk } from '../explore/walk.ts';
import { MAP_VALUE, SCALAR, SOCKET, STACK, XDP_SOCKET } from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import {
  classifyRead,
  READ_ANYTHING,
  READ_VALUE,
  READ_ZERO,
  slotIndex,
  slotsFor,
  spilledBytes,
} from '../state/stack.ts';

/** Other look-ups fail for reasons of their own (no such CPU). */
const LOOK_UP = 'bpf_map_lookup_elem';
const KEY_REGISTER = 2;

const KINDS = { value: MAP_VALUE, map: MAP_VALUE, socket: SOCKET, 'xdp-socket': XDP_SOCKET };

/** Kind of pointer that a look-up in map `map` yields. */
export function kindFound(walk: Walk, callee: Contract, map: number): number {
  if (callee.name !== LOOK_UP) return MAP_VALUE;
  return KINDS[walk.subject.mapTypes[map]?.lookup ?? 'value'];
}

/** The constant key of a look-up whose element exists; read before the arguments are lost. */
export function presentKey(walk: Walk, callee: Contract, map: number): number | undefined {
  const { subject } = walk;
  if (callee.name !== LOOK_UP || subject.mapTypes[map]?.lookupAlwaysFinds !== true) return;
  const key = constantKey(walk, subject.maps[map]!.keySize);
  return key === undefined || key >= subject.maps[map]!.maxEntries ? undefined : key;
}

/** Whether that the element exists may be used. */
export function mayRelyOnKey(walk: Walk): boolean {
  const { family, features } = walk.subject.profile;
  return family !== 'linux' || features.has('constant-key') || walk.mayReason('constant-key');
}

/** The key on the stack, where it is zero bytes or exactly what one register was stored as. */
function constantKey(walk: Walk, size: number): number | undefined {
  const { state } = walk;
  const { words } = state;
  const pointer = state.register(KEY_REGISTER);
  if (state.kind(pointer) !== STACK || !domain.isConstant(words, pointer + L.NUMBER)) {
    return undefined;
  }
  const frame = words[pointer + L.TARGET]!;
  const offset = words[pointer + L.OFFSET]! + domain.constantLo(words, pointer + L.NUMBER);
  if (slotsFor(offset) > state.slots(frame)) return undefined;
  const found = classifyRead(state, frame, offset, size);
  if (found === READ_ZERO) return 0;
  if (found !== READ_VALUE && found !== READ_ANYTHING) return undefined;
  const index = slotIndex(offset);
  const slot = state.slot(frame, index);
  const number = slot + L.SLOT_VALUE + L.NUMBER;
  if (spilledBytes(words[slot]!) === 0 || state.kind(slot + L.SLOT_VALUE) !== SCALAR)
    return undefined;
  // The last half of what was stored: all of a word, or the upper half of two.
  const isUpper = spilledBytes(words[slot]!) === 2 * size && (offset & 7) === size;
  const isWhole = spilledBytes(words[slot]!) === size && (offset & 7) === 0;
  if (size !== 4 || !(isWhole || isUpper) || !domain.isConstant(words, number)) return undefined;
  walk.needPreciseValue(slotLink(frame, index));
  const low = domain.constantLo(words, number) >>> 0;
  const high = domain.constantHi(words, number) >>> 0;
  if (isWhole) return low;
  // Linux takes the number for the key, whatever part of it the key is.
  return walk.mayReason('constant-key') ? high : Math.max(low, high * 2 ** 32);
}
