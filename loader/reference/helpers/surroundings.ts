/**
 * Helpers on what surrounds a run: sockets, control groups, namespaces, stacks. There is one socket, that
 * of the run, and the root control group; nothing else is found but what the host has given.
 */

import { endpoint, macBytes } from '../../../platform/index.ts';
import type { Route } from '../../surroundings.ts';
import { EEXIST, EINVAL, ENOENT } from '../maps.ts';
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
/** RF_REDIRECT_KEY_BYTES of loader/native/run.h. */
const KEPT_KEY_BYTES = 64;

function byHash(call: Call): bigint {
  const key = call.bytes(3, call.map(2).keySize).slice();
  const passed = toSocket(call, key, 0);
  if (passed === 1n && call.run.redirect !== undefined)
    call.run.redirect = { ...call.run.redirect, keyBytes: key.subarray(0, KEPT_KEY_BYTES) };
  return passed;
}

/** Which of the sockets that share a port: the choice is recorded. */
function selectSocket(call: Call): bigint {
  const key = call.bytes(3, 4).slice();
  if (call.u64(4) !== 0n) return EINVAL;
  if (call.map(2).find(key) === undefined) return ENOENT;
  const index = new DataView(key.buffer).getUint32(0, true);
  call.run.redirect = { kind: 'redirect-map', ifindex: index, flags: 0n, key: index };
  return 0n;
}

/** BPF_FIB_LKUP_RET_*, uapi/linux/bpf.h, where it is not a route that refuses. */
const NOT_FORWARDED = 4n;
const NO_NEIGHBOUR = 7n;
const TOO_LONG = 8n;
const REFUSALS = { blackhole: 1n, unreachable: 2n, prohibit: 3n } as const;
const SKIP_NEIGHBOUR = 4;

function lookUpRoute(call: Call): bigint {
  if (call.s32(3) < 64 || (call.u32(4) & ~0x3f) !== 0) return EINVAL;
  const parameters = call.bytes(2, 64, 'read-write');
  const family = parameters[0];
  if (family !== 2 && family !== 10) return EAFNOSUPPORT;
  const route = call.run.around.routeTo(parameters.slice(32, family === 2 ? 36 : 48));
  return route === undefined ? NOT_FORWARDED : follow(route, call.u32(4), parameters);
}

/** `struct bpf_fib_lookup` as the route fills it. */
function follow(route: Route, flags: number, parameters: Uint8Array): bigint {
  const view = new DataView(parameters.buffer, parameters.byteOffset, parameters.length);
  if (route.refuses !== undefined) return REFUSALS[route.refuses];
  const length = view.getUint16(6, true);
  view.setUint32(8, route.ifindex, true);
  if (length !== 0 && route.mtu) {
    view.setUint16(6, route.mtu, true);
    if (length > route.mtu) return TOO_LONG;
  }
  parameters.fill(0, 12, 16);
  parameters.fill(0, 48, 52);
  if (route.gateway !== undefined) parameters.set(endpoint(route.gateway).address, 32);
  if ((flags & SKIP_NEIGHBOUR) !== 0) return 0n;
  if (route.destinationMac === undefined) return NO_NEIGHBOUR;
  parameters.set(macBytes(route.sourceMac ?? '0:0:0:0:0:0'), 52);
  parameters.set(macBytes(route.destinationMac), 58);
  return 0n;
}

/** `struct bpf_sock_tuple`: the remote end is the source of the packet. */
const lookUpSocket =
  (protocol: 'tcp' | 'udp'): HelperFunction =>
  (call) => {
    const sizeBytes = call.u32(3);
    if (call.u64(5) !== 0n || (sizeBytes !== 12 && sizeBytes !== 36)) return 0n;
    const tuple = call.bytes(2, sizeBytes);
    const length = sizeBytes === 12 ? 4 : 16;
    const port = (at: number) => (tuple[at]! << 8) | tuple[at + 1]!;
    return call.run.around.socketAt({
      protocol,
      remote: { address: tuple.slice(0, length), port: port(2 * length) },
      local: { address: tuple.slice(length, 2 * length), port: port(2 * length + 2) },
    });
  };

/** The socket itself if it listens. */
function listener(call: Call): bigint {
  const state = call.machine.memory.load(call.u64(1) + 72n, 4);
  return state === 10n ? call.u64(1) : 0n;
}

/** The entries behind those to be skipped, cut or filled up with zeroes; and how many bytes they are. */
function stackOf(call: Call, skipped: number, sizeBytes: number): [Uint8Array, bigint] | undefined {
  const { stack } = call.run.around;
  if (stack.length === 0 || skipped > stack.length) return undefined;
  const entries = new Uint8Array(new BigUint64Array(stack.slice(skipped)).buffer);
  const out = new Uint8Array(sizeBytes);
  out.set(entries.subarray(0, sizeBytes));
  return [out, BigInt(Math.min(sizeBytes, entries.length))];
}

function getStack(call: Call): bigint {
  const [sizeBytes, flags] = [call.u32(3), call.u64(4)];
  const out = call.bytes(2, sizeBytes, 'read-write');
  const refused = (flags & ~0x1ffn) !== 0n || sizeBytes % 8 !== 0;
  const [bytes, copied] = (!refused && stackOf(call, Number(flags & 0xffn), sizeBytes)) || [
    new Uint8Array(sizeBytes),
    refused ? EINVAL : EFAULT,
  ];
  out.set(bytes);
  return copied;
}

function getStackId(call: Call): bigint {
  const flags = call.u64(3);
  const map = call.map(2);
  const { valueSize, maxEntries } = map.spec;
  if ((flags & ~0x7ffn) !== 0n || valueSize > 127 * 8) return EINVAL;
  const [bytes] = stackOf(call, Number(flags & 0xffn), valueSize) ?? [];
  if (bytes === undefined) return EFAULT;
  let hash = 2166136261;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 16777619);
  const id = (hash >>> 0) % 2 ** Math.ceil(Math.log2(maxEntries));
  const key = new Uint8Array(Uint32Array.of(id).buffer);
  const kept = map.find(key)?.bytes.subarray(0, valueSize);
  if (kept !== undefined && Buffer.compare(kept, bytes) === 0) return BigInt(id);
  if (kept !== undefined && (flags & 0x400n) === 0n) return EEXIST;
  const error = map.update(key, bytes, 0n, undefined);
  return error === 0n ? BigInt(id) : error;
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
  27: getStackId,
  33: (call) => isMember(call, 2, 3),
  35: () => 0xffff_8880_0000_0000n,
  37: (call) => isMember(call, 1, 2),
  46: one,
  47: nothing,
  52: byIndex,
  60: byIndex,
  66: (call) => {
    call.bytes(3, call.u32(4), 'read-write').fill(0);
    return EINVAL;
  },
  67: getStack,
  69: lookUpRoute,
  71: byHash,
  72: byHash,
  79: one,
  82: selectSocket,
  83: rootAt(2),
  84: lookUpSocket('tcp'),
  85: lookUpSocket('udp'),
  86: nothing,
  95: (call) => call.u64(1),
  96: nothing,
  98: listener,
  99: lookUpSocket('tcp'),
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
