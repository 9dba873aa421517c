/**
 * Builds the object for one type from its words, by a table over the kinds; `validate.ts` has checked
 * every index. Layouts: Documentation/bpf/btf.rst, one section for each kind.
 */
import { TYPE_WORDS } from './format.ts';
import {
  type BtfEnumerator,
  type BtfKind,
  type BtfLinkage,
  type BtfMember,
  type BtfReference,
  type BtfType,
  KIND_NAMES,
} from './types.ts';

const LINKAGES: readonly BtfLinkage[] = ['static', 'global', 'extern'];

type StringAt = (offset: number) => string;

/** One type, half read. */
interface Entry {
  readonly id: number;
  readonly name: string;
  readonly words: Uint32Array;
  /** Word behind struct btf_type. */
  readonly first: number;
  readonly vlen: number;
  /** kind_flag. */
  readonly flag: boolean;
  /** Size or type id. */
  readonly third: number;
  readonly stringAt: StringAt;
}

type Build = (entry: Entry) => BtfType;

const reference =
  (kind: BtfReference['kind']): Build =>
  ({ id, name, third, flag }) => ({ id, name, kind, typeId: third, isAttribute: flag });

const composite =
  (kind: 'struct' | 'union'): Build =>
  (entry) => ({
    id: entry.id,
    name: entry.name,
    kind,
    sizeBytes: entry.third,
    members: membersOf(entry),
  });

const enumeration =
  (kind: 'enum' | 'enum64', enumerators: (entry: Entry) => BtfEnumerator[]): Build =>
  (entry) => ({
    id: entry.id,
    name: entry.name,
    kind,
    sizeBytes: entry.third,
    signed: entry.flag,
    enumerators: enumerators(entry),
  });

const BUILD: Readonly<Record<BtfKind, Build>> = {
  void: ({ id }) => ({ id, name: '', kind: 'void' }),
  int: ({ id, name, third, words, first }) => {
    // Encoding in bits 24-27, bit offset in 16-23, bit count in 0-7.
    const detail = words[first]!;
    return {
      id,
      name,
      kind: 'int',
      sizeBytes: third,
      bits: detail & 0xff,
      bitOffset: (detail >>> 16) & 0xff,
      signed: (detail & 0x01000000) !== 0,
      char: (detail & 0x02000000) !== 0,
      bool: (detail & 0x04000000) !== 0,
    };
  },
  ptr: reference('ptr'),
  array: ({ id, name, words, first }) => ({
    id,
    name,
    kind: 'array',
    typeId: words[first]!,
    indexTypeId: words[first + 1]!,
    length: words[first + 2]!,
  }),
  struct: composite('struct'),
  union: composite('union'),
  enum: enumeration('enum', narrowEnumerators),
  enum64: enumeration('enum64', wideEnumerators),
  fwd: ({ id, name, flag }) => ({ id, name, kind: 'fwd', of: flag ? 'union' : 'struct' }),
  typedef: reference('typedef'),
  volatile: reference('volatile'),
  const: reference('const'),
  restrict: reference('restrict'),
  type_tag: reference('type_tag'),
  func: ({ id, name, third, vlen }) => ({
    id,
    name,
    kind: 'func',
    typeId: third,
    linkage: LINKAGES[vlen] ?? 'extern',
  }),
  func_proto: (entry) => ({
    id: entry.id,
    name: entry.name,
    kind: 'func_proto',
    returnTypeId: entry.third,
    parameters: elements(entry, 2, (at) => ({
      name: entry.stringAt(entry.words[at]!),
      typeId: entry.words[at + 1]!,
    })),
  }),
  var: ({ id, name, third, words, first }) => ({
    id,
    name,
    kind: 'var',
    typeId: third,
    linkage: LINKAGES[words[first]!]!,
  }),
  datasec: (entry) => ({
    id: entry.id,
    name: entry.name,
    kind: 'datasec',
    sizeBytes: entry.third,
    variables: elements(entry, 3, (at) => ({
      typeId: entry.words[at]!,
      offset: entry.words[at + 1]!,
      sizeBytes: entry.words[at + 2]!,
    })),
  }),
  float: ({ id, name, third }) => ({ id, name, kind: 'float', sizeBytes: third }),
  decl_tag: ({ id, name, third, words, first, flag }) => ({
    id,
    name,
    kind: 'decl_tag',
    typeId: third,
    component: words[first]! | 0,
    isAttribute: flag,
  }),
};

export function typeFrom(words: Uint32Array, at: number, id: number, stringAt: StringAt): BtfType {
  if (id === 0) return { kind: 'void', id: 0, name: '' };
  const info = words[at + 1]!;
  return BUILD[KIND_NAMES[(info >>> 24) & 0x1f]!]({
    id,
    name: stringAt(words[at]!),
    words,
    first: at + TYPE_WORDS,
    vlen: info & 0xffff,
    flag: info >>> 31 === 1,
    third: words[at + 2]!,
    stringAt,
  });
}

function narrowEnumerators(entry: Entry): BtfEnumerator[] {
  const { words, flag, stringAt } = entry;
  return elements(entry, 2, (at) => ({
    name: stringAt(words[at]!),
    value: flag ? BigInt(words[at + 1]! | 0) : BigInt(words[at + 1]!),
  }));
}

function wideEnumerators(entry: Entry): BtfEnumerator[] {
  const { words, flag, stringAt } = entry;
  return elements(entry, 3, (at) => {
    const value = (BigInt(words[at + 2]!) << 32n) | BigInt(words[at + 1]!);
    return { name: stringAt(words[at]!), value: flag ? BigInt.asIntN(64, value) : value };
  });
}

/** With kind_flag, an offset word holds the bit size in its top byte; without, only the offset. */
function membersOf(entry: Entry): BtfMember[] {
  const { words, flag, stringAt } = entry;
  return elements(entry, 3, (at) => {
    const place = words[at + 2]!;
    return {
      name: stringAt(words[at]!),
      typeId: words[at + 1]!,
      bitOffset: flag ? place & 0xffffff : place,
      bitSize: flag ? place >>> 24 : 0,
    };
  });
}

/** The vlen elements of `stride` words. */
function elements<T>({ first, vlen }: Entry, stride: number, make: (at: number) => T): T[] {
  return Array.from({ length: vlen }, (_, i) => make(first + i * stride));
}
