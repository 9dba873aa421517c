/**
 * Reads BTF: a program's few kilobytes and a kernel's 5 MB alike. Reading checks the whole (see
 * `validate.ts`) but makes no object per type: types stay words, `type(id)` builds one on demand,
 * and names are decoded when asked for. Lookup by name goes through a hash table that the first
 * lookup builds.
 */
import { InputError } from '../isa/index.ts';
import { typeFrom } from './entry.ts';
import {
  BTF_HEADER_BYTES,
  BTF_MAGIC,
  BTF_MAGIC_SWAPPED,
  MAX_NAME_BYTES,
  MODIFIER,
} from './format.ts';
import { buildNameTable, essentialBytes, lookUp, type NameTable } from './names.ts';
import {
  type BtfDeclarationTag,
  type BtfKind,
  type BtfType,
  type BtfTypeOf,
  KIND_NAMES,
} from './types.ts';
import { checkContainment, indexTypes, sizeInWords, type TypeIndex } from './validate.ts';

const HOST_IS_LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** Where the bytes stand in the file that messages name. */
export interface BtfOrigin {
  readonly section: string;
  /** Byte offset of the first byte in the file. */
  readonly offset: number;
}

/** All types of one .BTF section; immutable. Type id 0 is void. */
export class Btf {
  /** Name of the file it came from, for messages. */
  readonly file: string;
  /** Number of types, void included: ids are 0 to count - 1. */
  readonly count: number;
  readonly #words: Uint32Array;
  readonly #strings: Buffer;
  readonly #index: TypeIndex;
  readonly #origin: BtfOrigin;
  /** Byte offset of the type section in the bytes that were parsed. */
  readonly #typeStart: number;
  #names: NameTable | undefined;
  #tags: ReadonlyMap<number, readonly number[]> | undefined;

  constructor(
    file: string,
    words: Uint32Array,
    strings: Buffer,
    index: TypeIndex,
    origin: BtfOrigin,
    typeStart: number,
  ) {
    this.file = file;
    this.count = index.count;
    this.#words = words;
    this.#strings = strings;
    this.#index = index;
    this.#origin = origin;
    this.#typeStart = typeStart;
  }

