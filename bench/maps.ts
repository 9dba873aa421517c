/**
 * What do maps cost? Programs that do one map operation on a key of their own choosing, run
 * many times in one crossing, beside the kernel's test run of the same program, the interpreter, and
 * the same operation on a JavaScript Map. A row without an operation tells what choosing costs.
 */
import { loadIntoKernel } from '../hosts/index.ts';
import { assembleProgram, type Program } from '../isa/index.ts';
import { compile } from '../jit/index.ts';
import { type Extension, load, loadReference } from '../loader/index.ts';
import { HELPERS } from '../platform/index.ts';
import { verify } from '../verifier/index.ts';
import { figure, markdownTable } from './report.ts';

const ENTRIES = 16_384;
const PREFIXES = 100_000;
const NATIVE_RUNS = 300_000;
const INTERPRETED_RUNS = 50;
const ROUNDS = 7;

interface MapWork {
  readonly name: string;
  readonly map: string;
  /** The key is at r10 - 8 (for tries behind its length, at r10 - 12) and in r6. */
  readonly body: string;
  readonly fill: number;
  /** Makes the same in plain JavaScript: what is done with a key below ENTRIES. */
  readonly javascript?: () => (key: number) => unknown;
}

const filled = (count: number) => new Map(Array.from({ length: count }, (_, i) => [i, i]));

/** An address as the program makes it of a key, and the part that a prefix leaves of it. */
const addressOf = (key: number) => Math.imul(key, 0x3779b1) >>> 0;
const networkOf = (address: number, bits: number) => (address >>> (32 - bits)) << (32 - bits);

