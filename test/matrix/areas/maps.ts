/** The maps that programs of the matrices name; each program gets only those that it uses. */

const MAPS: Readonly<Record<string, string>> = {
  values: 'array key 4 value 64 entries 1',
  input: 'array key 4 value 64 entries 1',
  probe: 'array key 4 value 64 entries 1',
  several: 'array key 4 value 64 entries 4',
  other: 'array key 4 value 64 entries 4',
  small: 'array key 4 value 8 entries 4',
  table: 'hash key 4 value 64 entries 4',
  wide: 'hash key 16 value 64 entries 4',
  ring: 'ringbuf entries 4096',
  programs: 'prog_array key 4 value 4 entries 4',
  programs2: 'prog_array key 4 value 4 entries 8',
  events: 'perf_event_array key 4 value 4 entries 4',
  queue: 'queue value 8 entries 4',
  devices: 'devmap key 4 value 4 entries 4',
  sockets: 'sockmap key 4 value 4 entries 4',
  readonly: 'array key 4 value 64 entries 1 flags 128',
  writeonly: 'array key 4 value 64 entries 1 flags 256',
  percpu: 'percpu_array key 4 value 8 entries 4',
  inner: 'array key 4 value 64 entries 4',
  outer: 'array_of_maps key 4 value 4 entries 4 inner inner',
  outerHash: 'hash_of_maps key 4 value 4 entries 4 inner inner',
  storage: 'cgroup_storage key 16 value 64 entries 0',
};

/** Puts the definitions of the maps that `text` names before it. */
export function withMaps(text: string): string {
  const named = new Set([...text.matchAll(/map\[(\w+)\]/g)].map(([, name]) => name));
  const needed = Object.entries(MAPS).filter(
    ([name]) =>
      named.has(name) || (name === 'inner' && (named.has('outer') || named.has('outerHash'))),
  );
  return [...needed.map(([name, map]) => `.map ${name} ${map}`), text].join('\n');
}
