/**
 * What a CO-RE relocation is about, as a path through types. The compiler records a root type and an
 * access string: `0:1:2` is element 0 behind the pointer, member 1, member (or element) 2. The path
 * is spelled out by names in the program's BTF and then looked for, by those names, in the kernel's.
 */
import { type Btf, essentialName } from '../../btf/index.ts';
import { isComposite, isEnum, type TypeComparison } from './core-types.ts';

/** enum bpf_core_relo_kind of uapi/linux/bpf.h, in order. */
export const CORE_KINDS = Object.freeze([
  'field_byte_offset',
  'field_byte_size',
  'field_exists',
  'field_signed',
  'field_lshift_u64',
  'field_rshift_u64',
  'type_id_local',
  'type_id_target',
  'type_exists',
  'type_size',
  'enumval_exists',
  'enumval_value',
  'type_matches',
] as const);

export type CoreKind = (typeof CORE_KINDS)[number];

/** Longest access string, in steps; libbpf's BPF_CORE_SPEC_MAX_LEN. */
const MAX_STEPS = 64;

interface Accessor {
  /** Type in which the step is taken: a struct with `name`, otherwise what is indexed. */
  readonly typeId: number;
  readonly index: number;
  /** Present: a member; absent: an array element (or the root). */
  readonly name?: string;
}

export interface CoreSpec {
  readonly btf: Btf;
  readonly rootId: number;
  readonly kind: CoreKind;
  /** Field kinds: the named steps; enumerator kinds: the one enumerator; type kinds: none. */
  readonly accessors: readonly Accessor[];
  readonly bitOffset: number;
}

/** The local spec, or why the record makes none. */
export function parseSpec(
  btf: Btf,
  rootId: number,
  access: string,
  kind: CoreKind,
  types: TypeComparison,
): CoreSpec | string {
  const steps = access.split(':').map((text) => (/^\d{1,10}$/.test(text) ? Number(text) : -1));
  if (steps.length > MAX_STEPS || steps.some((step) => step < 0 || step > 0xffffffff))
    return `the access string '${access.slice(0, 80)}' is malformed`;
  if (kind.startsWith('type_')) {
    if (access !== '0') return `the access string '${access.slice(0, 80)}' is not 0`;
    return { btf, rootId, kind, accessors: [], bitOffset: 0 };
  }
  if (kind.startsWith('enumval_')) return parseEnumerator(btf, rootId, steps, kind, types);
  return parseField(btf, rootId, steps, kind, types);
}

function parseEnumerator(
  btf: Btf,
  rootId: number,
  steps: readonly number[],
  kind: CoreKind,
  types: TypeComparison,
): CoreSpec | string {
  const type = types.resolved({ btf, id: rootId });
  const [index = 0] = steps;
  const enumerator = isEnum(type) ? type.enumerators[index] : undefined;
  if (steps.length !== 1 || !enumerator) return `type ${rootId} has no enumerator ${index}`;
  const accessors = [{ typeId: type.id, index, name: enumerator.name }];
  return { btf, rootId, kind, accessors, bitOffset: 0 };
}

function parseField(
  btf: Btf,
  rootId: number,
  steps: readonly number[],
  kind: CoreKind,
  types: TypeComparison,
): CoreSpec | string {
  const first = steps[0]!;
  let id = btf.resolve(rootId);
  const accessors: Accessor[] = [{ typeId: id, index: first }];
  let bitOffset = first * (btf.sizeOf(id) ?? 0) * 8;
  for (const index of steps.slice(1)) {
    const type = types.resolved({ btf, id });
    if (isComposite(type)) {
      const member = type.members[index];
      if (!member) return `type ${type.id} has no member ${index}`;
      bitOffset += member.bitOffset;
      // Anonymous structs are not named in the path: the kernel may nest differently.
      if (member.name !== '') accessors.push({ typeId: type.id, index, name: member.name });
      id = btf.resolve(member.typeId);
    } else if (type.kind === 'array') {
      if (index >= type.length && !isFlexible(btf, accessors.at(-1), type.length, types))
        return `element ${index} is outside an array of ${type.length}`;
      id = btf.resolve(type.typeId);
      accessors.push({ typeId: id, index });
      bitOffset += index * (btf.sizeOf(id) ?? 0) * 8;
    } else return `the access string leads through type ${type.id} of kind ${type.kind}`;
  }
  return { btf, rootId, kind, accessors, bitOffset };
}

