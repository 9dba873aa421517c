/**
 * JavaScript values for the bytes of a typed value, and back: what makes `map.get({ saddr: 1 })`
 * possible. A view is compiled once per type into codecs; each codec knows its place in the value.
 *
 * | type | value |
 * | --- | --- |
 * | integers, pointers | number where exact, otherwise bigint |
 * | bool | boolean |
 * | enums | name of the enumerator, or a number that has none |
 * | `char[n]` | string without its NULs; Uint8Array when it is no text |
 * | other byte arrays | Uint8Array |
 * | other arrays | array |
 * | structs, unions, data sections | object by field name, anonymous members flattened |
 *
 * Encoding takes the same forms; missing fields are zero, unknown ones a TypeError, numbers out of
 * range a RangeError. Byte order is the program's: little-endian.
 */
import { InputError } from '../isa/index.ts';
import { layoutOf } from './layout.ts';
import type { Btf } from './parse.ts';
import type { BtfEnum, BtfType } from './types.ts';

export type TypedValue =
  | number
  | bigint
  | boolean
  | string
  | Uint8Array
  | readonly TypedValue[]
  | { readonly [field: string]: TypedValue };

export interface TypedView {
  readonly sizeBytes: number;
  /** The value at `offset` of `bytes`. */
  decode(bytes: Uint8Array, offset?: number): TypedValue;
  /** A fresh array of `sizeBytes`. */
  encode(value: TypedValue): Uint8Array;
}

/** Codec of a value at a bit offset; whole bytes except for bit-fields. */
interface Codec {
  /** Values that one read makes: types shared in unions multiply where bytes do not. */
  readonly weight: number;
  read(bytes: Uint8Array, bit: number): TypedValue;
  /** `path` names the field in errors. */
  write(bytes: Uint8Array, bit: number, value: TypedValue, path: string): void;
}

/** Codecs of one view; a hostile type could name more fields than anybody reads. */
const MAX_CODECS = 65_536;

/** Values in one read; an array map with a million counters in one value is well below. */
const MAX_WEIGHT = 1 << 24;

/** The view of values of type `typeId`. Throws InputError where the type has no bytes of its own. */
export function typedView(btf: Btf, typeId: number): TypedView {
  const sizeBytes = btf.sizeOf(typeId);
  if (sizeBytes === undefined)
    throw new InputError(btf.file, 0, `type ${typeId} (${btf.kindOf(typeId)}) has no size`, '.BTF');
  const codec = new Compiler(btf).codecOf(typeId);
  return {
    sizeBytes,
    decode(bytes, offset = 0) {
      if (!Number.isInteger(offset) || offset < 0 || offset + sizeBytes > bytes.length)
        throw new RangeError(`${sizeBytes} bytes at ${offset} of ${bytes.length}`);
      return codec.read(bytes, offset * 8);
    },
    encode(value) {
      const bytes = new Uint8Array(sizeBytes);
      codec.write(bytes, 0, value, 'value');
      return bytes;
    },
  };
}

class Compiler {
  readonly #btf: Btf;
  /** One codec per type: shared types make a graph, not a tree. */
  readonly #known = new Map<number, Codec>();
  #count = 0;

  constructor(btf: Btf) {
    this.#btf = btf;
  }

