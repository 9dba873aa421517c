/**
 * Kernel pointers kept in map values and allocated objects, in fields that the program's types tag:
 *
 *   kptr            owns what it points to; changed by bpf_kptr_xchg only
 *   kptr_untrusted  a plain pointer: loads yield one that may be stale
 *   percpu_kptr     owns an object of which every processor has its own
 *   uptr            memory of a process, pinned
 *
 * Rules: Documentation/bpf/kptr.rst (map section), checked against Linux 6.18.
 */

import type { SpecialField, SpecialKind } from '../../btf/index.ts';
import type { Failure } from '../diagnose/failure.ts';
import { type Call, checkReleased, wrong } from '../discharge/passed.ts';
import * as domain from '../domain/index.ts';
import type { Walk } from '../explore/walk.ts';
import { holdsRcu, setKernelPointer } from '../kernel/pointer.ts';
import * as kinds from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import { setAllocated } from './allocated.ts';
import { checkUsable, fieldAt } from './special-field.ts';

const POINTERS: ReadonlySet<SpecialKind> = new Set([
  'kptr',
  'kptr-untrusted',
  'kptr-percpu',
  'user-pointer',
]);

export const isPointerField = ({ kind }: SpecialField): boolean => POINTERS.has(kind);

/** Kernel objects that RCU keeps alive after their last reference is gone. */
const RCU_PROTECTED: ReadonlySet<string> = new Set([
  'task_struct',
  'cgroup',
  'bpf_cpumask',
  'bpf_crypto_ctx',
]);

/** What a kernel pointer points to: a kernel type where the kernel has one of that name. */
export interface Pointee {
  readonly origin: 'kernel' | 'program';
  readonly typeId: number;
  readonly name: string;
}

export function pointeeOf(walk: Walk, field: SpecialField): Pointee | undefined {
  const { types, kernel } = walk.subject;
  if (types.btf === undefined || field.pointeeId === undefined) return undefined;
  const name = types.btf.nameOf(field.pointeeId);
  const known = kernel?.struct(name);
  if (known !== undefined) return { origin: 'kernel', typeId: known, name };
  const isOwn = types.btf.kindOf(field.pointeeId) === 'struct';
  return isOwn ? { origin: 'program', typeId: field.pointeeId, name } : undefined;
}

/** Puts what a load of the field yields into the value at `to`. */
export function loadPointer(walk: Walk, field: SpecialField, to: number): void {
  const { state } = walk;
  const pointee = pointeeOf(walk, field);
  if (pointee === undefined) {
    state.setUnknown(to);
    return;
  }
  if (field.kind === 'user-pointer') {
    state.setPointer(to, kinds.MEMORY, 0);
    state.words[to + L.EXTENT] = walk.subject.types.btf?.sizeOf(field.pointeeId!) ?? 0;
    state.words[to + L.FLAGS] = L.FLAG_NULLABLE;
    state.words[to + L.ID] = walk.freshId();
    return;
  }
  const flags = loadedTrust(walk, field, pointee) | L.FLAG_NULLABLE;
  if (pointee.origin === 'kernel') setKernelPointer(walk, to, pointee.typeId, flags);
  else setAllocated(walk, walk.state, to, pointee.typeId, flags);
}

/** How far the loaded pointer can be trusted: another processor may exchange it at any time. */
function loadedTrust(walk: Walk, field: SpecialField, { origin, name, typeId }: Pointee): number {
  const isGuarded = origin === 'program' || RCU_PROTECTED.has(name);
  if (field.kind === 'kptr-untrusted' || !isGuarded || !holdsRcu(walk)) return L.FLAG_UNTRUSTED;
  if (field.kind === 'kptr-percpu') return L.FLAG_RCU | L.FLAG_PERCPU;
  if (origin === 'kernel') return L.FLAG_RCU;
  const hasNodes = walk.subject.types
    .ofType(typeId)
    .some(({ kind }) => kind === 'list-node' || kind === 'rbtree-node');
  return L.FLAG_RCU | L.FLAG_ALLOCATED | (hasNodes ? L.FLAG_BORROWED : 0);
}

/** The first argument of an exchange: the address of an owning field. */
export function checkKptr(call: Call): Failure | null {
  const { state } = call.walk;
  const nullable = (state.words[call.value + L.FLAGS]! & L.FLAG_NULLABLE) !== 0;
  const field = nullable ? undefined : fieldAt(call.walk, call.value, 'kptr', 'kptr-percpu');
  if (field !== undefined && pointeeOf(call.walk, field) !== undefined) return checkUsable(call);
  return wrong(call, 'the address of a kptr field', 'map_value, ptr_');
}

/** The field that an exchange changes. */
export function exchangedField(walk: Walk): SpecialField | undefined {
  return fieldAt(walk, walk.state.register(1), 'kptr', 'kptr-percpu');
}

/** The second argument of an exchange: an owning pointer of the field's type. */
export function checkExchanged(call: Call): Failure | null {
  const field = exchangedField(call.walk);
  const pointee = field === undefined ? undefined : pointeeOf(call.walk, field);
  if (field === undefined || pointee === undefined) return null;
  if (!matches(call.walk, call.value, field, pointee)) {
    return wrong(call, `a pointer to struct ${pointee.name}`, `ptr_${pointee.name}`);
  }
  return checkReleased(call);
}

function matches(walk: Walk, value: number, field: SpecialField, pointee: Pointee): boolean {
  const { state } = walk;
  const { words } = state;
  const kind = pointee.origin === 'kernel' ? kinds.BTF_OBJECT : kinds.ALLOCATED;
  const flags = words[value + L.FLAGS]!;
  const perCpu = (flags & L.FLAG_PERCPU) !== 0;
  return (
    state.kind(value) === kind &&
    words[value + L.TARGET] === pointee.typeId &&
    (flags & (L.FLAG_UNTRUSTED | L.FLAG_BORROWED | L.FLAG_USER | L.FLAG_NULLABLE)) === 0 &&
    perCpu === (field.kind === 'kptr-percpu')
  );
}

/** Whether a plain store of the register to the field is allowed: only where the field owns nothing. */
export function mayStore(walk: Walk, field: SpecialField, value: number): boolean {
  if (field.kind !== 'kptr-untrusted') return false;
  const { state } = walk;
  if (state.kind(value) === kinds.SCALAR) {
    return domain.isConstantOf(state.words, value + L.NUMBER, 0, 0);
  }
  const pointee = pointeeOf(walk, field);
  if (pointee === undefined || pointee.origin !== 'kernel') return false;
  return state.kind(value) === kinds.BTF_OBJECT && state.words[value + L.TARGET] === pointee.typeId;
}

/** The exchange returns what the field held. */
export function setExchanged(walk: Walk, to: number, field: SpecialField): void {
  const pointee = pointeeOf(walk, field)!;
  if (pointee.origin === 'kernel') {
    setKernelPointer(walk, to, pointee.typeId, L.FLAG_NULLABLE);
    return;
  }
  const perCpu = field.kind === 'kptr-percpu' ? L.FLAG_PERCPU : 0;
  setAllocated(walk, walk.state, to, pointee.typeId, L.FLAG_ALLOCATED | L.FLAG_NULLABLE | perCpu);
}
