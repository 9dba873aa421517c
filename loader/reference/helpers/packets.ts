/** Helpers on packets: their bytes, their bounds, their headers, and where they go. */

import { adjustRoom, changeProtocol, popTag, pushTag } from '../link.ts';
import { EINVAL } from '../maps.ts';
import type { RunMemory } from '../packet.ts';
import { type Call, EACCES, EFAULT, ENOMEM, type HelperFunction } from './call.ts';

/** Copies between packet and memory; `undefined` error means: fill with zeroes and -EFAULT. */
function loadBytes(call: Call, base: number): bigint {
  const { packet } = call.run;
  const [offset, sizeBytes] = [call.u32(2), call.u32(4)];
  const out = call.bytes(3, sizeBytes, 'read-write');
  const inside = offset <= 0x7fffffff && base + offset + sizeBytes <= packet.end;
  if (inside) out.set(packet.buffer.subarray(base + offset, base + offset + sizeBytes));
  else out.fill(0);
  return inside ? 0n : EFAULT;
}

function loadRelative(call: Call): bigint {
  const { packet } = call.run;
  const start = call.u32(5);
  const base = start === 0 ? packet.mac : packet.network;
  if (start <= 1 && call.u32(2) <= 0xffff) return loadBytes(call, base);
  call.bytes(3, call.u32(4), 'read-write').fill(0);
  return EFAULT;
}

function storeBytes(call: Call, beyond: bigint): bigint {
  const { packet } = call.run;
  const [offset, sizeBytes] = [call.u32(2), call.u32(4)];
  const source = call.bytes(3, sizeBytes).slice();
  if (offset > 0x7fffffff || packet.data + offset + sizeBytes > packet.end) return beyond;
  packet.buffer.set(source, packet.data + offset);
  return 0n;
}

const tooLong = (call: Call) => call.u32(2) > 0xffff || call.u32(4) > 0xffff;

function xdpLoadBytes(call: Call): bigint {
  const { packet } = call.run;
  const [offset, sizeBytes] = [call.u32(2), call.u32(4)];
  if (tooLong(call)) return EFAULT;
  const out = call.bytes(3, sizeBytes, 'read-write');
  if (packet.data + offset + sizeBytes > packet.end) return EINVAL;
  out.set(packet.buffer.subarray(packet.data + offset, packet.data + offset + sizeBytes));
  return 0n;
}

/** struct xdp_frame stands at the start of the headroom. */
const XDP_FRAME_BYTES = 40;
const ETHERNET_BYTES = 14;

function adjustHead(call: Call): bigint {
  const { packet } = call.run;
  const change = call.s32(2);
  const metaBytes = packet.data - packet.meta;
  const data = packet.data + change;
  if (data < packet.headLimit + XDP_FRAME_BYTES + metaBytes || data > packet.end - ETHERNET_BYTES)
    return EINVAL;
  packet.buffer.copyWithin(packet.meta + change, packet.meta, packet.data);
  packet.meta += change;
  packet.data = data;
  packet.publish();
  return 0n;
}

function adjustTail(call: Call): bigint {
  const { packet } = call.run;
  const end = packet.end + call.s32(2);
  if (end > packet.tailLimit || end < packet.data + ETHERNET_BYTES) return EINVAL;
  if (end > packet.end) packet.buffer.fill(0, packet.end, end);
  packet.end = end;
  packet.publish();
  return 0n;
}

function adjustMeta(call: Call): bigint {
  const { packet } = call.run;
  const meta = packet.meta + call.s32(2);
  if (meta < packet.headLimit + XDP_FRAME_BYTES || meta > packet.data) return EINVAL;
  if ((packet.data - meta) % 4 !== 0 || packet.data - meta > 255) return EACCES;
  packet.meta = meta;
  packet.publish();
  return 0n;
}

const SKB_BYTES_MAX = 16384 - 320;

function changeTail(call: Call): bigint {
  const { packet } = call.run;
  const wanted = call.u32(2);
  if (call.u64(3) !== 0n || wanted > SKB_BYTES_MAX) return EINVAL;
  if (wanted < Math.max(0, packet.network - packet.data)) return EINVAL;
  const end = packet.data + wanted;
  if (end > packet.tailLimit) return ENOMEM;
  if (end > packet.end) packet.buffer.fill(0, packet.end, end);
  packet.end = end;
  return resized(call);
}

