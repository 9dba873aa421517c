/**
 * Bytes that the kernel lends a program without saying how many: the buffer of a writable raw
 * tracepoint, keys and values of map iterators. Offsets are constants from 0 on; whether the highest
 * is within the buffer is decided when the program is attached, by the kernel.
 */

import type { Failure } from '../diagnose/failure.ts';
import type { Walk } from '../explore/walk.ts';
import type { AccessRequest } from '../obligations/obligation.ts';
import { TRACE_BUFFER } from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import type { MachineState } from '../state/machine.ts';
import { boundsValues, constantOffset, loadUnknown, type Region } from './region.ts';

export const TRACE_BUFFER_REGION: Region = { check, load, store };

/** DETAIL of buffers that helpers take, too. */
export const LENT = 1;

export const isLent = (state: MachineState, value: number): boolean =>
  state.kind(value) === TRACE_BUFFER && state.words[value + L.DETAIL] === LENT;

function check(walk: Walk, value: number, request: AccessRequest): Failure | null {
  const { state } = walk;
  const offset = constantOffset(state, value, request);
  const registers = [request.register];
  if (offset === undefined || offset < 0) {
    const values = boundsValues(walk, value, request, 0);
    return { code: 'trace-buffer-offset', pc: request.pc, values, registers };
  }
  const readOnly = (state.words[value + L.FLAGS]! & L.FLAG_READ_ONLY) !== 0;
  if (request.verb === 'read' || !readOnly) return null;
  const values = { register: request.register, linux: 'rdonly_buf' };
  return { code: 'memory-read-only', pc: request.pc, values, registers };
}

function record(walk: Walk, value: number, request: AccessRequest): void {
  const offset = constantOffset(walk.state, value, request);
  walk.noteAccess(request, 'memory', offset, undefined, false);
}

function load(walk: Walk, value: number, request: AccessRequest, to: number): void {
  record(walk, value, request);
  loadUnknown(walk.state, to, request.size);
}

function store(walk: Walk, value: number, request: AccessRequest): void {
  record(walk, value, request);
}
