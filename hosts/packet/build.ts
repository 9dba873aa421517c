/**
 * Builds packets for tests and examples: pick the layers, lengths and checksums come out right.
 *
 * `packet.tcp({ dst: '10.0.0.1:443' })` is a whole Ethernet frame. Formats: RFC 791, 793, 768, 792,
 * 826, 8200, 4443, IEEE 802.1Q.
 */

export interface LinkOptions {
  /** `02:00:00:00:00:01`. */
  readonly srcMac?: string;
  readonly dstMac?: string;
  /** VLAN ids, outermost first. */
  readonly vlans?: readonly number[];
}

export interface NetworkOptions extends LinkOptions {
  /** `10.0.0.1:443`, `[2001:db8::1]:443`; without a port for protocols that have none. */
  readonly src?: string;
  readonly dst?: string;
  readonly ttl?: number;
  readonly tos?: number;
  readonly id?: number;
  /** IPv4 flags and fragment offset as on the wire. */
  readonly fragment?: number;
  /** IPv4 options, a multiple of 4 bytes. */
  readonly ipOptions?: Uint8Array;
  /** IPv6 extension headers in front of the transport header. */
  readonly extensions?: readonly Ipv6Extension[];
  readonly payload?: Uint8Array | string;
}

export interface Ipv6Extension {
  readonly protocol: number;
  /** Whole header, first byte (next header) filled in for you; a multiple of 8 bytes. */
  readonly bytes: Uint8Array;
}

export interface TcpOptions extends NetworkOptions {
  /** Flag letters: `S`, `SA`, `PA`, `F`, `R`. */
  readonly flags?: string;
  readonly sequence?: number;
  readonly acknowledgement?: number;
  readonly window?: number;
}

const ETHERTYPE = { ipv4: 0x0800, arp: 0x0806, vlan: 0x8100, ipv6: 0x86dd } as const;
const PROTOCOL = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58 } as const;
const TCP_FLAGS: Readonly<Record<string, number>> = { F: 1, S: 2, R: 4, P: 8, A: 16, U: 32 };

interface Endpoint {
  readonly address: Uint8Array;
  readonly port: number;
}

function concatenate(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

const big16 = (value: number) => Uint8Array.of((value >> 8) & 0xff, value & 0xff);
const big32 = (value: number) => concatenate(big16(value >>> 16), big16(value & 0xffff));

function macBytes(text: string): Uint8Array {
  const parts = text.split(':').map((part) => Number.parseInt(part, 16));
  if (parts.length !== 6 || parts.some((byte) => !(byte >= 0 && byte <= 255))) {
    throw new RangeError(`'${text}' is not a MAC address like 02:00:00:00:00:01`);
  }
  return Uint8Array.from(parts);
}

function ipv4Bytes(text: string): Uint8Array {
  const parts = text.split('.').map(Number);
  if (
    parts.length !== 4 ||
    parts.some((byte) => !(Number.isInteger(byte) && byte >= 0 && byte <= 255))
  ) {
    throw new RangeError(`'${text}' is not an IPv4 address`);
  }
  return Uint8Array.from(parts);
}

function ipv6Bytes(text: string): Uint8Array {
  const [head = '', tail] = text.split('::');
  const words = (part: string) =>
    part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16));
  const front = words(head);
  const back = tail === undefined ? [] : words(tail);
  const zeros = new Array<number>(Math.max(0, 8 - front.length - back.length)).fill(0);
  const all = tail === undefined ? front : [...front, ...zeros, ...back];
  if (all.length !== 8 || all.some((word) => !(word >= 0 && word <= 0xffff))) {
    throw new RangeError(`'${text}' is not an IPv6 address`);
  }
  return concatenate(...all.map(big16));
}

/** Parses `10.0.0.1:443` or `[2001:db8::1]:443`; the port is optional. */
function endpoint(text: string): Endpoint {
  const six = /^\[([0-9a-fA-F:]+)\](?::(\d+))?$/.exec(text);
  if (six) return { address: ipv6Bytes(six[1] ?? ''), port: Number(six[2] ?? 0) };
  const four = /^([\d.]+)(?::(\d+))?$/.exec(text);
  if (four) return { address: ipv4Bytes(four[1] ?? ''), port: Number(four[2] ?? 0) };
  throw new RangeError(`'${text}' is not an endpoint like 10.0.0.1:443 or [2001:db8::1]:443`);
}

/** The Internet checksum of RFC 1071, ready to be stored big-endian. */
export function internetChecksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function ethernetFrame(options: LinkOptions, type: number, payload: Uint8Array): Uint8Array {
  const vlans = options.vlans ?? [];
  const tags = vlans.flatMap((id) => [big16(ETHERTYPE.vlan), big16(id)]);
  return concatenate(
    macBytes(options.dstMac ?? '02:00:00:00:00:02'),
    macBytes(options.srcMac ?? '02:00:00:00:00:01'),
    ...tags,
    big16(type),
    payload,
  );
}

