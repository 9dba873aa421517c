/**
 * What one host offers: the same rows, as far as the profile's host has them. Linux profiles go by
 * first releases; the others by what they say of themselves.
 */

import { has, helper, helperByName, helperFor, mapType, mayCall, programType } from './lookup.ts';
import type { HelperRow, MapTypeRow, Profile, ProgramTypeRow } from './types.ts';

/** Program types that live in a kernel and nowhere else. */
const OF_KERNEL = ['btf-arguments', 'btf-struct', 'raw-words', 'tracepoint'];

/** The program type as the host has it, or undefined. */
export function programTypeIn(host: Profile, name: string): ProgramTypeRow | undefined {
  if (host.programTypes) return host.programTypes.find((row) => row.name === name);
  const row = programType(name);
  if (row === undefined || (host.family === 'memory') !== (name === 'memory')) return undefined;
  if (!has(host, row.since)) return undefined;
  if (host.family === 'portable' && OF_KERNEL.includes(row.contextRule ?? '')) return undefined;
  return row;
}

/** The helper that `id` means on the host to programs of this type, or undefined. */
export function helperIn(
  host: Profile,
  id: number,
  type: string,
  attachType?: string,
): HelperRow | undefined {
  if (host.helpers) return host.helpers.get(id);
  const name = host.helperIds?.get(id);
  const row = host.helperIds ? helperByName(name ?? '') : helper(id);
  if (row === undefined || !has(host, row.since)) return undefined;
  if (row.kernelOnly && host.family !== 'linux') return undefined;
  return mayCall(row, type, attachType) ? helperFor(row.id, type) : undefined;
}

/** The map type, where the host has it. */
export function mapTypeIn(host: Profile, name: string): MapTypeRow | undefined {
  const row = mapType(name);
  return row !== undefined && has(host, row.since) ? row : undefined;
}
