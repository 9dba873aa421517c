/**
 * Raw use of the addon: in a worker, maps, runs and replacements all at once; as a main script, many
 * loads and closes under forced garbage collection, printing what is left.
 */
import { createRequire } from 'node:module';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';

const require = createRequire(import.meta.url);
const addon = require(isMainThread ? process.argv[2] : workerData.addon);

/** mov eax, value; ret */
const program = (value) => ({
  code: Uint8Array.of(0xb8, value, 0, 0, 0, 0xc3),
  entry: 0,
  relocations: new Int32Array(),
  plan: Uint32Array.of(2, 24, 0, 1, 2, 0, 0, 6, 32, 1, 0, 0),
  types: new Uint32Array(),
  hosted: new Uint32Array(),
  onException: 0xffffffff,
  maps: [],
});
const loadOne = (value) => addon.loadPrograms([program(value)], false, 1, 3).programs[0];
const hash = () => addon.createMap(Uint32Array.of(1, 4, 8, 64, 0, 0, 0), null);

function work(seed) {
  const extension = addon.createExtension(loadOne(seed));
  const instance = addon.createInstance(extension);
  const words = new Uint32Array(instance.exchange, 0, 64);
  const outcome = new Float64Array(instance.exchange, 216, 1);
  const port = addon.openPort(hash());
  const key = new Uint32Array(port.exchange, 64, 1);
  let wrong = 0;
  let ran = 0;
  for (let i = 0; i < 20_000; i++) {
    words[1] = 60;
    instance.run();
    if (outcome[0] !== seed + (i >= 100 ? 1 : 0)) wrong++;
    ran++;
    key[0] = i % 64;
    if (port.call(1, 0) !== 0 || port.call(0, 0) !== 0) wrong++;
    if (i % 3 === 0 && port.call(2, 0) !== 0) wrong++;
    if (i % 500 === 99) addon.replaceProgram(extension, loadOne(seed + 1));
  }
  return { wrong, ran };
}

/** Nothing is closed: the collector alone gives back. */
function litter() {
  for (let i = 0; i < 50; i++) {
    const extension = addon.createExtension(loadOne(i));
    const instance = addon.createInstance(extension);
    addon.openPort(hash());
    new Uint32Array(instance.exchange, 0, 64)[1] = 60;
    instance.run();
  }
}

if (!isMainThread) parentPort.postMessage(work(workerData.seed));
else {
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  const collect = async () => {
    for (let i = 0; i < 4; i++) {
      globalThis.gc();
      await settle();
    }
  };
  litter();
  await collect();
  const before = process.memoryUsage().rss;
  for (let round = 0; round < 20; round++) {
    litter();
    await collect();
  }
  const growthMegabytes = (process.memoryUsage().rss - before) / 2 ** 20;
  console.log(JSON.stringify({ arenas: addon.arenaTotals()[0], growthMegabytes }));
}
