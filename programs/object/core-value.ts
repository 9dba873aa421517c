/**
 * The number that a CO-RE relocation asks for, given the path in one side's types: the compiler put
 * the local one into the instruction, the kernel's replaces it.
 */
import type { BtfType } from '../../btf/index.ts';
import type { CoreSpec } from './core-spec.ts';
import { isComposite, isEnum, type TypeComparison } from './core-types.ts';

export interface CoreValue {
  readonly value: bigint;
  /** The compiler's own number must equal the local one: otherwise record and code disagree. */
  readonly validate: boolean;
  /** Bytes of the field that a load or store at this offset accesses. */
  readonly fieldBytes?: number;
  /** Type of that field, resolved. */
  readonly fieldType?: BtfType;
}

/**
 * The value for `spec`; for no match (undefined) what "not there" means; a reason where nothing
 * can be said, so that the instruction must not be reached.
 */
export function coreValue(
  kind: CoreSpec['kind'],
  spec: CoreSpec | undefined,
  types: TypeComparison,
): CoreValue | string {
  switch (kind) {
    case 'type_id_local':
      return spec ? plain(spec.rootId, false) : 'there is no such type';
    case 'type_id_target':
      return plain(spec?.rootId ?? 0, false);
    case 'type_exists':
    case 'type_matches':
    case 'field_exists':
    case 'enumval_exists':
      return plain(spec ? 1 : 0, true);
    case 'type_size':
      return plain(spec ? (spec.btf.sizeOf(spec.rootId) ?? 0) : 0, true);
    case 'enumval_value':
      return spec ? enumeratorValue(spec, types) : 'the kernel has no such enumerator';
    case 'field_byte_offset':
    case 'field_byte_size':
    case 'field_signed':
    case 'field_lshift_u64':
    case 'field_rshift_u64':
      return spec ? fieldValue(kind, spec, types) : 'the kernel has no such field';
    default:
      return kind satisfies never;
  }
}

function plain(value: number, validate: boolean): CoreValue {
  return { value: BigInt(value), validate };
}

function enumeratorValue(spec: CoreSpec, types: TypeComparison): CoreValue | string {
  const step = spec.accessors[0]!;
  const type = types.type({ btf: spec.btf, id: step.typeId });
  const enumerator = isEnum(type) ? type.enumerators[step.index] : undefined;
  return enumerator ? { value: enumerator.value, validate: true } : 'no such enumerator';
}

type FieldKind =
  | 'field_byte_offset'
  | 'field_byte_size'
  | 'field_signed'
  | 'field_lshift_u64'
  | 'field_rshift_u64';

function fieldValue(kind: FieldKind, spec: CoreSpec, types: TypeComparison): CoreValue | string {
  const last = spec.accessors.at(-1)!;
  const owner = types.type({ btf: spec.btf, id: last.typeId });
  if (last.name === undefined || !isComposite(owner)) return elementValue(kind, spec, types);
  const member = owner.members[last.index]!;
  const type = types.resolved({ btf: spec.btf, id: member.typeId });
  const sizeBytes = spec.btf.sizeOf(type.id);
  if (sizeBytes === undefined) return `the field ${member.name} has no size`;
  const isBitField = member.bitSize > 0;
  const unit = isBitField
    ? loadUnit(spec.bitOffset, member.bitSize, sizeBytes)
    : { byteOffset: Math.floor(spec.bitOffset / 8), sizeBytes };
  if (!unit) return `the bit-field ${member.name} fits no load of 8 bytes`;
  const bitSize = isBitField ? member.bitSize : unit.sizeBytes * 8;
  // Compilers choose load units for bit-fields in their own way: only what does not depend on the
  // unit can be compared.
  const validate = !isBitField;
  switch (kind) {
    case 'field_byte_offset':
      return {
        ...plain(unit.byteOffset, validate),
        ...(!isBitField && elementOf(spec, type.id, types)),
      };
    case 'field_byte_size':
      return plain(unit.sizeBytes, validate);
    case 'field_signed':
      return plain((isEnum(type) || type.kind === 'int') && type.signed ? 1 : 0, true);
    case 'field_lshift_u64':
      return plain(64 - (spec.bitOffset + bitSize - unit.byteOffset * 8), validate);
    case 'field_rshift_u64':
      return plain(64 - bitSize, true);
    default:
      return kind satisfies never;
  }
}

/** The root itself or an array element: it has a place and a size, nothing else. */
function elementValue(kind: FieldKind, spec: CoreSpec, types: TypeComparison): CoreValue | string {
  const id = spec.accessors.at(-1)!.typeId;
  const sizeBytes = spec.btf.sizeOf(id);
  if (kind === 'field_byte_offset') {
    const fieldType = types.resolved({ btf: spec.btf, id });
    const offset = plain(Math.floor(spec.bitOffset / 8), true);
    return { ...offset, fieldType, ...(sizeBytes !== undefined && { fieldBytes: sizeBytes }) };
  }
  if (kind === 'field_byte_size' && sizeBytes !== undefined) return plain(sizeBytes, true);
  return `${kind} cannot be applied to an array element`;
}

/** Loads access elements of an array, not the whole. */
function elementOf(
  spec: CoreSpec,
  id: number,
  types: TypeComparison,
): { fieldBytes?: number; fieldType: BtfType } {
  let type = types.resolved({ btf: spec.btf, id });
  while (type.kind === 'array') type = types.resolved({ btf: spec.btf, id: type.typeId });
  const fieldBytes = spec.btf.sizeOf(type.id);
  return { fieldType: type, ...(fieldBytes !== undefined && { fieldBytes }) };
}

/**
 * The smallest aligned load of at least the declared size that covers the bit-field; packed
 * bit-fields may cross the boundary of their own type.
 */
function loadUnit(
  bitOffset: number,
  bitSize: number,
  declaredBytes: number,
): { byteOffset: number; sizeBytes: number } | undefined {
  for (let sizeBytes = declaredBytes; sizeBytes > 0 && sizeBytes <= 8; sizeBytes *= 2) {
    const byteOffset = Math.floor(bitOffset / 8 / sizeBytes) * sizeBytes;
    if (bitOffset + bitSize - byteOffset * 8 <= sizeBytes * 8) return { byteOffset, sizeBytes };
  }
  return undefined;
}
