import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { layoutOf, parseBtf, specialFields, typedView } from '../../btf/index.ts';
import { InputError } from '../../isa/index.ts';
import { array, buildBtf, INT, type RawType, reference, struct } from './build.ts';

const KERNEL = '/sys/kernel/btf/vmlinux';
const fixture = readFileSync(new URL('../programs/object/fixtures/kernel.btf', import.meta.url));
const parse = (types: readonly RawType[]) => parseBtf(buildBtf(types), 'test.btf');

describe('what clang wrote', () => {
  const btf = parseBtf(fixture, 'kernel.btf');

  it('finds types by name and kind', () => {
    const id = btf.find('task', 'struct')!;
    expect(btf.type(id)).toMatchObject({ kind: 'struct', name: 'task', sizeBytes: 144 });
    expect(btf.find('task', 'union')).toBeUndefined();
    expect(btf.find('absent')).toBeUndefined();
    expect(btf.find('')).toBeUndefined();
  });

  it('sees bit-fields, enumerators, typedefs and anonymous members', () => {
    const fields = new Map(
      layoutOf(btf, btf.find('task', 'struct')!).map((field) => [field.name, field]),
    );
    expect(fields.get('pid')).toMatchObject({ bitOffset: 24 * 8, sizeBytes: 2 });
    expect(fields.get('state')).toMatchObject({ bitOffset: 26 * 8, sizeBytes: 1 });
    expect(fields.get('flags')).toMatchObject({ bitOffset: 96 * 8 + 5, bitSize: 9 });
    expect(btf.type(btf.find('color', 'enum')!)).toMatchObject({
      signed: true,
      enumerators: [
        { name: 'GREEN', value: 7n },
        { name: 'RED', value: 300n },
        { name: 'BLUE', value: -1n },
      ],
    });
    expect(btf.type(btf.find('huge', 'enum64')!)).toMatchObject({
      enumerators: [{ name: 'HUGE', value: 0x123456789abcdef0n }],
    });
    const alias = btf.find('alias_t', 'typedef')!;
    expect(btf.resolved(alias)).toMatchObject({ kind: 'struct', name: 'other' });
    expect(btf.sizeOf(alias)).toBe(4);
  });

  it('does not see later changes of the bytes', () => {
    const bytes = Uint8Array.from(fixture);
    const copy = parseBtf(bytes, 'kernel.btf');
    bytes.fill(0xff);
    expect(copy.find('task', 'struct')).toBe(btf.find('task', 'struct'));
  });
});

describe('names', () => {
  it('takes a flavour for the same type, and only behind three underscores', () => {
    const btf = parse([
      INT('a', 4),
      INT('a___old', 4),
      INT('a__b', 4),
      INT('___x', 4),
      INT('a____y', 4),
      INT('ab', 4),
    ]);
    expect(btf.flavors('a')).toEqual([1, 2]);
    expect(btf.flavors('a___new')).toEqual([1, 2]);
    expect(btf.findAll('a')).toEqual([1]);
    expect(btf.flavors('a____y')).toEqual([5]);
  });

  it('keeps declaration tags by component', () => {
    const btf = parse([
      INT('int', 4),
      struct('s', 4, [['m', 1, 0]]),
      { name: 'whole', kind: 17, third: 2, rest: [-1] },
      { name: 'member', kind: 17, third: 2, rest: [0] },
    ]);
    expect(btf.declarationTags(2).map((tag) => tag.name)).toEqual(['whole']);
    expect(btf.declarationTags(2, 0).map((tag) => tag.name)).toEqual(['member']);
    expect(btf.declarationTags(1)).toEqual([]);
  });
});

