/** Writes BTF by hand, so that tests can state exactly what a file says, lies included. */

export interface RawType {
  readonly name?: string;
  readonly kind: number;
  readonly vlen?: number;
  readonly flag?: boolean;
  /** Size or type id. */
  readonly third?: number;
  /** Words behind struct btf_type; strings are replaced by their offsets. */
  readonly rest?: readonly (number | string)[];
}

export const INT = (name: string, sizeBytes: number): RawType => ({
  name,
  kind: 1,
  third: sizeBytes,
  rest: [sizeBytes * 8],
});

export const reference = (kind: number, typeId: number, name = ''): RawType => ({
  name,
  kind,
  third: typeId,
});

/** Members are [name, type id, bit offset]. */
export const struct = (
  name: string,
  sizeBytes: number,
  members: readonly (readonly [string, number, number])[],
  kind = 4,
): RawType => ({ name, kind, vlen: members.length, third: sizeBytes, rest: members.flat() });

export const array = (typeId: number, length: number): RawType => ({
  kind: 3,
  third: 0,
  rest: [typeId, 1, length],
});

/** The file with types 1, 2, ... in the order given. */
export function buildBtf(types: readonly RawType[]): Uint8Array {
  const offsets = new Map<string, number>([['', 0]]);
  let strings = '\0';
  const offsetOf = (text: string): number => {
    let offset = offsets.get(text);
    if (offset === undefined) {
      offset = strings.length;
      offsets.set(text, offset);
      strings += `${text}\0`;
    }
    return offset;
  };
  const words = types.flatMap(({ name = '', kind, vlen = 0, flag, third = 0, rest = [] }) => [
    offsetOf(name),
    ((kind << 24) | vlen | (flag ? 0x80000000 : 0)) >>> 0,
    third,
    ...rest.map((each) => (typeof each === 'string' ? offsetOf(each) : each)),
  ]);
  const bytes = Buffer.alloc(24 + words.length * 4 + strings.length);
  bytes.writeUInt16LE(0xeb9f, 0);
  bytes[2] = 1;
  bytes.writeUInt32LE(24, 4);
  bytes.writeUInt32LE(words.length * 4, 12);
  bytes.writeUInt32LE(words.length * 4, 16);
  bytes.writeUInt32LE(strings.length, 20);
  for (const [index, word] of words.entries()) bytes.writeUInt32LE(word >>> 0, 24 + index * 4);
  bytes.write(strings, 24 + words.length * 4, 'latin1');
  return bytes;
}
