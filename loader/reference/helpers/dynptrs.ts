/** Helpers that make and use dynamic pointers. */

import { bytesOf, DYNPTR_BYTES_MAX, inside, placeOf, writeTo } from '../dynptr.ts';
import { E2BIG, EINVAL } from '../maps.ts';
import { type Call, EFAULT, type HelperFunction } from './call.ts';

function fromMemory(call: Call): bigint {
  const sizeBytes = call.u32(2);
  call.run.dynptrs.delete(call.u64(4));
  if (sizeBytes > DYNPTR_BYTES_MAX) return E2BIG;
  if (call.u64(3) !== 0n) return EINVAL;
  const address = call.u64(1);
  const made = { kind: 'local', address, offset: 0, sizeBytes, readOnly: false } as const;
  call.run.dynptrs.set(call.u64(4), made);
  return 0n;
}

function read(call: Call): bigint {
  const source = call.run.dynptrs.get(call.u64(3));
  const sizeBytes = call.u32(2);
  if (source === undefined || call.u64(5) !== 0n) return EINVAL;
  const bytes = bytesOf(call, source, call.u32(4), sizeBytes);
  const out = call.bytes(1, sizeBytes, 'read-write');
  if (typeof bytes !== 'bigint') out.set(bytes.slice());
  else if (bytes === EFAULT && source.kind === 'skb') out.fill(0);
  return typeof bytes === 'bigint' ? bytes : 0n;
}

function write(call: Call): bigint {
  const target = call.run.dynptrs.get(call.u64(1));
  if (target === undefined) return EINVAL;
  return writeTo(call, target, call.u32(2), call.bytes(3, call.u32(4)), call.u64(5));
}

function data(call: Call): bigint {
  const dynptr = call.run.dynptrs.get(call.u64(1));
  if (dynptr === undefined || dynptr.readOnly || dynptr.kind !== 'local') return 0n;
  const [offset, sizeBytes] = [call.u32(2), call.u32(3)];
  if (!inside(dynptr, offset, sizeBytes)) return 0n;
  return placeOf(call, dynptr, offset, sizeBytes) ?? 0n;
}

function reserve(call: Call): bigint {
  const sizeBytes = call.u32(2);
  call.run.dynptrs.delete(call.u64(4));
  if (call.u64(3) !== 0n) return EINVAL;
  if (sizeBytes > DYNPTR_BYTES_MAX) return E2BIG;
  const address = call.run.reserve(call.map(1), sizeBytes);
  if (address === 0n) return EINVAL;
  const made = { kind: 'local', address, offset: 0, sizeBytes, readOnly: false } as const;
  call.run.dynptrs.set(call.u64(4), { ...made, record: address });
  return 0n;
}

function finish(call: Call, state: 'ready' | 'discarded'): bigint {
  const record = call.run.dynptrs.get(call.u64(1))?.record;
  if (record !== undefined) call.run.finishRecord(record, state);
  call.run.dynptrs.delete(call.u64(1));
  return 0n;
}

export const DYNPTR_HELPERS: Readonly<Record<number, HelperFunction>> = {
  197: fromMemory,
  198: reserve,
  199: (call) => finish(call, 'ready'),
  200: (call) => finish(call, 'discarded'),
  201: read,
  202: write,
  203: data,
};
