/**
 * The maps that an object declares: BTF-defined ones in `.maps`, old `struct bpf_map_def`s in `maps`,
 * and the arrays of one element that hold global data (`.rodata`, `.data`, `.bss`).
 *
 * A BTF-defined map is a variable whose *type* carries the attributes: `int (*max_entries)[10]` says
 * max_entries = 10, `struct key *key` gives the key's type. Attribute names and the naming of data
 * maps are libbpf's (Documentation/bpf/libbpf/libbpf_overview.rst, bpf_helpers.h).
 */
import type { Btf, BtfSectionVariable } from '../../btf/index.ts';
import { InputError, type MapEntry, type MapSpec } from '../../isa/index.ts';
import { MAP_TYPES } from '../../platform/index.ts';
import { type Elf, type ElfRelocation, type ElfSection, type ElfSymbol, SHT, STT } from './elf.ts';
import { type DefinitionCache, type MapDefinition, readDefinition } from './map-definition.ts';

/** BPF_F_RDONLY_PROG and BPF_F_MMAPABLE of uapi/linux/bpf.h. */
export const F_RDONLY_PROG = 1 << 7;
export const F_MMAPABLE = 1 << 10;

/** BPF_OBJ_NAME_LEN, with its NUL. */
const OBJECT_NAME_BYTES = 16;

/** struct bpf_map_def: type, key_size, value_size, max_entries, map_flags. */
const LEGACY_BYTES = 20;

const TYPE_NAMES = new Map(MAP_TYPES.map((row) => [row.id, row.name]));

/** The name libbpf gives to a map type; numbers without one stay visible. */
function typeName(id: number): string {
  return TYPE_NAMES.get(id) ?? `type_${id}`;
}

/** Maps as they are collected, and where instructions may refer to them. */
export class MapTable {
  readonly specs: MapSpec[] = [];
  readonly #bySymbol = new Map<string, number>();
  readonly #bySection = new Map<number, number>();

  /** A map that `section` declares at byte `offset`. */
  declare(spec: MapSpec, section: number, offset: number): void {
    this.#bySymbol.set(`${section}:${offset}`, this.specs.push(spec) - 1);
  }

  /** A map whose value is the content of `section` (-1: of no section). */
  addData(spec: MapSpec, section: number): number {
    const index = this.specs.push(spec) - 1;
    this.#bySection.set(section, index);
    return index;
  }

  /** Variables of `section` live in the value of the map `index`. */
  place(section: number, index: number): void {
    this.#bySection.set(section, index);
  }

  declaredAt(section: number, offset: number): number | undefined {
    return this.#bySymbol.get(`${section}:${offset}`);
  }

  dataOf(section: number): number | undefined {
    return this.#bySection.get(section);
  }
}

/** All maps but `.kconfig`, which `externs.ts` makes. */
export function collectMaps(elf: Elf, btf: Btf | undefined): MapTable {
  const table = new MapTable();
  const typed = elf.byName.get('.maps');
  if (typed) declareTyped(elf, typed, btf, table);
  for (const section of elf.sections) {
    if (section.name === 'maps' || section.name.startsWith('maps/'))
      declareLegacy(elf, section, table);
    else if (/^\??\.struct_ops(\.link)?$/.test(section.name))
      declareStructOps(section, typesOf(elf, section, btf), table);
  }
  for (const section of elf.sections) addDataMap(elf, section, typesOf(elf, section, btf), table);
  return table;
}

/** The types of a section's variables go by its name: only the first of that name has any. */
function typesOf(elf: Elf, section: ElfSection, btf: Btf | undefined): Btf | undefined {
  return elf.byName.get(section.name) === section ? btf : undefined;
}

function declareTyped(elf: Elf, section: ElfSection, btf: Btf | undefined, table: MapTable): void {
  const fail: (offset: number, reason: string) => never = (offset, reason) => {
    // BTF may place a variable anywhere; the message stays inside the file.
    const at = section.offset + Math.min(offset, section.data.length);
    throw new InputError(elf.file, at, reason, section.name);
  };
  const id = btf?.find('.maps', 'datasec');
  const types = id === undefined ? undefined : btf?.typeOf(id, 'datasec');
  if (!btf || !types) fail(0, 'no BTF describes these maps; compile with -g');
  const slots = slotsByMap(elf, section, types.variables);
  const definitions: DefinitionCache = new Map();
  const symbols = symbolsAt(elf, section.index);
  for (const { typeId, offset } of types.variables) {
    const variable = btf.typeOf(typeId, 'var');
    if (!variable) fail(offset, `type ${typeId} in .maps is no variable`);
    const definition = readDefinition(btf, variable.typeId, variable.name, definitions, (reason) =>
      fail(offset, reason),
    );
    const entries = (slots.get(offset) ?? []).map((each) =>
      slotEntry(elf, definition, each, offset, symbols),
    );
    const spec = specOf(definition, variable.name);
    table.declare(entries.length > 0 ? { ...spec, entries } : spec, section.index, offset);
  }
}

