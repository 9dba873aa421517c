/** The platform tables by themselves: look-ups, profiles, what the rows promise each other. */
import { describe, expect, test } from 'vitest';
import type { MapSpec } from '../../isa/index.ts';
import {
  ATTACH_TYPES,
  acceptsMap,
  attachTypeOf,
  compareVersions,
  contextAccess,
  contextLayout,
  HELPERS,
  has,
  helper,
  helperByName,
  helperFor,
  helperIn,
  KFUNCS,
  kfunc,
  LAYOUTS,
  MAP_TYPES,
  mapProblem,
  mapType,
  mapTypeIn,
  mayCall,
  PROFILES,
  PROGRAM_TYPES,
  profile,
  programType,
  programTypeIn,
  returnRule,
} from '../../platform/index.ts';

const names = new Set(PROGRAM_TYPES.map(({ name }) => name));
const LINUX = profile('linux-6.18')!;

describe('rows', () => {
  test('there is a row for each of the 211 helpers, in order', () => {
    expect(HELPERS.map(({ id }) => id)).toEqual(
      Array.from({ length: 211 }, (_, index) => index + 1),
    );
  });

  test('helpers and kernel functions name program types, attach types and types that exist', () => {
    for (const row of [...HELPERS, ...KFUNCS]) {
      const types = row.programTypes === 'all' ? [] : row.programTypes;
      expect([row.name, types.filter((type) => !names.has(type))]).toEqual([row.name, []]);
      for (const [type, attachTypes] of Object.entries(row.attachTypes ?? {})) {
        expect([row.name, types]).toEqual([row.name, expect.arrayContaining([type])]);
        expect(ATTACH_TYPES).toEqual(expect.arrayContaining([...attachTypes]));
      }
    }
  });

  test('sizes follow memory, and a map precedes its keys and values', () => {
    for (const row of HELPERS) {
      for (const [index, { kind, sizeBytes }] of row.arguments.entries()) {
        const next = row.arguments[index + 1]?.kind;
        if (kind === 'memory' && sizeBytes === undefined) {
          expect([row.name, next]).toEqual([row.name, expect.stringMatching(/^size/)]);
        }
        if (kind === 'map-key' || kind === 'map-value') {
          const before = row.arguments.slice(0, index).map((argument) => argument.kind);
          expect([row.name, before]).toEqual([row.name, expect.arrayContaining(['map'])]);
        }
      }
      expect(row.arguments.length).toBeLessThanOrEqual(5);
    }
  });

  test('map types name helpers that exist', () => {
    for (const { helpers } of MAP_TYPES) {
      for (const name of helpers) expect(helperByName(name)?.name).toBe(name);
    }
  });

  test('contexts exist, and their fields do not overlap', () => {
    for (const { name, context } of PROGRAM_TYPES) {
      if (context !== null) expect([name, contextLayout(context)?.name]).toEqual([name, context]);
    }
    for (const { name, fields, sizeBytes } of LAYOUTS) {
      let end = 0;
      for (const field of fields) {
        expect([name, field.name, field.offset >= end]).toEqual([name, field.name, true]);
        end = field.offset + field.sizeBytes;
      }
      expect(end).toBeLessThanOrEqual(sizeBytes);
    }
  });
});

describe('look-ups', () => {
  test('unknown names answer undefined', () => {
    expect(programType('xpd')).toBeUndefined();
    expect(helper(0)).toBeUndefined();
    expect(helper(212)).toBeUndefined();
    expect(kfunc('bpf_nothing')).toBeUndefined();
    expect(mapType('tree')).toBeUndefined();
    expect(profile('linux-5.3')).toBeUndefined();
    expect(profile('linux-6.19')).toBeUndefined();
  });

  test('a helper has another contract where the program type says so', () => {
    expect(helperFor(17, 'xdp')?.arguments).toEqual([]);
    expect(helperFor(17, 'sched_cls')?.arguments).toEqual([{ kind: 'context' }]);
    expect(helperFor(27, 'perf_event')?.gpl).toBe(false);
    expect(helperFor(27, 'kprobe')?.gpl).toBe(true);
  });

  test('attach types have defaults, and decide on results', () => {
    expect(attachTypeOf({ type: 'cgroup_skb' })).toBe('cgroup_inet_ingress');
    expect(attachTypeOf({ type: 'cgroup_sock_addr' })).toBeUndefined();
    expect(returnRule({ type: 'cgroup_skb', attachType: 'cgroup_inet_egress' })).toEqual({
      min: 0,
      max: 3,
    });
    expect(returnRule({ type: 'cgroup_skb' })).toEqual({ min: 0, max: 1 });
    expect(returnRule({ type: 'xdp' })).toBe('any');
  });

  test('context access: whole, part, pair, and what lies between fields', () => {
    const skb = contextLayout('__sk_buff/tc')!;
    expect(contextAccess(skb, 8, 4, 'write')?.field.name).toBe('mark');
    expect(contextAccess(skb, 9, 1, 'read')?.start).toBe(1);
    expect(contextAccess(skb, 9, 1, 'write')).toBeUndefined();
    expect(contextAccess(skb, 56, 8, 'write')?.field.name).toBe('cb[2]');
    expect(contextAccess(skb, 52, 8, 'read')).toBeUndefined();
    expect(contextAccess(skb, 181, 1, 'read')).toBeUndefined();
    expect(contextAccess(skb, -1, 1, 'read')).toBeUndefined();
  });

  test('maps are accepted by helpers for them, and sockets may be changed by some', () => {
    const remove = helperByName('bpf_map_delete_elem')!;
    const sockmap = mapType('sockmap')!;
    expect(acceptsMap(remove, sockmap, 'sock_ops')).toBe(true);
    expect(acceptsMap(remove, sockmap, 'kprobe')).toBe(false);
    expect(acceptsMap(remove, sockmap, 'tracing', 'trace_iter')).toBe(true);
    expect(acceptsMap(helperByName('bpf_tail_call')!, mapType('hash')!, 'xdp')).toBe(false);
  });
});

