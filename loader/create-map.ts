/**
 * Making maps: from a specification, by type, with the content and the fields that it has from the
 * start. What a type cannot be made of, native code says as the kernel would.
 */

import { type MapSpec, UnsupportedError } from '../isa/index.ts';
import { arenaRange, mapType } from '../platform/index.ts';
import { addon } from './addon.ts';
import { CPU_SLOTS } from './environment.ts';
import { errnoName } from './errno.ts';
import { adoptMap, type ExtensionMap, handleOf, retainMap } from './map.ts';
import { MapError } from './map-calls.ts';
import { describeMaps, fieldWords, type MapTypes } from './map-types.ts';

/** A map of the caller's own, to be passed to `load`; close it when it is no longer needed. */
export function createMap(spec: MapSpec, btf?: Uint8Array): ExtensionMap {
  const map = makeMap(spec, describeMaps(btf, spec.name));
  retainMap(map);
  return map;
}

/** A map that nobody uses yet, with its initial content, frozen if its specification says so. */
export function makeMap(spec: MapSpec, typesOf: (spec: MapSpec) => MapTypes): ExtensionMap {
  const types = typesOf(spec);
  const row = mapType(spec.type);
  if (row === undefined) throw new RangeError(`there is no map type ${spec.type}`);
  const inner = spec.inner === undefined ? null : handleOf(makeMap(spec.inner, typesOf));
  const extra = spec.type === 'arena' ? arenaRange(spec).start : BigInt(spec.mapExtra);
  const words = Uint32Array.of(
    row.id,
    spec.keySize,
    spec.valueSize,
    // As libbpf does: as many events as processors where nothing is said.
    spec.type === 'perf_event_array' && spec.maxEntries === 0 ? CPU_SLOTS : spec.maxEntries,
    spec.flags,
    Number(extra & 0xffffffffn),
    Number(extra >> 32n),
    ...fieldWords(types.fields),
  );
  const handle = addon().createMap(words, inner);
  if (typeof handle === 'number') {
    if (errnoName(handle) === 'EINVAL' && !IMPLEMENTED.has(spec.type))
      throw new UnsupportedError(
        `map ${spec.name}: type ${spec.type} is not implemented in user space`,
      );
    throw new MapError(spec.name, `creation as ${describe(spec)}`, handle);
  }
  const map = adoptMap(handle, spec, types);
  fill(map, spec);
  return map;
}

const describe = ({ type, keySize, valueSize, maxEntries }: MapSpec) =>
  `${type} with ${keySize}-byte keys, ${valueSize}-byte values and ${maxEntries} entries`;

/** Map types with a row in loader/native. */
export const IMPLEMENTED: ReadonlySet<string> = new Set([
  'array',
  'percpu_array',
  'hash',
  'percpu_hash',
  'lru_hash',
  'lru_percpu_hash',
  'lpm_trie',
  'queue',
  'stack',
  'ringbuf',
  'prog_array',
  'array_of_maps',
  'hash_of_maps',
  'bloom_filter',
  'perf_event_array',
  'devmap',
  'devmap_hash',
  'cpumap',
  'xskmap',
  'sockmap',
  'sockhash',
  'reuseport_sockarray',
  'cgroup_array',
  'stack_trace',
  'cgroup_storage',
  'percpu_cgroup_storage',
  'sk_storage',
  'inode_storage',
  'task_storage',
  'cgrp_storage',
  'user_ringbuf',
  'arena',
]);

/** Content that travels with the program. Entries that name other maps or programs come later. */
function fill(map: ExtensionMap, spec: MapSpec): void {
  const initial = spec.initial;
  if (spec.type === 'arena') {
    if (initial !== undefined && initial.length > 0) map.view(0, initial.length).set(initial);
    return;
  }
  const count = initial === undefined ? 0 : Math.ceil(initial.length / Math.max(1, spec.valueSize));
  for (let index = 0; index < count; index++) {
    const value = new Uint8Array(map.valueSize);
    value.set(initial?.subarray(index * spec.valueSize, (index + 1) * spec.valueSize) ?? []);
    map.set(new Uint8Array(Uint32Array.of(index).buffer), value);
  }
  for (const { key, value } of spec.entries ?? [])
    if (typeof value !== 'string') map.set(key, value);
  if (spec.frozen) map.freeze();
}
