/** Kernel objects as results of calls and constants. */

import type { BtfType } from '../../btf/index.ts';
import type { Contract } from '../contract.ts';
import type { Walk } from '../explore/walk.ts';
import { NO_TYPE, setKernelPointer } from '../kernel/pointer.ts';
import type { KernelTypes } from '../kernel/types.ts';
import * as kinds from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import type { Origin } from './origin.ts';

/** Flags of the pointer that the call returns. */
function resultFlags({ returns, flags }: Contract): number {
  const trust = returns.trust === undefined ? 0 : TRUST[returns.trust];
  const isNullable = returns.nullable === true || flags?.includes('ret-null') === true;
  return trust | (isNullable ? L.FLAG_NULLABLE : 0);
}

const TRUST = { trusted: L.FLAG_TRUSTED, rcu: L.FLAG_RCU, untrusted: L.FLAG_UNTRUSTED } as const;

/** The call returned a kernel object, by its contract; false where it returned something else. */
export function setObjectResult(walk: Walk, callee: Contract, origin: Origin): boolean {
  const { state, subject } = walk;
  const { kind, typeName } = callee.returns;
  const flags = resultFlags(callee);
  const r0 = state.register(0);
  const typeOf = (name: string | undefined) => subject.kernel?.struct(name ?? '') ?? NO_TYPE;
  switch (kind) {
    case 'memory-or-btf':
      setVariable(walk, r0, origin.object, flags);
      return true;
    case 'btf':
      setKernelPointer(walk, r0, typeOf(typeName), flags);
      return true;
    case 'kernel-context':
      setKernelPointer(walk, r0, typeOf(subject.type.kernelContext), L.FLAG_TRUSTED);
      return true;
    case 'read-only-cast':
      setKernelPointer(walk, r0, origin.castTo, L.FLAG_UNTRUSTED);
      return true;
    default:
      return false;
  }
}

/** A pointer to a kernel variable: an object, or memory that may only be read. */
function setVariable(walk: Walk, to: number, typeId: number, flags: number): void {
  const { state, subject } = walk;
  const { btf } = subject.kernel as KernelTypes;
  const type = btf.resolved(typeId);
  if (type.kind === 'struct' || type.kind === 'union') {
    setKernelPointer(walk, to, type.id, flags);
    return;
  }
  state.setPointer(to, kinds.MEMORY, 0);
  state.words[to + L.EXTENT] = btf.sizeOf(typeId) ?? 0;
  state.words[to + L.FLAGS] = flags | L.FLAG_READ_ONLY;
  if ((flags & L.FLAG_NULLABLE) !== 0) state.words[to + L.ID] = walk.freshId();
}

/** Loads the address of the kernel symbol with that type id. */
export function loadSymbol(walk: Walk, to: number, id: number): void {
  const { btf } = walk.subject.kernel as KernelTypes;
  const symbol = btf.type(id);
  if (symbol.kind !== 'var') {
    // A function: an address without bytes to read.
    walk.state.setPointer(to, kinds.MEMORY, 0);
    walk.state.words[to + L.FLAGS] = L.FLAG_READ_ONLY;
    return;
  }
  if (!isPerCpu(walk.subject.kernel as KernelTypes, symbol)) {
    setVariable(walk, to, symbol.typeId, 0);
    return;
  }
  setKernelPointer(walk, to, btf.resolve(symbol.typeId), L.FLAG_PERCPU);
}

const PER_CPU_SECTION = '.data..percpu';

/** Per-CPU variables are those of one section. */
function isPerCpu(types: KernelTypes, symbol: BtfType): boolean {
  const id = types.btf.find(PER_CPU_SECTION, 'datasec');
  const section = id === undefined ? undefined : types.btf.typeOf(id, 'datasec');
  return section?.variables.some(({ typeId }) => typeId === symbol.id) ?? false;
}
