/** Special fields of maps that programs of some types may not have at all. */

import type { SpecialKind } from '../../btf/index.ts';
import type { MapSpec, Program } from '../../isa/index.ts';
import type { Failure } from '../diagnose/failure.ts';
import type { ProgramTypes } from '../program-types.ts';
import type { ResolvedMap } from '../subject.ts';

/** Programs that run in any context, also in the middle of what a lock protects. */
const TRACERS: readonly string[] = [
  'kprobe',
  'tracepoint',
  'perf_event',
  'raw_tracepoint',
  'raw_tracepoint_writable',
];
const LOCKERS = [...TRACERS, 'socket_filter'];

/** Observed from Linux 6.18. */
const REFUSED: Readonly<Partial<Record<SpecialKind, readonly string[]>>> = {
  'spin-lock': LOCKERS,
  'res-spin-lock': LOCKERS,
  timer: TRACERS,
  workqueue: TRACERS,
  'list-head': TRACERS,
  'rbtree-root': TRACERS,
};

export function checkFields(
  program: Program,
  maps: readonly MapSpec[],
  mapAt: ReadonlyMap<number, ResolvedMap>,
  types: ProgramTypes,
): Failure | undefined {
  for (const [pc, { map }] of mapAt) {
    const field = types.ofMap(map).find(({ kind }) => REFUSED[kind]?.includes(program.type));
    if (field === undefined) continue;
    const values = { type: program.type, map: maps[map]!.name, object: field.kind };
    return { code: 'map-field-not-allowed', pc, values };
  }
  return undefined;
}
