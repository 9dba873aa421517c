/** Reads the attributes of one BTF-defined map out of the type of its variable. */
import type { Btf, BtfMember } from '../../btf/index.ts';

export interface MapDefinition {
  /** enum bpf_map_type. */
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly mapExtra: number;
  readonly numaNode?: number;
  /** enum libbpf_pin_type. */
  readonly pinning?: number;
  readonly keyTypeId?: number;
  readonly valueTypeId?: number;
  /** Of maps of maps. */
  readonly inner?: MapDefinition;
  /** Byte offset of the `values` member in the variable. */
  readonly valuesOffset?: number;
}

type Draft = { -readonly [K in keyof MapDefinition]: MapDefinition[K] };
type Fail = (reason: string) => never;

/** Attributes whose value is a number, and where it goes. */
const NUMBERS: Readonly<Record<string, keyof Draft>> = {
  type: 'type',
  max_entries: 'maxEntries',
  map_flags: 'flags',
  map_extra: 'mapExtra',
  numa_node: 'numaNode',
  pinning: 'pinning',
  key_size: 'keySize',
  value_size: 'valueSize',
};

/** The definition that the type `typeId` of a variable in `.maps` spells out. */
export function readDefinition(
  btf: Btf,
  typeId: number,
  name: string,
  cache: DefinitionCache,
  fail: Fail,
): MapDefinition {
  return read({ btf, name, cache, fail }, typeId, 'outer');
}

/** Definitions by struct: a hostile file may declare thousands of maps of one huge struct. */
export type DefinitionCache = Map<string, MapDefinition>;

interface Reading {
  readonly btf: Btf;
  /** Of the map, for messages. */
  readonly name: string;
  readonly cache: DefinitionCache;
  readonly fail: Fail;
}

function read(reading: Reading, typeId: number, level: 'outer' | 'inner'): MapDefinition {
  const { btf, cache } = reading;
  const key = `${level} ${btf.resolve(typeId)}`;
  let definition = cache.get(key);
  if (!definition) {
    definition = readStruct(reading, typeId, level);
    cache.set(key, definition);
  }
  return definition;
}

function readStruct(reading: Reading, typeId: number, level: 'outer' | 'inner'): MapDefinition {
  const { btf, name, fail } = reading;
  const type = btf.resolved(typeId);
  if (type.kind !== 'struct') return fail(`map ${name} is of kind ${type.kind}, not a struct`);
  const draft: Draft = {
    type: 0,
    keySize: 0,
    valueSize: 0,
    maxEntries: 0,
    flags: 0,
    mapExtra: 0,
  };
  for (const member of type.members) {
    const number = NUMBERS[member.name];
    if (number !== undefined && Object.hasOwn(NUMBERS, member.name))
      (draft as Record<string, unknown>)[number] = numberOf(btf, member, name, fail);
    else if (member.name === 'key' || member.name === 'value') {
      const pointee = pointeeOf(btf, member, name, fail);
      const size = btf.sizeOf(pointee);
      if (size === undefined) return fail(`the ${member.name} of map ${name} has no size`);
      const isKey = member.name === 'key';
      draft[isKey ? 'keySize' : 'valueSize'] = size;
      draft[isKey ? 'keyTypeId' : 'valueTypeId'] = pointee;
    } else if (member.name === 'values') {
      if (level === 'inner') return fail(`maps nest more than two deep in map ${name}`);
      draft.keySize ||= 4;
      draft.valueSize ||= 4;
      Object.assign(draft, readValues(reading, member));
    } else return fail(`map ${name} has the unknown attribute ${member.name}`);
  }
  if (draft.type === 0) return fail(`map ${name} does not say its type`);
  return draft;
}

/** `values` is an array of pointers: to a map definition, or to functions (program arrays). */
function readValues(reading: Reading, member: BtfMember): Partial<MapDefinition> {
  const { btf, name, fail } = reading;
  const array = btf.resolved(member.typeId);
  if (array.kind !== 'array') return fail(`\`values\` of map ${name} is no array`);
  const pointer = btf.resolved(array.typeId);
  if (pointer.kind !== 'ptr') return fail(`\`values\` of map ${name} holds no pointers`);
  const valuesOffset = member.bitOffset / 8;
  const target = btf.resolved(pointer.typeId);
  if (target.kind === 'struct') return { valuesOffset, inner: read(reading, target.id, 'inner') };
  if (target.kind === 'func_proto') return { valuesOffset };
  return fail(`\`values\` of map ${name} points to ${target.kind}`);
}

/** `int (*attribute)[N]` is N; an enum of one value (bpf_helpers.h, __ulong) is that value. */
function numberOf(btf: Btf, member: BtfMember, name: string, fail: Fail): number {
  const type = btf.resolved(member.typeId);
  if (type.kind === 'enum' || type.kind === 'enum64') {
    const value = Number(type.enumerators[0]?.value ?? -1n);
    if (type.enumerators.length === 1 && value >= 0) return value;
    return fail(`attribute ${member.name} of map ${name} is no single number`);
  }
  const array = type.kind === 'ptr' ? btf.resolved(type.typeId) : type;
  if (type.kind !== 'ptr' || array.kind !== 'array')
    return fail(`attribute ${member.name} of map ${name} is not of the form int (*)[N]`);
  return array.length;
}

function pointeeOf(btf: Btf, member: BtfMember, name: string, fail: Fail): number {
  const pointer = btf.resolved(member.typeId);
  if (pointer.kind !== 'ptr') return fail(`the ${member.name} of map ${name} is no pointer`);
  return pointer.typeId;
}