function ipv4Packet(
  from: Endpoint,
  to: Endpoint,
  protocol: number,
  o: NetworkOptions,
  body: Uint8Array,
): Uint8Array {
  const extra = o.ipOptions ?? new Uint8Array(0);
  if (extra.length % 4 !== 0 || extra.length > 40)
    throw new RangeError('IPv4 options: 0, 4, ... 40 bytes');
  const header = concatenate(
    Uint8Array.of(0x45 + extra.length / 4, o.tos ?? 0),
    big16(20 + extra.length + body.length),
    big16(o.id ?? 0),
    big16(o.fragment ?? 0x4000),
    Uint8Array.of(o.ttl ?? 64, protocol, 0, 0),
    from.address,
    to.address,
    extra,
  );
  header.set(big16(internetChecksum(header)), 10);
  return concatenate(header, body);
}

function ipv6Packet(
  from: Endpoint,
  to: Endpoint,
  protocol: number,
  o: NetworkOptions,
  body: Uint8Array,
): Uint8Array {
  const chain = (o.extensions ?? []).map(({ bytes }, index, all) => {
    const header = bytes.slice();
    header[0] = all[index + 1]?.protocol ?? protocol;
    return header;
  });
  const rest = concatenate(...chain, body);
  return concatenate(
    big32(0x60000000 | ((o.tos ?? 0) << 20)),
    big16(rest.length),
    Uint8Array.of(o.extensions?.[0]?.protocol ?? protocol, o.ttl ?? 64),
    from.address,
    to.address,
    rest,
  );
}

/** Fills the checksum at `at` of a transport segment, over the pseudo-header of either IP version. */
function withChecksum(
  from: Endpoint,
  to: Endpoint,
  protocol: number,
  segment: Uint8Array,
  at: number,
): Uint8Array {
  const pseudo = concatenate(from.address, to.address, big32(segment.length), big32(protocol));
  const sum = internetChecksum(concatenate(pseudo, segment));
  segment.set(big16(protocol === PROTOCOL.udp && sum === 0 ? 0xffff : sum), at);
  return segment;
}

function endpoints(o: NetworkOptions): { from: Endpoint; to: Endpoint } {
  const to = endpoint(o.dst ?? '10.0.0.2:80');
  const six = to.address.length === 16;
  const from = endpoint(o.src ?? (six ? '[2001:db8::1]:40000' : '10.0.0.1:40000'));
  if (from.address.length !== to.address.length) {
    throw new RangeError('source and destination must be of the same IP version');
  }
  return { from, to };
}

function ipFrame(
  o: NetworkOptions,
  protocol: number,
  segment: (from: Endpoint, to: Endpoint) => Uint8Array,
): Uint8Array {
  const { from, to } = endpoints(o);
  const body = segment(from, to);
  return to.address.length === 16
    ? ethernetFrame(o, ETHERTYPE.ipv6, ipv6Packet(from, to, protocol, o, body))
    : ethernetFrame(o, ETHERTYPE.ipv4, ipv4Packet(from, to, protocol, o, body));
}

const payloadOf = (o: NetworkOptions) =>
  typeof o.payload === 'string'
    ? new TextEncoder().encode(o.payload)
    : (o.payload ?? new Uint8Array(0));

function tcp(o: TcpOptions = {}): Uint8Array {
  const flags = [...(o.flags ?? 'S')].reduce((bits, letter) => bits | (TCP_FLAGS[letter] ?? 0), 0);
  return ipFrame(o, PROTOCOL.tcp, (from, to) => {
    const segment = concatenate(
      big16(from.port),
      big16(to.port),
      big32(o.sequence ?? 1),
      big32(o.acknowledgement ?? 0),
      Uint8Array.of(0x50, flags),
      big16(o.window ?? 65535),
      big16(0),
      big16(0),
      payloadOf(o),
    );
    return withChecksum(from, to, PROTOCOL.tcp, segment, 16);
  });
}

function udp(o: NetworkOptions = {}): Uint8Array {
  return ipFrame(o, PROTOCOL.udp, (from, to) => {
    const data = payloadOf(o);
    const segment = concatenate(
      big16(from.port),
      big16(to.port),
      big16(8 + data.length),
      big16(0),
      data,
    );
    return withChecksum(from, to, PROTOCOL.udp, segment, 6);
  });
}

/** An echo request of ICMP or ICMPv6. */
function icmp(o: NetworkOptions = {}): Uint8Array {
  const { to } = endpoints(o);
  const six = to.address.length === 16;
  return ipFrame(o, six ? PROTOCOL.icmpv6 : PROTOCOL.icmp, (from, destination) => {
    const message = concatenate(
      Uint8Array.of(six ? 128 : 8, 0, 0, 0),
      big16(1),
      big16(1),
      payloadOf(o),
    );
    if (six) return withChecksum(from, destination, PROTOCOL.icmpv6, message, 2);
    message.set(big16(internetChecksum(message)), 2);
    return message;
  });
}

/** An ARP request for `dst` from `src`. */
function arp(o: NetworkOptions = {}): Uint8Array {
  const { from, to } = endpoints(o);
  const mac = macBytes(o.srcMac ?? '02:00:00:00:00:01');
  const body = concatenate(
    big16(1),
    big16(ETHERTYPE.ipv4),
    Uint8Array.of(6, 4),
    big16(1),
    mac,
    from.address,
    new Uint8Array(6),
    to.address,
  );
  return ethernetFrame({ ...o, dstMac: o.dstMac ?? 'ff:ff:ff:ff:ff:ff' }, ETHERTYPE.arp, body);
}

/** Packet builders, one a protocol; each yields an Ethernet frame. */
export const packet = Object.freeze({ tcp, udp, icmp, arp });
