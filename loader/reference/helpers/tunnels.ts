/** Tunnel metadata of a socket buffer: what a program sets, with the two ends exchanged when got. */

import { EINVAL, ENOENT } from '../maps.ts';
import { type Call, ENOMEM, type HelperFunction } from './call.ts';

const EPROTO = -71n;
/** struct bpf_tunnel_key of uapi/linux/bpf.h, now and before. */
const LENGTHS: readonly number[] = [44, 28, 24, 22, 8];
const OPTION_BYTES_MAX = 255;

function shownFlags(flags: bigint): number {
  const has = (flag: bigint) => (flags & flag) !== 0n;
  const shown = [
    0x0020,
    has(16n) ? 0 : 0x0400,
    has(2n) ? 0 : 0x0100,
    has(4n) ? 0x0001 : 0,
    has(8n) ? 0x0800 : 0,
  ];
  return shown.reduce((all, flag) => all | flag);
}

function setKey(call: Call): bigint {
  const [sizeBytes, flags] = [call.u32(3), call.u64(4)];
  if ((flags & ~31n) !== 0n || !LENGTHS.includes(sizeBytes)) return EINVAL;
  const key = new Uint8Array(44);
  key.set(call.bytes(2, sizeBytes));
  const byIpv6 = (flags & 1n) !== 0n;
  const view = new DataView(key.buffer);
  if (view.getUint16(22) !== 0 || (!byIpv6 && view.getUint32(24) !== 0)) return EINVAL;
  const options = new Uint8Array();
  call.run.tunnel = { key, byIpv6, flags: shownFlags(flags), options };
  return 0n;
}

function keyOf(call: Call): Uint8Array | bigint {
  const { tunnel } = call.run;
  const [sizeBytes, flags] = [call.u32(3), call.u64(4)];
  const known = LENGTHS.includes(sizeBytes);
  if (tunnel === undefined || !known || (flags & ~17n) !== 0n) return EINVAL;
  const byIpv6 = (flags & 1n) !== 0n;
  if (byIpv6 !== tunnel.byIpv6) return sizeBytes === 44 || !byIpv6 ? EPROTO : EINVAL;
  const length = byIpv6 ? 16 : 4;
  const key = new Uint8Array(44);
  key.set(tunnel.key.subarray(0, 4), 0);
  key.set(tunnel.key.subarray(20, 22), 20);
  key.set(tunnel.key.subarray(28, 28 + length), 4);
  key.set(tunnel.key.subarray(4, 4 + length), 28);
  if (byIpv6) key.set(tunnel.key.subarray(24, 28), 24);
  if ((flags & 16n) !== 0n) new DataView(key.buffer).setUint16(22, tunnel.flags, true);
  return key;
}

function getKey(call: Call): bigint {
  const key = keyOf(call);
  const out = call.bytes(2, call.u32(3), 'read-write');
  if (typeof key === 'bigint') out.fill(0);
  else out.set(key.subarray(0, out.length));
  return typeof key === 'bigint' ? key : 0n;
}

function setOption(call: Call): bigint {
  const sizeBytes = call.u32(3);
  const { tunnel } = call.run;
  if (tunnel === undefined || sizeBytes % 4 !== 0) return EINVAL;
  if (sizeBytes > OPTION_BYTES_MAX) return ENOMEM;
  tunnel.options = call.bytes(2, sizeBytes).slice();
  return 0n;
}

function getOption(call: Call): bigint {
  const out = call.bytes(2, call.u32(3), 'read-write');
  const { tunnel } = call.run;
  out.fill(0);
  if (tunnel === undefined || tunnel.options.length === 0) return ENOENT;
  if (out.length < tunnel.options.length) return ENOMEM;
  out.set(tunnel.options);
  return BigInt(tunnel.options.length);
}

export const TUNNELS: Readonly<Record<number, HelperFunction>> = {
  20: getKey,
  21: setKey,
  29: getOption,
  30: setOption,
};
