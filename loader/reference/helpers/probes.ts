/** Helpers that read memory by number. The machine knows what is there: all else is a fault. */

import { type Call, EFAULT, type HelperFunction } from './call.ts';

const ERANGE = -34n;

/** The bytes at an address that nobody has proven; undefined: not all can be read. */
export function probe(call: Call, address: bigint, sizeBytes: number): Uint8Array | undefined {
  if (sizeBytes === 0) return new Uint8Array();
  const bytes = new Uint8Array(sizeBytes);
  for (let i = 0; i < sizeBytes; i++) {
    const byte = call.machine.memory.load(address + BigInt(i), 1);
    if (byte === undefined) return undefined;
    bytes[i] = Number(byte);
  }
  return bytes;
}

/** A string with its NUL, cut to `sizeBytes` with a NUL at the end; undefined: it leads to nowhere. */
export function probeString(
  call: Call,
  address: bigint,
  sizeBytes: number,
): Uint8Array | undefined {
  const bytes: number[] = [];
  while (bytes.length < sizeBytes) {
    const byte = call.machine.memory.load(address + BigInt(bytes.length), 1);
    if (byte === undefined) return undefined;
    bytes.push(Number(byte));
    if (byte === 0n) return Uint8Array.from(bytes);
  }
  bytes[sizeBytes - 1] = 0;
  return Uint8Array.from(bytes);
}

/** What a kernel says of an address that it cannot read; -ERANGE where none of its memory can be. */
export const unreadable = (address: bigint) =>
  address >> 47n === (1n << 17n) - 1n ? EFAULT : ERANGE;

type ErrorOf = (address: bigint, sizeBytes: number) => bigint;

const reading =
  (errorOf: ErrorOf): HelperFunction =>
  (call) => {
    const [sizeBytes, address] = [call.u32(2), call.u64(3)];
    const bytes = probe(call, address, Math.max(1, sizeBytes));
    const out = call.bytes(1, sizeBytes, 'read-write');
    out.set(bytes?.subarray(0, sizeBytes) ?? new Uint8Array(sizeBytes));
    return bytes === undefined ? errorOf(address, sizeBytes) : 0n;
  };

const readingString =
  (errorOf: ErrorOf): HelperFunction =>
  (call) => {
    const [sizeBytes, address] = [call.u32(2), call.u64(3)];
    if (sizeBytes === 0) return 0n;
    const bytes = probeString(call, address, sizeBytes);
    const out = call.bytes(1, sizeBytes, 'read-write');
    if (bytes === undefined) out.fill(0);
    else out.set(bytes);
    return bytes === undefined ? errorOf(address, sizeBytes) : BigInt(bytes.length);
  };

const fault: ErrorOf = (_, sizeBytes) => (sizeBytes === 0 ? 0n : EFAULT);

export const PROBES: Readonly<Record<number, HelperFunction>> = {
  4: reading(fault),
  45: readingString(fault),
  112: reading(fault),
  113: reading(unreadable),
  114: readingString(fault),
  115: readingString(unreadable),
  148: reading(fault),
};
