/**
 * Loads, runs and closes replaceable code over and over: node --expose-gc loads.js ADDON COUNT. Prints
 * what grew; exit code 1 when arenas are left or memory grew by more than a few megabytes.
 */
import { createRequire } from 'node:module';

const GROWTH_MEGABYTES_MAX = 24;
const addon = createRequire(import.meta.url)(process.argv[2]);
const count = Number(process.argv[3]);

/** mov eax, value; ret */
const program = (value) => ({
  code: Uint8Array.of(0xb8, value & 0xff, 0, 0, 0, 0xc3),
  entry: 0,
  relocations: new Int32Array(),
  plan: Uint32Array.of(2, 24, 0, 1, 2, 0, 0, 6, 32, 1, 0, 0),
  types: new Uint32Array(),
  hosted: new Uint32Array(),
  onException: 0xffffffff,
  maps: [],
});

function cycle(value) {
  const [loaded] = addon.loadPrograms([program(value)], false, 1, 3).programs;
  const extension = addon.createExtension(loaded);
  const instance = addon.createInstance(extension);
  const words = new Uint32Array(instance.exchange, 0, 64);
  words[1] = 60;
  instance.run();
  const outcome = new Float64Array(instance.exchange, 216, 1)[0];
  if (outcome !== (value & 0xff)) throw new Error(`run ${value} went wrong: ${outcome}`);
  instance.close();
  addon.closeExtension(extension);
  addon.closeProgram(loaded);
}

/** Finalizers of collected objects run between turns of the event loop. */
async function settle() {
  for (let i = 0; i < 3; i++) {
    globalThis.gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const ROUND = 500;
const megabytes = () => process.memoryUsage().rss / 2 ** 20;
async function cycles(from, to) {
  for (let i = from; i < to; i++) {
    cycle(i);
    if (i % ROUND === ROUND - 1) await settle();
  }
  await settle();
}

const warmUp = Math.min(count, 4 * ROUND);
await cycles(0, warmUp);
const before = megabytes();
await cycles(warmUp, count);
const growthMegabytes = Math.round((megabytes() - before) * 10) / 10;
const arenas = addon.arenaTotals()[0];
console.log(JSON.stringify({ cycles: count, arenas, growthMegabytes }));
process.exitCode = arenas === 0 && growthMegabytes < GROWTH_MEGABYTES_MAX ? 0 : 1;
