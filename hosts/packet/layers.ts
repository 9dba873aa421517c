/**
 * Ethernet, VLAN tags, IPv4 and IPv6 around what they carry. Formats: IEEE 802.3 and 802.1Q, RFC 791,
 * RFC 8200.
 */

import { type Endpoint, endpoint, macBytes } from '../../platform/index.ts';
import { big16, big32, concatenate, field, internetChecksum } from './bytes.ts';

export const ETHERTYPE = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd } as const;
export const PROTOCOL = { icmp: 1, ipip: 4, tcp: 6, udp: 17, ipv6: 41, icmpv6: 58 } as const;
/** Tags of customers (802.1Q) and, outside of them, of providers (802.1ad: QinQ). */
const TAG = { customer: 0x8100, service: 0x88a8 } as const;
export const ETHERNET_BYTES = 14;
export const IPV4_BYTES = 20;
export const IPV6_BYTES = 40;
const DONT_FRAGMENT = 0x4000;

export interface VlanTag {
  readonly id: number;
  /** 0 to 7. */
  readonly priority?: number;
  readonly dropEligible?: boolean;
  /** Default: customer. */
  readonly kind?: keyof typeof TAG;
}

export interface LinkOptions {
  /** `02:00:00:00:00:01`. */
  readonly srcMac?: string;
  readonly dstMac?: string;
  /** VLAN ids or tags, outermost first. */
  readonly vlans?: readonly (number | VlanTag)[];
  /** Zeros are added at the end up to this length; wires carry no fewer than 60 bytes. */
  readonly minimumBytes?: number;
}

export interface NetworkOptions extends LinkOptions {
  /** `10.0.0.1:443`, `[2001:db8::1]:443`; without a port for protocols that have none. */
  readonly src?: string;
  readonly dst?: string;
  /** IPv6: hop limit. Default 64. */
  readonly ttl?: number;
  /** IPv6: traffic class. */
  readonly tos?: number;
  /** IPv4 identification. */
  readonly id?: number;
  /** IPv4 flags and fragment offset as on the wire; default: don't fragment. */
  readonly fragment?: number;
  /** IPv4 options, a multiple of 4 bytes. */
  readonly ipOptions?: Uint8Array;
  /** IPv6 flow label. */
  readonly flowLabel?: number;
  /** IPv6 extension headers in front of the transport header. */
  readonly extensions?: readonly Ipv6Extension[];
  readonly payload?: Uint8Array | string;
}

export interface Ipv6Extension {
  readonly protocol: number;
  /** Whole header, first byte (next header) filled in for you; a multiple of 8 bytes. */
  readonly bytes: Uint8Array;
}

/** Names of the options above, for builders that check what they are given. */
export const NETWORK_OPTIONS = [
  ...['srcMac', 'dstMac', 'vlans', 'minimumBytes', 'src', 'dst', 'ttl', 'tos', 'id', 'fragment'],
  ...['ipOptions', 'flowLabel', 'extensions', 'payload'],
];

export function ethernetFrame(options: LinkOptions, type: number, payload: Uint8Array): Uint8Array {
  const frame = concatenate(
    macBytes(options.dstMac ?? '02:00:00:00:00:02'),
    macBytes(options.srcMac ?? '02:00:00:00:00:01'),
    ...(options.vlans ?? []).map(tagBytes),
    big16(field('type', type, 16)),
    payload,
  );
  const missing = (options.minimumBytes ?? 0) - frame.length;
  return missing > 0 ? concatenate(frame, new Uint8Array(missing)) : frame;
}

function tagBytes(given: number | VlanTag): Uint8Array {
  const tag = typeof given === 'number' ? { id: given } : given;
  const { id, priority = 0, dropEligible = false, kind = 'customer' } = tag as VlanTag;
  if (!Object.hasOwn(TAG, kind))
    throw new RangeError(`a VLAN tag is of kind customer or service, not '${kind}'`);
  const control =
    (field('priority', priority, 3) << 13) | (dropEligible ? 0x1000 : 0) | field('VLAN id', id, 12);
  return concatenate(big16(TAG[kind]), big16(control));
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
  const headerBytes = IPV4_BYTES + extra.length;
  const header = concatenate(
    Uint8Array.of(0x40 + headerBytes / 4, field('tos', o.tos ?? 0, 8)),
    big16(field('length of the IPv4 packet', headerBytes + body.length, 16)),
    big16(field('id', o.id ?? 0, 16)),
    big16(field('fragment', o.fragment ?? DONT_FRAGMENT, 16)),
    Uint8Array.of(field('ttl', o.ttl ?? 64, 8), protocol, 0, 0),
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
    if (bytes.length === 0 || bytes.length % 8 !== 0)
      throw new RangeError(`IPv6 extension header ${index}: 8, 16, ... bytes, not ${bytes.length}`);
    const header = bytes.slice();
    header[0] = all[index + 1]?.protocol ?? protocol;
    return header;
  });
  const rest = concatenate(...chain, body);
  const label = field('flowLabel', o.flowLabel ?? 0, 20);
  return concatenate(
    big32((0x60000000 | (field('tos', o.tos ?? 0, 8) << 20) | label) >>> 0),
    big16(field('length of the IPv6 payload', rest.length, 16)),
    Uint8Array.of(o.extensions?.[0]?.protocol ?? protocol, field('ttl', o.ttl ?? 64, 8)),
    from.address,
    to.address,
    rest,
  );
}

/** Both ends, of one IP version; what is not given is some other host. */
export function endpoints(o: NetworkOptions): { readonly from: Endpoint; readonly to: Endpoint } {
  const wanted = o.dst === undefined ? undefined : endpoint(o.dst);
  const given = o.src === undefined ? undefined : endpoint(o.src);
  const six = (wanted ?? given)?.address.length === 16;
  const to = wanted ?? endpoint(six ? '[2001:db8::2]:80' : '10.0.0.2:80');
  const from = given ?? endpoint(six ? '[2001:db8::1]:40000' : '10.0.0.1:40000');
  if (from.address.length !== to.address.length)
    throw new RangeError('source and destination must be of the same IP version');
  return { from, to };
}

export const isSix = ({ address }: Endpoint): boolean => address.length === 16;

/** A frame whose IP packet carries what `segment` makes for its two ends. */
export function ipFrame(
  o: NetworkOptions,
  protocol: number,
  segment: (from: Endpoint, to: Endpoint) => Uint8Array,
): Uint8Array {
  const { from, to } = endpoints(o);
  const body = segment(from, to);
  field('protocol', protocol, 8);
  return isSix(to)
    ? ethernetFrame(o, ETHERTYPE.ipv6, ipv6Packet(from, to, protocol, o, body))
    : ethernetFrame(o, ETHERTYPE.ipv4, ipv4Packet(from, to, protocol, o, body));
}

/** The checksum over segment and pseudo-header, of either IP version. */
export function transportChecksum(
  from: Endpoint,
  to: Endpoint,
  protocol: number,
  segment: Uint8Array,
): number {
  const pseudo = concatenate(from.address, to.address, big32(segment.length), big32(protocol));
  return internetChecksum(concatenate(pseudo, segment));
}
