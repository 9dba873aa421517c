/** Builds the object for one type from its words; `validate.ts` has checked every index. */
import {
  ARRAY,
  DATASEC,
  DECL_TAG,
  ENUM,
  ENUM64,
  FLOAT,
  FUNC,
  FUNC_PROTO,
  FWD,
  INT,
  STRUCT,
  TYPE_WORDS,
  UNION,
  VAR,
} from './format.ts';
import {
  type BtfEnumerator,
  type BtfLinkage,
  type BtfMember,
  type BtfReference,
  type BtfType,
  KIND_NAMES,
} from './types.ts';

const LINKAGES: readonly BtfLinkage[] = ['static', 'global', 'extern'];

type StringAt = (offset: number) => string;

export function typeFrom(words: Uint32Array, at: number, id: number, stringAt: StringAt): BtfType {
  if (id === 0) return { kind: 'void', id: 0, name: '' };
  const info = words[at + 1]!;
  const kind = (info >>> 24) & 0x1f;
  const vlen = info & 0xffff;
  const flag = info >>> 31 === 1;
  const third = words[at + 2]!;
  const first = at + TYPE_WORDS;
  const common = { id, name: stringAt(words[at]!) };
  switch (kind) {
    case INT:
      return { ...common, kind: 'int', sizeBytes: third, ...intDetail(words[first]!) };
    case ARRAY:
      return {
        ...common,
        kind: 'array',
        typeId: words[first]!,
        indexTypeId: words[first + 1]!,
        length: words[first + 2]!,
      };
    case STRUCT:
    case UNION: {
      const members = membersFrom(words, first, info, stringAt);
      return { ...common, kind: kind === STRUCT ? 'struct' : 'union', sizeBytes: third, members };
    }
    case ENUM:
      return {
        ...common,
        kind: 'enum',
        sizeBytes: third,
        signed: flag,
        enumerators: elements(first, vlen, 2, (e) => ({
          name: stringAt(words[e]!),
          value: flag ? BigInt(words[e + 1]! | 0) : BigInt(words[e + 1]!),
        })),
      };
    case ENUM64:
      return {
        ...common,
        kind: 'enum64',
        sizeBytes: third,
        signed: flag,
        enumerators: elements(first, vlen, 3, (e): BtfEnumerator => {
          const value = (BigInt(words[e + 2]!) << 32n) | BigInt(words[e + 1]!);
          return { name: stringAt(words[e]!), value: flag ? BigInt.asIntN(64, value) : value };
        }),
      };
    case FWD:
      return { ...common, kind: 'fwd', of: flag ? 'union' : 'struct' };
    case FUNC:
      return { ...common, kind: 'func', typeId: third, linkage: LINKAGES[vlen] ?? 'extern' };
    case FUNC_PROTO:
      return {
        ...common,
        kind: 'func_proto',
        returnTypeId: third,
        parameters: elements(first, vlen, 2, (p) => ({
          name: stringAt(words[p]!),
          typeId: words[p + 1]!,
        })),
      };
    case VAR:
      return { ...common, kind: 'var', typeId: third, linkage: LINKAGES[words[first]!]! };
    case DATASEC:
      return {
        ...common,
        kind: 'datasec',
        sizeBytes: third,
        variables: elements(first, vlen, 3, (v) => ({
          typeId: words[v]!,
          offset: words[v + 1]!,
          sizeBytes: words[v + 2]!,
        })),
      };
    case FLOAT:
      return { ...common, kind: 'float', sizeBytes: third };
    case DECL_TAG: {
      const component = words[first]! | 0;
      return { ...common, kind: 'decl_tag', typeId: third, component, isAttribute: flag };
    }
    default: {
      const reference = KIND_NAMES[kind] as BtfReference['kind'];
      return { ...common, kind: reference, typeId: third, isAttribute: flag };
    }
  }
}

/** The word behind an int: encoding in bits 24-27, bit offset in 16-23, bit count in 0-7. */
function intDetail(detail: number) {
  return {
    bits: detail & 0xff,
    bitOffset: (detail >>> 16) & 0xff,
    signed: (detail & 0x01000000) !== 0,
    char: (detail & 0x02000000) !== 0,
    bool: (detail & 0x04000000) !== 0,
  };
}

/** With kind_flag, an offset word holds the bit size in its top byte; without, only the offset. */
function membersFrom(
  words: Uint32Array,
  first: number,
  info: number,
  stringAt: StringAt,
): BtfMember[] {
  const hasBitSizes = info >>> 31 === 1;
  return elements(first, info & 0xffff, 3, (m) => {
    const place = words[m + 2]!;
    return {
      name: stringAt(words[m]!),
      typeId: words[m + 1]!,
      bitOffset: hasBitSizes ? place & 0xffffff : place,
      bitSize: hasBitSizes ? place >>> 24 : 0,
    };
  });
}

function elements<T>(first: number, vlen: number, stride: number, make: (at: number) => T): T[] {
  return Array.from({ length: vlen }, (_, i) => make(first + i * stride));
}
