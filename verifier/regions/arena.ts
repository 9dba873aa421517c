/**
 * An arena: memory that the program shares with a process. A pointer into one is 32 bits of offset
 * into 4 GiB that the kernel keeps mapped or guarded: a load that finds no page yields 0, a store is
 * dropped. So every access is safe, whatever its offset and size, and nothing that is read is known.
 */

import type { Failure } from '../diagnose/failure.ts';
import type { Walk } from '../explore/walk.ts';
import type { AccessRequest } from '../obligations/obligation.ts';
import { ARENA, KINDS } from '../state/kinds.ts';
import { loadUnknown, type Region } from './region.ts';

export const ARENA_REGION: Region = { check, load, store };

/** What the compiler of Linux cannot do to an arena on x86-64: they take a loop of their own. */
const LOOPED: ReadonlySet<string> = new Set(['fetch_and', 'fetch_or', 'fetch_xor']);

function check({ subject }: Walk, _value: number, request: AccessRequest): Failure | null {
  const isLooped = request.by === 'atomic' && LOOPED.has(subject.rows[request.pc]!.operation);
  if (!isLooped) return null;
  const { name, linux } = KINDS[ARENA]!;
  const { register } = request;
  const values = { kind: name, linux, register, R: `R${register}` };
  return { code: 'atomic-target', pc: request.pc, values, registers: [register] };
}

function load(walk: Walk, _value: number, request: AccessRequest, to: number): void {
  walk.noteAccess(request, 'arena', undefined, undefined, false);
  loadUnknown(walk.state, to, request.size);
}

function store(walk: Walk, _value: number, request: AccessRequest): void {
  walk.noteAccess(request, 'arena', undefined, undefined, false);
}