  codecOf(typeId: number): Codec {
    const type = this.#btf.resolved(typeId);
    let codec = this.#known.get(type.id);
    if (!codec) {
      codec = this.#make(type);
      if (codec.weight > MAX_WEIGHT)
        throw new InputError(this.#btf.file, 0, `type ${type.id} holds too many values`, '.BTF');
      this.#known.set(type.id, codec);
    }
    return codec;
  }

  #make(type: BtfType): Codec {
    if (++this.#count > MAX_CODECS)
      throw new InputError(this.#btf.file, 0, `type ${type.id} has too many fields`, '.BTF');
    switch (type.kind) {
      case 'int':
        if (type.bool) return booleanCodec(type.sizeBytes * 8);
        return integerCodec(type.bits, type.bitOffset, type.signed);
      case 'ptr':
        return integerCodec(64, 0, false);
      case 'enum':
      case 'enum64':
        return enumCodec(type, type.sizeBytes * 8);
      case 'float':
        return floatCodec(type.sizeBytes);
      case 'array':
        return this.#arrayCodec(type.typeId, type.length);
      case 'struct':
      case 'union':
        return this.#structCodec(type);
      case 'datasec':
        return objectCodec(
          type.variables.map(({ typeId, offset }) => ({
            name: this.#btf.nameOf(typeId),
            bitOffset: offset * 8,
            codec: this.codecOf(this.#btf.typeOf(typeId, 'var')?.typeId ?? typeId),
            sizeBits: (this.#btf.sizeOf(typeId) ?? 0) * 8,
          })),
          type.sizeBytes * 8,
        );
      case 'var':
        return this.codecOf(type.typeId);
      default:
        return { weight: 1, read: () => 0, write: () => undefined };
    }
  }

  #structCodec(type: Extract<BtfType, { kind: 'struct' | 'union' }>): Codec {
    const fields = layoutOf(this.#btf, type.id).map((field) => {
      this.#count++;
      const sizeBits = field.bitSize || field.sizeBytes * 8;
      const codec = field.bitSize
        ? this.#bitFieldCodec(field.typeId, field.bitSize)
        : this.codecOf(field.typeId);
      return { name: field.name, bitOffset: field.bitOffset, codec, sizeBits };
    });
    return objectCodec(fields, type.sizeBytes * 8);
  }

  #bitFieldCodec(typeId: number, bits: number): Codec {
    const type = this.#btf.resolved(typeId);
    if (type.kind === 'enum' || type.kind === 'enum64') return enumCodec(type, bits);
    if (type.kind === 'int' && type.bool) return booleanCodec(bits);
    return integerCodec(bits, 0, type.kind === 'int' && type.signed);
  }

  #arrayCodec(elementId: number, length: number): Codec {
    const element = this.#btf.resolved(elementId);
    if (element.kind === 'int' && element.sizeBytes === 1 && !element.bool) {
      const isText = element.char || element.name === 'char';
      return isText ? textCodec(length) : bytesCodec(length);
    }
    const codec = this.codecOf(elementId);
    const stride = (this.#btf.sizeOf(elementId) ?? 0) * 8;
    return {
      weight: 1 + length * codec.weight,
      read: (bytes, bit) => Array.from({ length }, (_, i) => codec.read(bytes, bit + i * stride)),
      write(bytes, bit, value, path) {
        if (!Array.isArray(value) && !ArrayBuffer.isView(value)) throw mismatch(path, 'an array');
        const elements = value as readonly TypedValue[];
        if (elements.length > length)
          throw new RangeError(`${path} has ${elements.length} elements, not ${length}`);
        for (const [i, each] of elements.entries())
          codec.write(bytes, bit + i * stride, each, `${path}[${i}]`);
      },
    };
  }
}

interface FieldCodec {
  readonly name: string;
  readonly bitOffset: number;
  readonly sizeBits: number;
  readonly codec: Codec;
}

/** Fields that do not fit the object (a lying BTF) are left out rather than read past its end. */
function objectCodec(all: readonly FieldCodec[], sizeBits: number): Codec {
  const fields = all.filter((each) => each.bitOffset + each.sizeBits <= sizeBits);
  const byName = new Map(fields.map((field) => [field.name, field]));
  return {
    weight: fields.reduce((sum, { codec }) => sum + codec.weight, 1),
    read: (bytes, bit) =>
      Object.fromEntries(
        fields.map(({ name, bitOffset, codec }) => [name, codec.read(bytes, bit + bitOffset)]),
      ),
    write(bytes, bit, value, path) {
      if (typeof value !== 'object' || Array.isArray(value) || ArrayBuffer.isView(value))
        throw mismatch(path, 'an object');
      for (const [name, each] of Object.entries(value)) {
        const field = byName.get(name);
        if (!field) throw new TypeError(`${path} has no field ${name}`);
        field.codec.write(bytes, bit + field.bitOffset, each, `${path}.${name}`);
      }
    },
  };
}

function mismatch(path: string, wanted: string): TypeError {
  return new TypeError(`${path} must be ${wanted}`);
}

/** `bits` bits at bit `bit`, unsigned; bits are numbered from the least significant of byte 0. */
function readBits(bytes: Uint8Array, bit: number, bits: number): bigint {
  const first = Math.floor(bit / 8);
  const last = Math.floor((bit + bits - 1) / 8);
  let value = 0n;
  for (let at = last; at >= first; at--) value = (value << 8n) | BigInt(bytes[at]!);
  return BigInt.asUintN(bits, value >> BigInt(bit % 8));
}

function writeBits(bytes: Uint8Array, bit: number, bits: number, value: bigint): void {
  for (let done = 0; done < bits; ) {
    const at = Math.floor((bit + done) / 8);
    const shift = (bit + done) % 8;
    const count = Math.min(8 - shift, bits - done);
    const mask = ((1 << count) - 1) << shift;
    const part = Number((value >> BigInt(done)) & 0xffn) << shift;
    bytes[at] = (bytes[at]! & ~mask) | (part & mask);
    done += count;
  }
}

function narrowed(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function integerCodec(bits: number, skip: number, signed: boolean): Codec {
  const least = signed ? -(1n << BigInt(bits - 1)) : 0n;
  const most = (1n << BigInt(signed ? bits - 1 : bits)) - 1n;
  return {
    weight: 1,
    read(bytes, bit) {
      const value = readBits(bytes, bit + skip, bits);
      return narrowed(signed ? BigInt.asIntN(bits, value) : value);
    },
    write(bytes, bit, value, path) {
      if (typeof value !== 'bigint' && !Number.isInteger(value)) throw mismatch(path, 'an integer');
      const integer = BigInt(value as number | bigint);
      if (integer < least || integer > most)
        throw new RangeError(`${path} is ${integer}, outside ${least} to ${most}`);
      writeBits(bytes, bit + skip, bits, BigInt.asUintN(bits, integer));
    },
  };
}

function booleanCodec(bits: number): Codec {
  return {
    weight: 1,
    read: (bytes, bit) => readBits(bytes, bit, bits) !== 0n,
    write(bytes, bit, value, path) {
      if (typeof value !== 'boolean' && value !== 0 && value !== 1)
        throw mismatch(path, 'a boolean');
      writeBits(bytes, bit, bits, value ? 1n : 0n);
    },
  };
}

function enumCodec(type: BtfEnum, bits: number): Codec {
  const number = integerCodec(bits, 0, type.signed);
  const values = new Map(type.enumerators.map((each) => [each.name, each.value]));
  // The first enumerator of a value names it.
  const names = new Map(type.enumerators.map((each) => [each.value, each.name] as const).reverse());
  return {
    weight: 1,
    read(bytes, bit) {
      const value = number.read(bytes, bit) as number | bigint;
      return names.get(BigInt(value)) ?? value;
    },
    write(bytes, bit, value, path) {
      const known = typeof value === 'string' ? values.get(value) : value;
      if (known === undefined) throw new RangeError(`${path} has no enumerator ${value}`);
      number.write(bytes, bit, known, path);
    },
  };
}

/** Of the sizes that BTF allows, JavaScript has numbers for two; the others stay bytes. */
function floatCodec(sizeBytes: number): Codec {
  if (sizeBytes !== 4 && sizeBytes !== 8) return bytesCodec(sizeBytes);
  const view = (bytes: Uint8Array, bit: number) =>
    new DataView(bytes.buffer, bytes.byteOffset + bit / 8, sizeBytes);
  return {
    weight: 1,
    read: (bytes, bit) =>
      sizeBytes === 4 ? view(bytes, bit).getFloat32(0, true) : view(bytes, bit).getFloat64(0, true),
    write(bytes, bit, value, path) {
      if (typeof value !== 'number') throw mismatch(path, 'a number');
      if (sizeBytes === 4) view(bytes, bit).setFloat32(0, value, true);
      else view(bytes, bit).setFloat64(0, value, true);
    },
  };
}

function bytesCodec(length: number): Codec {
  return {
    weight: 1,
    read: (bytes, bit) => Uint8Array.from(bytes.subarray(bit / 8, bit / 8 + length)),
    write(bytes, bit, value, path) {
      if (!Array.isArray(value) && !(value instanceof Uint8Array))
        throw mismatch(path, 'a Uint8Array');
      if (value.length > length)
        throw new RangeError(`${path} has ${value.length} bytes, not ${length}`);
      for (const [i, byte] of value.entries()) {
        if (!Number.isInteger(byte) || (byte as number) < -128 || (byte as number) > 255)
          throw new RangeError(`${path}[${i}] is no byte`);
        bytes[bit / 8 + i] = byte as number;
      }
    },
  };
}

/** Text where the bytes are exactly what encoding the text gives; otherwise the bytes. */
function textCodec(length: number): Codec {
  const raw = bytesCodec(length);
  return {
    weight: 1,
    read(bytes, bit) {
      const content = raw.read(bytes, bit) as Uint8Array;
      const end = content.indexOf(0);
      const text = Buffer.from(content.subarray(0, end < 0 ? length : end)).toString('utf8');
      const back = new Uint8Array(length);
      const encoded = Buffer.from(text);
      if (encoded.length > length) return content;
      back.set(encoded);
      return Buffer.compare(back, content) === 0 ? text : content;
    },
    write(bytes, bit, value, path) {
      raw.write(bytes, bit, typeof value === 'string' ? Buffer.from(value) : value, path);
    },
  };
}
