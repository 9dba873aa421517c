/**
 * Builds a call of any helper from its contract: each argument gets something that its kind accepts,
 * so that a test can check that the kernel takes the call, and then spoil one argument.
 */
import type { Argument, HelperRow } from '../../platform/index.ts';
import { MAP_TYPES } from '../../platform/index.ts';
import {
  addTo,
  call,
  copy,
  createProbeMap,
  EXIT,
  freeze,
  load,
  loadMap,
  loadValue,
  move,
  storeZero,
  type Target,
  unlessNull,
} from './kernel-probe.ts';

/** Sizes that each map type accepts; types that need BTF or an inner map are left out. */
const SIZES: Readonly<Record<string, readonly [number, number, number, number?]>> = {
  hash: [4, 8, 4],
  array: [4, 8, 4],
  prog_array: [4, 4, 4],
  perf_event_array: [4, 4, 4],
  percpu_hash: [4, 8, 4],
  percpu_array: [4, 8, 4],
  stack_trace: [4, 8, 4],
  cgroup_array: [4, 4, 4],
  lru_hash: [4, 8, 4],
  lru_percpu_hash: [4, 8, 4],
  lpm_trie: [8, 8, 4, 1],
  devmap: [4, 4, 4],
  sockmap: [4, 4, 4],
  cpumap: [4, 4, 1],
  xskmap: [4, 4, 4],
  sockhash: [4, 4, 4],
  cgroup_storage: [8, 8, 0],
  reuseport_sockarray: [4, 4, 4],
  percpu_cgroup_storage: [8, 8, 0],
  queue: [0, 8, 4],
  stack: [0, 8, 4],
  devmap_hash: [4, 4, 4],
  ringbuf: [0, 0, 4096],
  bloom_filter: [0, 8, 4],
  user_ringbuf: [0, 0, 4096],
};
/** Those that the first program type to use them keeps for itself. */
const OWNED = new Set(['prog_array', 'devmap', 'cpumap', 'devmap_hash']);
/** Where each program type finds a socket in its context. */
const SOCKET_AT: Readonly<Record<string, number>> = {
  sched_cls: 168,
  sched_act: 168,
  cgroup_skb: 168,
  sk_skb: 168,
  socket_filter: 168,
  lwt_in: 168,
  lwt_out: 168,
  lwt_xmit: 168,
  sock_ops: 184,
  sk_msg: 72,
  cgroup_sock_addr: 64,
  cgroup_sockopt: 0,
  sk_lookup: 0,
  sk_reuseport: 40,
};
const BUFFER = -128;
const HELPER = { random: 7, reserve: 131, release: 86, lookup: 84, task: 158 };
const READ_ONLY = 1 << 7;

const descriptors = new Map<string, number>();

export const mapTypesToTry = Object.keys(SIZES);

export function mapOf(type: string): number {
  const known = OWNED.has(type) ? undefined : descriptors.get(type);
  if (known !== undefined) return known;
  const sizes = SIZES[type];
  const row = MAP_TYPES.find(({ name }) => name === type);
  if (!sizes || !row) throw new RangeError(`no map of type ${type} can be made here`);
  const [keySize, valueSize, maxEntries, flags = 0] = sizes;
  const descriptor = createProbeMap({ id: row.id, keySize, valueSize, maxEntries, flags });
  descriptors.set(type, descriptor);
  return descriptor;
}

function arrayOf64(name: string, flags: number): number {
  const known = descriptors.get(name);
  if (known !== undefined) return known;
  const descriptor = createProbeMap({ id: 2, keySize: 4, valueSize: 64, maxEntries: 1, flags });
  if (flags & READ_ONLY) freeze(descriptor);
  descriptors.set(name, descriptor);
  return descriptor;
}

/** An array of one 64-byte value that programs may only read, all zeros. */
export const readOnlyArray = () => arrayOf64('read-only', READ_ONLY);
const writableArray = () => arrayOf64('writable', 0);

const stackAddress = (register: number, offset: number) => [
  copy(register, 10),
  addTo(register, offset),
];