  /** Throws RangeError for an id that does not exist: ids from other files need `has` first. */
  type(id: number): BtfType {
    return typeFrom(this.#words, this.#at(id), id, (offset) => this.string(offset));
  }

  /** The type if it exists and is of kind `kind`. */
  typeOf<K extends BtfKind>(id: number, kind: K): BtfTypeOf<K> | undefined {
    if (!this.has(id) || this.kindOf(id) !== kind) return undefined;
    return this.type(id) as BtfTypeOf<K>;
  }

  has(id: number): boolean {
    return Number.isInteger(id) && id >= 0 && id < this.count;
  }

  kindOf(id: number): BtfKind {
    if (id === 0) return 'void';
    return KIND_NAMES[(this.#words[this.#at(id) + 1]! >>> 24) & 0x1f]!;
  }

  /** Empty when anonymous. */
  nameOf(id: number): string {
    return id === 0 ? '' : this.string(this.#words[this.#at(id)]!);
  }

  /** The type without typedefs, const, volatile, restrict and type tags. Ends: see checkContainment. */
  resolve(id: number): number {
    while (id !== 0) {
      const at = this.#at(id);
      if (!MODIFIER[(this.#words[at + 1]! >>> 24) & 0x1f]) break;
      id = this.#words[at + 2]!;
    }
    return id;
  }

  /** `type(resolve(id))`. */
  resolved(id: number): BtfType {
    return this.type(this.resolve(id));
  }

  /** Bytes of a value of the type; undefined for void, functions and forward declarations. */
  sizeOf(id: number): number | undefined {
    this.#at(id);
    return sizeInWords(this.#words, this.#index, id);
  }

  /** The first type with that exact name (and kind). */
  find(name: string, kind?: BtfKind): number | undefined {
    return this.findAll(name, kind)[0];
  }

  /** All types with that exact name (and kind), in order of id. */
  findAll(name: string, kind?: BtfKind): number[] {
    if (name === '') return [];
    const ids: number[] = [];
    for (const id of this.flavors(name))
      if ((kind === undefined || this.kindOf(id) === kind) && this.nameOf(id) === name)
        ids.push(id);
    return ids;
  }

  /** All types whose name equals `name` up to a `___flavor` suffix on either, in order of id. */
  flavors(name: string): number[] {
    this.#names ??= buildNameTable(this.#words, this.#index, this.#strings);
    const bytes = Buffer.from(name);
    return lookUp(this.#names, this.#strings, bytes.subarray(0, essentialBytes(bytes)));
  }

  /** Declaration tags of the type, or of its member or parameter `component` (-1: the type). */
  declarationTags(id: number, component = -1): BtfDeclarationTag[] {
    this.#tags ??= this.#collectTags();
    return (this.#tags.get(id) ?? [])
      .map((tag) => this.type(tag) as BtfDeclarationTag)
      .filter((tag) => tag.component === component);
  }

  /** Byte offset of the type's entry (struct btf_type) in the bytes that were parsed. */
  entryOffset(id: number): number {
    return this.#typeStart + this.#at(id) * 4;
  }

  /** String at `offset` of the string section, cut to `limit` bytes. */
  string(offset: number, limit = MAX_NAME_BYTES): string {
    const strings = this.#strings;
    if (offset >= strings.length) return this.#fail(0, `string ${offset} is outside the strings`);
    // The window keeps hostile overlapping strings from costing their whole length each time.
    const window = strings.subarray(offset, offset + limit);
    const end = window.indexOf(0);
    return window.toString('utf8', 0, end < 0 ? window.length : end);
  }

  #at(id: number): number {
    if (!this.has(id)) throw new RangeError(`${this.file} has no type ${id}`);
    return this.#index.start[id]!;
  }

  #collectTags(): ReadonlyMap<number, readonly number[]> {
    const tags = new Map<number, number[]>();
    for (let id = 1; id < this.count; id++) {
      if (this.kindOf(id) !== 'decl_tag') continue;
      const target = this.#words[this.#at(id) + 2]!;
      const list = tags.get(target);
      if (list) list.push(id);
      else tags.set(target, [id]);
    }
    return tags;
  }

  #fail(at: number, reason: string): never {
    throw new InputError(this.file, this.#origin.offset + at, reason, this.#origin.section);
  }
}

/** The caller may change its bytes later. Not `bytes.slice`: a Buffer's shares memory. */
function copyOf(bytes: Uint8Array, start: number, length: number): ArrayBuffer {
  const copy = new Uint8Array(length);
  copy.set(bytes.subarray(start, start + length));
  return copy.buffer;
}

/** Where the types and their strings lie in the bytes. */
export interface Sections {
  readonly typeStart: number;
  readonly typeBytes: number;
  readonly stringStart: number;
  readonly stringBytes: number;
}

/** Reads a .BTF section or a file like /sys/kernel/btf/vmlinux. Throws InputError. */
export function parseBtf(
  bytes: Uint8Array,
  file: string,
  origin: BtfOrigin = { section: '.BTF', offset: 0 },
): Btf {
  const fail = (at: number, reason: string): never => {
    throw new InputError(file, origin.offset + at, reason, origin.section);
  };
  const { typeStart, typeBytes, stringStart, stringBytes } = sectionsOf(bytes, fail);
  const strings = Buffer.from(copyOf(bytes, stringStart, stringBytes));
  if (stringBytes > 0 && (strings[0] !== 0 || strings[stringBytes - 1] !== 0))
    fail(stringStart, 'the strings do not begin and end with a NUL byte');
  const typeCopy = copyOf(bytes, typeStart, typeBytes);
  if (!HOST_IS_LITTLE_ENDIAN) Buffer.from(typeCopy).swap32();
  const words = new Uint32Array(typeCopy);
  const failWord = (word: number, reason: string): never => fail(typeStart + word * 4, reason);
  const index = indexTypes(words, stringBytes, failWord);
  checkContainment(words, index, failWord);
  return new Btf(file, words, strings, index, origin, typeStart);
}

/** struct btf_header; both sections lie inside `bytes` and the type section is whole words. */
export function sectionsOf(
  bytes: Uint8Array,
  fail: (at: number, reason: string) => never,
): Sections {
  if (bytes.length < BTF_HEADER_BYTES)
    fail(0, `BTF of ${bytes.length} bytes has no room for its header`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = view.getUint16(0, true);
  if (magic === BTF_MAGIC_SWAPPED) fail(0, 'big-endian BTF is not supported');
  if (magic !== BTF_MAGIC) fail(0, `BTF begins with 0x${magic.toString(16)}, not 0xeb9f`);
  if (bytes[2] !== 1) fail(2, `BTF version ${bytes[2]} is not 1`);
  const headerBytes = view.getUint32(4, true);
  if (headerBytes < BTF_HEADER_BYTES || headerBytes > bytes.length)
    fail(4, `BTF header length ${headerBytes} is impossible`);
  const typeStart = headerBytes + view.getUint32(8, true);
  const typeBytes = view.getUint32(12, true);
  const stringStart = headerBytes + view.getUint32(16, true);
  const stringBytes = view.getUint32(20, true);
  if (typeStart + typeBytes > bytes.length) fail(8, 'the type section passes the end of the BTF');
  if (stringStart + stringBytes > bytes.length)
    fail(16, 'the string section passes the end of the BTF');
  if (typeBytes % 4 !== 0) fail(12, `the type section of ${typeBytes} bytes is not whole words`);
  return { typeStart, typeBytes, stringStart, stringBytes };
}
