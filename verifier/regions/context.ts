/**
 * The context behind r1: fields by constant offset, as the program type's layout lists them. A
 * `memory` program's context is a plain buffer and is not seen here.
 */

import { attachTypeOf, type ContextField, contextAccess } from '../../platform/index.ts';
import type { Failure } from '../diagnose/failure.ts';
import type { Walk } from '../explore/walk.ts';
import { setKernelPointer } from '../kernel/pointer.ts';
import type { AccessRequest } from '../obligations/obligation.ts';
import * as kinds from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import { hookArgument, loadHookArgument } from './hook-context.ts';
import { allowsRaw, hasBuffer } from './raw-context.ts';
import { boundsValues, constantOffset, loadUnknown, type Region } from './region.ts';

export const CONTEXT_REGION: Region = { check, load, store };

/** What a loaded pointer field points to; 0: a number. */
const FIELD_KINDS: Readonly<Record<ContextField['kind'], number>> = {
  scalar: kinds.SCALAR,
  packet: kinds.PACKET,
  'packet-end': kinds.PACKET_END,
  'packet-meta': kinds.PACKET_META,
  socket: kinds.SOCKET,
  'sock-common': kinds.SOCK_COMMON,
  'flow-keys': kinds.FLOW_KEYS,
  memory: kinds.PACKET,
  'memory-end': kinds.PACKET_END,
  btf: kinds.BTF_OBJECT,
};

function check(walk: Walk, value: number, request: AccessRequest): Failure | null {
  const { state, subject } = walk;
  const offset = constantOffset(state, value, request);
  const values = boundsValues(walk, value, request, subject.layout?.sizeBytes ?? 0);
  const registers = [request.register];
  if (offset === undefined) {
    return { code: 'context-variable-offset', pc: request.pc, values, registers };
  }
  if (state.words[value + L.OFFSET] !== 0) {
    const moved = state.words[value + L.OFFSET]!;
    return {
      code: 'context-modified',
      pc: request.pc,
      values: { ...values, offset: moved },
      registers,
    };
  }
  const context = subject.layout?.struct ?? subject.type.name;
  const denied: Failure = {
    code: 'context-out-of-bounds',
    pc: request.pc,
    values: { ...values, context, offset },
    registers,
  };
  if (request.by !== 'instruction') return denied;
  if (offset < 0) return denied;
  if (subject.hook !== undefined) {
    return hookArgument(subject.hook, offset, request) === undefined ? denied : null;
  }
  if (subject.layout === undefined) {
    return allowsRaw(subject.type, offset, request) ? null : denied;
  }
  const access = accessOf(walk, offset, request);
  if (access === undefined) return denied;
  const { kind, typeName } = access.field;
  if (kind !== 'btf' || subject.kernel?.struct(typeName ?? '') !== undefined) return null;
  const reason = `struct ${typeName} is not known: the kernel’s types were not given`;
  const type = subject.program.type;
  return { code: 'program-type-unsupported', pc: request.pc, values: { type, reason } };
}

function accessOf(walk: Walk, offset: number, request: AccessRequest) {
  const { subject } = walk;
  if (subject.layout === undefined) return undefined;
  const attach = attachTypeOf(subject.program);
  return contextAccess(subject.layout, offset, request.size, request.verb, attach);
}

function load(walk: Walk, value: number, request: AccessRequest, to: number): void {
  const { state, subject } = walk;
  const offset = constantOffset(state, value, request)!;
  const access = accessOf(walk, offset, request);
  walk.noteAccess(request, 'context', offset, access?.index, true);
  if (subject.hook !== undefined) {
    const argument = hookArgument(subject.hook, offset, request);
    if (argument !== undefined) loadHookArgument(walk, argument, request.size, to);
  } else if (access !== undefined) loadField(walk, access.field, request.size, to);
  else if (hasBuffer(subject.type, offset)) state.setPointer(to, kinds.TRACE_BUFFER, 0);
  else loadUnknown(state, to, request.size);
}

function loadField(walk: Walk, field: ContextField, size: number, to: number): void {
  const { state, subject } = walk;
  const kind = FIELD_KINDS[field.kind];
  if (kind === kinds.SCALAR) {
    loadUnknown(state, to, size);
    return;
  }
  const nullable = field.nullable ? L.FLAG_NULLABLE : 0;
  if (kind === kinds.BTF_OBJECT) {
    const typeId = subject.kernel?.struct(field.typeName ?? '') ?? 0;
    setKernelPointer(walk, to, typeId, L.FLAG_TRUSTED | nullable);
    return;
  }
  state.setPointer(to, kind, 0);
  state.words[to + L.FLAGS] = nullable;
  if (nullable !== 0) state.words[to + L.ID] = walk.freshId();
}

function store(walk: Walk, value: number, request: AccessRequest): void {
  const offset = constantOffset(walk.state, value, request)!;
  const access = accessOf(walk, offset, request);
  walk.noteAccess(request, 'context', offset, access?.index, true);
}