/** What must run before the call so that r6 to r9 and the stack hold what arguments need. */
function prepare(row: HelperRow, target: Target): Buffer[] | undefined {
  // A first call leaves r1 to r5 uninitialised.
  const code = [copy(6, 1), call(HELPER.random)];
  for (let offset = -256; offset < 0; offset += 8) code.push(storeZero(10, offset));
  const kinds = new Set(row.arguments.map(({ kind }) => kind));
  if (kinds.has('btf-socket') || kinds.has('sock-common') || kinds.has('socket')) {
    const socket = prepareSocket(row, target);
    if (socket === undefined) return undefined;
    code.push(...socket);
  }
  if (row.arguments.some(({ kind, nullable }) => kind === 'btf' && !nullable)) {
    code.push(call(HELPER.task), copy(8, 0));
  }
  if (kinds.has('ringbuf-record')) {
    code.push(...loadMap(1, mapOf('ringbuf')), move(2, 8), move(3, 0), call(HELPER.reserve));
    code.push(...unlessNull(0), copy(9, 0));
  }
  return code;
}

function prepareSocket(row: HelperRow, target: Target): Buffer[] | undefined {
  if (row.arguments.some(({ releases }) => releases)) {
    if (target.type === 'sk_lookup') return undefined;
    return [
      copy(1, 6),
      ...stackAddress(2, BUFFER),
      move(3, 12),
      move(4, -1),
      move(5, 0),
      call(HELPER.lookup),
      ...unlessNull(0),
      copy(9, 0),
    ];
  }
  const offset = SOCKET_AT[target.type];
  if (offset === undefined) return undefined;
  const sure = ['sk_msg', 'cgroup_sock_addr', 'cgroup_sockopt', 'sk_reuseport'];
  return [load(8, 9, 6, offset), ...(sure.includes(target.type) ? [] : unlessNull(9))];
}

/** Code that puts an acceptable argument into `register`; undefined where none can be made here. */
function argument(
  row: HelperRow,
  { kind, nullable, releases, typeName }: Argument,
  register: number,
  map: string,
): Buffer[] | undefined {
  switch (kind) {
    case 'anything':
      return [move(register, 0)];
    case 'context':
      return [copy(register, 6)];
    case 'map':
      return loadMap(register, mapOf(map));
    case 'map-key':
    case 'map-value':
      return stackAddress(register, BUFFER);
    case 'memory':
      return row.name === 'bpf_dynptr_from_mem'
        ? loadValue(register, writableArray())
        : stackAddress(register, BUFFER);
    case 'size':
    case 'size-or-zero':
    case 'constant-size':
      return [move(register, 8)];
    case 'btf-socket':
    case 'sock-common':
    case 'socket':
    case 'ringbuf-record':
      return [copy(register, 9)];
    case 'string':
      return loadValue(register, readOnlyArray());
    case 'btf':
      if (nullable && !releases) return [move(register, 0)];
      return typeName === 'task_struct' ? [copy(register, 8)] : undefined;
    case 'spin-lock':
    case 'timer':
    case 'kptr':
    case 'dynptr':
    case 'iterator':
    case 'callback':
    case 'stack':
    case 'percpu-btf':
      return undefined;
    default:
      return kind satisfies never;
  }
}

/** What must run after the call so that nothing acquired is left. */
function settle(row: HelperRow): Buffer[] {
  if (!row.returns.acquires) return [];
  return row.returns.kind === 'memory'
    ? [...unlessNull(0), copy(1, 0), move(2, 0), call(132)]
    : [...unlessNull(0), copy(1, 0), call(HELPER.release)];
}

export interface CallOptions {
  /** Instead of the acceptable argument at this index: other code; empty leaves it uninitialised. */
  readonly spoil?: ReadonlyMap<number, readonly Buffer[]>;
  /** Map type of the map argument; by default one that the helper is for. */
  readonly map?: string;
  /** Code before the arguments, when r6 is the context; it may use r7. */
  readonly before?: readonly Buffer[];
  /** Code after the call. */
  readonly after?: readonly Buffer[];
}

/** A program that calls the helper, or undefined where the arguments cannot be made here. */
export function callOf(
  row: HelperRow,
  target: Target,
  options: CallOptions = {},
): Buffer[] | undefined {
  const suited = MAP_TYPES.filter(({ helpers }) => helpers.includes(row.name));
  const map = options.map ?? suited.find(({ name }) => SIZES[name])?.name;
  if (map === undefined && suited.length > 0) return undefined;
  const prepared = prepare(row, target);
  if (prepared === undefined) return undefined;
  const code = [...prepared, ...(options.before ?? [])];
  for (const [index, contract] of row.arguments.entries()) {
    const own = options.spoil?.get(index);
    const made = own ?? argument(row, contract, index + 1, map ?? 'array');
    if (made === undefined) return undefined;
    code.push(...made);
  }
  return [...code, call(row.id), ...settle(row), ...(options.after ?? []), move(0, 1), EXIT];
}
