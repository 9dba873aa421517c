/** Calls: what the callee may have changed, and what it returns. */

import type { Instruction } from '../../isa/index.ts';
import type { Argument, HelperRow } from '../../platform/index.ts';
import { target } from '../cfg.ts';
import { REFERENCE_OBJECT } from '../discharge/held.ts';
import * as domain from '../domain/index.ts';
import type { Walk } from '../explore/walk.ts';
import type { AccessRequest } from '../obligations/obligation.ts';
import { REGIONS } from '../regions/table.ts';
import * as kinds from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import { clobber, slotsFor } from '../state/stack.ts';
import { callbackIndex, forkCallback, leaveCallback } from './callback.ts';
import { forgetPacket } from './packet-range.ts';

const ARGUMENT_REGISTERS = 5;

/** Enters a local function: its arguments are the caller's; everything else is unset. */
export function enterFunction(walk: Walk, pc: number, insn: Instruction): number {
  const { state, subject } = walk;
  const entry = target(pc, insn, subject.rows[pc]!);
  const caller = state.frame;
  state.pushFrame(entry, pc);
  for (let r = 1; r <= ARGUMENT_REGISTERS; r++) {
    state.copyValue(state.register(r), state.registerOf(caller, r));
  }
  clobberArguments(walk, caller);
  return entry;
}

/** Returns to the caller: r0 is the callee's. */
export function leaveFunction(walk: Walk): number {
  const { state } = walk;
  const callee = state.frame;
  const row = state.frameRow(callee);
  if (state.words[row + L.FRAME_CALLBACK] !== 0) return leaveCallback(walk);
  const callSite = state.words[row + L.FRAME_CALL_SITE]!;
  state.copyValue(state.registerOf(callee - 1, 0), state.registerOf(callee, 0));
  state.popFrame();
  return callSite + 1;
}

/** r0 to r5 are lost to the caller. */
function clobberArguments(walk: Walk, frame: number): void {
  const { state } = walk;
  for (let r = 0; r <= ARGUMENT_REGISTERS; r++) state.setUninitialised(state.registerOf(frame, r));
}

export function callHelper(walk: Walk, pc: number, helper: HelperRow): void {
  const { state } = walk;
  if (callbackIndex(helper) >= 0) forkCallback(walk, pc, helper);
  let released = 0;
  let map = -1;
  let size = 0;
  for (let index = 0; index < helper.arguments.length; index++) {
    const argument = helper.arguments[index]!;
    const value = state.register(index + 1);
    if (argument.kind === 'map') map = state.words[value + L.TARGET]!;
    if (argument.kind === 'constant-size') size = constantOf(walk, value);
    if (argument.releases) released = state.words[value + L.REFERENCE]!;
    applyWrites(walk, pc, helper, index, argument);
  }
  const bound = boundOfSize(walk, helper);
  if (released !== 0) release(walk, released);
  if (helper.changesPacket) forgetPacket(state);
  clobberArguments(walk, state.frame);
  setResult(walk, pc, helper, map, size, bound);
}

const constantOf = (walk: Walk, value: number): number =>
  domain.signedMin(walk.state.words, value + L.NUMBER);

/** Largest size argument, for results that it bounds. */
function boundOfSize(walk: Walk, helper: HelperRow): number {
  const index = helper.arguments.findIndex(
    (argument) => argument.kind === 'size' || argument.kind === 'size-or-zero',
  );
  if (index < 0) return -1;
  const value = walk.state.register(index + 1);
  return domain.unsignedMax(walk.state.words, value + L.NUMBER);
}

/** Memory that the callee writes holds numbers afterwards, where its contents are tracked. */
function applyWrites(
  walk: Walk,
  pc: number,
  helper: HelperRow,
  index: number,
  argument: Argument,
): void {
  const register = index + 1;
  const { state } = walk;
  const value = state.register(register);
  const region = REGIONS[state.kind(value)];
  const size = writtenBytes(walk, helper, index, argument);
  if (region === undefined || size === 0) return;
  const verb = argument.access === undefined || argument.access === 'read' ? 'read' : 'write';
  const request: AccessRequest = { pc, register, offset: 0, size, verb, by: 'helper' };
  if (verb === 'read') {
    noteUse(walk, value, size);
    return;
  }
  if (state.kind(value) === kinds.STACK && !isSizeKnown(walk, helper, index, argument)) {
    mayWriteStack(walk, value, size);
  } else region.store(walk, value, request, -1);
}