/**
 * Relocations in `.maps` by the offset of the map that they are in: the last one that begins at or
 * before them, since the size of its type does not count the slots of `values`.
 */
function slotsByMap(
  elf: Elf,
  section: ElfSection,
  variables: readonly BtfSectionVariable[],
): ReadonlyMap<number, ElfRelocation[]> {
  const starts = variables.map(({ offset }) => offset).sort((a, b) => a - b);
  const slots = new Map<number, ElfRelocation[]>();
  let next = 0;
  for (const relocation of elf.relocations.get(section.index) ?? []) {
    while (next < starts.length && starts[next]! <= relocation.offset) next++;
    const start = starts[next - 1];
    if (start === undefined) continue;
    const list = slots.get(start);
    if (list) list.push(relocation);
    else slots.set(start, [relocation]);
  }
  return slots;
}

/** Variables of a section by their offset. */
function symbolsAt(elf: Elf, section: number): ReadonlyMap<number, ElfSymbol> {
  return new Map(
    elf.symbols
      .filter((each) => each.section === section && each.type === STT.OBJECT)
      .map((each) => [each.value, each]),
  );
}

/**
 * One initialised slot of `values`: the relocation stands at slot × 8 behind the start of the
 * member, its symbol is the inner map or the program.
 */
function slotEntry(
  elf: Elf,
  definition: MapDefinition,
  relocation: ElfRelocation,
  mapOffset: number,
  symbols: ReadonlyMap<number, ElfSymbol>,
): MapEntry {
  const { symbol } = relocation;
  const at = relocation.offset - mapOffset - (definition.valuesOffset ?? 0);
  const fault = (reason: string): never => {
    throw new InputError(elf.file, relocation.fileOffset, reason, '.rel.maps');
  };
  if (definition.valuesOffset === undefined || at < 0 || at % 8 !== 0)
    return fault('a relocation in .maps outside the slots of `values`');
  const target = symbol.type === STT.SECTION ? symbols.get(addendOf(elf, relocation)) : symbol;
  if (!target || target.name === '') return fault('a slot of `values` names no map or program');
  const key = new Uint8Array(4);
  new DataView(key.buffer).setUint32(0, at / 8, true);
  return { key, value: target.name };
}

/** In a REL section the addend is the 64-bit word in `.maps` itself; only its low half is used. */
function addendOf(elf: Elf, relocation: ElfRelocation): number {
  const data = elf.byName.get('.maps')?.data;
  if (relocation.addend !== undefined || !data) return relocation.addend ?? 0;
  if (relocation.offset + 4 > data.length) return -1;
  return new DataView(data.buffer, data.byteOffset).getUint32(relocation.offset, true);
}

function specOf(definition: MapDefinition, name: string): MapSpec {
  const { inner, keyTypeId, valueTypeId } = definition;
  return {
    name,
    type: typeName(definition.type),
    keySize: definition.keySize,
    valueSize: definition.valueSize,
    maxEntries: definition.maxEntries,
    flags: definition.flags,
    mapExtra: definition.mapExtra,
    ...(definition.pinning === 1 && { pinning: 'by-name' as const }),
    ...(definition.numaNode !== undefined && { numaNode: definition.numaNode }),
    ...(inner && { inner: specOf(inner, `${name}.inner`) }),
    ...(keyTypeId !== undefined && { btfKeyTypeId: keyTypeId }),
    ...(valueTypeId !== undefined && { btfValueTypeId: valueTypeId }),
    frozen: false,
  };
}

