/** Manifests: what is read, what is written back, and where errors point. */
import { describe, expect, test } from 'vitest';
import { InputError } from '../../../isa/index.ts';
import { readManifest, writeManifest } from '../../../programs/manifest/index.ts';
import { byteOffsetOf } from '../../../programs/manifest/locate.ts';

const EXIT = 'b700000000000000' + '9500000000000000';
const LOAD_MAP = '1801000000000000' + '0000000000000000';

const manifest = (more: object) => JSON.stringify({ format: 'ringfence-program/1', ...more });
const program = (more: object = {}) => ({
  name: 'p',
  type: 'xdp',
  instructions: EXIT,
  ...more,
});
const array = (more: object = {}) => ({
  name: 'counts',
  type: 'array',
  keySize: 4,
  valueSize: 8,
  maxEntries: 2,
  ...more,
});

function failure(text: string): InputError {
  try {
    readManifest(text, 'f.json');
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('reading', () => {
  test('a bare program gets the defaults', () => {
    const [read] = readManifest(manifest({ programs: [program()] }), 'f.json');
    expect(read).toMatchObject({
      name: 'p',
      file: 'f.json',
      type: 'xdp',
      license: 'GPL',
      flags: [],
      maps: [],
      mapReferences: [],
      kfuncCalls: [],
    });
    expect(read?.code).toEqual(new Uint8Array(Buffer.from(EXIT, 'hex')));
  });

  test('map references set source register and immediates', () => {
    const [read] = readManifest(
      manifest({
        maps: [array({ name: 'other' }), array()],
        programs: [
          program({
            instructions: LOAD_MAP + LOAD_MAP + EXIT,
            mapRefs: [
              { instruction: 2, map: 'counts', valueOffset: 5 },
              { instruction: 0, map: 'counts' },
            ],
          }),
        ],
      }),
      'f.json',
    );
    expect(read?.maps.map(({ name }) => name)).toEqual(['counts']);
    expect(read?.mapReferences).toEqual([
      { instruction: 2, map: 0, valueOffset: 5 },
      { instruction: 0, map: 0 },
    ]);
    const code = Buffer.from(read?.code ?? []).toString('hex');
    expect(code.slice(0, 32)).toBe('18110000000000000000000000000000');
    expect(code.slice(32, 64)).toBe('18210000000000000000000005000000');
  });

  test('a map load without a reference is left to the verifier', () => {
    const [read] = readManifest(
      manifest({ programs: [program({ instructions: `1811${LOAD_MAP.slice(4)}${EXIT}` })] }),
      'f.json',
    );
    expect(read?.mapReferences).toEqual([]);
    expect(read?.code[1]).toBe(0x11);
  });

  test('kernel functions are bound by name', () => {
    const call = '8520000007000000';
    const [read] = readManifest(
      manifest({
        programs: [
          program({
            instructions: call + EXIT,
            kfuncCalls: [{ instruction: 0, name: 'bpf_rcu_read_lock' }],
          }),
        ],
      }),
      'f.json',
    );
    expect(read?.kfuncCalls).toEqual([{ instruction: 0, name: 'bpf_rcu_read_lock' }]);
    expect(Buffer.from(read?.code.subarray(0, 8) ?? []).toString('hex')).toBe('8520000000000000');
  });

  test('maps of maps bring their inner maps along', () => {
    const [read] = readManifest(
      manifest({
        maps: [
          array(),
          array({
            name: 'outer',
            type: 'array_of_maps',
            valueSize: 4,
            inner: array({ name: 'template' }),
            entries: [{ key: '00000000', value: 'counts' }],
          }),
        ],
        programs: [
          program({
            instructions: LOAD_MAP + EXIT,
            mapRefs: [{ instruction: 0, map: 'outer' }],
          }),
        ],
      }),
      'f.json',
    );
    expect(read?.maps.map(({ name }) => name)).toEqual(['outer', 'counts']);
    expect(read?.maps[0]?.inner?.name).toBe('template');
  });

  test('a memory program states its context size', () => {
    const memory = program({ type: 'memory', contextSize: 64 });
    expect(readManifest(manifest({ programs: [memory] }), 'f.json')[0]?.contextSize).toBe(64);
    expect(failure(manifest({ programs: [program({ type: 'memory' })] })).reason).toMatch(
      /contextSize/,
    );
  });

  test('thousands of programs in one file are read in a moment', () => {
    const programs = Array.from({ length: 5000 }, (_, index) => program({ name: `p${index}` }));
    const start = performance.now();
    expect(readManifest(manifest({ programs }), 'f.json')).toHaveLength(5000);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

describe('errors name the place', () => {
  const cases: [string, object, string, RegExp][] = [
    ['unknown field', { programs: [program({ nme: 'x' })] }, '"x"', /no field is called 'nme'/],
    ['unknown type', { programs: [program({ type: 'xpd' })] }, '"xpd"', /known names/],
    ['unknown flag', { programs: [program({ flags: ['sleepy'] })] }, '"sleepy"', /known names/],
    ['bad hex', { programs: [program({ instructions: 'zz' })] }, '"zz"', /not hexadecimal/],
    ['odd hex', { programs: [program({ instructions: '123' })] }, '"123"', /odd number/],
    ['cut slot', { programs: [program({ instructions: '9500' })] }, '"9500"', /multiple of 8/],
    [
      'unknown map',
      {
        programs: [
          program({ instructions: LOAD_MAP, mapRefs: [{ instruction: 0, map: 'nothing' }] }),
        ],
      },
      '"nothing"',
      /no map is called 'nothing'/,
    ],
    [
      'reference of another instruction',
      {
        maps: [array()],
        programs: [program({ mapRefs: [{ instruction: 0, map: 'counts' }] })],
      },
      '0,"map"',
      /is no ld_imm64/,
    ],
    ['a map twice', { maps: [array(), array()], programs: [] }, '"counts"', /second map/],
    [
      'initial too long',
      { maps: [array({ initial: '00'.repeat(17) })], programs: [] },
      '"0000',
      /more than the map holds/,
    ],
    [
      'short key',
      { maps: [array({ entries: [{ key: '00', value: '01' }] })], programs: [] },
      '"00"',
      /keys have 4/,
    ],
    ['negative size', { maps: [array({ keySize: -7 })], programs: [] }, '-7', /must be >= 0/],
  ];
  test.each(cases)('%s', (_, content, at, reason) => {
    const text = manifest(content);
    const error = failure(text);
    expect(error.reason).toMatch(reason);
    expect(error.offset).toBe(text.lastIndexOf(at));
  });

  test('text that is no JSON', () => {
    expect(failure('{"format": x').offset).toBe(11);
    expect(failure('{').offset).toBe(1);
    expect(failure('').offset).toBe(0);
    expect(failure('{"format":"é", "programs": [tru]}').offset).toBe(29);
    expect(failure('[1]').reason).toMatch(/must be object/);
  });

  test('deep nesting is refused without exhausting the stack', () => {
    const deep = '['.repeat(200_000) + ']'.repeat(200_000);
    expect(failure(`{"format":"ringfence-program/1","programs":${deep}}`)).toBeInstanceOf(
      InputError,
    );
  });

  test('byte offsets count bytes, not characters', () => {
    const text = '{"é": 1, "b": [true, {"c/d": "x"}]}';
    expect(byteOffsetOf(text, '/b/1/c~1d')).toBe(
      Buffer.byteLength('{"é": 1, "b": [true, {"c/d": '),
    );
    expect(byteOffsetOf(text, '/b/7')).toBe(Buffer.byteLength('{"é": 1, "b": '));
  });
});

describe('writing', () => {
  test('what was read is written back, maps shared', () => {
    const text = manifest({
      maps: [array({ flags: 128, frozen: true, initial: '01' })],
      programs: [
        program({ instructions: LOAD_MAP + EXIT, mapRefs: [{ instruction: 0, map: 'counts' }] }),
        program({
          name: 'q',
          license: 'MIT',
          flags: ['sleepable'],
          type: 'syscall',
          instructions: LOAD_MAP + EXIT,
          mapRefs: [{ instruction: 0, map: 'counts', valueOffset: 8 }],
          lineInfo: [{ instruction: 0, file: 'a.c', line: 1, column: 2, text: 'int a;' }],
          expect: 'accepted',
        }),
      ],
    });
    const programs = readManifest(text, 'f.json');
    const written = writeManifest(programs);
    expect(JSON.parse(written).maps).toHaveLength(1);
    expect(readManifest(written, 'f.json')).toEqual(programs);
  });

  test('different maps of one name are told apart', () => {
    const read = (more: object) =>
      readManifest(
        manifest({
          maps: [array(more)],
          programs: [
            program({ instructions: LOAD_MAP, mapRefs: [{ instruction: 0, map: 'counts' }] }),
          ],
        }),
        'f.json',
      );
    const written = writeManifest([...read({}), ...read({ maxEntries: 9 }), ...read({})]);
    const names = JSON.parse(written).maps.map(({ name }: { name: string }) => name);
    expect(names).toEqual(['counts', 'counts.2']);
  });
});
