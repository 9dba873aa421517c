/**
 * What maps do, in plain JavaScript: one model for each kind of map type, behind the calls of bpf(2).
 * Slow and obvious; per-CPU maps hold one value for all slots, and nothing is ever evicted.
 */
import { constants } from 'node:os';
import { mapType } from '../../platform/index.ts';
import type { Answer, Shape, Side } from './map-sides.ts';

const { EINVAL, ENOENT, EEXIST, E2BIG, ENOSPC, EPERM, EOPNOTSUPP, EOVERFLOW } = constants.errno;
const ENOTSUPP = 524;

/** Flags of update and of creation, uapi linux/bpf.h. */
const NOEXIST = 1;
const EXIST = 2;
const LOCK = 4;
const RDONLY = 1 << 3;
const WRONLY = 1 << 4;

const DONE: Answer = { result: 0, bytes: '' };
const failed = (errno: number): Answer => ({ result: -errno, bytes: '' });
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const found = (bytes: string): Answer => ({ result: 0, bytes });
const index = (key: Uint8Array) => new DataView(key.buffer, key.byteOffset).getUint32(0, true);

/** What a type does, its caller having the right to and the flags being possible. */
interface Behaviour {
  lookup(key: Uint8Array): Answer;
  update(key: Uint8Array, value: Uint8Array, flags: number): Answer;
  remove(key: Uint8Array): Answer;
  take(key: Uint8Array): Answer;
  /** Undefined: keys cannot be listed, for this reason. */
  readonly keys: (() => string[]) | number;
}

const refused = (errno: number) => () => failed(errno);

/** Hashes: a Map of so many entries. Tries: the same by prefix. */
function tableOf(shape: Shape, nameOf: (key: Uint8Array) => string, full: number): Behaviour {
  const entries = new Map<string, { key: string; value: string }>();
  const isTrie = shape.type === 'lpm_trie';
  const remove = (key: Uint8Array) => (entries.delete(nameOf(key)) ? DONE : failed(ENOENT));
  const longest = (key: Uint8Array) => {
    for (let bits = index(key); bits >= 0; bits--) {
      const entry = entries.get(prefixName(key, bits));
      if (entry !== undefined) return entry;
    }
    return undefined;
  };
  return {
    lookup(key) {
      if (isTrie && index(key) > 32) return failed(ENOENT);
      const entry = isTrie ? longest(key) : entries.get(nameOf(key));
      return entry === undefined ? failed(ENOENT) : found(entry.value);
    },
    update(key, value, flags) {
      if (flags > EXIST || (isTrie && index(key) > 32)) return failed(EINVAL);
      const old = entries.has(nameOf(key));
      if (old && flags === NOEXIST) return failed(EEXIST);
      if (!old && flags === EXIST) return failed(ENOENT);
      if (!old && entries.size >= shape.maxEntries) return failed(full);
      entries.set(nameOf(key), { key: hex(key), value: hex(value) });
      return DONE;
    },
    remove: (key) => (isTrie && index(key) > 32 ? failed(EINVAL) : remove(key)),
    take(key) {
      if (isTrie) return failed(ENOTSUPP);
      const entry = entries.get(nameOf(key));
      if (entry === undefined) return failed(ENOENT);
      remove(key);
      return found(entry.value);
    },
    keys: () => [...entries.values()].map(({ key }) => key),
  };
}

/** The bits before the prefix's end, in text. */
function prefixName(key: Uint8Array, bits = index(key)): string {
  const all = Array.from(key.subarray(4), (byte) => byte.toString(2).padStart(8, '0')).join('');
  return `${all.slice(0, bits)}/${bits}`;
}

function arrayOf({ maxEntries, valueSize }: Shape): Behaviour {
  const values = Array.from({ length: maxEntries }, () => '00'.repeat(valueSize));
  return {
    lookup: (key) => (index(key) < maxEntries ? found(values[index(key)]!) : failed(ENOENT)),
    update(key, value, flags) {
      if (flags > EXIST) return failed(EINVAL);
      if (index(key) >= maxEntries) return failed(E2BIG);
      if (flags === NOEXIST) return failed(EEXIST);
      values[index(key)] = hex(value);
      return DONE;
    },
    remove: refused(EINVAL),
    take: refused(ENOTSUPP),
    keys: () => values.map((_, i) => hex(new Uint8Array(Uint32Array.of(i).buffer))),
  };
}

/** Targets of redirection. `problem` says what is wrong with a value; the word 0 takes away. */
function targetsOf({ maxEntries }: Shape, problem: (value: Uint8Array) => number): Behaviour {
  const values = new Map<number, string>();
  return {
    lookup(key) {
      const value = values.get(index(key));
      return value === undefined ? failed(ENOENT) : found(value);
    },
    update(key, value, flags) {
      if (flags > EXIST) return failed(EINVAL);
      if (index(key) >= maxEntries) return failed(E2BIG);
      if (flags === NOEXIST) return failed(EEXIST);
      const wrong = problem(value);
      if (wrong !== 0) return failed(wrong);
      if (index(value) === 0) values.delete(index(key));
      else values.set(index(key), hex(value));
      return DONE;
    },
    remove(key) {
      if (index(key) >= maxEntries) return failed(EINVAL);
      values.delete(index(key));
      return DONE;
    },
    take: refused(ENOTSUPP),
    keys: () =>
      Array.from({ length: maxEntries }, (_, i) => hex(new Uint8Array(Uint32Array.of(i).buffer))),
  };
}

