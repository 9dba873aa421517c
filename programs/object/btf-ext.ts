/**
 * .BTF.ext: which function begins where, which source line an instruction comes from, and the CO-RE
 * relocations, each as records grouped by section name. Layout: Documentation/bpf/btf.rst, "The
 * .BTF.ext section". Record sizes may grow; what follows the known fields is skipped.
 */
import { BTF_MAGIC, type Btf } from '../../btf/index.ts';
import { InputError } from '../../isa/index.ts';
import type { ElfSection } from './elf.ts';

export interface FunctionRecord {
  readonly slot: number;
  readonly typeId: number;
}

export interface LineRecord {
  readonly slot: number;
  /** Offsets into the BTF strings. */
  readonly fileName: number;
  readonly text: number;
  readonly line: number;
  readonly column: number;
}

export interface CoreRecord {
  readonly slot: number;
  readonly typeId: number;
  /** `0:1:2`, or the number of an enumerator. */
  readonly access: string;
  /** enum bpf_core_relo_kind. */
  readonly kind: number;
}

/** The records of one code section, each list in order of slot. */
export interface SectionRecords {
  readonly functions: readonly FunctionRecord[];
  readonly lines: readonly LineRecord[];
  readonly core: readonly CoreRecord[];
}

const HEADER_BYTES = 24;
/** The header that also has the CO-RE part. */
const CORE_HEADER_BYTES = 32;
const SLOT_BYTES = 8;
/** 64 steps of ten digits, the most that CO-RE allows, and some. */
const MAX_ACCESS_BYTES = 1024;

/** Records by section name. Throws InputError. */
export function parseBtfExt(
  section: ElfSection,
  btf: Btf,
  file: string,
): ReadonlyMap<string, SectionRecords> {
  const { data } = section;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const fail: Fail = (at, reason) => {
    throw new InputError(file, section.offset + at, reason, section.name);
  };
  const headerBytes = readHeader(view, fail);
  const part = <T>(field: number, minimum: number, read: (at: number) => T): Map<string, T[]> => {
    const start = headerBytes + view.getUint32(field, true);
    const length = view.getUint32(field + 4, true);
    if (start + length > data.length) fail(field, 'a part passes the end of the section');
    return readPart(view, start, start + length, minimum, btf, read, fail);
  };
  const functions = part(8, 8, (at) => functionRecord(view, at, fail));
  const lines = part(16, 16, (at) => lineRecord(view, at, fail));
  const core =
    headerBytes < CORE_HEADER_BYTES
      ? new Map<string, CoreRecord[]>()
      : part(24, 16, (at) => coreRecord(view, at, btf, fail));
  const names = new Set([...functions.keys(), ...lines.keys(), ...core.keys()]);
  return new Map(
    [...names].map((name) => [
      name,
      {
        functions: inOrder(functions.get(name)),
        lines: inOrder(lines.get(name)),
        core: inOrder(core.get(name)),
      },
    ]),
  );
}

type Fail = (at: number, reason: string) => never;

/** Length of the header, which is where the parts begin. */
function readHeader(view: DataView, fail: Fail): number {
  const size = view.byteLength;
  if (size < HEADER_BYTES) fail(0, `${size} bytes have no room for the header`);
  if (view.getUint16(0, true) !== BTF_MAGIC) fail(0, 'does not begin with 0xeb9f');
  if (view.getUint8(2) !== 1) fail(2, `version ${view.getUint8(2)} is not 1`);
  const headerBytes = view.getUint32(4, true);
  if (headerBytes < HEADER_BYTES || headerBytes > size)
    fail(4, `header length ${headerBytes} is impossible`);
  return headerBytes;
}

function slotAt(view: DataView, at: number, fail: Fail): number {
  const offset = view.getUint32(at, true);
  if (offset % SLOT_BYTES !== 0) fail(at, `${offset} is not the start of an instruction`);
  return offset / SLOT_BYTES;
}

function functionRecord(view: DataView, at: number, fail: Fail): FunctionRecord {
  return { slot: slotAt(view, at, fail), typeId: view.getUint32(at + 4, true) };
}

/** The last word holds the line above ten bits of column. */
function lineRecord(view: DataView, at: number, fail: Fail): LineRecord {
  const place = view.getUint32(at + 12, true);
  return {
    slot: slotAt(view, at, fail),
    fileName: view.getUint32(at + 4, true),
    text: view.getUint32(at + 8, true),
    line: place >>> 10,
    column: place & 0x3ff,
  };
}

function coreRecord(view: DataView, at: number, btf: Btf, fail: Fail): CoreRecord {
  return {
    slot: slotAt(view, at, fail),
    typeId: view.getUint32(at + 4, true),
    access: btf.string(view.getUint32(at + 8, true), MAX_ACCESS_BYTES),
    kind: view.getUint32(at + 12, true),
  };
}

function inOrder<T extends { readonly slot: number }>(records: T[] = []): T[] {
  return records.sort((a, b) => a.slot - b.slot);
}

/** One part: the record size, then for each section its name, a count, and the records. */
function readPart<T>(
  view: DataView,
  start: number,
  end: number,
  minimum: number,
  btf: Btf,
  read: (at: number) => T,
  fail: Fail,
): Map<string, T[]> {
  const records = new Map<string, T[]>();
  if (start === end) return records;
  if (end - start < 4) fail(start, 'a part is cut off');
  const stride = view.getUint32(start, true);
  if (stride < minimum || stride % 4 !== 0) fail(start, `records of ${stride} bytes`);
  for (let at = start + 4; at < end; ) {
    if (at + 8 > end) fail(at, 'a section entry is cut off');
    const name = btf.string(view.getUint32(at, true));
    const count = view.getUint32(at + 4, true);
    if (count === 0) fail(at + 4, 'a section entry has no records');
    at += 8;
    if (at + count * stride > end) fail(at, `${count} records pass the end of their part`);
    const list = records.get(name) ?? [];
    records.set(name, list);
    for (let i = 0; i < count; i++, at += stride) list.push(read(at));
  }
  return records;
}
