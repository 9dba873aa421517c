/**
 * What BTF says about a map: JavaScript values for its keys and values, and the fields that are not
 * data. A value that holds a kernel pointer, list or tree has no meaning outside a kernel, and bytes
 * written there would be followed as pointers: such maps are refused.
 */

import {
  type Btf,
  parseBtf,
  type SpecialField,
  specialFields,
  type TypedView,
  typedView,
} from '../btf/index.ts';
import { type MapSpec, UnsupportedError } from '../isa/index.ts';

export interface MapTypes {
  readonly key: TypedView | undefined;
  readonly value: TypedView | undefined;
  readonly lock: SpecialField | undefined;
}

const UNTYPED: MapTypes = { key: undefined, value: undefined, lock: undefined };

/** Types of maps by specification; without BTF nothing is known. */
export function describeMaps(
  raw: Uint8Array | undefined,
  file: string,
): (spec: MapSpec) => MapTypes {
  if (raw === undefined) return () => UNTYPED;
  let btf: Btf | undefined;
  return (spec) => typesOf(spec, (btf ??= parseBtf(raw, file)));
}

function typesOf(spec: MapSpec, btf: Btf): MapTypes {
  const { btfKeyTypeId = 0, btfValueTypeId = 0 } = spec;
  const fields = specialFieldsOf(spec, btf);
  const foreign = foreignField(fields);
  if (foreign !== undefined)
    throw new UnsupportedError(
      `map ${spec.name}: its values hold a ${foreign.kind} (byte ${foreign.offset}), which is not implemented in user space`,
    );
  return {
    key: viewOf(btf, btfKeyTypeId, spec.keySize),
    value: viewOf(btf, btfValueTypeId, spec.valueSize),
    lock: fields[0],
  };
}

const specialFieldsOf = ({ btfValueTypeId = 0 }: MapSpec, btf: Btf): readonly SpecialField[] =>
  btfValueTypeId === 0 ? [] : specialFields(btf, btfValueTypeId);

const foreignField = (fields: readonly SpecialField[]): SpecialField | undefined =>
  fields.find(({ kind }) => kind !== 'spin-lock');

/** Whether values of a map hold nothing but data and locks. */
export function holdsPlainValues(
  raw: Uint8Array | undefined,
  file: string,
): (spec: MapSpec) => boolean {
  if (raw === undefined) return () => true;
  let btf: Btf | undefined;
  return (spec) => {
    btf ??= parseBtf(raw, file);
    return foreignField(specialFieldsOf(spec, btf)) === undefined;
  };
}

/** Only a type of exactly the declared size describes the bytes. */
function viewOf(btf: Btf, typeId: number, sizeBytes: number): TypedView | undefined {
  return typeId !== 0 && btf.sizeOf(typeId) === sizeBytes ? typedView(btf, typeId) : undefined;
}
