/**
 * Builds packets for tests and examples: pick the layers, lengths and checksums come out right.
 *
 * `packet.tcp({ dst: '10.0.0.1:443' })` is a whole Ethernet frame. Formats: RFC 9293, 768, 792, 826,
 * 4443.
 */

import { type Endpoint, macBytes } from '../../platform/index.ts';
import { big16, big32, concatenate, field, internetChecksum } from './bytes.ts';
import { fragments } from './fragment.ts';
import {
  ETHERTYPE,
  endpoints,
  ethernetFrame,
  ipFrame,
  isSix,
  type LinkOptions,
  NETWORK_OPTIONS,
  type NetworkOptions,
  PROTOCOL,
  transportChecksum,
} from './layers.ts';

export interface TransportOptions extends NetworkOptions {
  /** Instead of the right checksum: what a test of broken packets needs. */
  readonly checksum?: number;
}

/** The options of a TCP header, RFC 9293 and 7323, RFC 2018. */
export interface TcpHeaderOptions {
  readonly mss?: number;
  readonly windowScale?: number;
  readonly sackPermitted?: true;
  /** Value and echo. */
  readonly timestamps?: readonly [number, number];
}

export interface TcpOptions extends TransportOptions {
  /** Flag letters, as tcpdump has them, and A for the acknowledgement: F S R P A U E W. Default: S. */
  readonly flags?: string;
  readonly sequence?: number;
  readonly acknowledgement?: number;
  readonly window?: number;
  readonly urgent?: number;
  /** Bytes are taken as they are, and must be a multiple of 4. */
  readonly options?: TcpHeaderOptions | Uint8Array;
}

export interface IcmpOptions extends TransportOptions {
  /** Default: an echo request (8, or 128 for ICMPv6). */
  readonly type?: number;
  readonly code?: number;
  /** The four bytes behind the checksum: of an echo, its identifier and sequence number. */
  readonly identifier?: number;
  readonly sequence?: number;
}

export interface IpOptions extends NetworkOptions {
  /** Number of what the payload is. */
  readonly protocol: number;
}

export interface EthernetOptions extends LinkOptions {
  /** EtherType of what the payload is. */
  readonly type: number;
  readonly payload?: Uint8Array | string;
}

export interface ArpOptions extends LinkOptions {
  readonly src?: string;
  readonly dst?: string;
  /** Default: request. */
  readonly operation?: 'request' | 'reply';
}

const TCP_FLAGS: Readonly<Record<string, number>> = {
  ...{ F: 1, S: 2, R: 4, P: 8, A: 16, U: 32, E: 64, W: 128 },
};
const TCP_BYTES = 20;
const UDP_BYTES = 8;
const TRANSPORT_OPTIONS = [...NETWORK_OPTIONS, 'checksum'];
const LINK_OPTIONS = NETWORK_OPTIONS.slice(0, 4);

/** A name that nothing has would be ignored, and the packet another than was asked for. */
function check(what: string, options: object, known: readonly string[]): void {
  for (const name of Object.keys(options))
    if (!known.includes(name))
      throw new TypeError(`${what}: there is no option '${name}'; there is ${known.join(', ')}`);
}

const bytesOf = (payload: Uint8Array | string | undefined) =>
  typeof payload === 'string' ? new TextEncoder().encode(payload) : (payload ?? new Uint8Array(0));

/** Puts the checksum into a segment, at `at`. */
function sealed(
  from: Endpoint,
  to: Endpoint,
  protocol: number,
  segment: Uint8Array,
  at: number,
  given: number | undefined,
): Uint8Array {
  const sum = transportChecksum(from, to, protocol, segment);
  // To UDP, zero means that there is no checksum.
  const right = protocol === PROTOCOL.udp && sum === 0 ? 0xffff : sum;
  segment.set(big16(given === undefined ? right : field('checksum', given, 16)), at);
  return segment;
}

function flagBits(flags: string): number {
  return [...flags].reduce((bits, letter) => {
    const bit = TCP_FLAGS[letter];
    if (bit === undefined)
      throw new RangeError(
        `'${letter}' is no TCP flag; there is ${Object.keys(TCP_FLAGS).join(' ')}`,
      );
    return bits | bit;
  }, 0);
}

/** Each option by kind and length, padded with NOPs to a multiple of 4. */
function optionBytes(options: TcpHeaderOptions | Uint8Array): Uint8Array {
  if (options instanceof Uint8Array) {
    if (options.length % 4 === 0 && options.length <= 40) return options;
    throw new RangeError(`TCP options: 0, 4, ... 40 bytes, not ${options.length}`);
  }
  check('options of TCP', options, ['mss', 'windowScale', 'sackPermitted', 'timestamps']);
  const { mss, windowScale, sackPermitted, timestamps } = options;
  const parts: Uint8Array[] = [];
  if (mss !== undefined) parts.push(Uint8Array.of(2, 4), big16(field('mss', mss, 16)));
  if (sackPermitted) parts.push(Uint8Array.of(4, 2));
  if (timestamps !== undefined)
    parts.push(
      Uint8Array.of(8, 10),
      ...timestamps.map((each) => big32(field('timestamp', each, 32))),
    );
  if (windowScale !== undefined)
    parts.push(Uint8Array.of(3, 3, field('windowScale', windowScale, 8)));
  const bytes = concatenate(...parts);
  const padding = new Uint8Array((4 - (bytes.length % 4)) % 4).fill(1);
  return concatenate(bytes, padding);
}

