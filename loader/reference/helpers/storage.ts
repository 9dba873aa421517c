/** Local storage on the reference engine: values by the identity of the object that a run is about. */

import { EINVAL, type ReferenceMap } from '../maps.ts';
import type { Call, HelperFunction } from './call.ts';

/** BPF_LOCAL_STORAGE_GET_F_CREATE. */
const CREATE = 1n;

function get(call: Call): bigint {
  const identity = call.run.identify(call.u64(2));
  const flags = call.u64(4);
  if (flags & ~CREATE || identity === undefined) return 0n;
  const map = call.map(1);
  const value = call.u64(3) === 0n ? undefined : call.bytes(3, map.spec.valueSize);
  return flags === CREATE ? obtain(map, identity, value, call.run.cpu) : found(map, identity, 0);
}

function found(map: ReferenceMap, identity: bigint, cpu: number): bigint {
  const element = map.find(identityKey(identity));
  return element === undefined ? 0n : map.addressOf(element, cpu);
}

function obtain(
  map: ReferenceMap,
  identity: bigint,
  value: Uint8Array | undefined,
  cpu: number,
): bigint {
  const key = identityKey(identity);
  if (map.find(key) === undefined)
    map.update(key, value ?? new Uint8Array(map.spec.valueSize), 0n, cpu);
  return found(map, identity, cpu);
}

const identityKey = (identity: bigint) => new Uint8Array(BigUint64Array.of(identity).buffer);

function remove(call: Call): bigint {
  const identity = call.run.identify(call.u64(2));
  return identity === undefined ? EINVAL : call.map(1).delete(identityKey(identity));
}

export const STORAGE: Readonly<Record<number, HelperFunction>> = {
  80: (call) => call.run.identity.cgroup,
  81: (call) => obtain(call.map(1), call.run.identity.cgroup, undefined, call.run.cpu),
  107: get,
  108: remove,
  145: get,
  146: remove,
  156: get,
  157: remove,
  158: (call) => call.run.task,
  210: get,
  211: remove,
};
