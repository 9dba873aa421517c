/**
 * Objects that the program allocates, of types of its own: made by bpf_obj_new, given back by
 * bpf_obj_drop, put into lists, trees and map values. A pointer to one is either
 *
 *   owning     REFERENCE is not 0: it must be given away on every path
 *   borrowed   FLAG_BORROWED: seen in a collection, worthless once the collection's lock is free
 *   RCU        FLAG_RCU: read from a map value, valid while RCU is held
 *   untrusted  anything: loads that fault yield 0
 *
 * Rules: Documentation/bpf/graph_ds_impl.rst; checked against Linux 6.18.
 */

import { type Contract, hasFlag } from '../contract.ts';
import type { Failure } from '../diagnose/failure.ts';
import { type Call, checkReleased, wrong } from '../discharge/passed.ts';
import * as domain from '../domain/index.ts';
import type { Walk } from '../explore/walk.ts';
import * as kinds from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import type { MachineState } from '../state/machine.ts';

/** Largest object of which every processor has its own. */
const MOST_PERCPU_BYTES = 512;

const flagsOf = ({ walk, value }: Call): number => walk.state.words[value + L.FLAGS]!;

const isWhole = ({ walk: { state }, value }: Call): boolean =>
  state.words[value + L.OFFSET] === 0 && domain.isConstantOf(state.words, value + L.NUMBER, 0, 0);

/** The constant id of a structure in the program's BTF. */
export function checkLocalType(call: Call): Failure | null {
  const { walk, value, callee } = call;
  const { state, subject } = walk;
  const fail = () => wrong(call, "the type number of one of the program's structures", 'scalar');
  const number = value + L.NUMBER;
  if (state.kind(value) !== kinds.SCALAR || !domain.isConstant(state.words, number)) return fail();
  walk.needPrecise(call.register);
  const id = domain.signedMin(state.words, number);
  const { btf } = subject.types;
  if (btf?.has(id) !== true || btf.kindOf(id) !== 'struct') return fail();
  const problem = subject.types.problemOfType(id);
  if (problem !== undefined)
    return wrong(call, `a structure that can be made (${problem})`, 'scalar');
  if (callee.returns.kind !== 'percpu-allocated') return null;
  const fits = (btf.sizeOf(id) ?? 0) <= MOST_PERCPU_BYTES && subject.types.ofType(id).length === 0;
  return fits ? null : wrong(call, 'a small structure without special fields', 'scalar');
}

/** An owning pointer to the start of an object. */
export function checkAllocated(call: Call): Failure | null {
  const { walk, value, argument } = call;
  const perCpu = argument.kind === 'percpu-allocated';
  const flags = flagsOf(call);
  const fits =
    walk.state.kind(value) === kinds.ALLOCATED &&
    (flags & (L.FLAG_NULLABLE | L.FLAG_UNTRUSTED)) === 0 &&
    ((flags & L.FLAG_PERCPU) !== 0) === perCpu;
  if (!fits) return wrong(call, 'an allocated object', 'allocated object');
  return checkReleased(call);
}

/** Any pointer to a live object that counts its references. */
export function checkRefcounted(call: Call): Failure | null {
  const { walk, value } = call;
  const { state, subject } = walk;
  const spoiled = L.FLAG_NULLABLE | L.FLAG_UNTRUSTED | L.FLAG_PERCPU;
  const isObject = state.kind(value) === kinds.ALLOCATED && (flagsOf(call) & spoiled) === 0;
  const fields = isObject ? subject.types.ofType(state.words[value + L.TARGET]!) : [];
  const counts = fields.some(({ kind }) => kind === 'refcount');
  if (counts && isWhole(call)) return null;
  return wrong(call, 'an object with a bpf_refcount', 'allocated object');
}

/** What the result of an allocating call depends on, read before the arguments are lost. */
export interface Allocation {
  readonly typeId: number;
  /** The argument was an owning pointer: the object cannot be gone. */
  readonly owned: boolean;
}

export function allocationOf(walk: Walk, callee: Contract): Allocation | undefined {
  const { words } = walk.state;
  const r1 = walk.state.register(1);
  switch (callee.returns.kind) {
    case 'allocated':
    case 'percpu-allocated':
      return { typeId: domain.constantLo(words, r1 + L.NUMBER), owned: false };
    case 'memory-or-btf': // One processor's part of an object that RCU protects.
      return walk.state.kind(r1) === kinds.ALLOCATED
        ? { typeId: words[r1 + L.TARGET]!, owned: false }
        : undefined;
    case 'same':
      return { typeId: words[r1 + L.TARGET]!, owned: words[r1 + L.REFERENCE] !== 0 };
    default:
      return undefined;
  }
}

/** Makes the value a pointer to an object of that type. */
export function setAllocated(
  walk: Walk,
  state: MachineState,
  to: number,
  typeId: number,
  flags: number,
): void {
  state.setPointer(to, kinds.ALLOCATED, typeId);
  state.words[to + L.FLAGS] = flags;
  state.words[to + L.ID] = walk.freshId();
}

export function setAllocation(
  walk: Walk,
  to: number,
  callee: Contract,
  { typeId, owned }: Allocation,
): void {
  const { kind } = callee.returns;
  const perCpu = kind === 'percpu-allocated' ? L.FLAG_PERCPU : 0;
  const guarded = kind === 'memory-or-btf' ? L.FLAG_RCU : 0;
  const isNullable = (hasFlag(callee, 'ret-null') || callee.returns.nullable === true) && !owned;
  const nullable = isNullable ? L.FLAG_NULLABLE : 0;
  setAllocated(walk, walk.state, to, typeId, L.FLAG_ALLOCATED | perCpu | guarded | nullable);
}
