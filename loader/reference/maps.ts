/**
 * Maps of the reference engine: plain JavaScript, written for being obviously right. Independent of
 * the C code on purpose; error codes are the kernel's.
 */

import type { SpecialField } from '../../btf/index.ts';
import { type ByteRegion, type Executable, type MapSpec, readBytes } from '../../isa/index.ts';
import { CPU_SLOTS } from '../environment.ts';
import { ReferenceArena } from './arena.ts';
import {
  ARRAYS,
  HASHES,
  indexKey,
  OBJECT_MAPS,
  PER_CPU,
  prefixBits,
  prefixName,
  QUEUES,
  SAMPLE_BYTES,
  SPARSE,
  STORAGE_OBJECTS,
  STORAGES,
} from './map-kinds.ts';
import type { Allocator } from './memory.ts';

export const ENOENT = -2n;
export const E2BIG = -7n;
export const EEXIST = -17n;
export const EINVAL = -22n;
export const ENOSPC = -28n;
export const EOPNOTSUPP = -95n;
export const EPERM = -1n;
const EAGAIN = -11n;

const NOEXIST = 1n;
const EXIST = 2n;
const LOCK = 4n;

/** One value: its bytes (all slots, if per-CPU) and where each slot lies. */
export interface Element {
  readonly key: Uint8Array;
  readonly bytes: Uint8Array;
  /** Address of slot 0; slot n is `n * stride` further. */
  readonly address: bigint;
  readonly regions: readonly ByteRegion[];
}

/** A timer or work of a value; deferred.ts says what becomes of it. */
export interface Deferred {
  readonly kind: 'timer' | 'work';
  readonly map: ReferenceMap;
  readonly element: Element;
  readonly clock: bigint;
  callback: { readonly executable: Executable; readonly pc: number } | undefined;
  /** Undefined: not armed. */
  due: bigint | undefined;
  turn: number;
  running: boolean;
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const round8 = (size: number) => (size + 7) & ~7;
export class ReferenceMap {
  readonly spec: MapSpec;
  readonly address: bigint;
  readonly stride: number;
  readonly perCpu: boolean;
  readonly allocator: Allocator;
  /** Timers and work of its values, by the address of the field. */
  readonly deferred = new Map<bigint, Deferred>();
  /** User ring buffers: a program is in the middle of reading it. */
  draining = false;
  readonly arena: ReferenceArena | undefined;
  readonly #fields: readonly SpecialField[];
  /** Elements that left the map: a running program may still hold a pointer to them. */
  readonly #left: Element[] = [];
  readonly #elements = new Map<string, Element>();
  readonly #targets = new Map<string, unknown>();
  readonly #queue: Uint8Array[] = [];
  readonly #records: { bytes: Uint8Array; state: 'busy' | 'ready' | 'discarded' }[] = [];
  #recordBytes = 0;
  #frozen = false;
  dropped = 0;

  constructor(spec: MapSpec, allocator: Allocator, fields: readonly SpecialField[] = []) {
    this.spec = spec;
    this.#fields = fields;
    this.address = allocator.name(this);
    this.perCpu = PER_CPU.has(spec.type);
    this.stride = round8(spec.valueSize);
    this.allocator = allocator;
    this.arena = spec.type === 'arena' ? new ReferenceArena(spec) : undefined;
    if (this.arena !== undefined) {
      allocator.memory.add(this.arena);
      return;
    }
    if (ARRAYS.has(spec.type)) this.#makeArray();
    const count = Math.ceil((spec.initial?.length ?? 0) / Math.max(1, spec.valueSize));
    for (let index = 0; index < count; index++) {
      const part = spec.initial!.subarray(index * spec.valueSize, (index + 1) * spec.valueSize);
      this.#elements.get(hex(indexKey(index)))?.bytes.set(part);
    }
    for (const { key, value } of spec.entries ?? [])
      if (typeof value !== 'string') this.update(key, value, 0n, undefined);
    this.#frozen = spec.frozen;
  }

  get name(): string {
    return this.spec.name;
  }
  get type(): string {
    return this.spec.type;
  }
  get keySize(): number {
    return STORAGES.has(this.type) ? 8 : this.spec.keySize;
  }
  get valueSize(): number {
    return this.perCpu ? this.stride * CPU_SLOTS : this.spec.valueSize;
  }
  get maxEntries(): number {
    return STORAGES.has(this.type) ? STORAGE_OBJECTS : this.spec.maxEntries;
  }

