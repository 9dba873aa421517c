/**
 * What BTF says about a map: JavaScript values for its keys and values, and the fields that are not
 * data. Bytes written there would be followed as pointers: native code is told where they lie, and
 * maps with fields that it does not know are refused.
 */

import {
  type Btf,
  parseBtf,
  type SpecialField,
  type SpecialKind,
  specialFields,
  type TypedView,
  typedView,
} from '../btf/index.ts';
import { type MapSpec, UnsupportedError } from '../isa/index.ts';

export interface MapTypes {
  readonly key: TypedView | undefined;
  readonly value: TypedView | undefined;
  readonly fields: readonly SpecialField[];
  /** The BTF that all of this is taken from. */
  readonly origin: Uint8Array | undefined;
}

const UNTYPED: MapTypes = {
  key: undefined,
  value: undefined,
  fields: [],
  origin: undefined,
};

/** enum rf_field_kind in loader/native/map.h. */
const FIELD_KINDS: Readonly<Partial<Record<SpecialKind, number>>> = {
  'spin-lock': 0,
  timer: 1,
  workqueue: 2,
  'res-spin-lock': 3,
  kptr: 4,
  'kptr-percpu': 4,
  'list-head': 5,
  'list-node': 6,
  'rbtree-root': 7,
  'rbtree-node': 8,
  refcount: 9,
  'kptr-untrusted': 10,
};
/** Of these a value has one at most, so that its place follows from the value's. */
const SINGLE: ReadonlySet<SpecialKind> = new Set(['spin-lock', 'timer', 'workqueue']);

/** Map types whose values are copied around their special fields. */
const WITH_FIELDS: ReadonlySet<string> = new Set([
  'array',
  'hash',
  'lru_hash',
  'cgroup_storage',
  'sk_storage',
  'inode_storage',
  'task_storage',
  'cgrp_storage',
]);

const OWNING: ReadonlySet<SpecialKind> = new Set([
  'kptr',
  'kptr-percpu',
  'list-head',
  'rbtree-root',
]);

/**
 * Why values of the second map cannot stand where those of the first are expected; undefined: they can.
 * Fields must lie at the same places. What they own is an object of some type, which only one and the
 * same BTF makes the same for both: a program that took it for another would run past its end.
 */
export function differenceInFields(expected: MapTypes, given: MapTypes): string | undefined {
  const places = (types: MapTypes) => JSON.stringify(fieldWords(types.fields));
  if (places(expected) !== places(given)) return 'its locks, timers, pointers or lists';
  if (!given.fields.some(({ kind }) => OWNING.has(kind))) return undefined;
  const [a, b] = [expected.origin, given.origin];
  const same = a !== undefined && b !== undefined && Buffer.compare(a, b) === 0;
  return same ? undefined : 'the types of the objects that it holds';
}

/** Types of maps by specification; without BTF nothing is known. */
export function describeMaps(
  raw: Uint8Array | undefined,
  file: string,
): (spec: MapSpec) => MapTypes {
  if (raw === undefined) return () => UNTYPED;
  let btf: Btf | undefined;
  return (spec) => typesOf(spec, (btf ??= parseBtf(raw, file)), raw);
}

function typesOf(spec: MapSpec, btf: Btf, origin: Uint8Array): MapTypes {
  const { btfKeyTypeId = 0, btfValueTypeId = 0 } = spec;
  const fields = specialFieldsOf(spec, btf);
  const foreign = foreignField(fields);
  if (foreign !== undefined)
    throw new UnsupportedError(
      `map ${spec.name}: its values hold a ${foreign.kind} (byte ${foreign.offset}), which is not implemented in user space`,
    );
  if (fields.length > 0 && !WITH_FIELDS.has(spec.type))
    throw new UnsupportedError(
      `map ${spec.name}: values of type ${spec.type} cannot hold a ${fields[0]!.kind} in user space`,
    );
  const twice = fields.find(
    ({ kind }, i) => SINGLE.has(kind) && fields.findIndex((other) => other.kind === kind) < i,
  );
  if (twice !== undefined)
    throw new RangeError(`map ${spec.name}: its values hold more than one ${twice.kind}`);
  return {
    key: viewOf(btf, btfKeyTypeId, spec.keySize),
    value: viewOf(btf, btfValueTypeId, spec.valueSize),
    fields,
    origin,
  };
}

const specialFieldsOf = ({ btfValueTypeId = 0 }: MapSpec, btf: Btf): readonly SpecialField[] =>
  btfValueTypeId === 0 ? [] : specialFields(btf, btfValueTypeId);

const foreignField = (fields: readonly SpecialField[]): SpecialField | undefined =>
  fields.find(({ kind }) => FIELD_KINDS[kind] === undefined);

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

/** Rows of `struct rf_field` for loader/native/api_map.c. */
export function fieldWords(fields: readonly SpecialField[]): number[] {
  return fields.flatMap(({ kind, offset, sizeBytes }) => [FIELD_KINDS[kind]!, offset, sizeBytes]);
}
