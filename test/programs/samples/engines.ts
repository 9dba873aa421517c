/** Everything that can run a sample, in one shape. */
import { kernelRefusal, loadIntoKernel } from '../../../hosts/kernel/index.ts';
import type { Program } from '../../../isa/index.ts';
import { compile } from '../../../jit/index.ts';
import { load, loadReference } from '../../../loader/index.ts';
import { programType } from '../../../platform/index.ts';
import { verify } from '../../../verifier/index.ts';
import {
  type AcceptedSample,
  type Entry,
  entriesOf,
  type Outcome,
  PacketsDigest,
  sortEntries,
} from './expectations.ts';
import { type MapContent, MODELS } from './model.ts';

type Pair = readonly [key: Uint8Array, value: Uint8Array];

/** A loaded sample. */
export interface Loaded {
  set(map: string, key: Uint8Array, value: Uint8Array): void;
  run(packet: Uint8Array): { readonly r0: number; readonly packet: Uint8Array };
  entries(map: string): Iterable<Pair>;
  close(): void;
}

export interface SampleEngine {
  readonly name: string;
  readonly refusal: string | undefined;
  open(program: Program): Loaded;
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const unhex = (digits: string) => Uint8Array.from(Buffer.from(digits, 'hex'));
const low32 = (r0: bigint) => Number(BigInt.asUintN(32, r0));

export const MODEL: SampleEngine = {
  name: 'model',
  refusal: undefined,
  open(program) {
    const model = MODELS[program.name];
    if (model === undefined) throw new Error(`there is no model of ${program.name}`);
    const maps: Record<string, MapContent> = {};
    for (const { name, type, maxEntries, valueSize } of program.maps) {
      const indices = type === 'array' ? Array.from({ length: maxEntries }, (_, i) => i) : [];
      maps[name] = new Map(
        indices.map((i) => [
          hex(new Uint8Array(Uint32Array.of(i).buffer)),
          new Uint8Array(valueSize),
        ]),
      );
    }
    return {
      set: (map, key, value) => maps[map]?.set(hex(key), value.slice()),
      run: (packet) => model(packet, maps),
      entries: (map) => [...(maps[map] ?? [])].map(([key, value]) => [unhex(key), value] as const),
      close: () => {},
    };
  },
};

export const KERNEL: SampleEngine = {
  name: 'kernel',
  refusal: kernelRefusal(),
  open(program) {
    const verdict = loadIntoKernel(program);
    if (!verdict.accepted) throw new Error(`the kernel refuses ${program.name}\n${verdict.log}`);
    const loaded = verdict.program;
    return {
      set: (map, key, value) => loaded.map(map)?.update(key, value),
      run: (packet) => loaded.testRun({ packet }),
      entries: (map) =>
        (loaded.map(map)?.entries() ?? []).map(({ key, value }) => [key, value] as const),
      close: () => loaded.close(),
    };
  },
};

export const NATIVE: SampleEngine = {
  name: 'native',
  refusal: process.platform === 'linux' && process.arch === 'x64' ? undefined : 'not x86-64 Linux',
  open(program) {
    const verdict = verify(program);
    if (!verdict.ok) throw new Error(`${program.name}: ${verdict.diagnostics[0]?.message}`);
    const extension = load(compile(verdict.proof), { lifetime: 'replaceable' });
    return {
      set: (map, key, value) => extension.maps[map]?.set(key, value),
      run: (packet) => {
        const report = extension.test({ packet });
        return { r0: low32(report.r0), packet: report.packet ?? packet };
      },
      entries: (map) => extension.maps[map]?.entries() ?? [],
      close: () => extension.close(),
    };
  },
};

export const INTERPRETER: SampleEngine = {
  name: 'interpreter',
  refusal: undefined,
  open(program) {
    const [extension] = loadReference([program]);
    if (extension === undefined) throw new Error(`${program.name} was not loaded`);
    return {
      set: (map, key, value) => extension.maps[map]?.set(key, value),
      run: (packet) => {
        const report = extension.test({ packet });
        if (report.outcome.kind !== 'exit')
          throw new Error(`${program.name} did not end: ${JSON.stringify(report.outcome)}`);
        return { r0: low32(report.r0), packet: report.packet ?? packet };
      },
      entries: (map) => extension.maps[map]?.entries() ?? [],
      close: () => extension.close(),
    };
  },
};

export const ENGINES: readonly SampleEngine[] = [MODEL, KERNEL, NATIVE, INTERPRETER];

/** Socket filters decide how much of a packet a socket gets; they have none to hand out. */
const HANDS_OUT_PACKETS: ReadonlySet<string> = new Set(['xdp', 'sched_cls']);

/** The kernel's test run makes no socket buffer of less than the IP header that its type announces. */
function hasWholeNetworkHeader(packet: Uint8Array): boolean {
  const type = (packet[12]! << 8) | packet[13]!;
  const header = { 2048: 20, 34525: 40 }[type] ?? 0;
  return packet.length >= 14 + header;
}

/** Fills the maps, runs every packet, and says what came of it. */
export function runSample(
  engine: SampleEngine,
  program: Program,
  initial: AcceptedSample['initial'],
  packets: readonly Uint8Array[],
): Outcome {
  const loaded = engine.open(program);
  try {
    fillMaps(loaded, program, initial ?? {});
    const digest = new PacketsDigest();
    const actions = programType(program.type)?.actions ?? {};
    const results: Record<string, number> = {};
    let changedPackets = 0;
    for (const packet of packets) {
      if (program.type !== 'xdp' && !hasWholeNetworkHeader(packet)) continue;
      const { r0, packet: raw } = loaded.run(packet);
      const after = HANDS_OUT_PACKETS.has(program.type) ? raw : packet;
      const name = actions[r0] ?? String(r0);
      results[name] = (results[name] ?? 0) + 1;
      if (Buffer.compare(after, packet) !== 0) changedPackets++;
      digest.add(after);
    }
    return {
      results,
      changedPackets,
      packetsDigest: digest.text(),
      maps: contents(loaded, program),
    };
  } finally {
    loaded.close();
  }
}

function fillMaps(
  loaded: Loaded,
  program: Program,
  initial: NonNullable<AcceptedSample['initial']>,
): void {
  for (const [name, content] of Object.entries(initial)) {
    const spec = program.maps.find((map) => map.name === name);
    if (spec === undefined) throw new Error(`${program.name} has no map ${name}`);
    for (const { key, value } of entriesOf(content, spec.valueSize))
      loaded.set(name, unhex(key), unhex(value));
  }
}

/** Maps that programs write; constants and what was put in and only read are left out. */
function contents(loaded: Loaded, program: Program): Record<string, Entry[]> {
  const written = program.maps.filter(({ name, frozen }) => !frozen && !READ_ONLY.has(name));
  return Object.fromEntries(
    written.map(({ name }) => {
      const entries = [...loaded.entries(name)].map(([key, value]) => ({
        key: hex(key),
        value: hex(value),
      }));
      return [name, sortEntries(entries)];
    }),
  );
}

const READ_ONLY: ReadonlySet<string> = new Set(['ring', 'backends']);
