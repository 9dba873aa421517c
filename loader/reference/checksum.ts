/** Internet checksums over 16-bit little-endian words with end-around carry, RFC 1071. */

/** Adds with end-around carry at 32 bits; both operands unsigned. */
const add = (a: number, b: number) => {
  const sum = a + b;
  return (sum % 2 ** 32) + Math.floor(sum / 2 ** 32);
};
const not32 = (value: number) => ~value >>> 0;

export function fold(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16);
  return (once & 0xffff) + (once >>> 16);
}

export function sumOf(bytes: Uint8Array, seed: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let sum = seed;
  for (let at = 0; at + 4 <= bytes.length; at += 4) sum = add(sum, view.getUint32(at, true));
  return sum;
}

/** What `bpf_csum_diff` returns since Linux 6.13. */
export function difference(from: Uint8Array, to: Uint8Array, seed: number): number {
  if (from.length > 0 && to.length > 0) return fold(add(sumOf(to, seed), not32(sumOf(from, 0))));
  if (to.length > 0) return fold(sumOf(to, seed));
  if (from.length > 0) return fold(not32(sumOf(from, not32(seed))));
  return seed;
}

/** The checksum field after the 32-bit word `from` became `to`. */
export function replaced(sum: number, from: number, to: number): number {
  return ~fold(add(add(not32(sum), not32(from)), to)) & 0xffff;
}

/** The checksum field after its data changed by the sum `change`. */
export function replacedBy(sum: number, change: number): number {
  return ~fold(add(change, not32(sum))) & 0xffff;
}

/** As `replaced`, in 16-bit arithmetic throughout, which treats zero differently. */
export function replaced16(sum: number, from: number, to: number): number {
  const add16 = (a: number, b: number) => {
    const total = a + b;
    return (total & 0xffff) + (total >>> 16);
  };
  return ~add16(add16(~sum & 0xffff, ~from & 0xffff), to) & 0xffff;
}
