/**
 * Running what was loaded: one packet, many, timed; buffers of every kind; workers; garbage
 * collection; errors of the caller.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { NativeCode } from '../../jit/index.ts';
import { addon } from '../../loader/addon.ts';
import { Extension, ExtensionMap, load, openShared, replace } from '../../loader/index.ts';
import { loadCodes } from '../../loader/load.ts';
import type { LoadOptions } from '../../loader/options.ts';
import {
  callTo,
  loadEax32,
  loadRdi,
  machineCode,
  mapSpec,
  movEax,
  rdiFrom,
  ret,
} from './machine-code.ts';

const PASS = machineCode([movEax(2), ret]);
/** r0 = bytes 4 to 7 of the packet; slot 0 of the pointer header is `data`. */
const BYTES = machineCode([loadRdi(-64), loadEax32(4), ret]);
const packet = Uint8Array.from({ length: 60 }, (_, i) => i);

const open = (code = PASS, options: LoadOptions = {}) =>
  loadCodes([code], { lifetime: 'replaceable', ...options })[0]!;

describe('run', () => {
  it('returns r0 and names the action', () => {
    using extension = open();
    expect(extension.run({ packet })).toBe(2);
    expect(extension.actionName(2)).toBe('XDP_PASS');
  });

  it('shows the packet through the pointer header', () => {
    using extension = open(BYTES);
    expect(extension.run({ packet })).toBe(0x07060504);
  });

  it('reports time, packet and action of a test', () => {
    using extension = open();
    const report = extension.test({ packet }, { repeat: 100 });
    expect(report).toMatchObject({ r0: 2n, action: 'XDP_PASS', packet, runs: 100 });
    expect(report.nanosecondsPerRun).toBeGreaterThan(0);
  });

  it('writes memory back, and demands its exact size', () => {
    // mov dword [rdi], 0x2a; mov rax, rsi; ret
    const code = [[0xc7, 0x07, 0x2a, 0, 0, 0], [0x48, 0x89, 0xf0], ret];
    const options = { type: 'memory', contextSize: 13, returnBits: 64 } as const;
    using extension = open(machineCode(code, options));
    const memory = new Uint8Array(13).fill(1);
    expect(extension.test({ memory }).r0).toBe(13n);
    expect([...memory]).toEqual([42, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    expect(() => extension.run({ memory: new Uint8Array(12) })).toThrow(
      /13 bytes of memory, not 12/,
    );
    expect(() => extension.run({ packet })).toThrow(TypeError);
  });

  it('runs memory programs of size zero', () => {
    using extension = open(
      machineCode([[0x48, 0x89, 0xf0], ret], { type: 'memory', contextSize: 0 }),
    );
    expect(extension.run({})).toBe(0);
    expect(extension.run({ memory: new Uint8Array() })).toBe(0);
  });

  it('says what is missing', () => {
    using extension = open();
    expect(() => extension.run({})).toThrow(/run on a packet/);
    expect(() => extension.run({ packet: new Uint8Array(300_000) })).toThrow(RangeError);
    expect(() => extension.run({ packet, context: new Uint8Array(25) })).toThrow(
      /24 bytes, not 25/,
    );
    expect(() => extension.test({ packet }, { repeat: 0 })).toThrow(RangeError);
    extension.close();
    extension.close();
    expect(() => extension.run({ packet })).toThrow(/closed/);
    expect(() => extension.runBatch(packet, new Uint32Array(1), new Uint32Array(1))).toThrow(
      /closed/,
    );
  });

  it('refuses by name what is not implemented', () => {
    expect(() => open(machineCode([...callTo({ kind: 'helper', helper: 58 }), ret]))).toThrow(
      /bpf_override_return/,
    );
    expect(() =>
      open(machineCode([...callTo({ kind: 'kfunc', name: 'bpf_get_kmem_cache' }), ret])),
    ).toThrow(/bpf_get_kmem_cache/);
    expect(() => open(machineCode([movEax(0), ret], { type: 'lsm' }))).toThrow(/kernel pointers/);
  });
});

describe('runBatch', () => {
  const offsets = Uint32Array.of(0, 10, 20);
  const lengths = Uint32Array.of(20, 20, 20);
  const expected = [0x07060504, 0x11100f0e, 0x1b1a1918];

  it('runs every packet', () => {
    using extension = open(BYTES);
    expect([...extension.runBatch(packet, offsets, lengths)]).toEqual(expected);
    expect([...extension.runBatch(packet, new Uint32Array(), new Uint32Array())]).toEqual([]);
  });

  it('takes shared, resizable and zero-length buffers', () => {
    using extension = open(BYTES);
    const shared = new Uint8Array(new SharedArrayBuffer(60));
    shared.set(packet);
    expect([...extension.runBatch(shared, offsets, lengths)]).toEqual(expected);
    expect(extension.run({ packet: shared })).toBe(expected[0]);
    // @ts-expect-error: resizable buffers are younger than the library types of ES2023
    const resizable = new ArrayBuffer(60, { maxByteLength: 120 });
    const view = new Uint8Array(resizable);
    view.set(packet);
    expect([...extension.runBatch(view, offsets, lengths)]).toEqual(expected);
    (resizable as unknown as { resize(bytes: number): void }).resize(15);
    expect(() => extension.runBatch(view, offsets, lengths)).toThrow(/packet 0/);
    expect(
      [...extension.runBatch(new Uint8Array(), Uint32Array.of(0), Uint32Array.of(0))].length,
    ).toBe(1);
  });

  it('refuses detached buffers and packets out of bounds', () => {
    using extension = open(BYTES);
    const gone = packet.slice();
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    expect(() => extension.runBatch(gone, offsets, lengths)).toThrow(RangeError);
    expect(() => extension.run({ packet: gone })).toThrow(TypeError);
    for (const [offset, length] of [
      [0, 61],
      [61, 0],
      [60, 1],
      [0xffffffff, 1],
      [1, 0xffffffff],
    ])
      expect(() =>
        extension.runBatch(packet, Uint32Array.of(offset!), Uint32Array.of(length!)),
      ).toThrow(/packet 0/);
    expect(() => extension.runBatch(packet, offsets, lengths.subarray(1))).toThrow(
      /differ in length/,
    );
    expect(() => extension.runBatch(packet, [0] as never, lengths)).toThrow(TypeError);
    expect(() => extension.runBatch(new Float32Array(20) as never, offsets, lengths)).toThrow(
      TypeError,
    );
  });
});

describe('tokens', () => {
  const make = Object.getPrototypeOf;
  it('cannot be forged', () => {
    using extension = open();
    const forgeries = [
      { ...PASS },
      Object.create(NativeCode.prototype),
      structuredClone(PASS),
      null,
      1,
      [null],
    ];
    for (const forged of forgeries) expect(() => load(forged as never)).toThrow(TypeError);
    for (const forged of [
      Object.create(extension),
      { ...extension },
      Object.create(Extension.prototype),
    ]) {
      expect(Extension.is(forged)).toBe(false);
      expect(() => Extension.prototype.run.call(forged, { packet })).toThrow(TypeError);
    }
    const Forger = make(extension).constructor as new (...parts: unknown[]) => unknown;
    expect(() => new Forger(Symbol(), {})).toThrow(/load\(\) only/);
    const MapForger = ExtensionMap as unknown as typeof Forger;
    expect(() => new MapForger(Symbol(), {}, {})).toThrow(TypeError);
    expect(Object.isFrozen(Extension.prototype) && Object.isFrozen(extension)).toBe(true);
  });

  it('are checked by the addon as well', () => {
    const native = addon() as unknown as Record<string, (...values: unknown[]) => unknown>;
    for (const value of [{}, null, undefined, 1, 'x', () => 0, Object.create(null), packet])
      for (const name of [
        'createExtension',
        'createInstance',
        'openPort',
        'closeMap',
        'viewMap',
        'sealLine',
        'shareExtension',
        'extensionMaps',
        'closeProgram',
      ])
        expect(() => native[name]!(value), name).toThrow(TypeError);
    for (const list of [
      [],
      [{}],
      [null],
      [{ ...PASS, plan: new Uint32Array(9), relocations: Int32Array.of(0, 0, 1, 0), maps: [] }],
    ])
      expect(() => native.loadPrograms!(list, true, 1, 3)).toThrow();
  });
});

describe('maps of an extension', () => {
  const spec = mapSpec({ type: 'array', name: 'counts', maxEntries: 2 });
  /** add qword [value 1], 1; mov eax, 2 */
  const count = machineCode(
    [
      ...rdiFrom({ kind: 'map-value', map: 0, valueOffset: 8 }),
      [0x48, 0x83, 0x07, 0x01],
      movEax(2),
      ret,
    ],
    { maps: [spec] },
  );

  it('are shared between programs, with workers, and outlive replacement', async () => {
    const [first, second] = loadCodes([count, count], { lifetime: 'replaceable' });
    for (let i = 0; i < 3; i++) first!.run({ packet });
    second!.run({ packet });
    const value = () => first!.maps.counts!.get(Uint8Array.of(1, 0, 0, 0))![0];
    expect(value()).toBe(4);
    const other = openShared(structuredClone(first!.share()));
    other.run({ packet });
    expect(value()).toBe(5);
    expect(other.maps.counts!.get(Uint8Array.of(1, 0, 0, 0))![0]).toBe(5);
    other.close();
    first!.close();
    expect(second!.run({ packet })).toBe(2);
    expect(() => openShared({ id: 1e6, description: {} } as never)).toThrow();
    second!.close();
  });

  it('must be what the proof assumed', () => {
    using extension = open(count);
    const other = machineCode([movEax(1), ret], { maps: [{ ...spec, maxEntries: 3 }] });
    expect(() => open(other, { maps: { counts: extension.maps.counts! } })).toThrow(
      /maxEntries is 2, not 3/,
    );
    expect(() => open(count, { maps: { counts: {} as never } })).toThrow(/not a map/);
  });

  it('keep their owner type', () => {
    expect(() => replace(open(), {} as never)).toThrow(TypeError);
  });
});

const WORKER = fileURLToPath(new URL('./worker.js', import.meta.url));

describe('threads and garbage', () => {
  it('runs in workers while maps change and programs are replaced', async () => {
    const workers = [1, 2, 3].map(
      (seed) =>
        new Promise<unknown>((resolve, reject) => {
          const worker = new Worker(WORKER, { workerData: { addon: addonPath(), seed } });
          worker.once('message', resolve);
          worker.once('error', reject);
        }),
    );
    for (const result of await Promise.all(workers))
      expect(result).toEqual({ wrong: 0, ran: 20_000 });
  });

  it('gives everything back under forced collection', () => {
    const output = execFileSync(process.execPath, ['--expose-gc', WORKER, addonPath()], {
      encoding: 'utf8',
    });
    const { arenas, growthMegabytes } = JSON.parse(output);
    expect(arenas).toBe(0);
    expect(growthMegabytes).toBeLessThan(60);
  });
});

function addonPath(): string {
  return (
    process.env.RINGFENCE_ADDON ??
    fileURLToPath(new URL('../../build/ringfence.node', import.meta.url))
  );
}
