/** Maps that several threads use at once: nothing is lost, nothing doubled, walks come to an end. */
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import type { ExtensionMap } from '../../loader/index.ts';
import { loadCodes } from '../../loader/load.ts';
import { machineCode, mapSpec, movEax, ret } from './machine-code.ts';

const TOKENS = 200;
const ANCHORS = 50;
const WORKER = fileURLToPath(new URL('./shared-maps-worker.js', import.meta.url));
const ADDON =
  process.env.RINGFENCE_ADDON ??
  fileURLToPath(new URL('../../build/ringfence.node', import.meta.url));
const word = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);
const first = (bytes: Uint8Array) =>
  new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);

function work(role: 'mover' | 'watcher', id: number, seed: number): Promise<object> {
  const workerData = {
    addon: ADDON,
    id,
    role,
    seed,
    tokens: TOKENS,
    anchors: ANCHORS,
    rounds: 30_000,
  };
  return new Promise((resolve, reject) => {
    const worker = new Worker(WORKER, { workerData });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

it.each([
  ['hash', 0],
  ['hash', 1],
  ['lru_hash', 0],
])(
  '%s, flags %i: tokens are neither lost nor doubled, and walks see what stays',
  async (type, flags) => {
    // Room enough that nothing is evicted from where a token has to be.
    const specs = [
      mapSpec({ type, flags, name: 'left', valueSize: 4, maxEntries: 4096 }),
      mapSpec({ type, flags, name: 'right', valueSize: 4, maxEntries: 4096 }),
      mapSpec({ type: 'queue', name: 'queue', keySize: 0, valueSize: 4, maxEntries: 16 }),
    ];
    const [extension] = loadCodes([machineCode([movEax(2), ret], { maps: specs })], {
      lifetime: 'replaceable',
    });
    const { left, right, queue } = extension!.maps as Record<string, ExtensionMap>;
    for (let token = 0; token < TOKENS + ANCHORS; token++) left!.set(word(token), word(token));
    const { id } = extension!.share();
    const results = await Promise.all([
      ...[1, 2, 3].map((seed) => work('mover', id, seed)),
      work('watcher', id, 4),
    ]);
    expect(results).toEqual([{ wrong: 0 }, { wrong: 0 }, { wrong: 0 }, { wrong: 0, walks: 300 }]);
    const rest: number[] = [];
    for (let value = queue!.pop(); value !== undefined; value = queue!.pop())
      rest.push(first(value));
    for (const map of [left!, right!]) rest.push(...map.keys().map(first));
    expect(rest.sort((a, b) => a - b)).toEqual(
      Array.from({ length: TOKENS + ANCHORS }, (_, i) => i),
    );
    extension!.close();
  },
);

it('batches do what single calls do', () => {
  const [extension] = loadCodes(
    [
      machineCode([movEax(2), ret], {
        maps: [mapSpec({ type: 'hash', maxEntries: 3, valueSize: 4 })],
      }),
    ],
    { lifetime: 'replaceable' },
  );
  const map = extension!.maps.m!;
  const keys = new Uint8Array(Uint32Array.of(1, 2, 3, 4).buffer);
  expect(() => map.setBatch(keys, keys)).toThrow(/update failed with E2BIG/);
  const { count, keys: there, values } = map.snapshot();
  expect(count).toBe(3);
  expect([...new Uint32Array(there.slice().buffer)].sort()).toEqual([1, 2, 3]);
  expect(values).toEqual(there);
  expect(map.take(word(2))).toEqual(word(2));
  expect(map.take(word(2))).toBeUndefined();
  try {
    map.deleteBatch(keys.subarray(0, 12));
    expect.unreachable();
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOENT', done: 1 });
  }
  expect([map.nextKey(), map.nextKey(word(3)), map.nextKey(word(9))]).toEqual([
    word(3),
    undefined,
    word(3),
  ]);
  expect(() => map.setBatch(keys.subarray(0, 3), keys)).toThrow(RangeError);
  extension!.close();
});
