/** Files built so that naive reading takes the product of two of their tables in time or memory. */
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../isa/index.ts';
import { readObject } from '../../../programs/object/index.ts';
import { array, buildBtf, INT, type RawType, reference, struct } from '../../btf/build.ts';
import { buildElf, buildRelocation, buildSymbol, type RawSection } from './build-elf.ts';

const CODE: RawSection = { name: 'xdp', type: 1, flags: 6, data: Buffer.alloc(8000) };
const repeat = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

/** Quadratic reading of these files takes minutes; linear reading some 0.3 s. */
const TIMEOUT = 20_000;

describe('bounded work', () => {
  it('cuts symbol names that overlap', { timeout: TIMEOUT }, () => {
    const names = Buffer.alloc(500_000, 'a');
    names[0] = 0;
    const symbols = repeat(20_000, (i) => buildSymbol(i + 1, 0x11, 1, 0, 8));
    const file = buildElf([
      CODE,
      { name: '.strtab', type: 3, data: names },
      { name: '.symtab', type: 2, link: 2, data: Buffer.concat(symbols) },
    ]);
    expect(readObject(file, 'names.o')).toHaveLength(1);
  });

  it('refuses many programs that each link one large function', { timeout: TIMEOUT }, () => {
    const call = Buffer.from('85100000ffffffff9500000000000000', 'hex');
    const count = 20_000;
    const large = Buffer.alloc(8 * 30_000);
    const file = buildElf([
      { name: '.text', type: 1, flags: 6, data: large },
      { name: 'xdp', type: 1, flags: 6, data: Buffer.concat(repeat(count, () => call)) },
      { name: '.strtab', type: 3, data: Buffer.from('\0f\0') },
      {
        name: '.symtab',
        type: 2,
        link: 3,
        data: Buffer.concat([
          buildSymbol(0, 0, 0, 0, 0),
          buildSymbol(1, 0x12, 1, 0, large.length),
          ...repeat(count, (i) => buildSymbol(1, 0x12, 2, i * 16, 16)),
        ]),
      },
      {
        name: '.relxdp',
        type: 9,
        link: 4,
        info: 2,
        data: Buffer.concat(repeat(count, (i) => buildRelocation(i * 16, 10, 1))),
      },
    ]);
    expect(() => readObject(file, 'link.o')).toThrow(InputError);
    expect(() => readObject(file, 'link.o')).toThrow('link to more than 2097152 instructions');
  });

  it('reads a definition once, however many maps share it', { timeout: TIMEOUT }, () => {
    const count = 30_000;
    const attributes = repeat(60_000, () => ['type', 3, 0] as const);
    const types: RawType[] = [
      INT('int', 4),
      array(1, 1),
      reference(2, 2),
      struct('', 8, attributes),
      ...repeat(count, (): RawType => ({ name: 'v', kind: 14, third: 4, rest: [1] })),
      {
        name: '.maps',
        kind: 15,
        vlen: count,
        third: count * 8,
        rest: repeat(count, (i) => [5 + i, i * 8, 8]).flat(),
      },
    ];
    const file = buildElf([
      { name: '.maps', type: 1, data: Buffer.alloc(count * 8) },
      { name: '.BTF', type: 1, data: buildBtf(types) },
      CODE,
    ]);
    expect(readObject(file, 'maps.o')[0]!.maps).toHaveLength(count);
  });

  it('looks up types once for sections of one name', { timeout: TIMEOUT }, () => {
    const sections = repeat(8000, (): RawSection => {
      return { name: '.data', type: 1, data: Buffer.alloc(1) };
    });
    const types = repeat(40_000, (): RawType => ({ name: '.data', kind: 15 }));
    const file = buildElf([...sections, { name: '.BTF', type: 1, data: buildBtf(types) }, CODE]);
    expect(readObject(file, 'sections.o')[0]!.maps).toHaveLength(8000);
  });

  it('refuses sections that share bytes', () => {
    const bytes = buildElf([CODE, { ...CODE, name: 'tc' }]);
    const headers = Number(bytes.readBigUInt64LE(40));
    bytes.writeBigUInt64LE(BigInt(bytes.length - 64), headers + 64 + 32);
    expect(() => readObject(bytes, 'overlap.o')).toThrow('sections overlap');
  });
});