function changeHead(call: Call): bigint {
  const { packet } = call.run;
  const room = call.u32(2);
  if (call.u64(3) !== 0n || packet.length + room > SKB_BYTES_MAX) return EINVAL;
  if (room > packet.data - packet.headLimit) return ENOMEM;
  packet.data -= room;
  packet.buffer.fill(0, packet.data, packet.data + room);
  packet.mac = packet.data;
  return resized(call);
}

function resized(call: Call): bigint {
  const { packet } = call.run;
  packet.meta = packet.data;
  packet.set32(0, packet.length);
  packet.publish();
  return 0n;
}

function redirect(call: Call): bigint {
  const xdp = call.run.packet.plan.kind === 'xdp';
  const flags = call.u64(2);
  if (xdp ? flags !== 0n : (flags & ~1n) !== 0n) return xdp ? 0n : 2n;
  call.run.redirect = { kind: 'redirect', ifindex: call.u32(1), flags, key: call.u32(1) };
  return xdp ? 4n : 7n;
}

function redirectMap(call: Call): bigint {
  const flags = call.u64(3);
  const key = call.u32(2);
  if ((flags & ~0x1bn) !== 0n) return 0n;
  const present = call.map(1).find(new Uint8Array(Uint32Array.of(key).buffer)) !== undefined;
  if ((flags & 8n) === 0n && !present) return flags & 3n;
  call.run.redirect = { kind: 'redirect-map', ifindex: key, flags, key };
  return 4n;
}

export const PACKETS: Readonly<Record<number, HelperFunction>> = {
  9: (call) => ((call.u64(5) & ~3n) === 0n ? storeBytes(call, EFAULT) : EINVAL),
  13: (call) => {
    if ((call.u64(3) & ~1n) !== 0n) return EINVAL;
    const ifindex = call.u32(2);
    call.run.redirect = { kind: 'clone-redirect', ifindex, flags: call.u64(3), key: ifindex };
    return 0n;
  },
  18: (call) => pushTag(call.run.packet, call.u32(2) & 0xffff, call.u32(3) & 0xffff),
  19: (call) => popTag(call.run.packet),
  23: redirect,
  26: (call) => loadBytes(call, call.run.packet.data),
  31: (call) => changeProtocol(call.run.packet, call.u32(2) & 0xffff, call.u64(3)),
  32: (call) => {
    if (call.u32(2) > 3 || call.run.packet.get32(4) > 3) return EINVAL;
    call.run.packet.set32(4, call.u32(2));
    return 0n;
  },
  34: (call) => {
    const { packet } = call.run;
    if (packet.get32(68) === 0) packet.set32(68, flowHash(packet));
    return BigInt(packet.get32(68));
  },
  38: changeTail,
  39: (call) => (call.u32(2) <= call.run.packet.length ? 0n : ENOMEM),
  41: (call) => setHash(call, 0),
  43: changeHead,
  44: adjustHead,
  48: (call) => setHash(call, call.u32(2)),
  50: (call) => adjustRoom(call.run.packet, call.s32(2), call.u32(3), call.u64(4)),
  51: redirectMap,
  54: adjustMeta,
  65: adjustTail,
  68: loadRelative,
  188: (call) => BigInt(call.run.packet.length),
  189: xdpLoadBytes,
  190: (call) => (tooLong(call) ? EFAULT : storeBytes(call, EINVAL)),
};

/** FNV-1a over addresses and ports, as in loader/native/helpers_room.c. */
function flowHash(packet: RunMemory): number {
  const protocol = packet.get32(16);
  const header = packet.buffer.subarray(packet.network, packet.end);
  const isIpv4 = protocol === 0x0008;
  const [start, end] = isIpv4 ? [12, 20] : [8, 40];
  if ((!isIpv4 && protocol !== 0xdd86) || header.length < end) return protocol + 1;
  const ports = isIpv4 ? (header[0]! & 15) * 4 : 40;
  let hash = 2166136261;
  for (const byte of [...header.subarray(start, end), ...header.subarray(ports, ports + 4)])
    hash = Math.imul(hash ^ byte, 16777619);
  return hash >>> 0 || 1;
}

function setHash(call: Call, hash: number): bigint {
  call.run.packet.set32(68, hash);
  return 0n;
}
