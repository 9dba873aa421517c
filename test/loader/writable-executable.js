/**
 * Loads and closes code by every method while a worker reads /proc/self/maps all the time; prints the
 * mappings that were writable and executable at any moment, as JSON. Started with --jitless, since V8
 * itself keeps such mappings otherwise. argv: path of the addon.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';

const addon = createRequire(import.meta.url)(process.argv[2]);
const watch = `
const { readFileSync } = require('node:fs');
const { parentPort, workerData } = require('node:worker_threads');
const stop = new Int32Array(workerData);
const seen = new Set();
let looks = 0;
parentPort.postMessage('ready');
while (Atomics.load(stop, 0) === 0) {
  looks++;
  for (const line of readFileSync('/proc/self/maps', 'utf8').split('\\n'))
    if (/^\\S+ .wx/.test(line)) seen.add(line);
}
parentPort.postMessage({ looks, seen: [...seen] });
`;
const stop = new Int32Array(new SharedArrayBuffer(4));
const worker = new Worker(watch, { eval: true, workerData: stop.buffer });
await new Promise((resolve) => worker.once('message', resolve));

const program = {
  code: Uint8Array.of(0xb8, 2, 0, 0, 0, 0xc3),
  entry: 0,
  relocations: new Int32Array(),
  plan: Uint32Array.of(2, 24, 0, 1, 2, 0, 0, 6, 32, 1, 0, 0),
  types: new Uint32Array(),
  hosted: new Uint32Array(),
  onException: 0xffffffff,
  maps: [],
};
let ran = 0;
for (let round = 0; round < 60; round++)
  for (const method of [1, 2, 3]) {
    const { programs } = addon.loadPrograms([program], false, method, method);
    const extension = addon.createExtension(programs[0]);
    const instance = addon.createInstance(extension);
    const words = new Uint32Array(instance.exchange, 0, 64);
    words[1] = 60;
    instance.run();
    if (new Float64Array(instance.exchange, 216, 1)[0] === 2) ran++;
    instance.close();
    addon.closeExtension(extension);
    addon.closeProgram(programs[0]);
  }
Atomics.store(stop, 0, 1);
const report = await new Promise((resolve) => worker.once('message', resolve));
const now = readFileSync('/proc/self/maps', 'utf8')
  .split('\n')
  .filter((line) => /^\S+ .wx/.test(line));
console.log(JSON.stringify({ ran, ...report, now }));
