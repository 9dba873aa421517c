/**
 * Maps as JavaScript uses them: raw bytes in and out, one crossing per operation. Keys and values are
 * copied into memory of the map's own port before native code looks at them, so no buffer of the
 * caller can be detached, resized or changed under it.
 */

import type { TypedValue } from '../btf/index.ts';
import type { MapSpec } from '../isa/index.ts';
import { arenaRange } from '../platform/index.ts';
import { addon, type MapHandle, type Port, type ProgramHandle } from './addon.ts';
import {
  CONSUME,
  DELETE,
  DROPPED,
  E2BIG,
  ENOENT,
  flagsOf,
  grown,
  IDENTITY_KEYED,
  identityKey,
  KEY_AT,
  LOOKUP,
  type MapBatch,
  MapError,
  NEXT_KEY,
  PEEK,
  POP,
  PRODUCE,
  PUSH,
  QUERY,
  SCAN,
  TAKE,
  UPDATE,
  type UpdateMode,
} from './map-calls.ts';
import { decodeValue } from './map-changes.ts';
import { differenceInFields, type MapTypes } from './map-types.ts';

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
  /** Bytes of a key. Local storage is keyed by identities, whatever its specification says. */
  get keySize(): number {
    return this.#port.keyBytes;
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
    this.#check('update', this.#port.call(UPDATE, flagsOf(mode)));
  }

  /** False: there was no such key. */
  delete(key: TypedValue): boolean {
    this.#putKey(this.#keyBytes(key));
    const result = this.#port.call(DELETE, 0);
    if (result === ENOENT) return false;
    this.#check('delete', result);
    return true;
  }

  /** Removes an entry and gives its value, in one step: no other thread gets it too. */
  take(key: Uint8Array): Uint8Array | undefined;
  take(key: TypedValue): TypedValue | undefined;
  take(key: TypedValue): TypedValue | undefined {
    this.#putKey(this.#keyBytes(key));
    const value = this.#taken('take', TAKE);
    return value === undefined || key instanceof Uint8Array ? value : this.#decode(value);
  }

  /** The key behind another one in the map's order; the first one when that is gone or not given. */
  nextKey(key?: Uint8Array): Uint8Array | undefined {
    if (key !== undefined) this.#putKey(key);
    const result = this.#port.call(NEXT_KEY, key === undefined ? 0 : 1);
    if (result === ENOENT) return undefined;
    this.#check('iteration', result);
    return this.#bytes.slice(KEY_AT, KEY_AT + this.keySize);
  }

  /** `set` for keys and values side by side; MapError says in `done` how many came before it. */
  setBatch(keys: Uint8Array, values: Uint8Array, mode: UpdateMode = 'any'): void {
    const count = this.#countOf('key', keys, this.keySize);
    if (count !== this.#countOf('value', values, this.valueSize))
      throw new RangeError(`map ${this.name}: there are not as many values as keys`);
    this.#batch('update', UPDATE, flagsOf(mode), keys, values, count);
  }

  /** `delete` for keys side by side; an absent one is an error (ENOENT) here. */
  deleteBatch(keys: Uint8Array): void {
    const count = this.#countOf('key', keys, this.keySize);
    this.#batch('delete', DELETE, 0, keys, new Uint8Array(), count);
  }

  /** All entries at once; an entry that is changed meanwhile is there with one of its values. */
  snapshot(): MapBatch {
    let room = Math.max(16, Math.min(this.maxEntries, 65_536));
    let keys = new Uint8Array(room * this.keySize);
    let values = new Uint8Array(room * this.valueSize);
    let count = 0;
    this.#words[0] = 0;
    for (;;) {
      const [keysLeft, valuesLeft] = [
        keys.subarray(count * this.keySize),
        values.subarray(count * this.valueSize),
      ];
      count += this.#port.batch(SCAN, 0, keysLeft, valuesLeft);
      const error = this.#words[1]! | 0;
      if (error !== 0 && error !== ENOENT) throw new MapError(this.name, 'iteration', error);
      if (count < room)
        return {
          count,
          keys: keys.subarray(0, count * this.keySize),
          values: values.subarray(0, count * this.valueSize),
        };
      room *= 2;
      keys = grown(keys, room * this.keySize);
      values = grown(values, room * this.valueSize);
    }
  }

  /** Whether BTF types both keys and values: then objects may be used for them. */
  get typed(): boolean {
    const { key, value } = this.#types;
    return value !== undefined && (key !== undefined || IDENTITY_KEYED.has(this.type));
  }

  /** All entries as JavaScript values; per-CPU maps show one value for each slot. */
  *typedEntries(): Generator<readonly [key: TypedValue, value: TypedValue]> {
    for (const [key, value] of this.entries()) yield [this.#decodeKey(key), this.#decode(value)];
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

  /** User ring buffers: a record for programs to drain. MapError: ENOSPC (full), E2BIG. */
  produce(record: Uint8Array): void {
    if (record.length > this.maxEntries) throw new MapError(this.name, 'produce', E2BIG);
    this.#bytes.set(record, this.#port.valueAt);
    this.#check('produce', this.#port.call(PRODUCE, record.length));
  }

  /** Ring buffers of both kinds: records that found no room. */
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
   * The storage of an array map itself, value i at i times the value size rounded up to 8; or memory of
   * an arena, whose pages become present by being asked for. Programs change it at any time.
   * TypeError for other types, frozen maps, and maps with locks or timers.
   */
  view(offset = 0, sizeBytes = this.#sizeBytes - offset): Uint8Array {
    return new Uint8Array(addon().viewMap(this.#handle, offset, sizeBytes));
  }

  /** Arenas: the address that stands for their first byte in programs and in pointers in memory. */
  get start(): bigint | undefined {
    return this.type === 'arena' ? arenaRange(this.#spec).start : undefined;
  }

  get #sizeBytes(): number {
    const { valueSize, maxEntries } = this.#spec;
    if (this.type === 'arena') return arenaRange(this.#spec).sizeBytes;
    return ((valueSize + 7) & ~7) * maxEntries;
  }

  /** @internal Program arrays and maps of maps: what the key leads to; null removes it. */
  setObject(key: Uint8Array, object: ExtensionMap | ProgramHandle | null): void {
    const inner = ExtensionMap.is(object) ? object.#handle : object;
    if (key.length !== this.keySize)
      throw new RangeError(this.#sizeMessage('key', key, this.keySize));
    if (ExtensionMap.is(object)) this.#checkInner(object);
    const result = addon().setObject(this.#handle, key.slice(), inner);
    if (object !== null || result !== ENOENT) this.#check('update', result);
  }

  /** Native code compares the shape of an inner map with the expected one; objects have a type too. */
  #checkInner(inner: ExtensionMap): void {
    const types = inner.#types;
    const difference = differenceInFields({ ...this.#types, fields: types.fields }, types);
    if (difference !== undefined)
      throw new TypeError(
        `map ${this.name} cannot hold ${inner.name}: it differs in ${difference}`,
      );
  }

  /** No change from outside any more; programs were proven with the map as it was created. */
  freeze(): void {
    this.#check('freezing', addon().freezeMap(this.#handle));
  }

  /** Lets go of a map that `createMap` made; extensions that use it keep it. Harmless twice. */
  close(): void {
    ExtensionMap.release(KEY, this);
  }

  /** @internal For the loader: one user more, one less. */
  static retain(key: typeof KEY, map: ExtensionMap): void {
    if (key !== KEY || map.#users.closed) throw new TypeError('the map is closed');
    map.#users.count++;
  }
  /** @internal */
  static release(key: typeof KEY, map: ExtensionMap): void {
    if (key !== KEY) throw new TypeError('maps are released by the loader');
    if (map.#users.closed || --map.#users.count > 0) return;
    map.#users.closed = true;
    map.#port.close();
    addon().closeMap(map.#handle);
  }

  /** @internal For the loader: the handle that native code takes. */
  static typesOf(key: typeof KEY, map: ExtensionMap): MapTypes {
    if (key !== KEY) throw new TypeError('map types belong to the loader');
    return map.#types;
  }

  /** @internal */
  static handleOf(key: typeof KEY, map: ExtensionMap): MapHandle {
    if (key !== KEY) throw new TypeError('map handles belong to the loader');
    return map.#handle;
  }

  #keyBytes(key: TypedValue): Uint8Array {
    if (key instanceof Uint8Array) return key;
    return IDENTITY_KEYED.has(this.type) ? identityKey(key) : this.#encode('key', key);
  }

  #countOf(what: 'key' | 'value', bytes: Uint8Array, sizeBytes: number): number {
    const count = sizeBytes === 0 ? 0 : bytes.length / sizeBytes;
    if (Number.isInteger(count)) return count;
    throw new RangeError(
      `map ${this.name}: ${what}s have ${sizeBytes} bytes each, and ${bytes.length} is no multiple`,
    );
  }

  #batch(
    operation: string,
    number: number,
    flags: number,
    keys: Uint8Array,
    values: Uint8Array,
    count: number,
  ): void {
    const done = this.#port.batch(number, flags, keys, values);
    if (done < count) throw new MapError(this.name, operation, this.#words[1]! | 0, done);
  }

  #encode(what: 'key' | 'value', value: TypedValue): Uint8Array {
    const view = this.#types[what];
    if (view === undefined)
      throw new TypeError(`map ${this.name}: its ${what} has no type in BTF, so give bytes`);
    const bytes = view.encode(value);
    if (what === 'key' || bytes.length === this.valueSize) return bytes;
    throw new TypeError(`map ${this.name}: values of all processors are set as bytes only`);
  }

  #decodeKey(key: Uint8Array): TypedValue {
    if (IDENTITY_KEYED.has(this.type)) return new DataView(key.buffer).getBigUint64(0, true);
    return this.#types.key?.decode(key) ?? key;
  }

  #decode(value: Uint8Array): TypedValue {
    return decodeValue(this.#types.value, value);
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

export function typesOfMap(map: ExtensionMap): MapTypes {
  return ExtensionMap.typesOf(KEY, map);
}

export function retainMap(map: ExtensionMap): void {
  ExtensionMap.retain(KEY, map);
}
export function releaseMap(map: ExtensionMap): void {
  ExtensionMap.release(KEY, map);
}
