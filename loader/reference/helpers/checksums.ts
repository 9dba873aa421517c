/** Helpers that change checksums in a packet, or compute the difference that does. */

import { difference, replaced, replaced16, replacedBy } from '../checksum.ts';
import { EINVAL } from '../maps.ts';
import { type Call, EACCES, EFAULT, ENOTSUPP, type HelperFunction } from './call.ts';

function checksumField(call: Call): DataView | undefined {
  const { packet } = call.run;
  const offset = call.u32(2);
  if (offset > 0xffff || offset % 2 === 1 || packet.data + offset + 2 > packet.end)
    return undefined;
  return new DataView(packet.buffer.buffer, packet.data + offset, 2);
}

function replaceL3(call: Call): bigint {
  const flags = call.u64(5);
  const field = checksumField(call);
  if (flags > 15n) return EINVAL;
  if (field === undefined) return EFAULT;
  const sum = field.getUint16(0, true);
  const [from, to] = [call.u32(3), call.u32(4)];
  if (flags === 0n && call.u64(3) === 0n) field.setUint16(0, replacedBy(sum, to), true);
  else if (flags === 2n) field.setUint16(0, replaced16(sum, from & 0xffff, to & 0xffff), true);
  else if (flags === 4n) field.setUint16(0, replaced(sum, from, to), true);
  else return EINVAL;
  return 0n;
}

function replaceL4(call: Call): bigint {
  const flags = call.u64(5);
  const field = checksumField(call);
  if ((flags & ~0xffn) !== 0n) return EINVAL;
  if (field === undefined) return EFAULT;
  const sum = field.getUint16(0, true);
  const mangled = (flags & 0x20n) !== 0n;
  if (mangled && (flags & 0x40n) === 0n && sum === 0) return 0n;
  const [from, to, size] = [call.u32(3), call.u32(4), flags & 15n];
  let result: number;
  if (size === 0n && call.u64(3) === 0n) result = replacedBy(sum, to);
  else if (size === 2n) result = replaced(sum, from & 0xffff, to & 0xffff);
  else if (size === 4n) result = replaced(sum, from, to);
  else return EINVAL;
  field.setUint16(0, mangled && result === 0 ? 0xffff : result, true);
  return 0n;
}

export const CHECKSUMS: Readonly<Record<number, HelperFunction>> = {
  10: replaceL3,
  11: replaceL4,
  28: (call) => {
    const [from, to] = [call.u32(2), call.u32(4)];
    if (((from | to) & 3) !== 0) return EINVAL;
    return BigInt(difference(call.bytes(1, from), call.bytes(3, to), call.u32(5)));
  },
  40: () => ENOTSUPP,
  135: (call) => (call.u64(2) === 0n ? EACCES : call.u64(2) <= 3n ? 0n : EINVAL),
};
