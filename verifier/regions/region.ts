/**
 * A region is what a kind of pointer points into. Its row says when an access is allowed, what a
 * load yields and what a store changes. One file per region; `table.ts` lists them by kind.
 */

import type { Failure } from '../diagnose/failure.ts';
import * as domain from '../domain/index.ts';
import type { Walk } from '../explore/walk.ts';
import type { AccessRequest } from '../obligations/obligation.ts';
import * as L from '../state/layout.ts';
import type { MachineState } from '../state/machine.ts';

export interface Region {
  /** Why the access through the pointer at `value` is not allowed, or null. */
  check(walk: Walk, value: number, request: AccessRequest): Failure | null;
  /** Puts what a proven load yields into the value at `to`, zero-extended from its size. */
  load(walk: Walk, value: number, request: AccessRequest, to: number): void;
  /**
   * A proven store of the value at `from` (-1: some number). Regions whose contents are not
   * tracked do nothing.
   */
  store(walk: Walk, value: number, request: AccessRequest, from: number): void;
}

/** Lowest byte that an access may touch, relative to the region's start. */
export function lowest(state: MachineState, value: number, request: AccessRequest): number {
  const words = state.words;
  return words[value + L.OFFSET]! + request.offset + domain.signedMin(words, value + L.NUMBER);
}

/** One past the highest byte that an access may touch. */
export function highest(state: MachineState, value: number, request: AccessRequest): number {
  const words = state.words;
  const start = words[value + L.OFFSET]! + request.offset;
  return start + domain.signedMax(words, value + L.NUMBER) + request.size;
}

/** The constant offset of the access from the region's start, or undefined where it varies. */
export function constantOffset(
  state: MachineState,
  value: number,
  request: AccessRequest,
): number | undefined {
  if (!domain.isConstant(state.words, value + L.NUMBER)) return undefined;
  return lowest(state, value, request);
}

/** Proven that the address is a multiple of the access size, given an aligned region. */
export function isAligned(state: MachineState, value: number, request: AccessRequest): boolean {
  const mask = request.size - 1;
  const words = state.words;
  const start = words[value + L.OFFSET]! + request.offset;
  if (domain.isConstant(words, value + L.NUMBER)) {
    return ((start + domain.constantLo(words, value + L.NUMBER)) & mask) === 0;
  }
  return (start & mask) === 0 && domain.bitsKnownZero(words, value + L.NUMBER, mask, 0);
}

/** `-8`, or `0..252 step 4`: the offset of an access for people. */
export function describeOffset(state: MachineState, value: number, request: AccessRequest): string {
  const low = lowest(state, value, request);
  const high = highest(state, value, request) - request.size;
  return low === high ? String(low) : `${low}..${high}`;
}

/** An unknown number as wide as the access. */
export function loadUnknown(state: MachineState, to: number, size: number): void {
  state.clearPointer(to);
  domain.setBytes(state.words, to + L.NUMBER, size);
}

/** Fails when alignment is asked for, by the program's flags or an atomic operation, and not proven. */
export function checkAlignment(
  walk: Walk,
  value: number,
  request: AccessRequest,
  kind: string,
): Failure | null {
  const asked = walk.subject.alignment === 'strict' || request.by === 'atomic';
  if (!asked || request.by === 'helper') return null;
  if (isAligned(walk.state, value, request)) return null;
  const proven = describeOffset(walk.state, value, request);
  return {
    code: 'misaligned',
    pc: request.pc,
    values: { size: request.size, proven, kind },
    registers: [request.register],
  };
}

/** The values that every bounds failure shows. */
export function boundsValues(walk: Walk, value: number, request: AccessRequest, extent: number) {
  const low = lowest(walk.state, value, request);
  const high = highest(walk.state, value, request);
  return {
    verb: request.verb,
    low,
    high: high - 1,
    // The first access that fails: as Linux, the lower end before the upper one.
    offset: low < 0 ? low : high - request.size,
    size: request.size,
    extent,
    register: request.register,
    R: `R${request.register}`,
    proven: describeOffset(walk.state, value, request),
  };
}

/** BPF_MAX_VAR_OFF of Linux: the varying part of an offset is less, taken as an unsigned number. */
const MAX_VARYING_OFFSET = 1 << 29;

/** The varying part of the offset may be negative. */
function mayLeadBack(state: MachineState, value: number): boolean {
  const { words } = state;
  const number = value + L.NUMBER;
  if (domain.isConstant(words, number)) return false;
  return domain.unsignedMax(words, number) >= MAX_VARYING_OFFSET;
}

/** Fails unless every byte of the access lies within [0, extent). */
export function checkExtent(
  walk: Walk,
  value: number,
  request: AccessRequest,
  extent: number,
  code: 'map-value-out-of-bounds' | 'memory-out-of-bounds',
  more: Readonly<Record<string, string | number>>,
): Failure | null {
  const low = lowest(walk.state, value, request);
  const high = highest(walk.state, value, request);
  const within = low >= 0 && high <= extent;
  if (within && (!mayLeadBack(walk.state, value) || walk.mayReason('offset-before-pointer'))) {
    return null;
  }
  return {
    code,
    pc: request.pc,
    values: { ...boundsValues(walk, value, request, extent), ...more },
    registers: [request.register],
    needed: `0..${extent - request.size}`,
  };
}
