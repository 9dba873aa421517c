/** Headers that helpers insert and remove, on the reference engine; loader/native/helpers_link.c. */

import type { RunMemory } from './packet.ts';

const EINVAL = -22n;
const EFAULT = -14n;
const ENOMEM = -12n;
const EALREADY = -114n;
const ENOTSUPP = -524n;

const ETHERNET_BYTES = 14;
const MACS_BYTES = 12;
const TAG_BYTES = 4;
const SKB_BYTES_MAX = 16384 - 320;
/** Ethernet types in network byte order. */
const IPV4 = 0x0008;
const IPV6 = 0xdd86;
const VLAN = 0x0081;
const QINQ = 0xa888;
const isVlan = (type: number) => type === VLAN || type === QINQ;
const swap = (half: number) => ((half & 0xff) << 8) | (half >> 8);

/** Offsets in struct __sk_buff. */
const LEN = 0;
const PROTOCOL = 16;
const VLAN_PRESENT = 20;
const VLAN_TCI = 24;
const VLAN_PROTO = 28;
const HASH = 68;

function openGap(packet: RunMemory, offset: number, bytes: number): boolean {
  if (bytes > packet.data - packet.headLimit || offset > packet.length) return false;
  const { buffer, data } = packet;
  buffer.copyWithin(data - bytes, data, data + offset);
  buffer.fill(0, data - bytes + offset, data + offset);
  move(packet, -bytes);
  return true;
}

function closeGap(packet: RunMemory, offset: number, bytes: number): boolean {
  if (offset + bytes > packet.length) return false;
  packet.buffer.copyWithin(packet.data + bytes, packet.data, packet.data + offset);
  move(packet, bytes);
  return true;
}

function move(packet: RunMemory, bytes: number): void {
  packet.data += bytes;
  packet.mac += bytes;
  packet.network += bytes;
}

function publish(packet: RunMemory): void {
  packet.meta = packet.data;
  packet.set32(LEN, packet.length);
  packet.publish();
}

function setTag(packet: RunMemory, present: number, type: number, tag: number): void {
  packet.set32(VLAN_PRESENT, present);
  packet.set32(VLAN_TCI, tag);
  packet.set32(VLAN_PROTO, type);
}

const halfAt = (packet: RunMemory, at: number) =>
  packet.buffer[packet.data + at]! | (packet.buffer[packet.data + at + 1]! << 8);

export function pushTag(packet: RunMemory, type: number, tag: number): bigint {
  if (packet.get32(VLAN_PRESENT) !== 0) {
    const [oldType, oldTag] = [packet.get32(VLAN_PROTO), swap(packet.get32(VLAN_TCI))];
    if (!openGap(packet, MACS_BYTES, TAG_BYTES)) return ENOMEM;
    const header = new Uint8Array(Uint16Array.of(oldType, oldTag).buffer);
    packet.buffer.set(header, packet.data + MACS_BYTES);
    packet.set32(PROTOCOL, oldType);
  }
  setTag(packet, 1, isVlan(type) ? type : VLAN, tag);
  publish(packet);
  return 0n;
}

/** The tag that was in the packet; undefined: it is too short to have one. */
function takeTag(packet: RunMemory): number | undefined {
  if (packet.length < ETHERNET_BYTES + TAG_BYTES) return undefined;
  const tag = swap(halfAt(packet, ETHERNET_BYTES));
  const inner = halfAt(packet, ETHERNET_BYTES + 2);
  closeGap(packet, MACS_BYTES, TAG_BYTES);
  packet.network = packet.data + ETHERNET_BYTES;
  const novell = packet.length >= 16 && halfAt(packet, ETHERNET_BYTES) === 0xffff;
  packet.set32(PROTOCOL, swap(inner) >= 0x600 ? inner : swap(novell ? 1 : 4));
  return tag;
}

export function popTag(packet: RunMemory): bigint {
  if (packet.get32(VLAN_PRESENT) !== 0) setTag(packet, 0, 0, 0);
  else if (!isVlan(packet.get32(PROTOCOL))) return 0n;
  else if (takeTag(packet) === undefined) return ENOMEM;
  const type = packet.get32(PROTOCOL);
  const tag = isVlan(type) ? takeTag(packet) : undefined;
  if (tag !== undefined) setTag(packet, 1, type, tag);
  publish(packet);
  return isVlan(type) && tag === undefined ? ENOMEM : 0n;
}

