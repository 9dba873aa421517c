/**
 * Pointers to kernel objects, and how far they can be trusted.
 *
 *   trusted    the object is valid as long as the program runs, or a reference is held
 *   rcu        valid while RCU is held
 *   (neither)  as the kernel once gave them: probably valid, may be null; loads that fault yield 0
 *   untrusted  anything: loads that fault yield 0, and no helper takes it
 *
 * A load through a pointer yields a pointer that is trusted no further than its source. Rules as
 * Linux 6.18 applies them (Documentation/bpf/kfuncs.rst states what trusted and RCU mean).
 */

import type { Walk } from '../explore/walk.ts';
import * as kinds from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import type { MachineState } from '../state/machine.ts';
import type { KernelTypes } from './types.ts';
import type { Member } from './walk.ts';

/** TARGET of a pointer to memory of which no type is known: void has type id 0. */
export const NO_TYPE = 0;

const WHOLLY_TRUSTED = L.FLAG_TRUSTED | L.FLAG_ALLOCATED | L.FLAG_BORROWED;
const SPOILED = L.FLAG_NULLABLE | L.FLAG_UNTRUSTED | L.FLAG_PERCPU | L.FLAG_USER;

/** Makes the value a pointer to a kernel structure. */
export function setKernelPointer(walk: Walk, to: number, typeId: number, flags: number): void {
  const { state } = walk;
  state.setPointer(to, kinds.BTF_OBJECT, typeId);
  state.words[to + L.FLAGS] = flags;
  if ((flags & L.FLAG_NULLABLE) !== 0) state.words[to + L.ID] = walk.freshId();
}

/** Valid whatever happens while the program runs. */
export function isTrusted(state: MachineState, value: number): boolean {
  if (state.words[value + L.REFERENCE] !== 0) return true;
  if (state.kind(value) !== kinds.BTF_OBJECT) return true;
  const flags = state.words[value + L.FLAGS]!;
  return (flags & WHOLLY_TRUSTED) !== 0 && (flags & (SPOILED | L.FLAG_RCU)) === 0;
}

const isRcuProtected = (state: MachineState, value: number): boolean =>
  (state.words[value + L.FLAGS]! & L.FLAG_RCU) !== 0;

/** A load through it may fault: the machine then yields 0. */
export function mayFault(state: MachineState, value: number): boolean {
  const flags = state.words[value + L.FLAGS]!;
  if ((flags & L.FLAG_UNTRUSTED) !== 0) return true;
  return !isTrusted(state, value) && (flags & L.FLAG_RCU) === 0;
}

/** RCU is held: by request, by a lock, or because the program cannot sleep. */
export function holdsRcu(walk: Walk): boolean {
  const { words } = walk.state;
  return words[L.RCU_DEPTH]! > 0 || words[L.LOCK_COUNT]! > 0 || words[L.SLEEPABLE] === 0;
}

/** Flags of the pointer that a load of `field` through the pointer at `source` yields. */
export function loadedFlags(
  walk: Walk,
  types: KernelTypes,
  source: number,
  field: Extract<Member, { kind: 'pointer' }>,
): number {
  const { state } = walk;
  const from = state.words[source + L.FLAGS]!;
  const tag = TAG_FLAGS[field.tag ?? 'none'];
  const overlaid = field.inUnion ? L.FLAG_UNTRUSTED : 0;
  if ((from & L.FLAG_UNTRUSTED) !== 0) return L.FLAG_UNTRUSTED;
  if (!isTrusted(state, source) && !isRcuProtected(state, source))
    return (tag | overlaid) & ~L.FLAG_RCU;
  const owner = state.words[source + L.TARGET]!;
  const promised = types.guarantees(owner, field.name, field.typeId);
  if (promised.has('trusted')) return tag | overlaid | L.FLAG_TRUSTED;
  if (promised.has('trusted-or-null')) return tag | overlaid | L.FLAG_TRUSTED | L.FLAG_NULLABLE;
  if (!holdsRcu(walk) || (from & L.FLAG_NULLABLE) !== 0) return L.FLAG_UNTRUSTED;
  if (promised.has('rcu')) return tag | overlaid | L.FLAG_RCU;
  const orNull = promised.has('rcu-or-null');
  if ((tag & L.FLAG_RCU) !== 0 || orNull) {
    // What the kernel lists it vouches for, in a union too.
    return (orNull ? tag : tag | overlaid) | L.FLAG_RCU | L.FLAG_NULLABLE;
  }
  return (tag & (L.FLAG_PERCPU | L.FLAG_USER)) !== 0 ? tag | overlaid : overlaid;
}

const TAG_FLAGS = { none: 0, user: L.FLAG_USER, percpu: L.FLAG_PERCPU, rcu: L.FLAG_RCU } as const;
