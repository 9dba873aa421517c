/** Helpers on what headers say, and on where a packet may go. */

import { EINVAL } from '../maps.ts';
import type { RunMemory } from '../packet.ts';
import type { Call, HelperFunction } from './call.ts';

const ENODEV = -19n;
const EOPNOTSUPP = -95n;
/** TC_ACT_SHOT and TC_ACT_REDIRECT, uapi/linux/pkt_cls.h. */
const SHOT = 2n;
const REDIRECT = 7n;
/** Ethernet types as __sk_buff.protocol has them: in network byte order. */
const IPV4 = 0x0008;
const IPV6 = 0xdd86;
const TAGS: ReadonlySet<number> = new Set([0x0081, 0xa888]);
const ETHERNET_BYTES = 14;
const TAG_BYTES = 4;
/** Of the loopback device, the only one. */
const MTU = 65_536;

/** The protocol behind all tags; undefined: the packet ends before. */
function innerProtocol(packet: RunMemory): number | undefined {
  let protocol = packet.get32(16);
  for (let at = packet.network; TAGS.has(protocol); at += TAG_BYTES) {
    if (at + TAG_BYTES > packet.end) return undefined;
    protocol = packet.buffer[at + 2]! | (packet.buffer[at + 3]! << 8);
  }
  return protocol;
}

/** RFC 3168; the IPv4 checksum is brought along as RFC 1624 says. */
function markCongestion({ run: { packet } }: Call): bigint {
  const protocol = innerProtocol(packet);
  const header = packet.buffer.subarray(packet.network, packet.end);
  if (protocol === IPV6 && header.length >= 40) {
    if ((header[1]! & 0x30) === 0) return 0n;
    header[1]! |= 0x30;
    return 1n;
  }
  if (protocol !== IPV4 || header.length < 20) return 0n;
  const code = header[1]! & 3;
  if (code === 0) return 0n;
  if (code === 3) return 1n;
  header[1]! |= 3;
  const view = new DataView(header.buffer, header.byteOffset, header.length);
  const lowered = view.getUint16(10) - (3 - code);
  view.setUint16(10, lowered <= 0 ? lowered + 0xffff : lowered);
  return 1n;
}

function stamp(call: Call): bigint {
  const { packet } = call.run;
  const protocol = packet.get32(16);
  if (protocol !== IPV4 && protocol !== IPV6) return EOPNOTSUPP;
  const [time, type] = [call.u64(2), call.u32(3)];
  if (type > 2 || (type !== 0 && time === 0n)) return EINVAL;
  new DataView(packet.context.buffer).setBigUint64(152, time, true);
  packet.context[180] = type;
  return 0n;
}

function checkMtu(call: Call): bigint {
  const { packet } = call.run;
  const length = call.bytes(3, 4, 'read-write');
  const view = new DataView(length.buffer, length.byteOffset, 4);
  const [given, change, flags] = [view.getUint32(0, true), call.s32(4), call.u64(5)];
  if ((flags & ~(packet.plan.kind === 'xdp' ? 0n : 1n)) !== 0n) return EINVAL;
  if (flags !== 0n && (change !== 0 || given !== 0)) return EINVAL;
  if (call.u32(2) > 1) return ENODEV;
  const size = (given !== 0 ? given + ETHERNET_BYTES : packet.length) + change;
  view.setUint32(0, MTU, true);
  return (size | 0) <= MTU + ETHERNET_BYTES ? 0n : 1n;
}

function toNeighbour(call: Call): bigint {
  const size = call.u64(3);
  if ((size !== 0n && size < 20n) || call.u64(4) !== 0n) return SHOT;
  const ifindex = call.u32(1);
  call.run.redirect = { kind: 'redirect-neigh', ifindex, flags: call.u64(4), key: ifindex };
  return REDIRECT;
}

function toPeer(call: Call): bigint {
  if (call.u64(2) !== 0n) return SHOT;
  const ifindex = call.u32(1);
  call.run.redirect = { kind: 'redirect-peer', ifindex, flags: 0n, key: ifindex };
  return REDIRECT;
}

export const HEADERS: Readonly<Record<number, HelperFunction>> = {
  97: markCongestion,
  152: toNeighbour,
  155: toPeer,
  163: checkMtu,
  192: stamp,
};
