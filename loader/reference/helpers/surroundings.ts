/**
 * Helpers on what surrounds a run: sockets, control groups, namespaces, stacks. There is one socket, that
 * of the run, and the root control group; nothing else is found but what the host has given.
 */

import { EINVAL, ENOENT } from '../maps.ts';
import { type Call, EFAULT, type HelperFunction } from './call.ts';

const E2BIG = -7n;
const EAGAIN = -11n;
const EOPNOTSUPP = -95n;
const EAFNOSUPPORT = -97n;

const nothing: HelperFunction = () => 0n;
const one: HelperFunction = () => 1n;
const rootAt =
  (number: 1 | 2): HelperFunction =>
  (call) =>
    call.s32(number) === 0 ? 1n : 0n;

/** Whether a member belongs to the group at an index: every group has all, and none is there. */
function isMember(call: Call, map: 1 | 2, index: 2 | 3): bigint {
  const groups = call.map(map);
  if (call.u32(index) >= groups.maxEntries) return E2BIG;
  const key = new Uint8Array(Uint32Array.of(call.u32(index)).buffer);
  return groups.find(key) === undefined ? EAGAIN : 1n;
}

/** Redirects to sockets: passed where the map has one. */
function toSocket(call: Call, key: Uint8Array, number: number): bigint {
  const flags = call.u64(4);
  if ((flags & ~1n) !== 0n || call.map(2).find(key) === undefined) return 0n;
  call.run.redirect = { kind: 'redirect-map', ifindex: number, flags, key: number };
  return 1n;
}

const byIndex: HelperFunction = (call) =>
  toSocket(call, new Uint8Array(Uint32Array.of(call.u32(3)).buffer), call.u32(3));
const byHash: HelperFunction = (call) => toSocket(call, call.bytes(3, call.map(2).keySize), 0);

/** Nothing is routed. */
function lookUpRoute(call: Call): bigint {
  if (call.s32(3) < 64 || (call.u32(4) & ~0x3f) !== 0) return EINVAL;
  const family = call.bytes(2, 1)[0];
  return family === 2 || family === 10 ? 4n : EAFNOSUPPORT;
}

/** The sample, with so many bytes of the packet behind it as the upper half of the flags says. */
function outputSample(call: Call): bigint {
  const { packet, cpu } = call.run;
  const index = call.u32(3) === 0xffff_ffff ? cpu : call.u32(3);
  const packetBytes = Number(call.u64(3) >> 32n);
  const hasPacket = packet.plan.kind === 'xdp' || packet.plan.kind === 'skb';
  if (packetBytes >= 1 << 20 || (packetBytes !== 0 && !hasPacket)) return EINVAL;
  if (packetBytes > packet.length) return EFAULT;
  const data = call.bytes(4, Number(call.u64(5)));
  const more = packet.buffer.subarray(packet.data, packet.data + packetBytes);
  return call.map(2).sample(index, Uint8Array.of(...data, ...more));
}

/** None of these sockets is of the kind asked for. */
const CASTS = [136, 137, 138, 139, 140, 178, 196];

export const SURROUNDINGS: Readonly<Record<number, HelperFunction>> = {
  ...Object.fromEntries(CASTS.map((id) => [id, nothing])),
  17: nothing,
  24: nothing,
  25: outputSample,
  27: () => EFAULT,
  33: (call) => isMember(call, 2, 3),
  35: () => 0xffff_8880_0000_0000n,
  37: (call) => isMember(call, 1, 2),
  46: one,
  47: nothing,
  52: byIndex,
  60: byIndex,
  67: () => EFAULT,
  69: lookUpRoute,
  71: byHash,
  72: byHash,
  79: one,
  83: rootAt(2),
  84: nothing,
  85: nothing,
  86: nothing,
  95: (call) => call.u64(1),
  96: nothing,
  98: nothing,
  99: nothing,
  100: () => ENOENT,
  110: () => ENOENT,
  122: one,
  123: rootAt(1),
  124: (call) => (call.u64(3) !== 0n ? EINVAL : EOPNOTSUPP),
  128: one,
  129: rootAt(2),
  151: nothing,
  173: nothing,
  174: nothing,
  186: (call) => BigInt(call.run.retval),
  187: (call) => {
    call.run.retval = call.s32(1);
    return 0n;
  },
};
