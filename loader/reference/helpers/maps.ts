/** Helpers on maps and ring buffers, and those that go elsewhere: callbacks, loops, tail calls. */

import { CPU_SLOTS } from '../../environment.ts';
import { EINVAL, type ReferenceMap } from '../maps.ts';
import type { Call, HelperFunction } from './call.ts';

function lookup(call: Call, cpu: number): bigint {
  const map = call.map(1);
  const key = call.bytes(2, map.keySize);
  const target = map.target(key);
  if (target !== undefined) return (target as ReferenceMap).address;
  const element = map.find(key);
  return element === undefined ? 0n : map.addressOf(element, cpu);
}

function forEach(call: Call): bigint {
  const map = call.map(1);
  if (call.u64(4) !== 0n) return EINVAL;
  let visited = 0n;
  for (const element of map.elements()) {
    visited++;
    const key = call.run.scratch(element.key);
    const result = call.callback(
      map.address,
      key,
      map.addressOf(element, call.run.cpu),
      call.u64(3),
    );
    if (result !== 0n) break;
  }
  return visited;
}

function loop(call: Call): bigint {
  const count = call.u32(1);
  if (call.u64(4) !== 0n) return EINVAL;
  if (count > 8 * 1024 * 1024) return -7n;
  for (let i = 0; i < count; i++)
    if (call.callback(BigInt(i), call.u64(3)) !== 0n) return BigInt(i + 1);
  return BigInt(count);
}

function tailCall(call: Call): bigint {
  const target = call.map(2).target(new Uint8Array(Uint32Array.of(call.u32(3)).buffer));
  if (target === undefined) return -2n;
  return call.run.tailCall(call.machine, target, call.u64(1));
}

export const MAPS: Readonly<Record<number, HelperFunction>> = {
  1: (call) => lookup(call, call.run.cpu),
  2: (call) => {
    const map = call.map(1);
    const value = call.bytes(3, map.spec.valueSize);
    return map.update(call.bytes(2, map.keySize), value, call.u64(4), call.run.cpu);
  },
  3: (call) => call.map(1).delete(call.bytes(2, call.map(1).keySize)),
  12: tailCall,
  87: (call) => call.map(1).push(call.bytes(2, call.map(1).spec.valueSize), call.u64(3)),
  88: (call) => call.map(1).take(call.bytes(2, call.map(1).spec.valueSize, 'read-write'), 'leaves'),
  89: (call) => call.map(1).take(call.bytes(2, call.map(1).spec.valueSize, 'read-write'), 'stays'),
  93: () => 0n,
  94: () => 0n,
  130: (call) => call.map(1).output(call.bytes(2, Number(call.u64(3)))),
  131: (call) => (call.u64(3) === 0n ? call.run.reserve(call.map(1), Number(call.u64(2))) : 0n),
  132: (call) => call.run.finishRecord(call.u64(1), 'ready'),
  133: (call) => call.run.finishRecord(call.u64(1), 'discarded'),
  134: (call) =>
    call.u64(2) === 0n
      ? BigInt(call.map(1).pendingBytes)
      : call.u64(2) === 1n
        ? BigInt(call.map(1).maxEntries)
        : 0n,
  164: forEach,
  181: loop,
  195: (call) => (call.u32(3) < CPU_SLOTS && call.map(1).perCpu ? lookup(call, call.u32(3)) : 0n),
};