const namesProgram = (value: Uint8Array) => (value.length === 8 && value[4] !== 0 ? EINVAL : 0);

function endsOf({ maxEntries, type }: Shape): Behaviour {
  const values: string[] = [];
  const end = () => (type === 'queue' ? values[0] : values.at(-1));
  return {
    lookup: () => (end() === undefined ? failed(ENOENT) : found(end()!)),
    update(_, value, flags) {
      if (flags !== 0 && flags !== EXIST) return failed(EINVAL);
      if (values.length >= maxEntries && flags !== EXIST) return failed(E2BIG);
      if (values.length >= maxEntries) values.shift();
      values.push(hex(value));
      return DONE;
    },
    remove: refused(EINVAL),
    take() {
      const value = type === 'queue' ? values.shift() : values.pop();
      return value === undefined ? failed(ENOENT) : found(value);
    },
    keys: EINVAL,
  };
}

/** A set: with as few values as tests push, false answers do not happen. */
function filterOf(): Behaviour {
  const values = new Set<string>();
  return {
    lookup: (key) => (values.has(hex(key)) ? found(hex(key)) : failed(ENOENT)),
    update(_, value, flags) {
      if (flags !== 0) return failed(EINVAL);
      values.add(hex(value));
      return DONE;
    },
    remove: refused(EOPNOTSUPP),
    take: refused(ENOTSUPP),
    keys: EOPNOTSUPP,
  };
}

function nothing(errno: number, lookup = errno): Behaviour {
  const no = refused(errno);
  return { lookup: refused(lookup), update: no, remove: no, take: refused(ENOTSUPP), keys: errno };
}

/** Stack traces, of which there are none. */
function stacksOf({ maxEntries }: Shape): Behaviour {
  const buckets = 2 ** Math.ceil(Math.log2(maxEntries));
  return {
    lookup: refused(ENOENT),
    update: refused(EINVAL),
    remove: (key) => failed(index(key) >= buckets ? E2BIG : ENOENT),
    take: refused(ENOENT),
    keys: () => [],
  };
}

function devicesByKey(shape: Shape): Behaviour {
  const table = tableOf(shape, hex, E2BIG);
  return {
    ...table,
    update(key, value, flags) {
      if (flags > EXIST || index(value) === 0 || namesProgram(value) !== 0) return failed(EINVAL);
      return table.update(key, value, flags === EXIST ? 0 : flags);
    },
    take: refused(ENOTSUPP),
  };
}

function behaviourOf(shape: Shape): Behaviour {
  switch (shape.type) {
    case 'hash':
    case 'percpu_hash':
    case 'lru_hash':
    case 'lru_percpu_hash':
      return tableOf(shape, hex, E2BIG);
    case 'lpm_trie':
      return tableOf(shape, (key) => prefixName(key), ENOSPC);
    case 'array':
    case 'percpu_array':
      return arrayOf(shape);
    case 'queue':
    case 'stack':
      return endsOf(shape);
    case 'bloom_filter':
      return filterOf();
    case 'ringbuf':
    case 'user_ringbuf':
      return nothing(ENOTSUPP);
    case 'arena':
      return nothing(EOPNOTSUPP, EINVAL);
    case 'devmap':
      return targetsOf(shape, namesProgram);
    case 'cpumap':
      return targetsOf(shape, (value) => (index(value) > 16_384 ? EOVERFLOW : 0));
    case 'devmap_hash':
      return devicesByKey(shape);
    case 'stack_trace':
      return stacksOf(shape);
    default:
      throw new Error(`there is no model of ${shape.type}`);
  }
}

/** The model behind the calls, which forbid what flags and freezing forbid. */
export function modelSide(shape: Shape): Side {
  if (mapType(shape.type) === undefined) throw new Error(`no map type is called ${shape.type}`);
  const behaviour = behaviourOf(shape);
  let frozen = false;
  const mayRead = (shape.flags & WRONLY) === 0;
  const mayWrite = () => !frozen && (shape.flags & RDONLY) === 0;
  return {
    lookup(key, flags) {
      if (flags & ~LOCK) return failed(EINVAL);
      if (!mayRead) return failed(EPERM);
      return flags & LOCK ? failed(EINVAL) : behaviour.lookup(key);
    },
    update(key, value, flags) {
      if (!mayWrite()) return failed(EPERM);
      return flags & LOCK ? failed(EINVAL) : behaviour.update(key, value, flags);
    },
    remove: (key) => (mayWrite() ? behaviour.remove(key) : failed(EPERM)),
    take: (key) => (mayRead && mayWrite() ? behaviour.take(key) : failed(EPERM)),
    next(key) {
      if (!mayRead) return failed(EPERM);
      if (typeof behaviour.keys === 'number') return failed(behaviour.keys);
      const keys = behaviour.keys();
      const at = key === undefined ? 0 : keys.indexOf(hex(key)) + 1;
      return keys[at] === undefined ? failed(ENOENT) : found(keys[at]);
    },
    freeze() {
      if (!mayWrite()) return -EPERM;
      frozen = true;
      return 0;
    },
    close: () => {},
  };
}
