/**
 * A map in the kernel and one of ours behind the same calls: those of bpf(2), flags and error numbers
 * included. Values of per-CPU maps are the same in all slots, so that one stands for all.
 */

import { constants } from 'node:os';
import { Attribute, COMMAND } from '../../hosts/kernel/attribute.ts';
import { type Addon, addon, type Port } from '../../loader/addon.ts';
import { CPU_SLOTS } from '../../loader/environment.ts';
import { ReferenceMap } from '../../loader/index.ts';
import { Allocator } from '../../loader/reference/memory.ts';
import { arenaRange, mapType } from '../../platform/index.ts';

/** What a map is created with. */
export interface Shape {
  readonly type: string;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly extra: number;
}

/** A call's result, or -errno, and what it handed out. */
export interface Answer {
  readonly result: number;
  readonly bytes: string;
}

export interface Side {
  lookup(key: Uint8Array, flags: number): Answer;
  update(key: Uint8Array, value: Uint8Array, flags: number): Answer;
  remove(key: Uint8Array): Answer;
  /** Undefined: the first key. */
  next(key: Uint8Array | undefined): Answer;
  take(key: Uint8Array): Answer;
  freeze(): number;
  close(): void;
}

const { ENOENT } = constants.errno;
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const round8 = (size: number) => (size + 7) & ~7;
const answer = (result: number, bytes: Uint8Array): Answer => ({
  result: Math.min(result, 0),
  bytes: result < 0 ? '' : hex(bytes),
});

function slots({ type, valueSize }: Shape, count: number): number {
  return mapType(type)?.perCpu === true ? round8(valueSize) * count : valueSize;
}
/** One value in every slot. */
function spread(shape: Shape, value: Uint8Array, count: number): Uint8Array {
  if (mapType(shape.type)?.perCpu !== true) return value.slice();
  const all = new Uint8Array(slots(shape, count));
  for (let slot = 0; slot < count; slot++) all.set(value, slot * round8(shape.valueSize));
  return all;
}

const idOf = ({ type }: Shape) => mapType(type)!.id;
/** BPF_MAP_LOOKUP_AND_DELETE_ELEM, enum bpf_cmd. */
const TAKE = 21;
/** More than any machine that tests run on has; the kernel writes its own number. */
const CPUS_MAX = 256;

/** A descriptor's map, or -errno. */
export function kernelSide(shape: Shape): Side | number {
  const descriptor = new Attribute()
    .u32(0, idOf(shape))
    .u32(4, shape.keySize)
    .u32(8, shape.valueSize)
    .u32(12, shape.maxEntries)
    .u32(16, shape.flags)
    .u64(64, BigInt(shape.extra))
    .try(COMMAND.mapCreate);
  if (descriptor < 0) return descriptor;
  const element = (key: Uint8Array, value: Uint8Array, flags: number) =>
    new Attribute().u32(0, descriptor).pointer(8, key).pointer(16, value).u64(24, BigInt(flags));
  const room = () => new Uint8Array(slots(shape, CPUS_MAX));
  const first = (bytes: Uint8Array) => bytes.subarray(0, shape.valueSize);
  const isBloom = shape.type === 'bloom_filter';
  const keyed = (key: Uint8Array) => (isBloom ? EMPTY : key);
  return {
    lookup(key, flags) {
      const value = isBloom ? key.slice() : room();
      const result = element(keyed(key), value, flags).try(COMMAND.mapLookup);
      return answer(result, first(value));
    },
    update: (key, value, flags) =>
      answer(
        element(keyed(key), spread(shape, value, CPUS_MAX), flags).try(COMMAND.mapUpdate),
        EMPTY,
      ),
    remove: (key) => answer(element(keyed(key), EMPTY, 0).try(COMMAND.mapDelete), EMPTY),
    next(key) {
      const found = new Uint8Array(shape.keySize);
      return answer(element(keyed(key ?? EMPTY), found, 0).try(COMMAND.mapNextKey), found);
    },
    take(key) {
      const value = room();
      return answer(element(keyed(key), value, 0).try(TAKE), first(value));
    },
    freeze: () => new Attribute().u32(0, descriptor).try(COMMAND.mapFreeze),
    close: () => addon().closeDescriptor(descriptor),
  };
}

