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
/** The callee fills a value of the map. */
export const MAP_VALUE_OUT: Argument = { kind: 'map-value', access: 'write' };
/** Bytes that the callee reads; the size is the next argument. */
export const MEMORY: Argument = { kind: 'memory' };
export const MEMORY_OR_NULL: Argument = { kind: 'memory', nullable: true };
/** Bytes that the callee fills, whatever they held; the size is the next argument. */
export const MEMORY_OUT: Argument = { kind: 'memory', access: 'write' };
export const SIZE: Argument = { kind: 'size' };
export const SIZE_OR_ZERO: Argument = { kind: 'size-or-zero' };
export const CONSTANT_SIZE: Argument = { kind: 'constant-size' };
export const STRING: Argument = { kind: 'string' };
export const BTF_SOCKET: Argument = { kind: 'btf-socket' };

export const SCALAR: Return = { kind: 'scalar' };
export const VOID: Return = { kind: 'void' };
export const VALUE_OR_NULL: Return = { kind: 'map-value', nullable: true };

/** Memory of a fixed size that the callee fills. */
export const filled = (sizeBytes: number, alignBytes = sizeBytes): Argument => ({
  kind: 'memory',
  access: 'write',
  sizeBytes,
  alignBytes,
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
