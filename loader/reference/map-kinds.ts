/** Which map types the reference engine treats alike, and keys that are numbers or prefixes. */

export const PER_CPU: ReadonlySet<string> = new Set([
  'percpu_array',
  'percpu_hash',
  'lru_percpu_hash',
  'percpu_cgroup_storage',
]);
/** Storage of objects: keyed by their identities, as many as loader/native/map_storage.c has room for. */
export const STORAGES: ReadonlySet<string> = new Set([
  'sk_storage',
  'inode_storage',
  'task_storage',
  'cgrp_storage',
  'cgroup_storage',
  'percpu_cgroup_storage',
]);
export const STORAGE_OBJECTS = 65_536;
/** What waits in a perf event array. */
export const SAMPLE_BYTES = 64 * 4096;
export const ARRAYS: ReadonlySet<string> = new Set(['array', 'percpu_array']);
export const HASHES: ReadonlySet<string> = new Set([
  'hash',
  'percpu_hash',
  'lru_hash',
  'lru_percpu_hash',
  'devmap_hash',
  'sockhash',
  'stack_trace',
  ...STORAGES,
]);
export const SPARSE: ReadonlySet<string> = new Set([
  'devmap',
  'cpumap',
  'xskmap',
  'perf_event_array',
  'sockmap',
  'reuseport_sockarray',
  'cgroup_array',
]);
export const QUEUES: ReadonlySet<string> = new Set(['queue', 'stack', 'bloom_filter']);
export const OBJECT_MAPS: ReadonlySet<string> = new Set([
  'prog_array',
  'array_of_maps',
  'hash_of_maps',
]);

export const indexKey = (index: number) => new Uint8Array(Uint32Array.of(index).buffer);

export function prefixBits(key: Uint8Array): number {
  return new DataView(key.buffer, key.byteOffset).getUint32(0, true);
}

/** The prefix as bits in text: equal names are equal prefixes. */
export function prefixName(key: Uint8Array, bits = prefixBits(key)): string {
  const all = Array.from(key.subarray(4), (byte) => byte.toString(2).padStart(8, '0')).join('');
  return `${all.slice(0, bits)}/${bits}`;
}
