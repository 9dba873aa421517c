/**
 * Kernel objects that programs see through a fixed layout. Sockets: a context layout of the platform
 * tables lists the fields, which may only be read. Flow keys: plain bytes, which a flow dissector
 * reads and writes.
 */

import { contextAccess, contextLayout, FLOW_KEYS_BYTES } from '../../platform/index.ts';
import type { Failure } from '../diagnose/failure.ts';
import type { Walk } from '../explore/walk.ts';
import type { AccessRequest } from '../obligations/obligation.ts';
import * as kinds from '../state/kinds.ts';
import {
  boundsValues,
  checkAlignment,
  constantOffset,
  isAligned,
  loadUnknown,
  type Region,
} from './region.ts';

export const SOCKET_REGION: Region = { check, load, store };
export const FLOW_KEYS_REGION: Region = { check: checkFlowKeys, load, store };

const LAYOUTS: Readonly<Record<number, string>> = {
  [kinds.SOCKET]: 'bpf_sock',
  [kinds.SOCK_COMMON]: 'bpf_sock/sock_common',
  [kinds.TCP_SOCKET]: 'bpf_tcp_sock',
  [kinds.XDP_SOCKET]: 'bpf_xdp_sock',
};

function accessOf(walk: Walk, value: number, request: AccessRequest) {
  const layout = contextLayout(LAYOUTS[walk.state.kind(value)] ?? '');
  const offset = constantOffset(walk.state, value, request);
  if (layout === undefined || offset === undefined || offset < 0) return undefined;
  return contextAccess(layout, offset, request.size, request.verb);
}

function check(walk: Walk, value: number, request: AccessRequest): Failure | null {
  if (request.by === 'instruction' && accessOf(walk, value, request) !== undefined) return null;
  return outside(walk, value, request, 0);
}

function checkFlowKeys(walk: Walk, value: number, request: AccessRequest): Failure | null {
  const offset = constantOffset(walk.state, value, request);
  const inside = offset !== undefined && offset >= 0 && offset + request.size <= FLOW_KEYS_BYTES;
  if (request.by === 'instruction' && inside)
    return checkAlignment(walk, value, request, 'flow key');
  return outside(walk, value, request, FLOW_KEYS_BYTES);
}

function outside(walk: Walk, value: number, request: AccessRequest, extent: number): Failure {
  const kind = kinds.KINDS[walk.state.kind(value)]!;
  const values = boundsValues(walk, value, request, extent);
  return {
    code: 'object-out-of-bounds',
    pc: request.pc,
    values: { ...values, kind: kind.name, linux: kind.linux },
    registers: [request.register],
  };
}

function record(walk: Walk, value: number, request: AccessRequest): void {
  const { state } = walk;
  const region = state.kind(value) === kinds.FLOW_KEYS ? 'flow-keys' : 'socket';
  const offset = constantOffset(state, value, request);
  const aligned = region === 'socket' || isAligned(state, value, request);
  walk.noteAccess(request, region, offset, undefined, aligned);
}

function load(walk: Walk, value: number, request: AccessRequest, to: number): void {
  record(walk, value, request);
  loadUnknown(walk.state, to, request.size);
}

function store(walk: Walk, value: number, request: AccessRequest): void {
  record(walk, value, request);
}
