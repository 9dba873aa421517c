/**
 * The words in which helper rows are written: one constant per argument or return contract that
 * recurs, and `row`, which fills in what most helpers have in common.
 */

import type { Argument, HelperRow, KernelVersion, Return } from '../types.ts';

export const ANYTHING: Argument = { kind: 'anything' };
export const CONTEXT: Argument = { kind: 'context' };
export const MAP: Argument = { kind: 'map' };
export const MAP_KEY: Argument = { kind: 'map-key' };
export const MAP_VALUE: Argument = { kind: 'map-value' };
export const MAP_VALUE_OR_NULL: Argument = { kind: 'map-value', nullable: true };
/** The callee fills a value of the map. */
export const MAP_VALUE_OUT: Argument = { kind: 'map-value', access: 'write' };
/** Bytes that the callee reads; the size is the next argument. */
export const MEMORY: Argument = { kind: 'memory' };
export const MEMORY_OR_NULL: Argument = { kind: 'memory', nullable: true };
/** Bytes that the callee fills, whatever they held; the size is the next argument. */
export const MEMORY_OUT: Argument = { kind: 'memory', access: 'write' };
/** Bytes that the callee may both read and change. */
export const MEMORY_INOUT: Argument = { kind: 'memory', access: 'read-write' };
export const MEMORY_INOUT_OR_NULL: Argument = { ...MEMORY_INOUT, nullable: true };
export const SIZE: Argument = { kind: 'size' };
export const SIZE_OR_ZERO: Argument = { kind: 'size-or-zero' };
export const CONSTANT_SIZE: Argument = { kind: 'constant-size' };
export const STRING: Argument = { kind: 'string' };
/** Any socket that ringfence or BTF knows: `struct sock_common` and what contains one. */
export const BTF_SOCKET: Argument = { kind: 'btf-socket' };
/** A socket that a helper or a context field gave. */
export const SOCKET: Argument = { kind: 'sock-common' };
export const SPIN_LOCK: Argument = { kind: 'spin-lock' };
export const TIMER: Argument = { kind: 'timer' };
/** Passed on to the callback: stack memory, or null. */
export const STACK_OR_NULL: Argument = { kind: 'stack', nullable: true };

/** A kernel object of this type. */
export const kernel = (typeName: string): Argument => ({ kind: 'btf', typeName });
export const kernelOrNull = (typeName: string): Argument => ({
  kind: 'btf',
  typeName,
  nullable: true,
});

/** Memory of a fixed size that the callee reads. */
export const bytes = (sizeBytes: number): Argument => ({ kind: 'memory', sizeBytes });

/** An aligned number that the callee fills. */
export const filled = (sizeBytes: number): Argument => ({
  kind: 'memory',
  access: 'write',
  sizeBytes,
  alignBytes: sizeBytes,
});

export const SCALAR: Return = { kind: 'scalar' };
export const VOID: Return = { kind: 'void' };
export const VALUE_OR_NULL: Return = { kind: 'map-value', nullable: true };
/** A length up to the size argument, or a negative errno. */
export const LENGTH: Return = { kind: 'scalar', boundedBySize: true };

/** A kernel object or null. */
export const objectOrNull = (typeName: string): Return => ({
  kind: 'btf',
  typeName,
  nullable: true,
});

type Options = Partial<Omit<HelperRow, 'id' | 'name' | 'since' | 'arguments' | 'returns'>>;

/** Helper `id`, called `bpf_${name}`; open to every program type unless `options` says otherwise. */
export function row(
  id: number,
  name: string,
  since: KernelVersion,
  args: readonly Argument[],
  returns: Return,
  options: Options = {},
): HelperRow {
  return {
    id,
    name: `bpf_${name}`,
    since,
    gpl: false,
    programTypes: 'all',
    ...options,
    arguments: args,
    returns,
  };
}