function tcp(o: TcpOptions = {}): Uint8Array {
  const own = ['flags', 'sequence', 'acknowledgement', 'window', 'urgent', 'options'];
  check('packet.tcp', o, [...TRANSPORT_OPTIONS, ...own]);
  const options = optionBytes(o.options ?? {});
  const words = (TCP_BYTES + options.length) / 4;
  return ipFrame(o, PROTOCOL.tcp, (from, to) => {
    const segment = concatenate(
      big16(from.port),
      big16(to.port),
      big32(field('sequence', o.sequence ?? 1, 32)),
      big32(field('acknowledgement', o.acknowledgement ?? 0, 32)),
      Uint8Array.of(words << 4, flagBits(o.flags ?? 'S')),
      big16(field('window', o.window ?? 65535, 16)),
      big16(0),
      big16(field('urgent', o.urgent ?? 0, 16)),
      options,
      bytesOf(o.payload),
    );
    return sealed(from, to, PROTOCOL.tcp, segment, 16, o.checksum);
  });
}

function udp(o: TransportOptions = {}): Uint8Array {
  check('packet.udp', o, TRANSPORT_OPTIONS);
  return ipFrame(o, PROTOCOL.udp, (from, to) => {
    const data = bytesOf(o.payload);
    const segment = concatenate(
      big16(from.port),
      big16(to.port),
      big16(field('length of the UDP datagram', UDP_BYTES + data.length, 16)),
      big16(0),
      data,
    );
    return sealed(from, to, PROTOCOL.udp, segment, 6, o.checksum);
  });
}

/** ICMP or ICMPv6, whichever the addresses ask for. */
function icmp(o: IcmpOptions = {}): Uint8Array {
  check('packet.icmp', o, [...TRANSPORT_OPTIONS, 'type', 'code', 'identifier', 'sequence']);
  const six = isSix(endpoints(o).to);
  return ipFrame(o, six ? PROTOCOL.icmpv6 : PROTOCOL.icmp, (from, to) => {
    const message = concatenate(
      Uint8Array.of(
        field('type', o.type ?? (six ? 128 : 8), 8),
        field('code', o.code ?? 0, 8),
        0,
        0,
      ),
      big16(field('identifier', o.identifier ?? 1, 16)),
      big16(field('sequence', o.sequence ?? 1, 16)),
      bytesOf(o.payload),
    );
    if (six) return sealed(from, to, PROTOCOL.icmpv6, message, 2, o.checksum);
    message.set(big16(field('checksum', o.checksum ?? internetChecksum(message), 16)), 2);
    return message;
  });
}

/** Any protocol over IP: `payload` is all that follows the IP header. */
function ip(o: IpOptions): Uint8Array {
  check('packet.ip', o, [...NETWORK_OPTIONS, 'protocol']);
  return ipFrame(o, o.protocol, () => bytesOf(o.payload));
}

/** Another packet inside: IPIP, 4in6, 6in4 and 6in6. `inner` is a frame, whose link header goes. */
function tunnel(o: Omit<NetworkOptions, 'payload'>, inner: Uint8Array): Uint8Array {
  check('packet.tunnel', o, NETWORK_OPTIONS);
  const payload = inner.subarray(14);
  const protocol = (payload[0] ?? 0) >> 4 === 6 ? PROTOCOL.ipv6 : PROTOCOL.ipip;
  return ipFrame(o, protocol, () => payload);
}

function ethernet(o: EthernetOptions): Uint8Array {
  check('packet.ethernet', o, [...LINK_OPTIONS, 'type', 'payload']);
  return ethernetFrame(o, o.type, bytesOf(o.payload));
}

/** An ARP request for `dst` from `src`, or the reply of `src` to `dst`. */
function arp(o: ArpOptions = {}): Uint8Array {
  check('packet.arp', o, [...LINK_OPTIONS, 'src', 'dst', 'operation']);
  const { from, to } = endpoints(o);
  if (isSix(to)) throw new RangeError('ARP is for IPv4; IPv6 asks by ICMPv6');
  const isReply = o.operation === 'reply';
  const srcMac = o.srcMac ?? '02:00:00:00:00:01';
  const dstMac = o.dstMac ?? (isReply ? '02:00:00:00:00:02' : 'ff:ff:ff:ff:ff:ff');
  const body = concatenate(
    big16(1),
    big16(ETHERTYPE.ipv4),
    Uint8Array.of(6, 4),
    big16(isReply ? 2 : 1),
    macBytes(srcMac),
    from.address,
    isReply ? macBytes(dstMac) : new Uint8Array(6),
    to.address,
  );
  return ethernetFrame({ ...o, srcMac, dstMac }, ETHERTYPE.arp, body);
}

/**
 * Packet builders: each yields an Ethernet frame, its lengths and checksums right. All options have
 * defaults. Throws RangeError for addresses and numbers that do not exist, TypeError for options that
 * do not.
 */
export const packet = Object.freeze({ tcp, udp, icmp, ip, tunnel, ethernet, arp, fragments });
