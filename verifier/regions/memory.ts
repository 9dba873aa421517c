/** Memory of known size that helpers hand out, and the buffer of `memory` programs. */

import type { Failure } from '../diagnose/failure.ts';
import type { Walk } from '../explore/walk.ts';
import type { AccessRequest } from '../obligations/obligation.ts';
import { KINDS } from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import {
  checkAlignment,
  checkExtent,
  constantOffset,
  isAligned,
  loadUnknown,
  type Region,
} from './region.ts';

export const MEMORY_REGION: Region = { check, load, store };

function check(walk: Walk, value: number, request: AccessRequest): Failure | null {
  const { state } = walk;
  const words = state.words;
  const extent = words[value + L.EXTENT]!;
  const kind = KINDS[state.kind(value)]!;
  const failure = checkExtent(walk, value, request, extent, 'memory-out-of-bounds', {});
  if (failure !== null) return failure;
  if (request.verb === 'write' && (words[value + L.FLAGS]! & L.FLAG_READ_ONLY) !== 0) {
    const values = { register: request.register, linux: `rdonly_${kind.linux}` };
    return { code: 'memory-read-only', pc: request.pc, values, registers: [request.register] };
  }
  return checkAlignment(walk, value, request, kind.name);
}

function record(walk: Walk, value: number, request: AccessRequest): void {
  const offset = constantOffset(walk.state, value, request);
  const aligned = isAligned(walk.state, value, request);
  walk.noteAccess(request, 'memory', offset, undefined, aligned);
}

function load(walk: Walk, value: number, request: AccessRequest, to: number): void {
  record(walk, value, request);
  loadUnknown(walk.state, to, request.size);
}

function store(walk: Walk, value: number, request: AccessRequest): void {
  record(walk, value, request);
}