/** Definitions are of equal size; bytes beyond the known five fields belong to other loaders. */
function declareLegacy(elf: Elf, section: ElfSection, table: MapTable): void {
  const symbols = [...symbolsAt(elf, section.index).values()].concat(
    elf.symbols.filter((each) => each.section === section.index && each.type === STT.NOTYPE),
  );
  if (symbols.length === 0) return;
  const stride = Math.floor(section.data.length / symbols.length);
  const view = new DataView(section.data.buffer, section.data.byteOffset, section.data.length);
  for (const symbol of symbols.sort((a, b) => a.value - b.value)) {
    const at = symbol.value;
    if (stride < LEGACY_BYTES || at + LEGACY_BYTES > section.data.length)
      throw new InputError(
        elf.file,
        section.offset,
        `map ${symbol.name} has no room for a struct bpf_map_def`,
        section.name,
      );
    const spec: MapSpec = {
      name: symbol.name,
      type: typeName(view.getUint32(at, true)),
      keySize: view.getUint32(at + 4, true),
      valueSize: view.getUint32(at + 8, true),
      maxEntries: view.getUint32(at + 12, true),
      flags: view.getUint32(at + 16, true),
      mapExtra: 0,
      frozen: false,
    };
    table.declare(spec, section.index, at);
  }
}

/** Variables of `.struct_ops` are maps that hold one set of operations. */
function declareStructOps(section: ElfSection, btf: Btf | undefined, table: MapTable): void {
  const id = btf?.find(section.name, 'datasec');
  const types = id === undefined ? undefined : btf?.typeOf(id, 'datasec');
  if (!btf || !types) return;
  for (const { typeId, offset, sizeBytes } of types.variables) {
    const name = btf.nameOf(typeId);
    const valueSize = btf.sizeOf(typeId) ?? sizeBytes;
    const spec = {
      name,
      type: 'struct_ops',
      keySize: 4,
      valueSize,
      maxEntries: 1,
      flags: 0,
      mapExtra: 0,
      frozen: false,
    };
    table.declare(spec, section.index, offset);
  }
}

function addDataMap(elf: Elf, section: ElfSection, btf: Btf | undefined, table: MapTable): void {
  const match = /^\.(rodata|data|bss)(\..*)?$/.exec(section.name);
  if (section.name === '.addr_space.1') {
    // Variables of an arena live at its start.
    const arena = table.specs.findIndex((spec) => spec.type === 'arena');
    if (arena < 0) return;
    table.specs[arena] = { ...table.specs[arena]!, initial: section.data };
    table.place(section.index, arena);
    return;
  }
  if (!match || section.sizeBytes === 0 || section.type === SHT.REL || section.type === SHT.RELA)
    return;
  const readOnly = match[1] === 'rodata';
  const id = btf?.find(section.name, 'datasec');
  const spec: MapSpec = {
    name: dataMapName(elf.file, section.name),
    type: 'array',
    keySize: 4,
    valueSize: section.sizeBytes,
    maxEntries: 1,
    flags: (readOnly ? F_RDONLY_PROG : 0) | (isVisible(btf, id) ? F_MMAPABLE : 0),
    mapExtra: 0,
    ...(id !== undefined && { btfValueTypeId: id }),
    frozen: readOnly,
    ...(section.type !== SHT.NOBITS && { initial: section.data.slice() }),
  };
  table.addData(spec, section.index);
}

/** libbpf maps a data section into user space where some variable in it is not static. */
function isVisible(btf: Btf | undefined, id: number | undefined): boolean {
  const section = id === undefined ? undefined : btf?.typeOf(id, 'datasec');
  return (
    section?.variables.some(({ typeId }) => {
      const variable = btf?.typeOf(typeId, 'var');
      return variable !== undefined && variable.linkage !== 'static';
    }) ?? false
  );
}

/**
 * `filter.bpf.o` and `.rodata` give `filter.rodata`: file name up to its first dot, cut so that both
 * fit 15 bytes with at least 7 for the section. A section with a second dot is its own name.
 */
export function dataMapName(file: string, section: string): string {
  if (section.indexOf('.', 1) > 0) return section;
  const object = file.replace(/^.*[\\/]/, '').replace(/\..*$/s, '');
  const suffix = Math.min(Math.max(7, section.length), OBJECT_NAME_BYTES - 1);
  const prefix = OBJECT_NAME_BYTES - suffix - 1;
  return (object.slice(0, prefix) + section.slice(0, suffix)).replace(/[^A-Za-z0-9_.]/g, '_');
}

/** The licence string, empty when the object has none. */
export function licenseOf(elf: Elf): string {
  const data = elf.byName.get('license')?.data ?? new Uint8Array();
  const end = data.indexOf(0);
  return Buffer.from(data.subarray(0, end < 0 ? Math.min(data.length, 256) : end)).toString('utf8');
}
