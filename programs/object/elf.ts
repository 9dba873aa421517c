/**
 * ELF64 little-endian relocatable objects for the BPF machine, as far as they matter here: sections,
 * symbols, relocations. The file is hostile until proven otherwise: every offset, count and index is
 * checked before use, every fault is an InputError with its place, and nothing of the size that a
 * header claims is allocated before the bytes are known to exist.
 *
 * Sources: the System V ABI's ELF chapters (elf(5)), and the BPF relocation types of
 * Documentation/bpf/llvm_reloc.rst.
 */
import { InputError } from '../../isa/index.ts';

const HEADER_BYTES = 64;
const SECTION_HEADER_BYTES = 64;
const SYMBOL_BYTES = 24;
const EM_BPF = 247;
const ET_REL = 1;

export const SHT = { NULL: 0, PROGBITS: 1, SYMTAB: 2, RELA: 4, NOBITS: 8, REL: 9 } as const;
/** SHF_EXECINSTR. */
const EXECUTABLE = 4;

export const STT = { NOTYPE: 0, OBJECT: 1, FUNC: 2, SECTION: 3, FILE: 4 } as const;
export const STB = { LOCAL: 0, GLOBAL: 1, WEAK: 2 } as const;
export const STV_INTERNAL = 1;
export const STV_HIDDEN = 2;
export const SHN_UNDEF = 0;
export const SHN_COMMON = 0xfff2;
/** First of the section numbers that are no sections. */
const SHN_LORESERVE = 0xff00;

/**
 * Names longer than this are cut: the kernel's own limit is 511 (KSYM_NAME_LEN). Symbols whose long
 * names overlap would otherwise multiply a small file.
 */
const MAX_NAME_BYTES = 512;

export interface ElfSection {
  readonly index: number;
  readonly name: string;
  readonly type: number;
  readonly executable: boolean;
  /** In the file. */
  readonly offset: number;
  readonly sizeBytes: number;
  readonly link: number;
  /** Relocation sections: the section they change. */
  readonly info: number;
  /** Empty for sections without content in the file (.bss). */
  readonly data: Uint8Array;
}

export interface ElfSymbol {
  readonly index: number;
  readonly name: string;
  readonly value: number;
  readonly sizeBytes: number;
  readonly type: number;
  readonly binding: number;
  readonly visibility: number;
  readonly section: number;
  /** Of the entry in the file. */
  readonly fileOffset: number;
}

export interface ElfRelocation {
  /** In the section it changes. */
  readonly offset: number;
  readonly type: number;
  readonly symbol: ElfSymbol;
  /** Undefined for REL, whose addend stands in the changed bytes. */
  readonly addend: number | undefined;
  /** Of the entry in the file. */
  readonly fileOffset: number;
}

export interface Elf {
  readonly file: string;
  readonly sections: readonly ElfSection[];
  /** The first section of each name; work per name is done for it alone. */
  readonly byName: ReadonlyMap<string, ElfSection>;
  readonly symbols: readonly ElfSymbol[];
  /** Relocations by the index of the section that they change, in order of offset. */
  readonly relocations: ReadonlyMap<number, readonly ElfRelocation[]>;
}

