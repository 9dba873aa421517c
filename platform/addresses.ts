/** Addresses as people write them: `10.0.0.1:443`, `[2001:db8::1]:443`, `02:00:00:00:00:01`. */

import { isIPv4, isIPv6 } from 'node:net';

export interface Endpoint {
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  readonly port: number;
}

export function macBytes(text: string): Uint8Array {
  if (!/^[0-9a-fA-F]{1,2}(:[0-9a-fA-F]{1,2}){5}$/.test(text))
    throw new RangeError(`'${text}' is not a MAC address like 02:00:00:00:00:01`);
  return Uint8Array.from(text.split(':'), (part) => Number.parseInt(part, 16));
}

const ipv4Bytes = (text: string) => Uint8Array.from(text.split('.'), Number);

const bigEndian = (words: readonly number[]) =>
  Uint8Array.from(words.flatMap((word) => [word >> 8, word & 0xff]));

/** Of a text that is an IPv6 address: RFC 4291, with an IPv4 address for its last 4 bytes or not. */
function ipv6Bytes(text: string): Uint8Array {
  const dotted = /[^:]*\.[^:]*$/.exec(text)?.[0];
  const tail = dotted === undefined ? [] : [...ipv4Bytes(dotted)];
  const last = `${tail[0]! * 256 + tail[1]!}`;
  const words = (part: string): number[] =>
    part === ''
      ? []
      : part
          .split(':')
          .flatMap((word) =>
            word.includes('.')
              ? [Number(last), tail[2]! * 256 + tail[3]!]
              : [Number.parseInt(word, 16)],
          );
  const [front, back] = text.split('::').map(words) as [number[], number[]?];
  if (back === undefined) return bigEndian(front);
  const zeros = new Array<number>(8 - front.length - back.length).fill(0);
  return bigEndian([...front, ...zeros, ...back]);
}

/**
 * Parses `10.0.0.1:443` or `[2001:db8::1]:443`; without a port the brackets may be left out. Throws
 * RangeError.
 */
export function endpoint(text: string): Endpoint {
  const [, six, four, digits] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(text) ?? [];
  const bare = isIPv6(text) ? text : six;
  const port = bare === text ? 0 : Number(digits ?? 0);
  if (port > 0xffff) throw new RangeError(`'${text}': ports go up to 65535`);
  if (bare !== undefined && isIPv6(bare) && !bare.includes('%'))
    return { address: ipv6Bytes(bare), port };
  if (four !== undefined && isIPv4(four)) return { address: ipv4Bytes(four), port };
  throw new RangeError(`'${text}' is not an endpoint like 10.0.0.1:443 or [2001:db8::1]:443`);
}
