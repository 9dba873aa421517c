/**
 * Maps as JavaScript uses them: raw bytes in and out, one crossing per operation. Keys and values are
 * copied into memory of the map's own port before native code looks at them, so no buffer of the
 * caller can be detached, resized or changed under it.
 */

import type { TypedValue } from '../btf/index.ts';
import { type MapSpec, UnsupportedError } from '../isa/index.ts';
import { mapType } from '../platform/index.ts';
import { addon, type MapHandle, type Port, type ProgramHandle } from './addon.ts';
import { CPU_SLOTS } from './environment.ts';
import { errnoName } from './errno.ts';
import { describeMaps, type MapTypes } from './map-types.ts';

/** The numbers of enum operation in loader/native/api_map.c. */
const LOOKUP = 0;
const UPDATE = 1;
const DELETE = 2;
const SCAN = 3;
const PUSH = 4;
const POP = 5;
const PEEK = 6;
const CONSUME = 7;
const DROPPED = 8;
const QUERY = 9;

const KEY_AT = 64;
const ENOENT = -2;

/** How `set` treats a key: `any`, only if absent, only if present. */
export type UpdateMode = 'any' | 'new' | 'existing';
const UPDATE_FLAGS: Readonly<Record<UpdateMode, number>> = { any: 0, new: 1, existing: 2 };

/** A map operation that the kernel would have refused too; `code` is its errno by name. */
export class MapError extends Error {
  override readonly name = 'MapError';
  readonly code: string;
  constructor(map: string, operation: string, errno: number) {
    const code = errnoName(errno);
    super(`map ${map}: ${operation} failed with ${code}`);
    this.code = code;
  }
}

const KEY = Symbol('loader/map');

/** A map of a loaded extension, or one made to be shared by several. */
export class ExtensionMap {
  readonly #handle: MapHandle;
  readonly #port: Port;
  readonly #bytes: Uint8Array;
  readonly #words: Uint32Array;
  readonly #spec: MapSpec;
  readonly #types: MapTypes;
  /** Who uses it: the caller that made it, extensions. The last one that lets go closes it. */
  readonly #users = { count: 0, closed: false };

  constructor(key: typeof KEY, handle: MapHandle, spec: MapSpec, types: MapTypes) {
    if (key !== KEY) throw new TypeError('maps are made by load() and createMap() only');
    this.#handle = handle;
    this.#spec = spec;
    this.#types = types;
    this.#port = addon().openPort(handle);
    this.#bytes = new Uint8Array(this.#port.exchange);
    this.#words = new Uint32Array(this.#port.exchange, 0, 2);
    Object.freeze(this);
  }

  static is(x: unknown): x is ExtensionMap {
    return typeof x === 'object' && x !== null && #handle in x;
  }

