/**
 * What the samples say they do, written a second time, over bytes, from their head comments and the
 * RFCs: an engine that shares nothing with the others, so that a mistake common to all who run the
 * same instructions would show.
 */

export type MapContent = Map<string, Uint8Array>;

export interface ModelRun {
  readonly r0: number;
  readonly packet: Uint8Array;
}

/** Changes `maps` as the program does. */
export type Model = (packet: Uint8Array, maps: Readonly<Record<string, MapContent>>) => ModelRun;

const XDP = { ABORTED: 0, DROP: 1, PASS: 2, TX: 3 } as const;
const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const VLAN = 0x8100;
const QINQ = 0x88a8;
const TCP = 6;
const UDP = 17;
const FRAGMENT = 44;
const EXTENSIONS: ReadonlySet<number> = new Set([0, 43, FRAGMENT, 60]);

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const words = (...values: number[]) => hex(new Uint8Array(Uint32Array.from(values).buffer));
const big16 = (p: Uint8Array, at: number) => (p[at]! << 8) | p[at + 1]!;
const viewOf = (p: Uint8Array) => new DataView(p.buffer, p.byteOffset, p.length);

/** Adds to the 64-bit counter at `offset` of a value; false when there is no such key. */
function add(map: MapContent | undefined, key: string, amount: number, offset = 0): boolean {
  const value = map?.get(key);
  if (value === undefined) return false;
  const view = viewOf(value);
  view.setBigUint64(offset, view.getBigUint64(offset, true) + BigInt(amount), true);
  return true;
}

/** Counts under `key`, from 1 on. */
function tally(map: MapContent | undefined, key: string): void {
  if (!add(map, key, 1)) map?.set(key, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0));
}

const firewall: Model = (packet, { blocklist, decisions }) => {
  const decide = (reason: number, r0: number) => {
    add(decisions, words(reason), 1);
    return { r0, packet };
  };
  const malformed = () => decide(3, XDP.DROP);
  if (packet.length < 14) return malformed();
  const tagged = big16(packet, 12) === VLAN;
  const ip = tagged ? 18 : 14;
  if (packet.length < ip) return malformed();
  if (big16(packet, ip - 2) !== IPV4) return decide(1, XDP.PASS);
  if (packet.length < ip + 20 || packet[ip]! >> 4 !== 4) return malformed();
  const source = hex(packet.subarray(ip + 12, ip + 16));
  if (!add(blocklist, source, 1)) return decide(0, XDP.PASS);
  add(blocklist, source, packet.length, 8);
  return decide(2, XDP.DROP);
};

const countPorts: Model = (packet, { services }) => {
  const result = { r0: XDP.PASS, packet };
  if (packet.length < 34 || big16(packet, 12) !== IPV4) return result;
  const headerBytes = (packet[14]! & 15) * 4;
  const isLaterFragment = (big16(packet, 20) & 0x1fff) !== 0;
  if (headerBytes < 20 || isLaterFragment) return result;
  const protocol = packet[23]!;
  if (protocol !== TCP && protocol !== UDP) return result;
  if (packet.length < 14 + headerBytes + 4) return result;
  const port = big16(packet, 14 + headerBytes + 2);
  tally(services, hex(Uint8Array.of(protocol, 0, port & 255, port >> 8)));
  return result;
};

const walkHeaders: Model = (packet, { depths }) => {
  const end = (r0: number) => ({ r0, packet });
  let at = 14;
  let tags = 0;
  for (; tags < 2 && [VLAN, QINQ].includes(big16(packet, at - 2)); tags++) {
    at += 4;
    if (packet.length < at) return end(XDP.ABORTED);
  }
  if (big16(packet, at - 2) !== IPV6) return end(XDP.PASS);
  if (packet.length < at + 40) return end(XDP.ABORTED);
  let next = packet[at + 6]!;
  at += 40;
  let extensions = 0;
  for (; extensions < 6; extensions++) {
    if (!EXTENSIONS.has(next)) break;
    if (packet.length < at + 8) return end(XDP.ABORTED);
    const bytes = next === FRAGMENT ? 8 : 8 + packet[at + 1]! * 8;
    next = packet[at]!;
    at += bytes;
  }
  tally(depths, words(tags, extensions));
  return end(extensions === 6 ? XDP.DROP : XDP.PASS);
};

/** RFC 1071 over the 20 bytes of an IPv4 header, as if its checksum field were zero. */
function headerChecksum(header: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < 20; i += 2) if (i !== 10) sum += big16(header, i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

/** The packets of the capture have right checksums, so a right update equals a new computation. */
function withChecksum(packet: Uint8Array): Uint8Array {
  viewOf(packet).setUint16(24, headerChecksum(packet.subarray(14, 34)));
  return packet;
}

function isPlainTransport(packet: Uint8Array): boolean {
  if (packet.length < 38 || big16(packet, 12) !== IPV4 || packet[14] !== 0x45) return false;
  return packet[23] === TCP || packet[23] === UDP;
}

const remark: Model = (given) => {
  const packet = given.slice();
  const urgent = (port: number) => port === 22 || port === 53;
  if (!isPlainTransport(packet)) return { r0: 0, packet };
  if (!urgent(big16(packet, 34)) && !urgent(big16(packet, 36))) return { r0: 0, packet };
  packet[15] = (46 << 2) | (packet[15]! & 3);
  return { r0: 0, packet: withChecksum(packet) };
};

const dnsQueries: Model = (packet) => {
  const no = { r0: 0, packet };
  if (packet.length < 34 || big16(packet, 12) !== IPV4 || packet[23] !== UDP) return no;
  if ((big16(packet, 20) & 0x1fff) !== 0) return no;
  const udp = 14 + (packet[14]! & 15) * 4;
  if (packet.length < udp + 4 || big16(packet, udp + 2) !== 53) return no;
  if (packet.length < udp + 11 || (packet[udp + 10]! & 0x80) !== 0) return no;
  return { r0: 128, packet };
};

const rotate = (x: number, n: number) => (x << n) | (x >>> (32 - n));

function connectionHash(parts: readonly number[]): number {
  let hash = 0x9e3779b9 | 0;
  for (const part of parts)
    hash = Math.imul(rotate(hash ^ Math.imul(part, 0xcc9e2d51), 15), 0x1b873593);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

const SERVICE = '0a000050';

const balance: Model = (given, { ring, backends, forwarded }) => {
  const packet = given.slice();
  if (!isPlainTransport(packet) || hex(packet.subarray(30, 34)) !== SERVICE)
    return { r0: XDP.PASS, packet };
  const view = viewOf(packet);
  const connection = (view.getUint16(34, true) << 16) | view.getUint16(36, true);
  const hash = connectionHash([view.getUint32(26, true), connection, packet[23]!]);
  const chosen = hex(ring!.get(words(hash % 256))!);
  const backend = backends!.get(chosen);
  if (backend === undefined || viewOf(backend).getUint16(10, true) === 0)
    return { r0: XDP.DROP, packet };
  add(forwarded, chosen, 1);
  packet.copyWithin(6, 0, 6);
  packet.set(backend.subarray(4, 10), 0);
  packet.set(backend.subarray(0, 4), 30);
  return { r0: XDP.TX, packet: withChecksum(packet) };
};

/** By program name. */
export const MODELS: Readonly<Record<string, Model>> = {
  firewall,
  count_ports: countPorts,
  walk_headers: walkHeaders,
  remark,
  dns_queries: dnsQueries,
  balance,
};
