/**
 * Dynamic pointers of the reference engine: kept beside the machine by the address of the program's
 * variable, not in it. What a packet's pointer means is asked of the packet at each use.
 */

import type { Call } from './helpers/call.ts';
import { E2BIG, EINVAL } from './maps.ts';
import type { Dynptr } from './variables.ts';

const EFAULT = -14n;

/** DYNPTR_MAX_SIZE, include/linux/bpf.h. */
export const DYNPTR_BYTES_MAX = (1 << 24) - 1;

export const inside = (dynptr: Dynptr, offset: number, sizeBytes: number) =>
  sizeBytes <= dynptr.sizeBytes && offset <= dynptr.sizeBytes - sizeBytes;

/** Address of bytes that are inside the pointer; undefined: no longer inside the packet. */
export function placeOf(
  call: Call,
  dynptr: Dynptr,
  offset: number,
  sizeBytes: number,
): bigint | undefined {
  const at = dynptr.offset + offset;
  if (dynptr.kind === 'local') return dynptr.address + BigInt(at);
  const { packet } = call.run;
  const [start, end] =
    dynptr.kind === 'skb-meta' ? [packet.meta, packet.data] : [packet.data, packet.end];
  return start + at + sizeBytes <= end ? packet.addressOf(start + at) : undefined;
}

function viewOf(call: Call, address: bigint, sizeBytes: number, access: 'read' | 'read-write') {
  if (sizeBytes === 0) return new Uint8Array();
  const view = call.machine.memory.view(address, sizeBytes, access);
  if (view === undefined) throw call.machine.fault('access', 'memory of a dynptr', address);
  return view;
}

/** The bytes as they are, or an error. */
export function bytesOf(
  call: Call,
  dynptr: Dynptr,
  offset: number,
  sizeBytes: number,
): Uint8Array | bigint {
  if (!inside(dynptr, offset, sizeBytes)) return E2BIG;
  const address = placeOf(call, dynptr, offset, sizeBytes);
  if (address === undefined) return dynptr.kind === 'xdp' ? EINVAL : EFAULT;
  return viewOf(call, address, sizeBytes, 'read');
}

export function writeTo(
  call: Call,
  dynptr: Dynptr,
  offset: number,
  bytes: Uint8Array,
  flags: bigint,
): bigint {
  if (dynptr.readOnly) return EINVAL;
  if (!inside(dynptr, offset, bytes.length)) return E2BIG;
  if ((flags & ~(dynptr.kind === 'skb' ? 3n : 0n)) !== 0n) return EINVAL;
  const address = placeOf(call, dynptr, offset, bytes.length);
  if (address === undefined) return dynptr.kind === 'xdp' ? EINVAL : EFAULT;
  viewOf(call, address, bytes.length, 'read-write').set(bytes.slice());
  return 0n;
}
