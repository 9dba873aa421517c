/**
 * Calls of helpers and kernel functions: what they write, what they take and give of resources, and
 * what is lost by them.
 */

import type { KfuncArgument } from '../../platform/index.ts';
import { type Contract, hasFlag } from '../contract.ts';
import * as domain from '../domain/index.ts';
import type { Walk } from '../explore/walk.ts';
import type { AccessRequest } from '../obligations/obligation.ts';
import { REGIONS } from '../regions/table.ts';
import { allocationOf } from '../resources/allocated.ts';
import { forgetSlices, mayMove, overwrite, slicedOf } from '../resources/dynptr.ts';
import { contentOfCall, giveNode, givesNode } from '../resources/graph.ts';
import { iterationOf, splitIteration } from '../resources/iterator.ts';
import { exchangedField } from '../resources/kptr.ts';
import { passResources } from '../resources/pass.ts';
import { release } from '../resources/release.ts';
import * as kinds from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import { clobber, slotsFor } from '../state/stack.ts';
import { clobberArguments } from './call.ts';
import { callBack, calledBack } from './callback.ts';
import type { Given } from './given.ts';
import { mayRelyOnKey, presentKey } from './look-up.ts';
import type { Origin } from './origin.ts';
import { forgetPacket } from './packet-range.ts';
import { setResult } from './result.ts';

export function callOut(walk: Walk, pc: number, callee: Contract): void {
  const { state } = walk;
  callBack(walk, pc, callee);
  const origin = originOf(walk, pc, callee);
  const moves = movesPacket(callee, origin);
  let released = 0;
  callee.arguments.forEach((argument, index) => {
    const value = state.register(index + 1);
    if (argument.releases && argument.kind !== 'dynptr') {
      released = state.words[value + L.REFERENCE]!;
    }
    applyWrites(walk, pc, callee, index, argument);
  });
  passResources(walk, pc, callee);
  if (givesNode(callee)) giveNode(walk, released);
  else if (released !== 0) release(walk, released);
  if (moves) {
    forgetPacket(state);
    forgetSlices(walk);
  }
  clobberArguments(walk, state.frame);
  setResult(walk, pc, callee, origin);
  if (origin.iteration !== undefined) splitIteration(walk, pc, origin.iteration);
}

/** Through a dynptr of a packet, bytes are written that may have to be moved first. */
const movesPacket = (callee: Contract, { sliced }: Origin): boolean =>
  callee.changesPacket === true ||
  (callee.name === 'bpf_dynptr_write' && sliced !== undefined && mayMove(sliced));

/** What the result depends on, read before the arguments are lost. */
function originOf(walk: Walk, pc: number, callee: Contract): Origin {
  const { state } = walk;
  let map = -1;
  let size = 0;
  callee.arguments.forEach(({ kind }, index) => {
    const value = state.register(index + 1);
    if (kind === 'map') map = state.words[value + L.TARGET]!;
    if (kind === 'constant-size') size = constantOf(walk, value);
  });
  const key = map < 0 ? undefined : presentKey(walk, callee, map);
  walk.recorder.call(pc, map, calledBack(walk, callee), key);
  return {
    map,
    isPresent: key !== undefined && mayRelyOnKey(walk),
    size,
    bound: boundOfSize(walk, callee),
    object: state.words[state.register(1) + L.TARGET]!,
    reference: state.words[state.register(1) + L.REFERENCE]!,
    castTo: castOf(walk, callee),
    sliced: slicedOf(walk, callee),
    given: givenBy(walk, callee),
    iteration: hasFlag(callee, 'iter-next') ? iterationOf(walk, callee) : undefined,
  };
}

/** What the result is of the program's own objects and fields. */
function givenBy(walk: Walk, callee: Contract): Given {
  return {
    allocation: allocationOf(walk, callee),
    content: contentOfCall(walk, callee),
    exchanged: callee.arguments[0]?.kind === 'kptr' ? exchangedField(walk) : undefined,
  };
}

/** The kernel type that a cast names. */
function castOf(walk: Walk, callee: Contract): number {
  const index = callee.arguments.findIndex(({ kind }) => kind === 'kernel-type');
  return index < 0 ? 0 : constantOf(walk, walk.state.register(index + 1));
}

const constantOf = (walk: Walk, value: number): number =>
  domain.signedMin(walk.state.words, value + L.NUMBER);

/** Largest size argument, for results that it bounds. */
function boundOfSize(walk: Walk, callee: Contract): number {
  const index = callee.arguments.findIndex(
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
  callee: Contract,
  index: number,
  argument: KfuncArgument,
): void {
  const register = index + 1;
  const { state } = walk;
  const value = state.register(register);
  const region = REGIONS[state.kind(value)];
  if (state.kind(value) === kinds.STACK && argument.kind === 'btf') {
    mayWriteStack(walk, value, structBytes(walk, argument));
    return;
  }
  const size = writtenBytes(walk, callee, index, argument);
  if (region === undefined || size === 0) return;
  const verb = argument.access === undefined || argument.access === 'read' ? 'read' : 'write';
  const request: AccessRequest = { pc, register, offset: 0, size, verb, by: 'helper' };
  if (verb === 'read') {
    noteUse(walk, value, size);
    return;
  }
  if (state.kind(value) === kinds.STACK && !isSizeKnown(walk, callee, index, argument)) {
    mayWriteStack(walk, value, size);
  } else region.store(walk, value, request, -1);
}

/** Size of the structure in whose place the program passes plain bytes. */
function structBytes({ subject }: Walk, { typeName }: KfuncArgument): number {
  const id = subject.kernel?.struct(typeName ?? '');
  return (id === undefined ? undefined : subject.kernel?.btf.sizeOf(id)) ?? 0;
}

/** Whether the callee writes exactly the bytes that it may write. */
function isSizeKnown(
  walk: Walk,
  callee: Contract,
  index: number,
  argument: KfuncArgument,
): boolean {
  if (argument.kind !== 'memory' || argument.sizeBytes !== undefined) return true;
  const next = callee.arguments[index + 1]?.kind;
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
  overwrite(walk, frame, low, high);
  state.growStack(frame, slotsFor(low));
  const unwritten = subject.mayReadUninitialised ? 'becomes-misc' : 'stays';
  clobber(state, frame, low, high, unwritten, 'anything');
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
function writtenBytes(
  walk: Walk,
  callee: Contract,
  index: number,
  argument: KfuncArgument,
): number {
  const { state, subject } = walk;
  if (argument.kind === 'map-value' || argument.kind === 'map-key') {
    const at = callee.arguments.findIndex((other) => other.kind === 'map');
    const map = subject.maps[state.words[state.register(at + 1) + L.TARGET]!];
    return (argument.kind === 'map-key' ? map?.keySize : map?.valueSize) ?? 0;
  }
  if (argument.kind !== 'memory') return 0;
  if (argument.sizeBytes !== undefined) return argument.sizeBytes;
  const size = state.register(index + 2);
  if (state.kind(size) !== kinds.SCALAR) return 0;
  return domain.unsignedMax(state.words, size + L.NUMBER);
}
