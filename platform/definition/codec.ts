/**
 * Contexts as objects: numbers by the names of fields, instead of bytes at offsets. Pointer fields
 * are not among them; what they point at is given with the run.
 *
 * A layout is looked at once: its fields become functions on a DataView, found by name, since an
 * embedder encodes a context for every run.
 */

import type { ContextField } from '../types.ts';
import { NUMBER_TYPES, type NumberType, rangeOf } from './numbers.ts';

/** Numbers by field name. */
export type ContextValues = Readonly<Record<string, number | bigint>>;

interface Codec {
  readonly field: ContextField;
  /** Throws TypeError or RangeError, naming the field. */
  readonly put: (view: DataView, value: number | bigint) => void;
  readonly get: (view: DataView) => number | bigint;
}

type Codecs = ReadonlyMap<string, Codec>;

const known = new WeakMap<readonly ContextField[], Codecs>();

function codecsOf(fields: readonly ContextField[]): Codecs {
  const cached = known.get(fields);
  if (cached !== undefined) return cached;
  const scalars = fields.filter(({ kind, sizeBytes }) => kind === 'scalar' && sizeBytes <= 8);
  const codecs = new Map(scalars.map((field) => [field.name, codecOf(field)]));
  known.set(fields, codecs);
  return codecs;
}

function codecOf(field: ContextField): Codec {
  const { name, offset, sizeBytes, signed } = field;
  const type = `${signed === true ? 's' : 'u'}${sizeBytes * 8}` as NumberType;
  const { put, get } = ACCESSORS[type];
  const { min, max } = rangeOf(type);
  const fault = (value: number | bigint) =>
    typeof value === 'bigint' || Number.isInteger(value)
      ? new RangeError(`field '${name}' is ${value}, outside ${min} to ${max}`)
      : new TypeError(`field '${name}' must be a whole number, not ${String(value)}`);
  if (NUMBER_TYPES[type].sizeBytes === 8)
    return {
      field,
      get: (view) => get(view, offset),
      put(view, value) {
        const isWhole = typeof value === 'bigint' || Number.isInteger(value);
        const whole = isWhole ? BigInt(value) : min - 1n;
        if (whole < min || whole > max) throw fault(value);
        put(view, offset, whole as never);
      },
    };
  const [least, most] = [Number(min), Number(max)];
  return {
    field,
    get: (view) => get(view, offset),
    put(view, value) {
      const number = typeof value === 'bigint' ? Number(value) : value;
      if (!Number.isInteger(number) || number < least || number > most) throw fault(value);
      put(view, offset, number as never);
    },
  };
}

interface Accessor {
  readonly put: (view: DataView, offset: number, value: never) => void;
  readonly get: (view: DataView, offset: number) => number | bigint;
}

const ACCESSORS: Readonly<Record<NumberType, Accessor>> = {
  u8: { put: (v, at, n) => v.setUint8(at, n), get: (v, at) => v.getUint8(at) },
  u16: { put: (v, at, n) => v.setUint16(at, n, true), get: (v, at) => v.getUint16(at, true) },
  u32: { put: (v, at, n) => v.setUint32(at, n, true), get: (v, at) => v.getUint32(at, true) },
  u64: { put: (v, at, n) => v.setBigUint64(at, n, true), get: (v, at) => v.getBigUint64(at, true) },
  s8: { put: (v, at, n) => v.setInt8(at, n), get: (v, at) => v.getInt8(at) },
  s16: { put: (v, at, n) => v.setInt16(at, n, true), get: (v, at) => v.getInt16(at, true) },
  s32: { put: (v, at, n) => v.setInt32(at, n, true), get: (v, at) => v.getInt32(at, true) },
  s64: { put: (v, at, n) => v.setBigInt64(at, n, true), get: (v, at) => v.getBigInt64(at, true) },
};

/**
 * The bytes of a context; fields that are not given are zero. Throws TypeError for a field that is
 * not there or is no number, RangeError for a number that does not fit.
 */
export function encodeContext(
  fields: readonly ContextField[],
  sizeBytes: number,
  values: ContextValues,
): Uint8Array {
  const codecs = codecsOf(fields);
  const bytes = new Uint8Array(sizeBytes);
  const view = new DataView(bytes.buffer);
  for (const name of Object.keys(values)) {
    const value = values[name];
    const codec = codecs.get(name);
    if (codec === undefined) throw unknownField(fields, codecs, name);
    if (value !== undefined) codec.put(view, value);
  }
  return bytes;
}

function unknownField(fields: readonly ContextField[], codecs: Codecs, name: string): TypeError {
  const isPointer = fields.some((field) => field.name === name);
  return new TypeError(
    isPointer
      ? `field '${name}' points at what the run is given: it cannot be set`
      : `the context has no field '${name}'; it has ${[...codecs.keys()].join(', ') || 'none'}`,
  );
}

/** The numbers of a context; those of 8 bytes as bigint. */
export function decodeContext(fields: readonly ContextField[], bytes: Uint8Array): ContextValues {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const found: [string, number | bigint][] = [];
  for (const [name, { field, get }] of codecsOf(fields))
    if (field.offset + field.sizeBytes <= bytes.length) found.push([name, get(view)]);
  return Object.fromEntries(found);
}
