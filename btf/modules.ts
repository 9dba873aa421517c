/**
 * The types of kernel modules. A module's BTF (/sys/kernel/btf/nf_conntrack) goes on where the
 * kernel's ends: its first type has the number behind the kernel's last one, and its strings begin
 * behind the kernel's. So the kernel's BTF with one module's behind it is BTF again; every further
 * module has its own numbers moved up by what came between.
 *
 * Source: Documentation/bpf/btf.rst (split BTF).
 */
import { InputError } from '../isa/index.ts';
import {
  ARRAY,
  BTF_HEADER_BYTES,
  BTF_MAGIC,
  DATASEC,
  ELEMENT_WORDS,
  ENUM,
  ENUM64,
  FIXED_WORDS,
  FUNC_PROTO,
  LAST_KIND,
  REFERS,
  STRUCT,
  TYPE_WORDS,
  UNION,
} from './format.ts';
import { type Btf, parseBtf, type Sections, sectionsOf } from './parse.ts';

export interface BtfFile {
  readonly bytes: Uint8Array;
  /** For messages. */
  readonly file: string;
}

/** Which words of an element are names and which are type numbers, by kind. */
const ELEMENTS: Readonly<Record<number, { readonly name?: number; readonly type?: number }>> = {
  [STRUCT]: { name: 0, type: 1 },
  [UNION]: { name: 0, type: 1 },
  [ENUM]: { name: 0 },
  [ENUM64]: { name: 0 },
  [FUNC_PROTO]: { name: 0, type: 1 },
  [DATASEC]: { type: 0 },
};

/** What belongs to the module rather than to the kernel is moved. */
interface Move {
  readonly firstType: number;
  readonly types: number;
  readonly firstString: number;
  readonly strings: number;
}

/** The kernel's types, and behind them those of the modules. Throws InputError. */
export function parseKernelBtf(kernel: BtfFile, modules: readonly BtfFile[]): Btf {
  const base = parseBtf(kernel.bytes, kernel.file);
  if (modules.length === 0) return base;
  const sections = sectionsOf(kernel.bytes, failIn(kernel.file));
  const types = [wordsOf(kernel.bytes, sections)];
  const strings = [stringsOf(kernel.bytes, sections)];
  let count = base.count;
  let stringBytes = sections.stringBytes;
  for (const { bytes, file } of modules) {
    const own = sectionsOf(bytes, failIn(file));
    const words = wordsOf(bytes, own);
    const move = {
      firstType: base.count,
      types: count - base.count,
      firstString: sections.stringBytes,
      strings: stringBytes - sections.stringBytes,
    };
    count += moveTypes(words, move, file);
    stringBytes += own.stringBytes;
    types.push(words);
    strings.push(stringsOf(bytes, own));
  }
  const file = [kernel, ...modules].map((each) => each.file).join(', ');
  return parseBtf(assemble(types, strings), file);
}

const failIn =
  (file: string) =>
  (at: number, reason: string): never => {
    throw new InputError(file, at, reason, '.BTF');
  };

function wordsOf(bytes: Uint8Array, { typeStart, typeBytes }: Sections): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Uint32Array.from({ length: typeBytes / 4 }, (_, i) =>
    view.getUint32(typeStart + i * 4, true),
  );
}

const stringsOf = (bytes: Uint8Array, { stringStart, stringBytes }: Sections): Uint8Array =>
  bytes.subarray(stringStart, stringStart + stringBytes);

/** Moves every number in place; the number of types. */
function moveTypes(words: Uint32Array, move: Move, file: string): number {
  const moveType = (at: number): void => {
    if (words[at]! >= move.firstType) words[at]! += move.types;
  };
  const moveString = (at: number): void => {
    if (words[at]! >= move.firstString) words[at]! += move.strings;
  };
  let count = 0;
  for (let at = 0; at < words.length; count++) {
    const kind = ((words[at + 1] ?? 0) >>> 24) & 0x1f;
    const vlen = (words[at + 1] ?? 0) & 0xffff;
    if (kind === 0 || kind > LAST_KIND) failIn(file)(at * 4, `there is no kind ${kind} of type`);
    const first = at + TYPE_WORDS + FIXED_WORDS[kind]!;
    const next = first + vlen * ELEMENT_WORDS[kind]!;
    if (next > words.length) failIn(file)(at * 4, 'a type passes the end of the type section');
    moveString(at);
    if (REFERS[kind]) moveType(at + 2);
    if (kind === ARRAY) {
      moveType(at + TYPE_WORDS);
      moveType(at + TYPE_WORDS + 1);
    }
    const { name, type } = ELEMENTS[kind] ?? {};
    for (let element = first; element < next; element += ELEMENT_WORDS[kind]!) {
      if (name !== undefined) moveString(element + name);
      if (type !== undefined) moveType(element + type);
    }
    at = next;
  }
  return count;
}

/** Sections one behind the other, behind a header of their own. */
function assemble(types: readonly Uint32Array[], strings: readonly Uint8Array[]): Uint8Array {
  const total = (parts: readonly (Uint32Array | Uint8Array)[]): number =>
    parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const typeBytes = total(types);
  const stringBytes = total(strings);
  const bytes = new Uint8Array(BTF_HEADER_BYTES + typeBytes + stringBytes);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, BTF_MAGIC, true);
  view.setUint8(2, 1);
  const header = [BTF_HEADER_BYTES, 0, typeBytes, typeBytes, stringBytes];
  for (const [i, word] of header.entries()) view.setUint32(4 + i * 4, word, true);
  let at = BTF_HEADER_BYTES;
  for (const part of types) {
    for (const word of part) {
      view.setUint32(at, word, true);
      at += 4;
    }
  }
  for (const part of strings) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