/** Reads the tables of a file. Section contents are views of `given`. */
export function parseElf(given: Uint8Array, file: string): Elf {
  // A plain array over the same memory: `slice` of a Buffer would not copy.
  const bytes = new Uint8Array(given.buffer, given.byteOffset, given.byteLength);
  const fail: Fail = (offset, reason, section) => {
    throw new InputError(file, offset, reason, section);
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  checkHeader(bytes, view, fail);
  const sections = readSections(bytes, view, fail);
  const symbols = readSymbols(sections, fail);
  const relocations = readRelocations(sections, symbols, fail);
  return { file, sections, byName: firstByName(sections), symbols, relocations };
}

function firstByName(sections: readonly ElfSection[]): ReadonlyMap<string, ElfSection> {
  const byName = new Map<string, ElfSection>();
  for (const section of sections)
    if (section.type !== SHT.NULL && !byName.has(section.name)) byName.set(section.name, section);
  return byName;
}

type Fail = (offset: number, reason: string, section?: string) => never;

function checkHeader(bytes: Uint8Array, view: DataView, fail: Fail): void {
  if (bytes.length < 4 || view.getUint32(0) !== 0x7f454c46) fail(0, 'not an ELF file');
  if (bytes.length < HEADER_BYTES) fail(0, `an ELF header needs 64 bytes, not ${bytes.length}`);
  if (bytes[4] !== 2) fail(4, 'not a 64-bit ELF file');
  if (bytes[5] !== 1) fail(5, 'not a little-endian ELF file; compile with -target bpfel');
  if (view.getUint16(18, true) !== EM_BPF)
    fail(18, `machine ${view.getUint16(18, true)} is not BPF (247); compile with -target bpf`);
  if (view.getUint16(16, true) !== ET_REL)
    fail(16, `file type ${view.getUint16(16, true)} is not a relocatable object (1)`);
}

/** A 64-bit field as a number; impossible values become one that fails every range check. */
function word64(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 0x1_0000_0000;
}

interface SectionHeader extends Omit<ElfSection, 'name' | 'data'> {
  readonly nameOffset: number;
}

function readSections(bytes: Uint8Array, view: DataView, fail: Fail): ElfSection[] {
  const table = word64(view, 40);
  if (table === 0 || table + SECTION_HEADER_BYTES > bytes.length)
    fail(40, `the section table at ${table} is outside the file of ${bytes.length} bytes`);
  if (view.getUint16(58, true) !== SECTION_HEADER_BYTES)
    fail(58, `section headers of ${view.getUint16(58, true)} bytes, not 64`);
  // Counts of 65,280 and more stand in the first section header instead (elf(5), e_shnum).
  const count = view.getUint16(60, true) || word64(view, table + 32);
  if (table + count * SECTION_HEADER_BYTES > bytes.length)
    fail(60, `${count} section headers at ${table} pass the end of the file`);
  const headers = Array.from({ length: count }, (_, index) =>
    readSectionHeader(view, table + index * SECTION_HEADER_BYTES, index),
  );
  checkExtents(headers, table, bytes.length, fail);

  const shstrndx = view.getUint16(62, true);
  const namesIndex = shstrndx === 0xffff ? (headers[0]?.link ?? 0) : shstrndx;
  const names = headers[namesIndex];
  if (!names || names.type === SHT.NOBITS)
    return fail(62, `section ${namesIndex}, which should hold section names, does not exist`);
  const nameBytes = bytes.subarray(names.offset, names.offset + names.sizeBytes);
  return headers.map(({ nameOffset, ...header }) => {
    if (nameOffset >= Math.max(1, nameBytes.length))
      fail(table + header.index * SECTION_HEADER_BYTES, `the name of section ${header.index}`);
    const hasContent = header.type !== SHT.NOBITS && header.type !== SHT.NULL;
    const end = hasContent ? header.offset + header.sizeBytes : header.offset;
    const data = bytes.subarray(hasContent ? header.offset : 0, hasContent ? end : 0);
    // Only sections with content were checked to lie in the file; the others' place is for messages.
    const offset = Math.min(header.offset, bytes.length);
    return { ...header, offset, name: stringAt(nameBytes, nameOffset), data };
  });
}

function readSectionHeader(view: DataView, at: number, index: number): SectionHeader {
  return {
    index,
    nameOffset: view.getUint32(at, true),
    type: view.getUint32(at + 4, true),
    executable: (view.getUint32(at + 8, true) & EXECUTABLE) !== 0,
    offset: word64(view, at + 24),
    sizeBytes: word64(view, at + 32),
    link: view.getUint32(at + 40, true),
    info: view.getUint32(at + 44, true),
  };
}

/**
 * Every section lies in the file, and together they are no larger than it. The second rule holds for
 * whatever a compiler writes; it makes work that is linear in section sizes linear in the file's.
 */
function checkExtents(
  headers: readonly SectionHeader[],
  table: number,
  fileBytes: number,
  fail: Fail,
): void {
  let total = 0;
  for (const header of headers) {
    const at = table + header.index * SECTION_HEADER_BYTES;
    if (header.type === SHT.NULL) continue;
    if (header.type === SHT.NOBITS) {
      if (header.sizeBytes > 0xffffffff) fail(at + 32, `section ${header.index} is over 4 GiB`);
      continue;
    }
    if (header.offset + header.sizeBytes > fileBytes)
      fail(at + 24, `section ${header.index} passes the end of the file (${fileBytes} bytes)`);
    total += header.sizeBytes;
    if (total > fileBytes) fail(at + 32, 'sections overlap: together they exceed the file');
  }
}

function stringAt(strings: Uint8Array, offset: number): string {
  const window = Buffer.from(strings.buffer, strings.byteOffset, strings.length).subarray(
    offset,
    offset + MAX_NAME_BYTES,
  );
  const end = window.indexOf(0);
  return window.toString('utf8', 0, end < 0 ? window.length : end);
}

/** All symbols; entry 0 is the undefined one. Objects without a table have none. */
function readSymbols(sections: readonly ElfSection[], fail: Fail): ElfSymbol[] {
  const tables = sections.filter((section) => section.type === SHT.SYMTAB);
  const table = tables[0];
  if (!table) return [];
  if (tables.length > 1) fail(tables[1]!.offset, 'a second symbol table', tables[1]!.name);
  if (table.sizeBytes % SYMBOL_BYTES !== 0)
    fail(table.offset, `${table.sizeBytes} bytes are not whole symbols of 24`, table.name);
  const strings = sections[table.link];
  if (!strings) return fail(table.offset, `string section ${table.link} is missing`, table.name);
  const view = new DataView(table.data.buffer, table.data.byteOffset, table.data.byteLength);
  return Array.from({ length: table.sizeBytes / SYMBOL_BYTES }, (_, index) => {
    const at = index * SYMBOL_BYTES;
    const fileOffset = table.offset + at;
    const nameOffset = view.getUint32(at, true);
    const section = view.getUint16(at + 6, true);
    if (nameOffset !== 0 && nameOffset >= strings.data.length)
      fail(fileOffset, `the name of symbol ${index} is outside its strings`, table.name);
    if (section >= sections.length && section < SHN_LORESERVE)
      fail(fileOffset + 6, `symbol ${index} is in missing section ${section}`, table.name);
    return {
      index,
      name: stringAt(strings.data, nameOffset),
      value: word64(view, at + 8),
      sizeBytes: word64(view, at + 16),
      type: view.getUint8(at + 4) & 0xf,
      binding: view.getUint8(at + 4) >>> 4,
      visibility: view.getUint8(at + 5) & 3,
      section,
      fileOffset,
    };
  });
}

function readRelocations(
  sections: readonly ElfSection[],
  symbols: readonly ElfSymbol[],
  fail: Fail,
): Map<number, ElfRelocation[]> {
  const relocations = new Map<number, ElfRelocation[]>();
  for (const section of sections) {
    if (section.type !== SHT.REL && section.type !== SHT.RELA) continue;
    const target = sections[section.info];
    if (!target || target.type === SHT.NULL)
      return fail(section.offset, `changes missing section ${section.info}`, section.name);
    const list = relocations.get(target.index) ?? [];
    relocations.set(target.index, list);
    for (const entry of readEntries(section, target, symbols, fail)) list.push(entry);
  }
  for (const list of relocations.values()) list.sort((a, b) => a.offset - b.offset);
  return relocations;
}

function readEntries(
  section: ElfSection,
  target: ElfSection,
  symbols: readonly ElfSymbol[],
  fail: Fail,
): ElfRelocation[] {
  const stride = section.type === SHT.REL ? 16 : 24;
  if (section.sizeBytes % stride !== 0)
    fail(section.offset, `${section.sizeBytes} bytes are not whole relocations`, section.name);
  const view = new DataView(section.data.buffer, section.data.byteOffset, section.sizeBytes);
  return Array.from({ length: section.sizeBytes / stride }, (_, index) => {
    const at = index * stride;
    const fileOffset = section.offset + at;
    const offset = word64(view, at);
    const symbol = symbols[view.getUint32(at + 12, true)];
    if (!symbol)
      return fail(fileOffset + 12, `relocation ${index} names a missing symbol`, section.name);
    if (offset >= target.sizeBytes)
      fail(fileOffset, `relocation ${index} lies outside section ${target.name}`, section.name);
    const addend = stride === 24 ? Number(view.getBigInt64(at + 16, true)) : undefined;
    return { offset, type: view.getUint32(at + 8, true), symbol, addend, fileOffset };
  });
}