/** A Map for each length, from the longest on: what one writes who has no trie. */
function lookUpPrefix(): (key: number) => unknown {
  const lengths = Array.from({ length: 33 }, () => new Map<number, number>());
  for (const key of keysOf({ map: 'lpm', fill: PREFIXES })) {
    const view = new DataView(key.buffer);
    const bits = view.getUint32(0, true);
    lengths[bits]!.set(networkOf(view.getUint32(4), bits), bits);
  }
  return (key) => {
    const address = addressOf(key);
    const swapped =
      ((address & 0xff) << 24) |
      ((address & 0xff00) << 8) |
      ((address >>> 8) & 0xff00) |
      (address >>> 24);
    for (let bits = 32; bits > 16; bits--) {
      const found = lengths[bits]!.get(networkOf(swapped, bits));
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

/** What is looked up is the newest entry again. */
function lookUpNewest(): (key: number) => unknown {
  const map = filled(ENTRIES);
  return (key) => {
    const value = map.get(key)!;
    map.delete(key);
    return map.set(key, value);
  };
}

function updateEvicting(): (key: number) => unknown {
  const map = filled(4096);
  return (key) => {
    map.delete(key);
    map.set(key, key);
    if (map.size > 4096) map.delete(map.keys().next().value!);
  };
}

/** A header and 16 bytes of a ring in a typed array. */
function reserveInArray(): (key: number) => unknown {
  const ring = new Float64Array(8192);
  let head = 0;
  return (key) => {
    ring[head & 8191] = 16;
    ring[(head + 1) & 8191] = key;
    head += 3;
    return head;
  };
}

const KEY = 'r1 = map[m] ll\nr2 = r10\nr2 += -8';
const VALUE = '*(u64 *)(r10 - 24) = r6\nr3 = r10\nr3 += -24\nr4 = 0';
const LOOKUP = `${KEY}\ncall bpf_map_lookup_elem`;
const UPDATE = `${KEY}\n${VALUE}\ncall bpf_map_update_elem`;
const hash = (type: string, entries = ENTRIES) => `${type} key 4 value 8 entries ${entries}`;

const WORK: readonly MapWork[] = [
  { name: 'nothing', map: hash('hash'), body: '', fill: 0 },
  {
    name: 'array look-up',
    map: hash('array'),
    body: LOOKUP,
    fill: 0,
    javascript: () => {
      const values = new Float64Array(ENTRIES);
      return (key) => values[key];
    },
  },
  {
    name: 'hash look-up',
    map: hash('hash'),
    body: LOOKUP,
    fill: ENTRIES,
    javascript: () => {
      const map = filled(ENTRIES);
      return (key) => map.get(key);
    },
  },
  {
    name: 'hash update',
    map: hash('hash'),
    body: UPDATE,
    fill: ENTRIES,
    javascript: () => {
      const map = filled(ENTRIES);
      return (key) => map.set(key, key + 1);
    },
  },
  {
    name: 'hash update and delete',
    map: hash('hash'),
    body: `${UPDATE}\n${KEY}\ncall bpf_map_delete_elem`,
    fill: ENTRIES / 2,
    javascript: () => {
      const map = filled(ENTRIES / 2);
      return (key) => map.set(key, key).delete(key);
    },
  },
  {
    name: 'LRU hash look-up',
    map: hash('lru_hash'),
    body: LOOKUP,
    fill: ENTRIES,
    javascript: lookUpNewest,
  },
  {
    name: 'LRU hash update, evicting',
    map: hash('lru_hash', 4096),
    body: UPDATE,
    fill: 4096,
    javascript: updateEvicting,
  },
  { name: 'per-CPU hash look-up', map: hash('percpu_hash'), body: LOOKUP, fill: ENTRIES },
  {
    name: `LPM look-up, ${PREFIXES.toLocaleString('en')} prefixes`,
    map: `lpm_trie key 8 value 8 entries ${PREFIXES} flags 1`,
    body: `r6 *= 0x3779b1
*(u32 *)(r10 - 8) = r6
*(u32 *)(r10 - 12) = 32
r1 = map[m] ll
r2 = r10
r2 += -12
call bpf_map_lookup_elem`,
    fill: PREFIXES,
    javascript: lookUpPrefix,
  },
  {
    name: 'ring buffer, reserve and discard 16 bytes',
    map: 'ringbuf key 0 value 0 entries 65536',
    body: `r1 = map[m] ll
r2 = 16
r3 = 0
call bpf_ringbuf_reserve
if r0 == 0 goto out
*(u64 *)(r0 + 0) = r6
r1 = r0
r2 = 1
call bpf_ringbuf_discard`,
    fill: 0,
    javascript: reserveInArray,
  },
];

function programOf({ map, body }: MapWork): Program {
  const text = `.type xdp
.name work
.license GPL
.map state array key 4 value 8 entries 1
.map m ${map}
*(u32 *)(r10 - 4) = 0
r1 = map[state] ll
r2 = r10
r2 += -4
call bpf_map_lookup_elem
if r0 == 0 goto out
r6 = *(u64 *)(r0 + 0)
r6 += 1
*(u64 *)(r0 + 0) = r6
w6 *= 0x3779b1
r6 >>= 3
r6 &= ${ENTRIES - 1}
*(u32 *)(r10 - 8) = r6
${body}
out:
r0 = 2
exit`;
  return assembleProgram(text, 'work.s', new Map(HELPERS.map(({ id, name }) => [name, id])));
}

/** Keys from 0 on; prefixes of 17 to 32 bits, spread over the addresses. */
function* keysOf({ map, fill }: Pick<MapWork, 'map' | 'fill'>): Generator<Uint8Array> {
  for (let i = 0; i < fill; i++) {
    if (!map.startsWith('lpm')) yield new Uint8Array(Uint32Array.of(i).buffer);
    else {
      const words = Uint32Array.of(17 + (i % 16), Math.imul(i, 0x9e3779b1));
      yield new Uint8Array(words.buffer);
    }
  }
}

interface Runner {
  /** Nanoseconds a run. */
  measure(): number;
  close(): void;
}

const packet = new Uint8Array(64);

function ours(work: MapWork): Runner {
  const verdict = verify(programOf(work));
  if (!verdict.ok) throw new Error(`${work.name}: ${verdict.diagnostics[0]?.message}`);
  const extension: Extension = load(compile(verdict.proof), { lifetime: 'replaceable' });
  const map = extension.maps.m!;
  const value = new Uint8Array(map.valueSize);
  for (const key of keysOf(work)) map.set(key, value);
  const measure = () => extension.test({ packet }, { repeat: NATIVE_RUNS }).nanosecondsPerRun;
  return { measure, close: () => extension.close() };
}

function kernels(work: MapWork): Runner | undefined {
  try {
    const verdict = loadIntoKernel(programOf(work));
    if (!verdict.accepted) return undefined;
    const { program } = verdict;
    const map = program.map('m')!;
    const slots = map.spec.type.startsWith('percpu') ? 256 : 1;
    const value = new Uint8Array(map.spec.valueSize * slots);
    for (const key of keysOf(work)) map.update(key, value);
    const measure = () => program.testRun({ packet, repeat: NATIVE_RUNS }).nanosecondsPerRun;
    return { measure, close: () => program.close() };
  } catch {
    return undefined;
  }
}

function interpreted(work: MapWork): Runner | undefined {
  if (work.fill > ENTRIES) return undefined;
  const [extension] = loadReference([programOf(work)]);
  const map = extension!.maps.m!;
  const size = map.spec.type.startsWith('percpu') ? 16 : 1;
  for (const key of keysOf(work)) map.set(key, new Uint8Array(map.spec.valueSize * size));
  const measure = () => extension!.test({ packet }, { repeat: INTERPRETED_RUNS }).nanosecondsPerRun;
  return { measure, close: () => {} };
}

function javascripts({ javascript }: MapWork): Runner | undefined {
  if (javascript === undefined) return undefined;
  const work = javascript();
  let state = 0;
  const measure = () =>
    timed(NATIVE_RUNS, () => {
      state = (state + 1) | 0;
      kept = work((Math.imul(state, 0x3779b1) >>> 3) & (ENTRIES - 1));
    });
  return { measure, close: () => {} };
}

/** What work yields goes somewhere, so that none is left out. */
export let kept: unknown;

/** Nanoseconds a call. */
function timed(count: number, call: () => void): number {
  const start = process.hrtime.bigint();
  for (let i = 0; i < count; i++) call();
  return Number(process.hrtime.bigint() - start) / count;
}

/** All take turns, so that what disturbs the machine disturbs all; the best round counts. */
function best(runners: readonly (Runner | undefined)[]): (number | undefined)[] {
  const results = runners.map((runner) => (runner === undefined ? undefined : Infinity));
  for (let round = 0; round < ROUNDS; round++)
    for (const [i, runner] of runners.entries())
      if (runner !== undefined) results[i] = Math.min(results[i]!, runner.measure());
  for (const runner of runners) runner?.close();
  return results;
}

export interface MapRow {
  readonly work: string;
  readonly nanoseconds: Readonly<Record<string, number | undefined>>;
}

export function measureMaps(): MapRow[] {
  return WORK.map((work) => {
    const runners = [ours(work), kernels(work), javascripts(work), interpreted(work)];
    const [ringfence, kernel, javascript, interpreter] = best(runners);
    return { work: work.name, nanoseconds: { ringfence, kernel, javascript, interpreter } };
  });
}

export function mapTable(rows: readonly MapRow[]): string {
  const names = ['ringfence', 'kernel', 'javascript', 'interpreter'];
  return markdownTable(
    ['work', ...names.map((name) => `${name}, ns`)],
    rows.map(({ work, nanoseconds }) => [work, ...names.map((name) => figure(nanoseconds[name]))]),
  );
}
