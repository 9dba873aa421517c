/**
 * One of several threads on the same maps, by the addon alone. Movers take tokens out of one map and put
 * them into another, by way of a queue now and then; the watcher walks over a map meanwhile, in which
 * some keys stay where they are.
 */
import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';

const { addon: path, id, role, seed, tokens, anchors, rounds } = workerData;
const addon = createRequire(import.meta.url)(path);
/** enum rf_port_operation in loader/native/map_port.h. */
const [UPDATE, SCAN, PUSH, POP, TAKE] = [1, 3, 4, 5, 11];
const NOEXIST = 1;
const KEY_AT = 64;

function open(handle) {
  const port = addon.openPort(handle);
  return {
    call: (operation, flags) => port.call(operation, flags),
    words: new Uint32Array(port.exchange, 0, 2),
    key: new Uint32Array(port.exchange, KEY_AT, 1),
    value: new Uint32Array(port.exchange, port.valueAt, 1),
  };
}

const [left, right, queue] = addon.extensionMaps(addon.findExtension(id)).map(open);
let state = seed;
const random = (below) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
};

/** A token is in one place at any time, so there must be no other of its number where it goes. */
function put(map, token) {
  map.key[0] = map.value[0] = token;
  return map.call(UPDATE, NOEXIST) === 0 ? 0 : 1;
}

function move() {
  let wrong = 0;
  for (let i = 0; i < rounds; i++) {
    const [from, to] = random(2) === 0 ? [left, right] : [right, left];
    from.key[0] = random(tokens);
    if (from.call(TAKE, 0) === 0) {
      const token = from.value[0];
      if (token !== from.key[0]) wrong++;
      queue.value[0] = token;
      // A full queue sends the token back.
      if (random(8) !== 0 || queue.call(PUSH, 0) !== 0) wrong += put(to, token);
    } else if (random(4) === 0 && queue.call(POP, 0) === 0) wrong += put(left, queue.value[0]);
  }
  return { wrong };
}

/** Every anchor once in each walk; how many walks. */
function watch() {
  let [wrong, walks] = [0, 0];
  for (; walks < rounds / 100; walks++) {
    const seen = new Set();
    left.words[0] = 0;
    while (left.call(SCAN, 0) === 0) {
      if (left.key[0] < tokens) continue;
      if (seen.has(left.key[0]) || left.value[0] !== left.key[0]) wrong++;
      seen.add(left.key[0]);
    }
    if (seen.size !== anchors) wrong++;
  }
  return { wrong, walks };
}

parentPort.postMessage(role === 'mover' ? move() : watch());
