/** Kernel functions on dynamic pointers. */

import { programType } from '../../../platform/index.ts';
import { bytesOf, inside, placeOf, writeTo } from '../dynptr.ts';
import type { Call, HelperFunction } from '../helpers/call.ts';
import { E2BIG, EINVAL } from '../maps.ts';
import type { Dynptr } from '../variables.ts';
import { int32 } from './numbers.ts';

const ERANGE = -34n;

const given = (call: Call, number: 1 | 2 | 3) => call.run.dynptrs.get(call.u64(number));

function ofPacket(kind: 'skb' | 'skb-meta' | 'xdp'): HelperFunction {
  return (call) => {
    const { packet, dynptrs, type } = call.run;
    dynptrs.delete(call.u64(3));
    if (call.u64(2) !== 0n) return int32(EINVAL);
    const sizeBytes = kind === 'skb-meta' ? packet.data - packet.meta : packet.length;
    const readOnly = kind === 'skb' && programType(type)?.packet !== 'read-write';
    dynptrs.set(call.u64(3), { kind, address: 0n, offset: 0, sizeBytes, readOnly });
    return 0n;
  };
}

function slice(call: Call, dynptr: Dynptr | undefined): bigint {
  const [offset, sizeBytes] = [call.u32(2), call.u32(4)];
  if (dynptr === undefined || !inside(dynptr, offset, sizeBytes)) return 0n;
  return placeOf(call, dynptr, offset, sizeBytes) ?? 0n;
}

function writableSlice(call: Call): bigint {
  const dynptr = given(call, 1);
  return dynptr?.readOnly === true ? 0n : slice(call, dynptr);
}

function adjust(call: Call): bigint {
  const dynptr = given(call, 1);
  const [start, end] = [call.u32(2), call.u32(3)];
  if (dynptr === undefined || start > end) return int32(EINVAL);
  if (end > dynptr.sizeBytes) return int32(ERANGE);
  const offset = dynptr.offset + start;
  call.run.dynptrs.set(call.u64(1), { ...dynptr, offset, sizeBytes: end - start });
  return 0n;
}

function clone(call: Call): bigint {
  const dynptr = given(call, 1);
  if (dynptr === undefined) call.run.dynptrs.delete(call.u64(2));
  else call.run.dynptrs.set(call.u64(2), dynptr);
  return dynptr === undefined ? int32(EINVAL) : 0n;
}

function copy(call: Call): bigint {
  const [to, from] = [given(call, 1), given(call, 3)];
  if (from === undefined) return int32(E2BIG);
  const bytes = bytesOf(call, from, call.u32(4), call.u32(5));
  if (typeof bytes === 'bigint') return int32(bytes);
  return int32(to === undefined ? E2BIG : writeTo(call, to, call.u32(2), bytes, 0n));
}

function fill(call: Call): bigint {
  const dynptr = given(call, 1);
  const [offset, sizeBytes] = [call.u32(2), call.u32(3)];
  if (dynptr === undefined) return sizeBytes === 0 && offset === 0 ? 0n : int32(E2BIG);
  const bytes = new Uint8Array(Math.min(sizeBytes, dynptr.sizeBytes + 1));
  return int32(writeTo(call, dynptr, offset, bytes.fill(Number(call.u64(4) & 0xffn)), 0n));
}

export const DYNPTRS: Readonly<Record<string, HelperFunction>> = {
  bpf_dynptr_from_skb: ofPacket('skb'),
  bpf_dynptr_from_skb_meta: ofPacket('skb-meta'),
  bpf_dynptr_from_xdp: ofPacket('xdp'),
  bpf_dynptr_slice: (call) => slice(call, given(call, 1)),
  bpf_dynptr_slice_rdwr: writableSlice,
  bpf_dynptr_adjust: adjust,
  bpf_dynptr_is_null: (call) => (given(call, 1) === undefined ? 1n : 0n),
  bpf_dynptr_is_rdonly: (call) => (given(call, 1)?.readOnly === true ? 1n : 0n),
  bpf_dynptr_size: (call) => {
    const dynptr = given(call, 1);
    return dynptr === undefined ? int32(EINVAL) : BigInt(dynptr.sizeBytes);
  },
  bpf_dynptr_clone: clone,
  bpf_dynptr_copy: copy,
  bpf_dynptr_memset: fill,
};
