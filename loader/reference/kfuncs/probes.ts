/** Kernel functions that copy from unproven addresses to dynamic pointers, and the one that prints. */

import { inside, writeTo } from '../dynptr.ts';
import { format } from '../format.ts';
import { type Call, EFAULT, type HelperFunction } from '../helpers/call.ts';
import { probe, probeString } from '../helpers/probes.ts';
import { E2BIG, EINVAL, ENOENT, EOPNOTSUPP } from '../maps.ts';
import type { Dynptr } from '../variables.ts';
import { int32 } from './numbers.ts';

type Read = (call: Call, address: bigint, sizeBytes: number) => Uint8Array | undefined;

const copying =
  (
    read: Read,
    result: (bytes: Uint8Array) => bigint,
    /** What a fault leaves. */
    left: Uint8Array,
  ): HelperFunction =>
  (call) => {
    const [offset, sizeBytes] = [call.u32(2), call.u32(3)];
    const given = call.run.dynptrs.get(call.u64(1));
    const none = { kind: 'local', address: 0n, offset: 0, sizeBytes: 0, readOnly: false } as const;
    const to: Dynptr = given ?? none;
    if (to.readOnly) return int32(EINVAL);
    if (!inside(to, offset, sizeBytes)) return int32(E2BIG);
    if (sizeBytes === 0) return 0n;
    const bytes = read(call, call.u64(4), sizeBytes);
    if (bytes === undefined) writeTo(call, to, offset, left, 0n);
    if (bytes === undefined) return int32(EFAULT);
    const error = writeTo(call, to, offset, bytes, 0n);
    return error === 0n ? result(bytes) : int32(error);
  };

const copy = copying(probe, () => 0n, new Uint8Array());
const copyString = copying(probeString, ({ length }) => BigInt(length), new Uint8Array(1));

/** The string and its NUL; with flag 1 the rest of the buffer is cleared. */
function copyFromUser(call: Call): bigint {
  const [sizeBytes, flags] = [call.u32(2), call.u64(4)];
  if ((flags & ~1n) !== 0n) return int32(EINVAL);
  if (sizeBytes === 0) return 0n;
  const bytes = sizeBytes === 1 ? new Uint8Array(1) : probeString(call, call.u64(3), sizeBytes);
  const out = call.bytes(1, sizeBytes, 'read-write');
  if (bytes === undefined || flags === 1n) out.fill(0);
  if (bytes === undefined) return int32(EFAULT);
  out.set(bytes);
  return BigInt(bytes.length);
}

/** The device knows nothing of a packet. */
const unknown: HelperFunction = () => int32(EOPNOTSUPP);

/** A program's standard output and standard error are read with its trace. */
function print(call: Call): bigint {
  const sizeBytes = call.u32(4);
  if (sizeBytes % 8 !== 0 || sizeBytes > 96) return int32(EINVAL);
  const stream = call.s32(1);
  if (stream !== 1 && stream !== 2) return int32(ENOENT);
  const given = call.bytes(3, sizeBytes).slice();
  const values = [...new BigUint64Array(given.buffer, 0, sizeBytes / 8)];
  const line = format(call.text(2, 4096), values, call.machine.memory);
  if (typeof line === 'bigint') return int32(line);
  call.run.trace += line.slice(0, 1023);
  return 0n;
}

export const PROBE_KFUNCS: Readonly<Record<string, HelperFunction>> = {
  bpf_probe_read_kernel_dynptr: copy,
  bpf_probe_read_user_dynptr: copy,
  bpf_copy_from_user_dynptr: copy,
  bpf_probe_read_kernel_str_dynptr: copyString,
  bpf_probe_read_user_str_dynptr: copyString,
  bpf_copy_from_user_str_dynptr: copyString,
  bpf_copy_from_user_str: copyFromUser,
  bpf_xdp_pull_data: (call) => (call.u32(2) <= call.run.packet.length ? 0n : int32(EINVAL)),
  bpf_xdp_metadata_rx_timestamp: unknown,
  bpf_xdp_metadata_rx_hash: unknown,
  bpf_xdp_metadata_rx_vlan_tag: unknown,
  bpf_stream_vprintk_impl: print,
};
