/**
 * Loading on the reference engine. Takes programs, not proofs: it checks every access itself, so it
 * may run anything, as an oracle must. Whoever runs programs for people asks the verifier first.
 */

import { decode, type Program } from '../../isa/index.ts';
import { ReferenceExtension, type ReferenceOptions } from './engine.ts';
import { Allocator } from './memory.ts';

export {
  ReferenceExtension,
  type ReferenceOptions,
  type ReferenceReport,
  type TestOptions,
} from './engine.ts';
export { ReferenceMap } from './maps.ts';
export {
  type CallRecord,
  type PassedMap,
  type PassedValue,
  Recorder,
  type SlotCounts,
} from './recorder.ts';

/** Several programs share maps of the same name, as with `load`. */
export function loadReference(
  programs: readonly Program[],
  options: ReferenceOptions = {},
): ReferenceExtension[] {
  const shared = { ...options.maps };
  const allocator = Object.values(shared)[0]?.allocator ?? new Allocator();
  const extensions = programs.map((program) => {
    const { instructions } = decode(program.code);
    const extension = new ReferenceExtension(
      program,
      instructions,
      { ...options, maps: shared },
      allocator,
    );
    for (const map of extension.mapList) shared[map.name] ??= map;
    return extension;
  });
  fillObjectMaps(extensions);
  return extensions;
}

/** Entries that name programs or maps of the same call. */
function fillObjectMaps(extensions: readonly ReferenceExtension[]): void {
  const programs = new Map(extensions.map((extension) => [extension.name, extension]));
  const maps = new Map(extensions.flatMap(({ mapList }) => mapList.map((map) => [map.name, map])));
  for (const map of maps.values())
    for (const { key, value } of map.spec.entries ?? []) {
      if (typeof value !== 'string') continue;
      const target = map.type === 'prog_array' ? programs.get(value) : maps.get(value);
      if (target === undefined)
        throw new RangeError(`map ${map.name}: nothing called ${value} is loaded with it`);
      map.setTarget(key, target);
    }
}