  /** The element that a lookup with this key finds. */
  find(key: Uint8Array): Element | undefined {
    if (this.spec.type === 'lpm_trie') return this.#longestPrefix(key);
    const text = hex(key);
    const element = this.#elements.get(text);
    if (element !== undefined && this.spec.type.startsWith('lru')) {
      this.#elements.delete(text);
      this.#elements.set(text, element);
    }
    return element;
  }

  addressOf(element: Element, cpu: number): bigint {
    return this.perCpu ? element.address + BigInt(cpu * this.stride) : element.address;
  }

  /** `cpu` undefined: the value covers all slots of a per-CPU map. */
  update(key: Uint8Array, value: Uint8Array, flags: bigint, cpu: number | undefined): bigint {
    if (this.#frozen) return EPERM;
    // One thread runs, so a lock is never held by another.
    if ((flags & LOCK) !== 0n && this.#hasLock()) return this.update(key, value, flags ^ LOCK, cpu);
    if (flags > EXIST) return EINVAL;
    const { type } = this.spec;
    const old =
      type === 'lpm_trie' ? this.#elements.get(prefixName(key)) : this.#elements.get(hex(key));
    if (ARRAYS.has(type) || SPARSE.has(type)) return this.#updateArray(key, value, flags, cpu, old);
    if (type === 'lpm_trie' && prefixBits(key) > (this.spec.keySize - 4) * 8) return EINVAL;
    if (!HASHES.has(type) && type !== 'lpm_trie') return OBJECT_MAPS.has(type) ? EINVAL : EPERM;
    if (old !== undefined && flags === NOEXIST) return EEXIST;
    if (old === undefined && flags === EXIST) return ENOENT;
    if (old !== undefined && this.perCpu) {
      this.#write(old, value, cpu);
      return 0n;
    }
    if (old === undefined && this.#elements.size >= this.maxEntries && !this.#evict())
      return type === 'lpm_trie' ? ENOSPC : E2BIG;
    this.#insert(key, value, cpu);
    return 0n;
  }

  #hasLock(): boolean {
    return this.#fields.some(({ kind }) => kind === 'spin-lock');
  }

  delete(key: Uint8Array): bigint {
    const { type } = this.spec;
    if (this.#frozen) return EPERM;
    if (ARRAYS.has(type) || OBJECT_MAPS.has(type) || type === 'queue' || type === 'stack')
      return EINVAL;
    if (type === 'lpm_trie' && prefixBits(key) > (this.spec.keySize - 4) * 8) return EINVAL;
    if (QUEUES.has(type) || type === 'ringbuf') return EPERM;
    return this.#remove(type === 'lpm_trie' ? prefixName(key) : hex(key)) ? 0n : ENOENT;
  }

  #remove(name: string): boolean {
    const element = this.#elements.get(name);
    if (element !== undefined) {
      this.#left.push(element);
      this.#forget(element);
    }
    return this.#elements.delete(name);
  }

  /** The element that this address lies in. */
  elementAt(address: bigint): Element | undefined {
    return this.elements().find(
      (element) =>
        address >= element.address && address < element.address + BigInt(element.bytes.length),
    );
  }

  /** What waits in an element goes with its value. */
  #forget({ address, bytes }: Element): void {
    this.allocator.heap.forget(address, bytes.length);
    for (const { kind, offset } of this.#fields) {
      if (kind !== 'kptr' && kind !== 'kptr-percpu') continue;
      this.allocator.heap.drop(readBytes(bytes, offset, 8));
      bytes.fill(0, offset, offset + 8);
    }
    for (const field of this.deferred.keys())
      if (field >= address && field < address + BigInt(bytes.length)) this.deferred.delete(field);
  }

  /** Maps of maps: those inside. */
  innerMaps(): ReferenceMap[] {
    return [...this.#targets.values()].filter((target) => target instanceof ReferenceMap);
  }

  /** Between runs nothing points at elements that left. */
  sweep(): void {
    for (const { regions } of this.#left)
      for (const region of regions) this.allocator.memory.remove(region);
    this.#left.length = 0;
  }

  elements(): Element[] {
    return [...this.#elements.values()];
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const element = this.find(key);
    return element && this.#shown(element);
  }

  /** As user space would. Throws RangeError with the error code when the map refuses. */
  set(key: Uint8Array, value: Uint8Array): void {
    const wanted = this.perCpu ? this.stride * CPU_SLOTS : this.valueSize;
    if (key.length !== this.keySize || value.length !== wanted)
      throw new RangeError(
        `map ${this.name}: ${this.keySize} key and ${wanted} value bytes expected`,
      );
    const result = this.update(key, value, 0n, undefined);
    if (result !== 0n) throw new RangeError(`map ${this.name}: update failed with ${result}`);
  }

  *entries(): Generator<readonly [key: Uint8Array, value: Uint8Array]> {
    for (const element of this.elements()) yield [element.key.slice(), this.#shown(element)];
  }

  /** A copy of the value; what is no data shows as zeroes. */
  #shown({ bytes }: Element): Uint8Array {
    const copy = bytes.slice(0, this.valueSize);
    for (const { offset, sizeBytes } of this.#fields) copy.fill(0, offset, offset + sizeBytes);
    return copy;
  }

  target(key: Uint8Array): unknown {
    return this.#targets.get(hex(key));
  }

  setTarget(key: Uint8Array, target: unknown): void {
    if (target === null) this.#targets.delete(hex(key));
    else this.#targets.set(hex(key), target);
  }

  push(value: Uint8Array, flags: bigint): bigint {
    if (!QUEUES.has(this.spec.type)) return EOPNOTSUPP;
    if (flags !== 0n && flags !== EXIST) return EINVAL;
    if (this.spec.type === 'bloom_filter') {
      if (flags !== 0n) return EINVAL;
      this.#queue.push(value.slice());
      return 0n;
    }
    if (this.#queue.length >= this.spec.maxEntries) {
      if (flags !== EXIST) return E2BIG;
      this.#queue.shift();
    }
    this.#queue.push(value.slice());
    return 0n;
  }

  /** Fills `out`; zeroes when there is nothing. */
  take(out: Uint8Array, fate: 'stays' | 'leaves'): bigint {
    const { type } = this.spec;
    if (type === 'bloom_filter')
      return this.#queue.some((value) => Buffer.compare(value, out) === 0) ? 0n : ENOENT;
    if (!QUEUES.has(type)) return EOPNOTSUPP;
    const at = type === 'queue' ? 0 : this.#queue.length - 1;
    const value = this.#queue[at];
    out.fill(0);
    if (value === undefined) return ENOENT;
    out.set(value);
    if (fate === 'leaves') this.#queue.splice(at, 1);
    return 0n;
  }

  /** Ring buffers: memory for a record, or undefined when there is no room. */
  reserve(sizeBytes: number): Uint8Array | undefined {
    const total = round8(sizeBytes + 8);
    if (total > this.spec.maxEntries || this.#recordBytes + total > this.spec.maxEntries - 1) {
      this.dropped++;
      return undefined;
    }
    this.#recordBytes += total;
    const bytes = new Uint8Array(sizeBytes);
    this.#records.push({ bytes, state: 'busy' });
    return bytes;
  }

  /** User ring buffers: as user space would. Throws RangeError when there is no room. */
  produce(record: Uint8Array): void {
    const total = round8(record.length + 8);
    if (this.#recordBytes + total > this.spec.maxEntries)
      throw new RangeError(`map ${this.name}: no room for ${record.length} bytes`);
    this.#recordBytes += total;
    this.#records.push({ bytes: record.slice(), state: 'ready' });
  }

  finish(bytes: Uint8Array, state: 'ready' | 'discarded'): void {
    const record = this.#records.find((each) => each.bytes === bytes);
    if (record !== undefined) record.state = state;
  }

  output(bytes: Uint8Array): bigint {
    const record = this.reserve(bytes.length);
    if (record === undefined) return EAGAIN;
    record.set(bytes);
    this.finish(record, 'ready');
    return 0n;
  }

  /** Perf event arrays: a sample for the event at an index, which is there if anybody asks. */
  sample(index: number, bytes: Uint8Array): bigint {
    if (index >= this.spec.maxEntries) return E2BIG;
    const total = round8(bytes.length + 8);
    if (this.#recordBytes + total > SAMPLE_BYTES - 1) return ENOSPC;
    this.#recordBytes += total;
    this.#records.push({ bytes, state: 'ready' });
    return 0n;
  }

  get pendingBytes(): number {
    return this.#recordBytes;
  }

  /** Records that can be consumed, oldest first; they stay. */
  waiting(): Uint8Array[] {
    return this.#records.filter(({ state }) => state === 'ready').map(({ bytes }) => bytes);
  }

  consume(): Uint8Array | undefined {
    for (;;) {
      const record = this.#records[0];
      if (record === undefined || record.state === 'busy') return undefined;
      this.#records.shift();
      this.#recordBytes -= round8(record.bytes.length + 8);
      if (record.state === 'ready') return record.bytes;
    }
  }

  #makeArray(): void {
    const slots = this.perCpu ? CPU_SLOTS : 1;
    for (let index = 0; index < this.spec.maxEntries; index++) {
      const bytes = new Uint8Array(this.stride * slots);
      const address = this.allocator.reserve(bytes.length);
      const regions = this.#addRegions(bytes, address);
      this.#elements.set(hex(indexKey(index)), { key: indexKey(index), bytes, address, regions });
    }
  }

  /** One region per slot, of the value's own size: the rounding up to 8 bytes is out of bounds. */
  #addRegions(bytes: Uint8Array, address: bigint): ByteRegion[] {
    const regions: ByteRegion[] = [];
    const access: ByteRegion['access'] = this.spec.frozen ? 'read' : 'read-write';
    for (let at = 0; at < bytes.length; at += this.stride) {
      const part = bytes.subarray(at, at + this.spec.valueSize);
      const base = address + BigInt(at);
      const region = { name: `map ${this.name}`, base, bytes: part, access };
      this.allocator.memory.add(region);
      regions.push(region);
    }
    return regions;
  }

  #updateArray(
    key: Uint8Array,
    value: Uint8Array,
    flags: bigint,
    cpu: number | undefined,
    old: Element | undefined,
  ): bigint {
    const index = new DataView(key.buffer, key.byteOffset).getUint32(0, true);
    if (index >= this.spec.maxEntries) return E2BIG;
    if (flags === NOEXIST) return EEXIST;
    if (old === undefined) this.#insert(key, value, cpu);
    else {
      this.#write(old, value, cpu);
      this.#forget(old);
    }
    return 0n;
  }

  #write(element: Element, value: Uint8Array, cpu: number | undefined): void {
    if (this.perCpu && cpu !== undefined) {
      element.bytes.set(value, cpu * this.stride);
      return;
    }
    const kept = this.#fields.map(({ offset, sizeBytes }) =>
      element.bytes.slice(offset, offset + sizeBytes),
    );
    element.bytes.set(value);
    for (const [i, bytes] of kept.entries()) element.bytes.set(bytes, this.#fields[i]!.offset);
  }

  /** A fresh element each time: pointers to the value before keep showing that value. */
  #insert(key: Uint8Array, value: Uint8Array, cpu: number | undefined): void {
    const bytes = new Uint8Array(this.stride * (this.perCpu ? CPU_SLOTS : 1));
    const address = this.allocator.reserve(bytes.length);
    const regions = this.#addRegions(bytes, address);
    const element = { key: key.slice(), bytes, address, regions };
    this.#write(element, value, cpu);
    const name = this.spec.type === 'lpm_trie' ? prefixName(key) : hex(key);
    this.#remove(name);
    this.#elements.set(name, element);
  }

  #evict(): boolean {
    const oldest = this.#elements.keys().next();
    if (!this.spec.type.startsWith('lru') || oldest.done === true) return false;
    return this.#remove(oldest.value);
  }

  #longestPrefix(key: Uint8Array): Element | undefined {
    const bits = prefixBits(key);
    if (bits > (this.spec.keySize - 4) * 8) return undefined;
    let best: Element | undefined;
    for (const element of this.#elements.values()) {
      const own = prefixBits(element.key);
      if (own > bits || (best !== undefined && own <= prefixBits(best.key))) continue;
      if (prefixName(element.key) === prefixName(key, own)) best = element;
    }
    return best;
  }
}