  get name(): string {
    return this.#spec.name;
  }
  get type(): string {
    return this.#spec.type;
  }
  get keySize(): number {
    return this.#spec.keySize;
  }
  /** Bytes of one value as seen here: per-CPU maps show all slots, each rounded up to 8 bytes. */
  get valueSize(): number {
    return this.#port.valueBytes;
  }
  get maxEntries(): number {
    return this.#spec.maxEntries;
  }
  get spec(): MapSpec {
    return structuredClone(this.#spec);
  }

  /** The value as a copy, or undefined: bytes for a key in bytes, otherwise typed by BTF. */
  get(key: Uint8Array): Uint8Array | undefined;
  get(key: TypedValue): TypedValue | undefined;
  get(key: TypedValue): TypedValue | undefined {
    this.#putKey(this.#keyBytes(key));
    const result = this.#port.call(LOOKUP, 0);
    if (result === ENOENT) return undefined;
    this.#check('lookup', result);
    const value = this.#takeValue();
    return key instanceof Uint8Array ? value : this.#decode(value);
  }

  /** Throws MapError: E2BIG (full, or index out of range), EEXIST, ENOENT, EPERM (frozen). */
  set(key: TypedValue, value: TypedValue, mode: UpdateMode = 'any'): void {
    const bytes = value instanceof Uint8Array ? value : this.#encode('value', value);
    this.#putKey(this.#keyBytes(key));
    this.#putValue(bytes);
    this.#check('update', this.#port.call(UPDATE, UPDATE_FLAGS[mode]));
  }

  /** False: there was no such key. */
  delete(key: TypedValue): boolean {
    this.#putKey(this.#keyBytes(key));
    const result = this.#port.call(DELETE, 0);
    if (result === ENOENT) return false;
    this.#check('delete', result);
    return true;
  }

  /** Whether BTF types both keys and values: then objects may be used for them. */
  get typed(): boolean {
    return this.#types.key !== undefined && this.#types.value !== undefined;
  }

  /** All entries as JavaScript values; per-CPU maps show one value for each slot. */
  *typedEntries(): Generator<readonly [key: TypedValue, value: TypedValue]> {
    for (const [key, value] of this.entries())
      yield [this.#types.key?.decode(key) ?? key, this.#decode(value)];
  }

  /**
   * All entries. The keys are collected first, so the caller may change the map meanwhile; an entry
   * that is gone when its turn comes is left out.
   */
  *entries(): Generator<readonly [key: Uint8Array, value: Uint8Array]> {
    for (const key of this.keys()) {
      const value = this.get(key);
      if (value !== undefined) yield [key, value];
    }
  }

  keys(): Uint8Array[] {
    const keys: Uint8Array[] = [];
    let cursor = 0;
    for (;;) {
      this.#words[0] = cursor;
      const result = this.#port.call(SCAN, 0);
      if (result === ENOENT) return keys;
      this.#check('iteration', result);
      cursor = this.#words[0] ?? 0;
      keys.push(this.#bytes.slice(KEY_AT, KEY_AT + this.keySize));
    }
  }

  [Symbol.iterator](): Generator<readonly [key: Uint8Array, value: Uint8Array]> {
    return this.entries();
  }

  /** Queues, stacks and bloom filters. `replace` drops the oldest value of a full queue. */
  push(value: Uint8Array, whenFull: 'fail' | 'replace' = 'fail'): void {
    this.#putValue(value);
    this.#check('push', this.#port.call(PUSH, whenFull === 'replace' ? 2 : 0));
  }

  pop(): Uint8Array | undefined {
    return this.#taken('pop', POP);
  }
  peek(): Uint8Array | undefined {
    return this.#taken('peek', PEEK);
  }

  /** Bloom filters: false means that the value was never pushed. */
  mayContain(value: Uint8Array): boolean {
    this.#putValue(value);
    const result = this.#port.call(PEEK, 0);
    if (result === ENOENT) return false;
    this.#check('peek', result);
    return true;
  }

  /** Ring buffers and perf event arrays: the next record, or undefined when there is none yet. */
  consume(): Uint8Array | undefined {
    const result = this.#port.call(CONSUME, 0);
    if (result === ENOENT) return undefined;
    this.#check('consume', result);
    return this.#bytes.slice(this.#port.valueAt, this.#port.valueAt + (this.#words[0] ?? 0));
  }

  /** The same: records that found no room. */
  get dropped(): number {
    this.#check('query', this.#port.call(DROPPED, 0));
    return this.#number();
  }

  /** The same: bytes that wait to be consumed. */
  get pendingBytes(): number {
    this.#check('query', this.#port.call(QUERY, 0));
    return this.#number();
  }

  /**
   * The same: records as they come. Polls, since programs run on this or other threads and no
   * descriptor is involved; ends when `signal` is aborted.
   */
  async *records(
    options: { readonly signal?: AbortSignal; readonly pollMilliseconds?: number } = {},
  ): AsyncGenerator<Uint8Array> {
    while (options.signal?.aborted !== true) {
      const record = this.consume();
      if (record !== undefined) yield record;
      else await new Promise((resolve) => setTimeout(resolve, options.pollMilliseconds ?? 1));
    }
  }

  /**
   * The storage of an array map itself, value i at i times the value size rounded up to 8. Programs
   * change it at any time. TypeError for other types, frozen maps, and maps with locks or timers.
   */
  view(): Uint8Array {
    return new Uint8Array(addon().viewMap(this.#handle));
  }

  /** Program arrays and maps of maps: what the key leads to; null removes it. */
  setObject(key: Uint8Array, object: ExtensionMap | ProgramHandle | null): void {
    const inner = ExtensionMap.is(object) ? object.#handle : object;
    if (key.length !== this.keySize)
      throw new RangeError(this.#sizeMessage('key', key, this.keySize));
    const result = addon().setObject(this.#handle, key.slice(), inner);
    if (object !== null || result !== ENOENT) this.#check('update', result);
  }

  /** No change from anywhere any more. */
  freeze(): void {
    addon().freezeMap(this.#handle);
  }

  /** Lets go of a map that `createMap` made; extensions that use it keep it. Harmless twice. */
  close(): void {
    ExtensionMap.release(KEY, this);
  }

  /** For the loader: one user more, one less. */
  static retain(key: typeof KEY, map: ExtensionMap): void {
    if (key !== KEY || map.#users.closed) throw new TypeError('the map is closed');
    map.#users.count++;
  }
  static release(key: typeof KEY, map: ExtensionMap): void {
    if (key !== KEY) throw new TypeError('maps are released by the loader');
    if (map.#users.closed || --map.#users.count > 0) return;
    map.#users.closed = true;
    map.#port.close();
    addon().closeMap(map.#handle);
  }

  /** For the loader: the handle that native code takes. */
  static handleOf(key: typeof KEY, map: ExtensionMap): MapHandle {
    if (key !== KEY) throw new TypeError('map handles belong to the loader');
    return map.#handle;
  }

  #keyBytes(key: TypedValue): Uint8Array {
    return key instanceof Uint8Array ? key : this.#encode('key', key);
  }

  #encode(what: 'key' | 'value', value: TypedValue): Uint8Array {
    const view = this.#types[what];
    if (view === undefined)
      throw new TypeError(`map ${this.name}: its ${what} has no type in BTF, so give bytes`);
    const bytes = view.encode(value);
    if (what === 'key' || bytes.length === this.valueSize) return bytes;
    throw new TypeError(`map ${this.name}: values of all processors are set as bytes only`);
  }

  #decode(value: Uint8Array): TypedValue {
    const view = this.#types.value;
    if (view === undefined) return value;
    if (value.length === view.sizeBytes) return view.decode(value);
    const stride = value.length / CPU_SLOTS;
    return Array.from({ length: CPU_SLOTS }, (_, slot) => view.decode(value, slot * stride));
  }

  #taken(operation: string, number: number): Uint8Array | undefined {
    const result = this.#port.call(number, 0);
    if (result === ENOENT) return undefined;
    this.#check(operation, result);
    return this.#takeValue();
  }

  #takeValue(): Uint8Array {
    return this.#bytes.slice(this.#port.valueAt, this.#port.valueAt + this.#port.valueBytes);
  }

  #number(): number {
    return (this.#words[0] ?? 0) + (this.#words[1] ?? 0) * 2 ** 32;
  }

  #putKey(key: Uint8Array): void {
    if (key.length !== this.keySize)
      throw new RangeError(this.#sizeMessage('key', key, this.keySize));
    this.#bytes.set(key, KEY_AT);
  }

  #putValue(value: Uint8Array): void {
    const { valueAt, valueBytes } = this.#port;
    if (value.length !== valueBytes)
      throw new RangeError(this.#sizeMessage('value', value, valueBytes));
    this.#bytes.set(value, valueAt);
  }

  #sizeMessage(what: string, given: Uint8Array, wanted: number): string {
    return `map ${this.name}: a ${what} has ${wanted} bytes, not ${given.length}`;
  }

  #check(operation: string, result: number): void {
    if (result < 0) throw new MapError(this.name, operation, result);
  }
}
Object.freeze(ExtensionMap);
Object.freeze(ExtensionMap.prototype);

/** For the loader alone; no index re-exports these four. */
export function adoptMap(handle: MapHandle, spec: MapSpec, types: MapTypes): ExtensionMap {
  return new ExtensionMap(KEY, handle, spec, types);
}
export function handleOf(map: ExtensionMap): MapHandle {
  return ExtensionMap.handleOf(KEY, map);
}

export function retainMap(map: ExtensionMap): void {
  ExtensionMap.retain(KEY, map);
}
export function releaseMap(map: ExtensionMap): void {
  ExtensionMap.release(KEY, map);
}

/** A map of the caller's own, to be passed to `load`; close it when it is no longer needed. */
export function createMap(spec: MapSpec, btf?: Uint8Array): ExtensionMap {
  const map = makeMap(spec, describeMaps(btf, spec.name));
  retainMap(map);
  return map;
}

/** A map that nobody uses yet, with its initial content, frozen if its specification says so. */
export function makeMap(spec: MapSpec, typesOf: (spec: MapSpec) => MapTypes): ExtensionMap {
  const types = typesOf(spec);
  const { lock } = types;
  const row = mapType(spec.type);
  if (row === undefined) throw new RangeError(`there is no map type ${spec.type}`);
  const inner = spec.inner === undefined ? null : handleOf(makeMap(spec.inner, typesOf));
  const words = Uint32Array.of(
    row.id,
    spec.keySize,
    spec.valueSize,
    spec.maxEntries,
    spec.flags,
    spec.mapExtra % 2 ** 32,
    Math.floor(spec.mapExtra / 2 ** 32),
    lock?.offset ?? 0,
    lock?.sizeBytes ?? 0,
    lock === undefined ? 0 : 1,
    lock?.offset ?? 0,
  );
  const handle = addon().createMap(words, inner);
  if (typeof handle === 'number') {
    if (errnoName(handle) === 'EINVAL' && !IMPLEMENTED.has(spec.type))
      throw new UnsupportedError(
        `map ${spec.name}: type ${spec.type} is not implemented in user space`,
      );
    throw new MapError(spec.name, `creation as ${describe(spec)}`, handle);
  }
  const map = adoptMap(handle, spec, types);
  fill(map, spec);
  return map;
}

const describe = ({ type, keySize, valueSize, maxEntries }: MapSpec) =>
  `${type} with ${keySize}-byte keys, ${valueSize}-byte values and ${maxEntries} entries`;

/** Map types with a row in loader/native. */
export const IMPLEMENTED: ReadonlySet<string> = new Set([
  'array',
  'percpu_array',
  'hash',
  'percpu_hash',
  'lru_hash',
  'lru_percpu_hash',
  'lpm_trie',
  'queue',
  'stack',
  'ringbuf',
  'prog_array',
  'array_of_maps',
  'hash_of_maps',
  'bloom_filter',
  'perf_event_array',
  'devmap',
  'devmap_hash',
  'cpumap',
  'xskmap',
  'sockmap',
  'sockhash',
  'reuseport_sockarray',
  'cgroup_array',
  'stack_trace',
  'cgroup_storage',
  'percpu_cgroup_storage',
]);

/** Content that travels with the program. Entries that name other maps or programs come later. */
function fill(map: ExtensionMap, spec: MapSpec): void {
  const initial = spec.initial;
  const count = initial === undefined ? 0 : Math.ceil(initial.length / Math.max(1, spec.valueSize));
  for (let index = 0; index < count; index++) {
    const value = new Uint8Array(map.valueSize);
    value.set(initial?.subarray(index * spec.valueSize, (index + 1) * spec.valueSize) ?? []);
    map.set(new Uint8Array(Uint32Array.of(index).buffer), value);
  }
  for (const { key, value } of spec.entries ?? [])
    if (typeof value !== 'string') map.set(key, value);
  if (spec.frozen) map.freeze();
}