const EMPTY = new Uint8Array();
/** The numbers of enum rf_port_operation. */
const PORT = { lookup: 0, update: 1, remove: 2, push: 4, pop: 5, peek: 6, take: 11, next: 12 };
/** Maps without keys: look-up peeks, update pushes, look-up with deletion pops. */
const ENDS: ReadonlySet<string> = new Set(['queue', 'stack', 'bloom_filter']);
const KEY_AT = 64;

export function nativeSide(shape: Shape): Side | number {
  const native: Addon = addon();
  const extra =
    shape.type === 'arena'
      ? arenaRange({ ...shape, mapExtra: shape.extra, name: '', frozen: false }).start
      : BigInt(shape.extra);
  const words = Uint32Array.of(
    idOf(shape),
    shape.keySize,
    shape.valueSize,
    shape.maxEntries,
    shape.flags,
    Number(extra & 0xffffffffn),
    Number(extra >> 32n),
  );
  const handle = native.createMap(words, null);
  if (typeof handle === 'number') return handle;
  const port = native.openPort(handle);
  return overPort(shape, port, {
    freeze: () => native.freezeMap(handle),
    close: () => {
      port.close();
      native.closeMap(handle);
    },
  });
}

function overPort(shape: Shape, port: Port, rest: Pick<Side, 'freeze' | 'close'>): Side {
  const bytes = new Uint8Array(port.exchange);
  const isEnds = ENDS.has(shape.type);
  const key = () => bytes.subarray(KEY_AT, KEY_AT + shape.keySize);
  const value = () => bytes.subarray(port.valueAt, port.valueAt + shape.valueSize);
  const call = (operation: number, flags: number, out: () => Uint8Array) =>
    answer(port.call(operation, flags), out());
  return {
    lookup(wanted, flags) {
      if (shape.type === 'bloom_filter') bytes.set(wanted, port.valueAt);
      else bytes.set(wanted, KEY_AT);
      return call(isEnds ? PORT.peek : PORT.lookup, flags, value);
    },
    update(wanted, given, flags) {
      bytes.set(wanted, KEY_AT);
      bytes.set(spread(shape, given, CPU_SLOTS), port.valueAt);
      return call(isEnds ? PORT.push : PORT.update, flags, () => EMPTY);
    },
    remove(wanted) {
      bytes.set(wanted, KEY_AT);
      return call(PORT.remove, 0, () => EMPTY);
    },
    next(wanted) {
      if (wanted !== undefined) bytes.set(wanted, KEY_AT);
      return call(PORT.next, wanted === undefined ? 0 : 1, key);
    },
    take(wanted) {
      bytes.set(wanted, KEY_AT);
      return call(isEnds ? PORT.pop : PORT.take, 0, value);
    },
    ...rest,
  };
}

/**
 * A map of the reference engine, which programs and tests use but no system call: keys cannot be listed
 * one by one, nor taken.
 */
export function referenceSide(shape: Shape): Side {
  const spec = { ...shape, mapExtra: shape.extra, name: 'm', frozen: false };
  const map = new ReferenceMap(spec, new Allocator());
  const isEnds = ENDS.has(shape.type);
  const number = (result: bigint): Answer => answer(Number(BigInt.asIntN(32, result)), EMPTY);
  let keys: Uint8Array[] = [];
  return {
    lookup(key) {
      const value = shape.type === 'bloom_filter' ? key.slice() : new Uint8Array(shape.valueSize);
      if (isEnds) return answer(Number(map.take(value, 'stays')), value);
      const found = map.get(key);
      return found === undefined
        ? answer(-ENOENT, EMPTY)
        : answer(0, found.subarray(0, shape.valueSize));
    },
    update: (key, value, flags) =>
      number(
        isEnds
          ? map.push(value, BigInt(flags))
          : map.update(key, spread(shape, value, CPU_SLOTS), BigInt(flags), undefined),
      ),
    remove: (key) => number(map.delete(key)),
    next(key) {
      if (key === undefined) keys = map.elements().map((element) => element.key);
      const next = keys.shift();
      return next === undefined ? answer(-ENOENT, EMPTY) : answer(0, next);
    },
    take: () => answer(0, EMPTY),
    freeze: () => 0,
    close: () => {},
  };
}
