/**
 * Contexts as objects: numbers by the names of fields, instead of bytes at offsets. Pointer fields
 * are not among them; what they point at is given with the run.
 */

import type { ContextField } from '../types.ts';
import { type NumberType, rangeOf, truncate } from './numbers.ts';

/** Numbers by field name. */
export type ContextValues = Readonly<Record<string, number | bigint>>;

const typeOf = ({ sizeBytes, signed }: ContextField): NumberType =>
  `${signed === true ? 's' : 'u'}${sizeBytes * 8}` as NumberType;

const fieldBytes = (bytes: Uint8Array, { offset, sizeBytes }: ContextField) =>
  new DataView(bytes.buffer, bytes.byteOffset + offset, sizeBytes);

/**
 * The bytes of a context; fields that are not given are zero. Throws TypeError for a field that is
 * not there or is no number, RangeError for a number that does not fit.
 */
export function encodeContext(
  fields: readonly ContextField[],
  sizeBytes: number,
  values: ContextValues,
): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  for (const [name, value] of Object.entries(values)) {
    const field = fields.find((each) => each.name === name);
    if (field === undefined) {
      const names = fields.filter(({ kind }) => kind === 'scalar').map((each) => each.name);
      throw new TypeError(`the context has no field '${name}'; it has ${names.join(', ')}`);
    }
    if (field.kind !== 'scalar')
      throw new TypeError(`field '${name}' points at what the run is given: it cannot be set`);
    if (value !== undefined) put(fieldBytes(bytes, field), field, value);
  }
  return bytes;
}

function put(view: DataView, field: ContextField, value: number | bigint): void {
  if (typeof value !== 'bigint' && !Number.isInteger(value))
    throw new TypeError(`field '${field.name}' must be a whole number, not ${String(value)}`);
  const { min, max } = rangeOf(typeOf(field));
  const whole = BigInt(value);
  if (whole < min || whole > max)
    throw new RangeError(`field '${field.name}' is ${whole}, outside ${min} to ${max}`);
  for (let byte = 0; byte < field.sizeBytes; byte++)
    view.setUint8(byte, Number((whole >> BigInt(8 * byte)) & 0xffn));
}

/** The numbers of a context; those of 8 bytes as bigint. */
export function decodeContext(fields: readonly ContextField[], bytes: Uint8Array): ContextValues {
  return Object.fromEntries(
    fields
      .filter(
        ({ kind, offset, sizeBytes }) => kind === 'scalar' && offset + sizeBytes <= bytes.length,
      )
      .map((field) => [field.name, get(fieldBytes(bytes, field), field)]),
  );
}

function get(view: DataView, field: ContextField): number | bigint {
  let value = 0n;
  for (let byte = field.sizeBytes - 1; byte >= 0; byte--)
    value = (value << 8n) | BigInt(view.getUint8(byte));
  return truncate(typeOf(field), value);
}
