/**
 * Kernel objects that programs see through a fixed layout: sockets and flow keys. The layout is a
 * context layout of the platform tables; reads of listed fields only.
 */

import { contextAccess, contextLayout } from '../../platform/index.ts';
import type { Failure } from '../diagnose/failure.ts';
import type { Walk } from '../explore/walk.ts';
import type { AccessRequest } from '../obligations/obligation.ts';
import * as kinds from '../state/kinds.ts';
import { boundsValues, constantOffset, loadUnknown, type Region } from './region.ts';

export const OBJECT_REGION: Region = { check, load, store };

const LAYOUTS: Readonly<Record<number, string>> = {
  [kinds.SOCKET]: 'bpf_sock',
  [kinds.SOCK_COMMON]: 'bpf_sock',
  [kinds.TCP_SOCKET]: 'bpf_tcp_sock',
  [kinds.XDP_SOCKET]: 'bpf_xdp_sock',
  [kinds.FLOW_KEYS]: 'bpf_flow_keys',
};

function accessOf(walk: Walk, value: number, request: AccessRequest) {
  const layout = contextLayout(LAYOUTS[walk.state.kind(value)] ?? '');
  const offset = constantOffset(walk.state, value, request);
  if (layout === undefined || offset === undefined || offset < 0) return undefined;
  return contextAccess(layout, offset, request.size, request.verb);
}

function check(walk: Walk, value: number, request: AccessRequest): Failure | null {
  if (request.by === 'instruction' && accessOf(walk, value, request) !== undefined) return null;
  const kind = kinds.KINDS[walk.state.kind(value)]!;
  const values = boundsValues(walk, value, request, 0);
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
  walk.noteAccess(request, region, offset, undefined, true);
}

function load(walk: Walk, value: number, request: AccessRequest, to: number): void {
  record(walk, value, request);
  loadUnknown(walk.state, to, request.size);
}

function store(walk: Walk, value: number, request: AccessRequest): void {
  record(walk, value, request);
}
