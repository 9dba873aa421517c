/** Bytes on the wire: network byte order, numbers that must fit their field. */

export function concatenate(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export const big16 = (value: number) => Uint8Array.of((value >> 8) & 0xff, value & 0xff);
export const big32 = (value: number) => concatenate(big16(value >>> 16), big16(value & 0xffff));

/** `value`, or RangeError: a number that wraps around would be another packet than was asked for. */
export function field(name: string, value: number, bits: number): number {
  if (Number.isInteger(value) && value >= 0 && value < 2 ** bits) return value;
  throw new RangeError(`${name} is a whole number of ${bits} bits, not ${value}`);
}

/** The Internet checksum of RFC 1071, ready to be stored big-endian. */
export function internetChecksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
