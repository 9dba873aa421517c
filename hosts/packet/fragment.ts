/** Cuts a frame into fragments as a router or host would: RFC 791 and, by its own header, RFC 8200. */

import { big16, big32, concatenate, field, internetChecksum } from './bytes.ts';
import { ETHERNET_BYTES, ETHERTYPE, IPV4_BYTES, IPV6_BYTES } from './layers.ts';

const MORE_FRAGMENTS = 0x2000;
const OFFSET_UNIT = 8;
const VLAN_TYPES = [0x8100, 0x88a8];
/** Number of the IPv6 fragment header. */
const FRAGMENT = 44;

const word = (bytes: Uint8Array, at: number) => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);

/** Where the packet's IP header starts, behind any VLAN tags. */
function networkAt(frame: Uint8Array): number {
  let type = ETHERNET_BYTES - 2;
  while (VLAN_TYPES.includes(word(frame, type))) type += 4;
  return type + 2;
}

/**
 * The frames of a packet whose fragments carry at most `payloadBytes` bytes each, a multiple of 8. A
 * frame that fits stays whole. IPv6 extension headers count as payload. Throws RangeError for frames
 * that are not IP.
 */
export function fragments(frame: Uint8Array, payloadBytes: number, id = 1): Uint8Array[] {
  if (!(Number.isInteger(payloadBytes) && payloadBytes >= 8 && payloadBytes % OFFSET_UNIT === 0))
    throw new RangeError(`fragments carry a multiple of 8 bytes, not ${payloadBytes}`);
  const at = networkAt(frame);
  switch (word(frame, at - 2)) {
    case ETHERTYPE.ipv4: {
      const header = ((frame[at] ?? 0) & 15) * 4;
      return cut(
        frame,
        at + header,
        at + word(frame, at + 2),
        payloadBytes,
        ipv4Header(at, header, id),
      );
    }
    case ETHERTYPE.ipv6: {
      const end = at + IPV6_BYTES + word(frame, at + 4);
      return cut(frame, at + IPV6_BYTES, end, payloadBytes, ipv6Header(at, id));
    }
    default:
      throw new RangeError('only IPv4 and IPv6 packets have fragments');
  }
}

/** Makes what stands before a fragment: everything up to its payload. */
type Head = (frame: Uint8Array, offset: number, bytes: number, more: number) => Uint8Array;

function cut(
  frame: Uint8Array,
  start: number,
  end: number,
  payloadBytes: number,
  head: Head,
): Uint8Array[] {
  const payload = frame.subarray(start, end);
  if (payload.length <= payloadBytes) return [frame.slice()];
  const count = Math.ceil(payload.length / payloadBytes);
  return Array.from({ length: count }, (_, i) => {
    const part = payload.subarray(i * payloadBytes, (i + 1) * payloadBytes);
    const more = i + 1 < count ? 1 : 0;
    return concatenate(head(frame, (i * payloadBytes) / OFFSET_UNIT, part.length, more), part);
  });
}

const ipv4Header =
  (at: number, headerBytes: number, id: number): Head =>
  (frame, offset, bytes, more) => {
    const head = frame.slice(0, at + headerBytes);
    if (headerBytes < IPV4_BYTES) throw new RangeError('the IPv4 header is cut off');
    head.set(big16(headerBytes + bytes), at + 2);
    head.set(big16(field('id', id, 16)), at + 4);
    head.set(
      big16((more === 1 ? MORE_FRAGMENTS : 0) | field('fragment offset', offset, 13)),
      at + 6,
    );
    head.set([0, 0], at + 10);
    head.set(big16(internetChecksum(head.subarray(at))), at + 10);
    return head;
  };

const ipv6Header =
  (at: number, id: number): Head =>
  (frame, offset, bytes, more) => {
    const head = frame.slice(0, at + IPV6_BYTES);
    const next = head[at + 6]!;
    head[at + 6] = FRAGMENT;
    head.set(big16(8 + bytes), at + 4);
    const place = (field('fragment offset', offset, 13) << 3) | more;
    return concatenate(head, Uint8Array.of(next, 0), big16(place), big32(field('id', id, 32)));
  };