describe('profiles', () => {
  test('every Linux from 5.4 to 6.18 has one', () => {
    expect(PROFILES.size).toBe(16 + 19 + 3);
    expect(profile('linux-5.19')?.isa).toBe(3);
    expect(profile('linux-6.6')?.isa).toBe(4);
    expect(profile('linux-5.4')?.globalFunctions).toBe(false);
  });

  test('versions are ordered by number', () => {
    expect(compareVersions('5.10', '5.4')).toBeGreaterThan(0);
    expect(compareVersions('6.0', '5.19')).toBeGreaterThan(0);
    expect(has(profile('linux-5.4')!, '5.5')).toBe(false);
    expect(has(LINUX, '6.18')).toBe(true);
  });

  test('older kernels lack what came later', () => {
    const old = profile('linux-5.4')!;
    expect(helperIn(LINUX, 181, 'xdp')?.name).toBe('bpf_loop');
    expect(helperIn(old, 181, 'xdp')).toBeUndefined();
    expect(programTypeIn(old, 'lsm')).toBeUndefined();
    expect(mapTypeIn(old, 'ringbuf')).toBeUndefined();
    expect(mapTypeIn(LINUX, 'ringbuf')?.id).toBe(27);
  });

  test('memory programs have the profile memory, and nothing of a kernel', () => {
    const memory = profile('memory')!;
    expect(programTypeIn(memory, 'memory')?.returnBits).toBe(64);
    expect(programTypeIn(memory, 'xdp')).toBeUndefined();
    expect(programTypeIn(LINUX, 'memory')).toBeUndefined();
    expect(helperIn(memory, 35, 'memory')).toBeUndefined();
    expect(helperIn(memory, 1, 'memory')?.name).toBe('bpf_map_lookup_elem');
    expect(mayCall(helper(35)!, 'memory')).toBe(false);
  });

  test('Windows numbers helpers in its own way', () => {
    const windows = profile('windows')!;
    expect(helperIn(windows, 6, 'xdp')?.name).toBe('bpf_get_prandom_u32');
    expect(helperIn(windows, 4, 'xdp')).toBeUndefined();
    expect(programTypeIn(windows, 'xdp')?.context).toBe('xdp_md/windows');
    expect(programTypeIn(windows, 'sched_cls')).toBeUndefined();
  });
});

describe('map definitions', () => {
  const spec = (more: Partial<MapSpec>): MapSpec => ({
    name: 'm',
    type: 'hash',
    keySize: 4,
    valueSize: 8,
    maxEntries: 1,
    flags: 0,
    mapExtra: 0,
    frozen: false,
    ...more,
  });
  const cases: [Partial<MapSpec>, RegExp | undefined][] = [
    [{}, undefined],
    [{ type: 'tree' }, /no map type/],
    [{ keySize: 0 }, /at least 1 byte/],
    [{ type: 'array', keySize: 8 }, /4 bytes/],
    [{ type: 'queue', keySize: 0 }, undefined],
    [{ type: 'queue' }, /no keys/],
    [{ type: 'lpm_trie', keySize: 8 }, /flags must include 0x1/],
    [{ type: 'lpm_trie', keySize: 8, flags: 1 }, undefined],
    [{ type: 'lpm_trie', keySize: 4, flags: 1 }, /5 to 260/],
    [{ type: 'ringbuf', keySize: 0, valueSize: 0, maxEntries: 4096 }, undefined],
    [{ type: 'ringbuf', keySize: 0, valueSize: 0, maxEntries: 5000 }, /power of two/],
    [{ type: 'ringbuf', keySize: 0, maxEntries: 4096 }, /no values/],
    [{ type: 'devmap', valueSize: 8 }, undefined],
    [{ type: 'devmap', valueSize: 12 }, /4 or 8/],
    [{ type: 'stack_trace', valueSize: 12 }, /8-byte addresses/],
    [{ type: 'task_storage', flags: 1 }, /maxEntries must be 0/],
    [{ maxEntries: 0 }, /at least 1/],
    [{ type: 'array_of_maps', valueSize: 4 }, /inner map/],
    [{ type: 'array_of_maps', valueSize: 4, inner: spec({ keySize: 0 }) }, /at least 1 byte/],
  ];
  test.each(cases)('%o', (more, problem) => {
    const found = mapProblem(spec(more));
    if (problem === undefined) expect(found).toBeUndefined();
    else expect(found).toMatch(problem);
  });
});