/** Whether the callee writes exactly the bytes that it may write. */
function isSizeKnown(walk: Walk, helper: HelperRow, index: number, argument: Argument): boolean {
  if (argument.kind !== 'memory' || argument.sizeBytes !== undefined) return true;
  const next = helper.arguments[index + 1]?.kind;
  if (next !== 'size' && next !== 'size-or-zero') return true;
  return domain.isConstant(walk.state.words, walk.state.register(index + 2) + L.NUMBER);
}

/** Up to `size` bytes behind the pointer may change. */
function mayWriteStack(walk: Walk, value: number, size: number): void {
  const { state, subject } = walk;
  noteUse(walk, value, size);
  const { words } = state;
  const frame = words[value + L.TARGET]!;
  const low = words[value + L.OFFSET]! + domain.signedMin(words, value + L.NUMBER);
  const high = words[value + L.OFFSET]! + domain.signedMax(words, value + L.NUMBER) + size;
  state.growStack(frame, slotsFor(low));
  clobber(state, frame, low, high, subject.mayReadUninitialised ? 'becomes-misc' : 'stays');
}

/** The callee uses bytes of a frame by their address. */
function noteUse(walk: Walk, value: number, size: number): void {
  const { state, subject, recorder } = walk;
  if (state.kind(value) !== kinds.STACK || size === 0) return;
  const { words } = state;
  const entry = words[state.frameRow(words[value + L.TARGET]!) + L.FRAME_ENTRY]!;
  const owner = subject.cfg.functionOf[entry]!;
  const low = words[value + L.OFFSET]! + domain.signedMin(words, value + L.NUMBER);
  const high = words[value + L.OFFSET]! + domain.signedMax(words, value + L.NUMBER) + size;
  recorder.stack(owner, low);
  recorder.indirect(owner, low, high);
}

/** How many bytes behind the argument the callee may touch. */
function writtenBytes(walk: Walk, helper: HelperRow, index: number, argument: Argument): number {
  const { state, subject } = walk;
  if (argument.kind === 'map-value' || argument.kind === 'map-key') {
    const at = helper.arguments.findIndex((other) => other.kind === 'map');
    const map = subject.maps[state.words[state.register(at + 1) + L.TARGET]!];
    return (argument.kind === 'map-key' ? map?.keySize : map?.valueSize) ?? 0;
  }
  if (argument.kind !== 'memory') return 0;
  if (argument.sizeBytes !== undefined) return argument.sizeBytes;
  const size = state.register(index + 2);
  if (state.kind(size) !== kinds.SCALAR) return 0;
  return domain.unsignedMax(state.words, size + L.NUMBER);
}

/** The reference is gone, and with it every pointer that relied on it. */
function release(walk: Walk, id: number): void {
  const { state } = walk;
  const held = state.findReference(id);
  if (held >= 0) state.removeReference(held);
  state.forEachValue((value) => {
    if (state.words[value + L.REFERENCE] !== id) return;
    if (walk.subject.mayLeakPointers) state.setUnknown(value);
    else state.setUninitialised(value);
  });
}

const RESULT_KINDS: Readonly<Record<string, number>> = {
  'map-value': kinds.MAP_VALUE,
  memory: kinds.MEMORY,
  socket: kinds.SOCKET,
  'sock-common': kinds.SOCK_COMMON,
  'tcp-socket': kinds.TCP_SOCKET,
};

function setResult(
  walk: Walk,
  pc: number,
  helper: HelperRow,
  map: number,
  size: number,
  bound: number,
): void {
  const { state } = walk;
  const { returns } = helper;
  const r0 = state.register(0);
  const kind = RESULT_KINDS[returns.kind];
  if (kind === undefined) {
    if (returns.kind !== 'void') setNumber(walk, helper, r0, bound);
    return;
  }
  state.setPointer(r0, kind, Math.max(map, 0));
  const words = state.words;
  if (kind === kinds.MEMORY) words[r0 + L.EXTENT] = returns.sizeBytes ?? size;
  const inner = kind === kinds.MAP_VALUE ? walk.subject.innerMap[map]! : -1;
  if (inner >= 0) {
    words[r0 + L.KIND] = kinds.MAP;
    words[r0 + L.TARGET] = inner;
  }
  words[r0 + L.ID] = walk.freshId();
  if (returns.nullable) words[r0 + L.FLAGS]! |= L.FLAG_NULLABLE;
  if (!returns.acquires) return;
  const id = walk.freshId();
  words[r0 + L.REFERENCE] = id;
  if (kind === kinds.MEMORY) words[r0 + L.FLAGS]! |= L.FLAG_RECORD;
  state.addReference(id, REFERENCE_OBJECT, pc, helper.id);
}

const MAX_ERRNO = 4095;

function setNumber(walk: Walk, helper: HelperRow, r0: number, bound: number): void {
  const { state } = walk;
  const { returns } = helper;
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