const linkBytes = (packet: RunMemory) => packet.network - packet.mac;

export function changeProtocol(packet: RunMemory, to: number, flags: bigint): bigint {
  const from = packet.get32(PROTOCOL);
  if (flags !== 0n) return EINVAL;
  const grows = from === IPV4 && to === IPV6;
  if (!grows && !(from === IPV6 && to === IPV4)) return ENOTSUPP;
  if (!(grows ? openGap : closeGap)(packet, linkBytes(packet), 20)) return ENOMEM;
  packet.set32(PROTOCOL, to);
  packet.set32(HASH, 0);
  publish(packet);
  return 0n;
}

/** BPF_F_ADJ_ROOM_*, uapi/linux/bpf.h. */
const ENCAP_IPV4 = 2;
const ENCAP_IPV6 = 4;
const TUNNELS = 8 | 16;
const ENCAP_ETHERNET = 64;
const DECAP_IPV4 = 128;
const DECAP_IPV6 = 256;
const SHRINK_FLAGS = 1 | 32 | DECAP_IPV4 | DECAP_IPV6;
const KNOWN_FLAGS = 511n | (0xffn << 56n);

/** Buffers that have an outer header already. */
const encapsulated = new WeakSet<RunMemory>();

export function adjustRoom(packet: RunMemory, change: number, mode: number, flags: bigint): bigint {
  const protocol = packet.get32(PROTOCOL);
  const bytes = Math.abs(change);
  const low = Number(flags & 511n);
  if ((flags & ~KNOWN_FLAGS) !== 0n) return EINVAL;
  if (bytes > 0xfff) return EFAULT;
  if ((protocol !== IPV4 && protocol !== IPV6) || mode > 1) return ENOTSUPP;
  const base = protocol === IPV4 ? 20 : 40;
  const decapsulates = low & (DECAP_IPV4 | DECAP_IPV6);
  if (decapsulates !== 0 && (change >= 0 || decapsulates === (DECAP_IPV4 | DECAP_IPV6)))
    return EINVAL;
  const least = decapsulates === 0 ? base : decapsulates === DECAP_IPV4 ? 20 : 40;
  const left = packet.end - packet.network + change;
  if (change < 0 ? left <= 0 || left < least : packet.length + bytes > SKB_BYTES_MAX)
    return ENOTSUPP;
  const offset = linkBytes(packet) + (mode === 0 ? base : 0);
  const error =
    change < 0
      ? shrink(packet, offset, bytes, flags)
      : grow(packet, offset, bytes, low, Number(flags >> 56n));
  publish(packet);
  return error;
}

function shrink(packet: RunMemory, offset: number, bytes: number, flags: bigint): bigint {
  if ((flags & ~BigInt(SHRINK_FLAGS)) !== 0n) return EINVAL;
  if (!closeGap(packet, offset, bytes)) return ENOMEM;
  if ((flags & BigInt(DECAP_IPV6)) !== 0n) packet.set32(PROTOCOL, IPV6);
  else if ((flags & BigInt(DECAP_IPV4)) !== 0n) packet.set32(PROTOCOL, IPV4);
  return 0n;
}

function grow(
  packet: RunMemory,
  offset: number,
  bytes: number,
  flags: number,
  innerLink: number,
): bigint {
  const outer = flags & (ENCAP_IPV4 | ENCAP_IPV6);
  if (outer !== 0) {
    if (outer === (ENCAP_IPV4 | ENCAP_IPV6) || (flags & TUNNELS) === TUNNELS) return EINVAL;
    if ((flags & ENCAP_ETHERNET) !== 0 && innerLink < ETHERNET_BYTES) return EINVAL;
    if (encapsulated.has(packet)) return EALREADY;
    if (innerLink > bytes) return EINVAL;
  }
  if (!openGap(packet, offset, bytes)) return ENOMEM;
  if (outer === 0) return 0n;
  encapsulated.add(packet);
  packet.set32(PROTOCOL, outer === ENCAP_IPV6 ? IPV6 : IPV4);
  return 0n;
}
