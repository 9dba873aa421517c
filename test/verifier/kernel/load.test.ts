/** What can be loaded at all: attach types, sleepable programs and maps, profiles, privileges. */
import { describe, expect, test } from 'vitest';
import { assembleProgram } from '../../../isa/index.ts';
import {
  ATTACH_TYPES,
  MAP_TYPES,
  type MapTypeRow,
  PROFILES,
  PROGRAM_TYPES,
} from '../../../platform/index.ts';
import { verify } from '../../../verifier/index.ts';
import {
  call,
  createProbeMap,
  EXIT,
  load,
  loadMap,
  move,
  refusal,
} from '../../support/kernel-probe.ts';
import {
  askKernel,
  disagreement,
  type Kind,
  kernelBtf,
  programOf,
} from '../../support/kernel-program.ts';

const reason = refusal();
if (reason !== undefined) console.log(`loading is not compared with the kernel: ${reason}`);
const kernel = describe.skipIf(reason !== undefined);

/** 1 is in the range of every type that has one, but for those of tracing hooks. */
const CODE = [move(0, 1), EXIT];
/** Asked with a hook only (hooks.test.ts), unsupported, or not in every kernel. */
const UNASKED = new Set(['memory', 'tracing', 'lsm', 'struct_ops', 'ext', 'lirc_mode2']);

kernel('loading', () => {
  test('each program type takes the attach types that the kernel takes', () => {
    const differences = PROGRAM_TYPES.filter(({ name }) => !UNASKED.has(name)).flatMap((row) =>
      // The first has number 0, which bpf(2) takes for none.
      ATTACH_TYPES.slice(1)
        .map((attachType): Kind => {
          return { type: row.name, attachType, sleepable: row.name === 'syscall' };
        })
        .map((kind) => disagreement(kind, CODE)),
    );
    expect(differences.filter(Boolean)).toEqual([]);
  });

  test('programs without an attach type are loaded as the kernel loads them', () => {
    // libbpf, not the kernel, fills in the defaults of the other types.
    const bare = PROGRAM_TYPES.filter(({ name, attachTypes, defaultAttachType }) => {
      return !UNASKED.has(name) && (attachTypes === undefined || defaultAttachType === undefined);
    });
    const differences = bare.map(({ name }) =>
      disagreement({ type: name, sleepable: name === 'syscall' }, CODE),
    );
    expect(differences.filter(Boolean)).toEqual([]);
  });

  test('programs that sleep are of types that may', () => {
    const differences = PROGRAM_TYPES.filter(({ name }) => !UNASKED.has(name)).flatMap(({ name }) =>
      [true, false].map((sleepable) => disagreement({ type: name, sleepable }, CODE)),
    );
    expect(differences.filter(Boolean)).toEqual([]);
  });

  const sizeOf = (rule: MapTypeRow['keySize'] | MapTypeRow['valueSize']): number => {
    if (rule === 'zero') return 0;
    if (rule === 'stack' || rule === 'trie') return 8;
    return typeof rule === 'object' ? rule[0]! : 4;
  };

  test('programs that sleep use the maps that the kernel lets them use', () => {
    const kind = {
      type: 'tracing',
      attachType: 'trace_iter',
      attachTarget: 'task',
      sleepable: true,
    };
    const differences: string[] = [];
    for (const row of MAP_TYPES) {
      const spec = {
        keySize: sizeOf(row.keySize),
        valueSize: sizeOf(row.valueSize),
        maxEntries: { zero: 0, pages: 4096, positive: 4 }[row.maxEntries],
        flags: row.requiredFlags,
      };
      let descriptor: number;
      try {
        descriptor = createProbeMap({ id: row.id, ...spec });
      } catch {
        continue; // Needs more than sizes: BTF, an inner map.
      }
      const code = [...loadMap(1, descriptor), move(0, 0), EXIT];
      const answer = askKernel(kind, code);
      if (answer.reason.includes('map_extra')) continue;
      const map = { ...spec, name: 'map', type: row.name, mapExtra: 0, frozen: false };
      const program = {
        ...programOf(kind, code),
        maps: [map],
        mapReferences: [{ instruction: 0, map: 0 }],
      };
      const verdict = verify(program, { kernelBtf });
      if (answer.accepted !== verdict.ok) differences.push(row.name);
    }
    expect(differences).toEqual([]);
  });
});

describe('profiles', () => {
  const code = (type: string, profile: string, ...more: Buffer[]) => {
    const verdict = verify(programOf({ type }, [...more, ...CODE]), { profile });
    return verdict.ok ? 'accepted' : verdict.diagnostics[0]?.code;
  };

  test('have the program types of their release', () => {
    expect(code('sk_lookup', 'linux-5.8')).toBe('program-type-missing');
    expect(code('sk_lookup', 'linux-5.9')).toBe('accepted');
    expect(code('memory', 'linux-6.18')).toBe('program-type-missing');
    expect(code('raw_tracepoint', 'portable')).toBe('program-type-missing');
    expect(code('sched_cls', 'windows')).toBe('program-type-missing');
  });

  test('number helpers and lay out contexts in their own way', () => {
    // 6 is bpf_trace_printk on Linux and bpf_get_prandom_u32 on Windows.
    expect(code('xdp', 'windows', call(6))).toBe('accepted');
    expect(code('xdp', 'windows', load(8, 2, 1, 8))).toBe('accepted');
    expect(code('xdp', 'linux-6.18', load(8, 2, 1, 8))).toBe('context-out-of-bounds');
  });

  test('accept a program that returns, whichever they are', () => {
    for (const { name, family } of PROFILES.values()) {
      expect(code(family === 'memory' ? 'memory' : 'xdp', name)).toBe('accepted');
    }
  });
});

describe('privilege', () => {
  const code = (type: string, privilege: 'none' | 'bpf' | 'full') => {
    const verdict = verify(programOf({ type }, CODE), { privilege });
    return verdict.ok ? 'accepted' : verdict.diagnostics[0]?.code;
  };

  test('opens program types', () => {
    expect(code('socket_filter', 'none')).toBe('accepted');
    expect(code('xdp', 'none')).toBe('program-type-privilege');
    expect(code('xdp', 'bpf')).toBe('accepted');
    expect(code('kprobe', 'bpf')).toBe('program-type-privilege');
    expect(code('kprobe', 'full')).toBe('accepted');
  });

  test('without CAP_PERFMON, what Linux makes of loops is not known', () => {
    const loop = 'r6 = 0\nl:\nr6 += 1\nif r6 < 10 goto l\nr0 = 2\nexit';
    const linux = (text: string) =>
      verify(assembleProgram(`.type xdp\n${text}`, 'l.s'), { privilege: 'bpf' }).linux;
    expect(linux(loop)).toBe('unknown');
    expect(linux('r0 = 2\nexit')).toBe('accepted');
  });
});
