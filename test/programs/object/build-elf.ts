/** Writes ELF objects section by section, for files that no compiler would write. */

export interface RawSection {
  readonly name: string;
  readonly type: number;
  readonly flags?: number;
  readonly link?: number;
  readonly info?: number;
  readonly data: Uint8Array;
}

/** Sections 1, 2, ... in the order given; section names come last. */
export function buildElf(given: readonly RawSection[]): Buffer {
  const names = Buffer.from(`\0${given.map(({ name }) => `${name}\0`).join('')}.shstrtab\0`);
  const sections = [...given, { name: '.shstrtab', type: 3, data: names } as RawSection];
  const headers = [Buffer.alloc(64)];
  let at = 64;
  let nameOffset = 1;
  for (const { name, type, flags = 0, link = 0, info = 0, data } of sections) {
    const header = Buffer.alloc(64);
    header.writeUInt32LE(nameOffset, 0);
    header.writeUInt32LE(type, 4);
    header.writeUInt32LE(flags, 8);
    header.writeUInt32LE(at, 24);
    header.writeUInt32LE(data.length, 32);
    header.writeUInt32LE(link, 40);
    header.writeUInt32LE(info, 44);
    headers.push(header);
    at += data.length;
    nameOffset += name.length + 1;
  }
  const head = Buffer.alloc(64);
  head.write('7f454c46020101', 'hex');
  head.writeUInt16LE(1, 16);
  head.writeUInt16LE(247, 18);
  head.writeUInt32LE(at, 40);
  head.writeUInt16LE(64, 58);
  head.writeUInt16LE(headers.length, 60);
  head.writeUInt16LE(headers.length - 1, 62);
  return Buffer.concat([head, ...sections.map(({ data }) => data), ...headers]);
}

export function buildSymbol(
  name: number,
  info: number,
  section: number,
  value: number,
  sizeBytes: number,
): Buffer {
  const symbol = Buffer.alloc(24);
  symbol.writeUInt32LE(name, 0);
  symbol[4] = info;
  symbol.writeUInt16LE(section, 6);
  symbol.writeUInt32LE(value, 8);
  symbol.writeUInt32LE(sizeBytes, 16);
  return symbol;
}

export function buildRelocation(offset: number, type: number, symbol: number): Buffer {
  const relocation = Buffer.alloc(16);
  relocation.writeUInt32LE(offset, 0);
  relocation.writeUInt32LE(type, 8);
  relocation.writeUInt32LE(symbol, 12);
  return relocation;
}