/** An array without elements as the last member of its struct may be indexed freely. */
function isFlexible(
  btf: Btf,
  last: Accessor | undefined,
  length: number,
  types: TypeComparison,
): boolean {
  if (length > 0 || last?.name === undefined) return false;
  const owner = types.type({ btf, id: last.typeId });
  return isComposite(owner) && last.index === owner.members.length - 1;
}

/** The same path from `rootId` of the kernel's BTF; undefined when there is none. */
export function matchSpec(
  local: CoreSpec,
  btf: Btf,
  rootId: number,
  types: TypeComparison,
): CoreSpec | undefined {
  const { kind } = local;
  if (kind.startsWith('type_')) {
    const [a, b] = [
      { btf: local.btf, id: local.rootId },
      { btf, id: rootId },
    ];
    const same = kind === 'type_matches' ? types.typesMatch(a, b) : types.typesCompatible(a, b);
    return same ? { btf, rootId, kind, accessors: [], bitOffset: 0 } : undefined;
  }
  if (kind.startsWith('enumval_')) return matchEnumerator(local, btf, rootId, types);
  return matchField(local, btf, rootId, types);
}

function matchEnumerator(
  local: CoreSpec,
  btf: Btf,
  rootId: number,
  types: TypeComparison,
): CoreSpec | undefined {
  const type = types.resolved({ btf, id: rootId });
  const wanted = essentialName(local.accessors[0]!.name ?? '');
  if (!isEnum(type) || !types.spend(type.enumerators.length)) return undefined;
  const index = type.enumerators.findIndex((each) => essentialName(each.name) === wanted);
  if (index < 0) return undefined;
  const name = type.enumerators[index]!.name;
  return { ...local, btf, rootId, accessors: [{ typeId: type.id, index, name }] };
}

function matchField(
  local: CoreSpec,
  btf: Btf,
  rootId: number,
  types: TypeComparison,
): CoreSpec | undefined {
  const accessors: Accessor[] = [];
  let bitOffset = 0;
  let id = btf.resolve(rootId);
  for (const [position, step] of local.accessors.entries()) {
    if (step.name !== undefined) {
      const found = findMember(local, step, btf, id, types);
      if (!found) return undefined;
      accessors.push(found.accessor);
      bitOffset += found.bitOffset;
      id = btf.resolve(found.typeId);
      continue;
    }
    if (position > 0) {
      const array = types.type({ btf, id });
      if (array.kind !== 'array') return undefined;
      if (step.index >= array.length && !isFlexible(btf, accessors.at(-1), array.length, types))
        return undefined;
      id = btf.resolve(array.typeId);
    }
    accessors.push({ typeId: id, index: step.index });
    bitOffset += step.index * (btf.sizeOf(id) ?? 0) * 8;
  }
  return { btf, rootId, kind: local.kind, accessors, bitOffset };
}

interface FoundMember {
  readonly accessor: Accessor;
  /** From the start of the type that was searched. */
  readonly bitOffset: number;
  readonly typeId: number;
}

/**
 * The member by name, also inside anonymous structs and unions. The first member of that name
 * decides: one of an incompatible type is no match.
 */
function findMember(
  local: CoreSpec,
  step: Accessor,
  btf: Btf,
  id: number,
  types: TypeComparison,
): FoundMember | undefined {
  const owner = types.type({ btf: local.btf, id: step.typeId });
  const type = types.resolved({ btf, id });
  if (!isComposite(owner) || !isComposite(type)) return undefined;
  const wanted = owner.members[step.index]!;
  for (const [index, member] of type.members.entries()) {
    if (!types.spend(1)) return undefined;
    if (member.name === '') {
      const inner = findMember(local, step, btf, member.typeId, types);
      if (inner) return { ...inner, bitOffset: inner.bitOffset + member.bitOffset };
    } else if (member.name === wanted.name) {
      const a = { btf: local.btf, id: wanted.typeId };
      if (!types.fieldsCompatible(a, { btf, id: member.typeId })) return undefined;
      const accessor = { typeId: type.id, index, name: member.name };
      return { accessor, bitOffset: member.bitOffset, typeId: member.typeId };
    }
  }
  return undefined;
}
