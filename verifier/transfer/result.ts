/** What a helper or kernel function returns. */

import type { Contract } from '../contract.ts';
import { REFERENCE_OBJECT } from '../discharge/held.ts';
import * as domain from '../domain/index.ts';
import type { Walk } from '../explore/walk.ts';
import { bindSlice, isPacket, mayWritePacket } from '../resources/dynptr.ts';
import * as kinds from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import { setGiven } from './given.ts';
import { setObjectResult } from './kernel-object.ts';
import { kindFound } from './look-up.ts';
import type { Origin } from './origin.ts';

const RESULT_KINDS: Readonly<Record<string, number>> = {
  'map-value': kinds.MAP_VALUE,
  memory: kinds.MEMORY,
  socket: kinds.SOCKET,
  'sock-common': kinds.SOCK_COMMON,
  'tcp-socket': kinds.TCP_SOCKET,
};

/** A tail call that comes back has failed, and says no more than that. */
const NOTHING: ReadonlySet<string> = new Set(['void', 'never']);

export function setResult(walk: Walk, pc: number, callee: Contract, origin: Origin): void {
  const { state } = walk;
  const { returns } = callee;
  const r0 = state.register(0);
  const kind = RESULT_KINDS[returns.kind];
  if (kind === undefined) {
    const isObject = setGiven(walk, callee, origin.given) || setObjectResult(walk, callee, origin);
    if (isObject) hold(walk, pc, callee, r0, origin);
    else if (!NOTHING.has(returns.kind)) setNumber(walk, callee, r0, origin.bound);
    return;
  }
  state.setPointer(r0, kind, Math.max(origin.map, 0));
  const words = state.words;
  if (kind === kinds.MAP_VALUE) words[r0 + L.KIND] = kindFound(walk, callee, origin.map);
  if (kind === kinds.MEMORY) setMemory(walk, callee, r0, origin);
  const inner = kind === kinds.MAP_VALUE ? walk.subject.innerMap[origin.map]! : -1;
  if (inner >= 0) {
    words[r0 + L.KIND] = kinds.MAP;
    words[r0 + L.TARGET] = inner;
  }
  words[r0 + L.ID] = walk.freshId();
  if (returns.nullable && !origin.isPresent) words[r0 + L.FLAGS]! |= L.FLAG_NULLABLE;
  hold(walk, pc, callee, r0, origin);
}

/**
 * The reference that keeps the result alive: a new one, or that of the object it is another view of.
 * A new one has the id of the pointer, so that finding the pointer null ends it.
 */
function hold(walk: Walk, pc: number, callee: Contract, r0: number, origin: Origin): void {
  const { state } = walk;
  const { words } = state;
  if (callee.returns.sameObject) words[r0 + L.REFERENCE] = origin.reference;
  const findsSocket = callee.returns.kind === 'map-value' && state.kind(r0) === kinds.SOCKET;
  if (!callee.returns.acquires && !findsSocket) return;
  const id = walk.freshId();
  words[r0 + L.ID] = id;
  words[r0 + L.REFERENCE] = id;
  if (state.kind(r0) === kinds.MEMORY) words[r0 + L.FLAGS]! |= L.FLAG_RECORD;
  state.addReference(id, REFERENCE_OBJECT, pc, callee.id ?? 0);
}

function setMemory(walk: Walk, callee: Contract, r0: number, origin: Origin): void {
  const { state } = walk;
  const { returns } = callee;
  state.words[r0 + L.TARGET] = 0;
  state.words[r0 + L.EXTENT] = returns.sizeBytes ?? origin.size;
  const { sliced, iteration } = origin;
  if (returns.ofDynptr && sliced !== undefined) bindSlice(state, r0, sliced);
  if (iteration !== undefined) state.words[r0 + L.REFERENCE] = iteration.reference;
  const isShared = sliced !== undefined && isPacket(sliced) && !mayWritePacket(walk);
  if (returns.readOnly || isShared) state.words[r0 + L.FLAGS]! |= L.FLAG_READ_ONLY;
}

const MAX_ERRNO = 4095;

function setNumber(walk: Walk, callee: Contract, r0: number, bound: number): void {
  const { state } = walk;
  const { returns } = callee;
  state.setUnknown(r0);
  const range =
    returns.boundedBySize && bound >= 0 ? { min: -MAX_ERRNO, max: bound } : returns.range;
  if (range === undefined) return;
  const low = range.min;
  const high = range.max;
  domain.setSignedRange(
    state.words,
    r0 + L.NUMBER,
    low | 0,
    Math.floor(low / 2 ** 32),
    high | 0,
    Math.floor(high / 2 ** 32),
  );
}
