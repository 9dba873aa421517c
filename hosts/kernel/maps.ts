/** Kernel maps made from a program's MapSpecs, their contents, and reading them back. */
import type { MapEntry, MapSpec } from '../../isa/index.ts';
import { addon } from '../../loader/index.ts';
import { type MapTypeRow, mapType } from '../../platform/index.ts';
import { Attribute, COMMAND, KernelError } from './attribute.ts';

const ENOENT = 2;
/** Entries of a perf event array that leaves the number open; libbpf takes the number of CPUs. */
const DEFAULT_PERF_ENTRIES = 64;

/**
 * Where an arena that names no address would lie in a process: no program loads before it has one,
 * and libbpf, which maps it, takes what is free.
 */
const ARENA_ADDRESS = 2 ** 44;

const word = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);

function rowOf(spec: MapSpec): MapTypeRow {
  const row = mapType(spec.type);
  if (!row) throw new RangeError(`map ${spec.name} has the unknown type '${spec.type}'`);
  return row;
}

/** A map in the kernel. */
export class KernelMap {
  readonly spec: MapSpec;
  readonly descriptor: number;
  #open = true;

  constructor(spec: MapSpec, descriptor: number) {
    this.spec = spec;
    this.descriptor = descriptor;
  }

  update(key: Uint8Array, value: Uint8Array): void {
    new Attribute()
      .u32(0, this.descriptor)
      .pointer(8, key)
      .pointer(16, value)
      .call(COMMAND.mapUpdate, `update of map ${this.spec.name}`);
  }

  lookup(key: Uint8Array): Uint8Array | undefined {
    const value = new Uint8Array(this.valueBytes());
    const result = new Attribute()
      .u32(0, this.descriptor)
      .pointer(8, key)
      .pointer(16, value)
      .try(COMMAND.mapLookup);
    if (result === -ENOENT) return undefined;
    if (result < 0) throw new KernelError(`lookup in map ${this.spec.name}`, -result);
    return value;
  }

  /** All entries, in the kernel's order. */
  entries(): { key: Uint8Array; value: Uint8Array }[] {
    const found: { key: Uint8Array; value: Uint8Array }[] = [];
    let previous = new Uint8Array(0);
    for (;;) {
      const key = new Uint8Array(this.spec.keySize);
      const result = new Attribute()
        .u32(0, this.descriptor)
        .pointer(8, previous)
        .pointer(16, key)
        .try(COMMAND.mapNextKey);
      if (result === -ENOENT) return found;
      if (result < 0) throw new KernelError(`iteration of map ${this.spec.name}`, -result);
      const value = this.lookup(key);
      if (value) found.push({ key, value });
      previous = key;
    }
  }

  close(): void {
    if (this.#open) addon().closeDescriptor(this.descriptor);
    this.#open = false;
  }

  /** Per-CPU lookups yield one value, rounded up to 8 bytes, for every possible CPU. */
  private valueBytes(): number {
    const { perCpu } = rowOf(this.spec);
    return perCpu ? ((this.spec.valueSize + 7) & ~7) * possibleCpus() : this.spec.valueSize;
  }
}

/** An upper bound is enough: the kernel writes exactly its own number of values. */
function possibleCpus(): number {
  return 256;
}

export interface BtfReference {
  readonly descriptor: number;
}

function createAttribute(
  spec: MapSpec,
  inner: KernelMap | undefined,
  btf: BtfReference | undefined,
): Attribute {
  const { id } = rowOf(spec);
  const entries =
    spec.type === 'perf_event_array' && spec.maxEntries === 0
      ? DEFAULT_PERF_ENTRIES
      : spec.maxEntries;
  const attribute = new Attribute()
    .u32(0, id)
    .u32(4, spec.keySize)
    .u32(8, spec.valueSize)
    .u32(12, entries)
    .u32(16, spec.flags)
    .text(28, spec.name)
    .u64(64, BigInt(spec.type === 'arena' ? spec.mapExtra || ARENA_ADDRESS : spec.mapExtra));
  if (inner) attribute.u32(20, inner.descriptor);
  if (btf && spec.btfValueTypeId !== undefined) {
    attribute
      .u32(48, btf.descriptor)
      .u32(52, spec.btfKeyTypeId ?? 0)
      .u32(56, spec.btfValueTypeId);
  }
  return attribute;
}

/**
 * Creates a map with its initial content; frozen when the spec says so. As libbpf does, a map whose
 * types the kernel does not want is created again without them. Throws KernelError.
 */
export function createMap(spec: MapSpec, btf?: BtfReference): KernelMap {
  const inner = spec.inner ? createMap(spec.inner, btf) : undefined;
  try {
    let descriptor = createAttribute(spec, inner, btf).try(COMMAND.mapCreate);
    if (descriptor < 0 && btf)
      descriptor = createAttribute(spec, inner, undefined).try(COMMAND.mapCreate);
    if (descriptor < 0) throw new KernelError(`creation of map ${spec.name}`, -descriptor);
    const map = new KernelMap(spec, descriptor);
    fill(map);
    return map;
  } finally {
    inner?.close();
  }
}

function fill(map: KernelMap): void {
  const { spec } = map;
  if (spec.initial && spec.valueSize > 0) {
    for (let index = 0; (index + 1) * spec.valueSize <= spec.initial.length; index++) {
      const at = index * spec.valueSize;
      map.update(word(index), spec.initial.slice(at, at + spec.valueSize));
    }
  }
  const plain = (spec.entries ?? []).filter(
    (entry): entry is MapEntry & { value: Uint8Array } => typeof entry.value !== 'string',
  );
  for (const { key, value } of plain) map.update(key, value);
  if (spec.frozen) {
    new Attribute().u32(0, map.descriptor).call(COMMAND.mapFreeze, `freezing map ${spec.name}`);
  }
}

/** Puts the maps that `spec.entries` names into the outer maps that name them. */
export function linkInnerMaps(maps: readonly KernelMap[]): void {
  for (const outer of maps) {
    if (!rowOf(outer.spec).ofMaps) continue;
    for (const { key, value } of outer.spec.entries ?? []) {
      const target = maps.find((map) => map.spec.name === value);
      if (target) outer.update(key, word(target.descriptor));
    }
  }
}