describe('hostile BTF', () => {
  const faulty: Readonly<Record<string, readonly RawType[]>> = {
    'a typedef of itself': [reference(8, 1, 't')],
    'a cycle of qualifiers': [reference(9, 2), reference(10, 1)],
    'a struct in itself': [struct('s', 8, [['s', 1, 0]])],
    'an array of itself': [array(1, 2)],
    'a missing type': [reference(2, 7)],
    'a missing member type': [struct('s', 4, [['m', 9, 0]])],
    'a member outside': [INT('int', 4), struct('s', 4, [['m', 1, 64]])],
    'an unknown kind': [{ kind: 27 }],
    'an int of 3 bytes': [INT('int', 3)],
    'a cut-off struct': [{ kind: 4, vlen: 3, third: 4, rest: [0, 0, 0] }],
    'an array beyond 4 GiB': [INT('int', 4), array(1, 0xffffffff)],
    'deep nesting': Array.from({ length: 70 }, (_, i) => reference(8, i + 2, 't')).concat(
      INT('int', 4),
    ),
  };
  for (const [name, types] of Object.entries(faulty))
    it(`refuses ${name}`, () => {
      expect(() => parse(types)).toThrow(InputError);
    });

  it('allows types that meet themselves behind a pointer', () => {
    const btf = parse([struct('s', 8, [['next', 2, 0]]), reference(2, 1), reference(2, 3)]);
    expect(btf.sizeOf(1)).toBe(8);
    expect(btf.sizeOf(3)).toBe(8);
  });

  it('refuses a header that lies, at its offset', () => {
    const good = buildBtf([INT('int', 4)]);
    for (const [at, value] of [
      [0, 0x1234],
      [0, 0x9feb],
      [4, 8],
      [4, 0xffffffff],
      [8, 0xfffffff0],
      [12, 0xfffffff0],
      [12, 15],
      [16, 0x7fffffff],
      [20, 0xffffffff],
      [20, 2],
    ] as const) {
      const bytes = Buffer.from(good);
      if (at === 0) bytes.writeUInt16LE(value, 0);
      else bytes.writeUInt32LE(value, at);
      expect(() => parseBtf(bytes, 'x.o', { section: '.BTF', offset: 1000 })).toThrow(
        /^x\.o, section \.BTF, byte 1\d\d\d: /,
      );
    }
    for (let length = 0; length < good.length; length++)
      expect(() => parseBtf(good.subarray(0, length), 'x.o')).toThrow(InputError);
  });

  it('bounds work on unions that multiply', () => {
    // Each union has two members of the previous type at offset 0: 2^40 leaves in 4 bytes.
    const types: RawType[] = [INT('int', 4)];
    const nameless: RawType[] = [INT('int', 4)];
    for (let id = 1; id <= 40; id++) {
      types.push(
        struct(
          `u${id}`,
          4,
          [
            ['a', id, 0],
            ['b', id, 0],
          ],
          5,
        ),
      );
      nameless.push(
        struct(
          '',
          4,
          [
            ['', id, 0],
            ['', id, 0],
          ],
          5,
        ),
      );
    }
    const named = parse(types);
    expect(specialFields(named, 41)).toEqual([]);
    expect(() => typedView(named, 41)).toThrow(InputError);
    expect(() => layoutOf(parse(nameless), 41)).toThrow(InputError);
  });

  it('survives 3,000 mutations of real BTF', () => {
    let state = 1;
    const random = (below: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return Math.floor((state / 0x1_0000_0000) * below);
    };
    for (let run = 0; run < 3000; run++) {
      const bytes = Buffer.from(fixture);
      for (let i = random(4); i >= 0; i--)
        bytes.writeUInt32LE(
          [0, 1, 0xffffffff, random(256), random(0x7fffffff)][random(5)]!,
          random(bytes.length - 4),
        );
      try {
        const btf = parseBtf(bytes, 'mutant');
        for (let id = 0; id < btf.count; id++) {
          btf.type(id);
          layoutOf(btf, id);
          specialFields(btf, id);
          const size = btf.sizeOf(id);
          if (size !== undefined && size < 4096) typedView(btf, id).decode(new Uint8Array(size));
        }
        btf.find('task');
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
      }
    }
  });
});

describe.skipIf(!existsSync(KERNEL))('the running kernel', () => {
  it('is read quickly and knows its types', () => {
    const bytes = readFileSync(KERNEL);
    parseBtf(bytes, KERNEL);
    const start = performance.now();
    const btf = parseBtf(bytes, KERNEL);
    const milliseconds = performance.now() - start;
    expect(btf.count).toBeGreaterThan(10_000);
    expect(btf.sizeOf(btf.find('__sk_buff', 'struct')!)).toBe(192);
    expect(btf.type(btf.find('bpf_map_lookup_elem', 'func') ?? 0).kind).toBeDefined();
    // Some 10 ms on an idle machine.
    expect(milliseconds).toBeLessThan(500);
  });
});
