/** Loads, stores and atomics: the pointer must be one, not null, and its region must agree. */

import type { SpecialField } from '../../btf/index.ts';
import type { Failure } from '../diagnose/failure.ts';
import type { Walk } from '../explore/walk.ts';
import type { AccessRequest } from '../obligations/obligation.ts';
import { constantOffset } from '../regions/region.ts';
import { REGIONS } from '../regions/table.ts';
import { isPointerField, mayStore } from '../resources/kptr.ts';
import * as kinds from '../state/kinds.ts';
import * as L from '../state/layout.ts';

/** Kinds that an atomic operation may not change, though a plain store may. */
const NO_ATOMICS: ReadonlySet<number> = new Set([
  kinds.CONTEXT,
  kinds.PACKET,
  kinds.PACKET_META,
  kinds.SOCKET,
  kinds.SOCK_COMMON,
  kinds.TCP_SOCKET,
  kinds.XDP_SOCKET,
  kinds.FLOW_KEYS,
]);

/**
 * Accesses through these kinds are compiled to something else than a plain access, so one
 * instruction cannot use such a pointer on one path and another kind on another.
 */
const REWRITTEN: ReadonlySet<number> = new Set([
  kinds.CONTEXT,
  kinds.SOCKET,
  kinds.SOCK_COMMON,
  kinds.TCP_SOCKET,
  kinds.XDP_SOCKET,
  kinds.FLOW_KEYS,
  kinds.BTF_OBJECT,
  kinds.MAP,
  kinds.ARENA,
]);

export function checkAccess(walk: Walk, request: AccessRequest): Failure | null {
  const { state } = walk;
  const value = state.register(request.register);
  const kind = state.kind(value);
  const row = kinds.KINDS[kind]!;
  const fail = (code: Failure['code'], more: Record<string, string> = {}): Failure => ({
    code,
    pc: request.pc,
    values: {
      kind: row.name,
      linux: row.linux,
      register: `r${request.register}`,
      R: `R${request.register}`,
      ...more,
    },
    registers: [request.register],
  });
  if (kind === kinds.SCALAR) return fail('not-a-pointer');
  // Whether a callee takes null, its contract says (checkBytes).
  const mayBeNull = (state.words[value + L.FLAGS]! & L.FLAG_NULLABLE) !== 0;
  if (mayBeNull && request.by !== 'helper') {
    return fail('null-dereference', { what: `a ${row.name}, or null` });
  }
  const region = REGIONS[kind];
  if (region === undefined) {
    return fail('not-dereferenceable', { verb: request.verb === 'read' ? 'read' : 'written' });
  }
  if (request.by === 'atomic' && NO_ATOMICS.has(kind)) return fail('atomic-target');
  const failure = region.check(walk, value, request);
  if (failure !== null || request.by === 'helper') return failure;
  const first = walk.recorder.pointerKind(request.pc, kind);
  const mixes = first !== kind && (REWRITTEN.has(first) || REWRITTEN.has(kind));
  return mixes ? fail('mixed-pointers', { other: kinds.KINDS[first]!.name }) : null;
}

/** Whether what is in `register` may be written where `request` goes. */
export function checkStorable(
  walk: Walk,
  register: number,
  request: AccessRequest,
): Failure | null {
  const { state, subject } = walk;
  const value = state.register(register);
  const field = pointerFieldAt(walk, request);
  if (field !== undefined) {
    if (mayStore(walk, field, value)) return null;
    return { code: 'kptr-store', pc: request.pc, values: {}, registers: [register] };
  }
  const kind = state.kind(value);
  if (!kinds.isPointer(kind)) return null;
  const target = state.register(request.register);
  const into = state.kind(target);
  const name = kinds.KINDS[kind]!.name;
  if (into === kinds.STACK) {
    const frame = state.words[target + L.TARGET]!;
    // A pointer into a younger frame would outlive that frame; Linux asks no further than that.
    const isCallers =
      subject.profile.family === 'linux'
        ? frame !== state.frame
        : state.words[value + L.TARGET]! > frame;
    if (kind === kinds.STACK && isCallers) {
      return { code: 'stack-pointer-to-caller', pc: request.pc, values: {}, registers: [register] };
    }
    if (request.size === 8) return null;
    if (subject.mayLeakPointers) {
      // At a place that varies Linux does not look at what is stored.
      if (constantOffset(state, target, request) === undefined) return null;
      return { code: 'pointer-part-spilled', pc: request.pc, values: {}, registers: [register] };
    }
  } else if (subject.mayLeakPointers) return null;
  const where = `into ${kinds.KINDS[into]!.linux}`;
  const values = { kind: name, where, R: `R${register}` };
  return { code: 'pointer-leak', pc: request.pc, values, registers: [register] };
}

/** The kernel pointer in a map value that a store goes to. */
function pointerFieldAt(walk: Walk, request: AccessRequest): SpecialField | undefined {
  const value = walk.state.register(request.register);
  if (walk.state.kind(value) !== kinds.MAP_VALUE) return undefined;
  const fields = walk.subject.types.ofMap(walk.state.words[value + L.TARGET]!);
  if (fields.length === 0) return undefined;
  const offset = constantOffset(walk.state, value, request);
  return fields.find((field) => field.offset === offset && isPointerField(field));
}
