/**
 * Packet bytes and packet metadata. How long a packet is nobody knows; what is known is a range,
 * learnt when the program compares a packet pointer with the end. A pointer is base + variable part
 * + constant; all pointers with the same variable part have one id, and `EXTENT` counts the bytes
 * proven behind base + variable part. So byte k of a pointer with constant part c exists where
 * c + k < EXTENT.
 *
 * Wrap-around: the variable part is kept below 2^16 where a range is learnt (transfer/packet-range),
 * so base + variable + constant cannot pass the end of the address space.
 */

import type { Failure } from '../diagnose/failure.ts';
import * as domain from '../domain/index.ts';
import type { Walk } from '../explore/walk.ts';
import type { AccessRequest } from '../obligations/obligation.ts';
import { KINDS, PACKET } from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import {
  boundsValues,
  checkAlignment,
  constantOffset,
  loadUnknown,
  type Region,
} from './region.ts';

export const PACKET_REGION: Region = { check, load, store };

function check(walk: Walk, value: number, request: AccessRequest): Failure | null {
  const { state, subject } = walk;
  const words = state.words;
  const range = words[value + L.EXTENT]!;
  const fixed = words[value + L.OFFSET]! + request.offset;
  const failure = (code: Failure['code'], needed?: string) =>
    fail(walk, value, request, code, needed);
  if (subject.type.packet === 'none') return failure('packet-access-forbidden');
  if (request.verb === 'write' && subject.type.packet !== 'read-write') {
    return failure('packet-write');
  }
  if (request.by === 'atomic') return failure('atomic-target');
  if (domain.signedMin(words, value + L.NUMBER) < 0) return failure('negative-offset');
  if (fixed < 0 || fixed + request.size > range) {
    return failure('packet-out-of-bounds', `${fixed + request.size} bytes proven`);
  }
  return checkAlignment(walk, value, request, KINDS[state.kind(value)]!.name);
}

function fail(
  walk: Walk,
  value: number,
  request: AccessRequest,
  code: Failure['code'],
  needed: string | undefined,
): Failure {
  const { words } = walk.state;
  const fixed = words[value + L.OFFSET]! + request.offset;
  const values = {
    ...boundsValues(walk, value, request, fixed + request.size),
    range: words[value + L.EXTENT]!,
    offset: fixed,
    last: fixed + request.size - 1,
    id: words[value + L.ID]!,
    kind: KINDS[walk.state.kind(value)]!.name,
  };
  return {
    code,
    pc: request.pc,
    values,
    registers: [request.register],
    ...(needed === undefined ? {} : { needed }),
  };
}

function record(walk: Walk, value: number, request: AccessRequest): void {
  const { state } = walk;
  const region = state.kind(value) === PACKET ? 'packet' : 'packet-meta';
  const offset = constantOffset(state, value, request);
  // Packets begin anywhere: nothing is aligned for the machine.
  walk.noteAccess(request, region, offset, undefined, request.size === 1);
}

function load(walk: Walk, value: number, request: AccessRequest, to: number): void {
  record(walk, value, request);
  loadUnknown(walk.state, to, request.size);
}

function store(walk: Walk, value: number, request: AccessRequest): void {
  record(walk, value, request);
}
