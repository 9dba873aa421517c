/**
 * Helpers of the reference engine, by number: what the C ones must do, said in JavaScript. Arguments
 * are checked against memory here, so a program that breaks a contract faults.
 */

import type { HelperArguments, Machine } from '../../isa/index.ts';
import { CPU_SLOTS } from '../environment.ts';
import { difference, replaced, replaced16, replacedBy } from './checksum.ts';
import { adjustRoom, changeProtocol, popTag, pushTag } from './link.ts';
import { EINVAL, type ReferenceMap } from './maps.ts';
import type { RunMemory } from './packet.ts';
import type { Run } from './run.ts';
import { format, parseNumber } from './text.ts';

/** What a helper works on: the run, the machine, and its arguments. */
export class Call {
  readonly run: Run;
  readonly machine: Machine;
  readonly #args: HelperArguments;

  constructor(run: Run, machine: Machine, args: HelperArguments) {
    this.run = run;
    this.machine = machine;
    this.#args = args;
  }

  /** Argument 1 to 5 at 64 bits. */
  u64(number: 1 | 2 | 3 | 4 | 5): bigint {
    const value = this.#args[number - 1];
    if (value === undefined)
      throw this.machine.fault('call', `argument ${number} of a helper was never written`);
    return value;
  }
  u32(number: 1 | 2 | 3 | 4 | 5): number {
    return Number(BigInt.asUintN(32, this.u64(number)));
  }
  s32(number: 1 | 2 | 3 | 4 | 5): number {
    return Number(BigInt.asIntN(32, this.u64(number)));
  }
  map(number: 1 | 2): ReferenceMap {
    const map = this.run.mapAt(this.u64(number));
    if (map === undefined) throw this.machine.fault('call', 'not a map');
    return map;
  }
  /** `sizeBytes` bytes behind an argument, as a view. */
  bytes(
    number: 1 | 2 | 3 | 4 | 5,
    sizeBytes: number,
    access: 'read' | 'read-write' = 'read',
  ): Uint8Array {
    if (sizeBytes === 0) return new Uint8Array();
    const address = this.u64(number);
    const view = this.machine.memory.view(address, sizeBytes, access);
    if (view === undefined)
      throw this.machine.fault('access', `helper argument ${number}: ${sizeBytes} bytes`, address);
    return view;
  }
  /** A string up to its NUL, at most `limit` bytes. */
  text(number: 1 | 2 | 3 | 4 | 5, limit: number): string {
    let text = '';
    for (let i = 0; i < limit; i++) {
      const byte = this.machine.memory.load(this.u64(number) + BigInt(i), 1);
      if (byte === undefined)
        throw this.machine.fault('access', `helper argument ${number}: string`, this.u64(number));
      if (byte === 0n) break;
      text += String.fromCharCode(Number(byte));
    }
    return text;
  }
  /** Runs the callback whose address is argument 2. */
  callback(...args: bigint[]): bigint {
    const pc = this.machine.functionAt(this.u64(2));
    if (pc === undefined) throw this.machine.fault('call', 'callback is not a function');
    return this.machine.call(pc, args);
  }
}

export type HelperFunction = (call: Call) => bigint;

const EFAULT = -14n;
const EACCES = -13n;
const ENOMEM = -12n;
const ENOTSUPP = -524n;

function lookup(call: Call, cpu: number): bigint {
  const map = call.map(1);
  const key = call.bytes(2, map.keySize);
  const target = map.target(key);
  if (target !== undefined) return (target as ReferenceMap).address;
  const element = map.find(key);
  return element === undefined ? 0n : map.addressOf(element, cpu);
}

function forEach(call: Call): bigint {
  const map = call.map(1);
  if (call.u64(4) !== 0n) return EINVAL;
  let visited = 0n;
  for (const element of map.elements()) {
    visited++;
    const key = call.run.scratch(element.key);
    const result = call.callback(
      map.address,
      key,
      map.addressOf(element, call.run.cpu),
      call.u64(3),
    );
    if (result !== 0n) break;
  }
  return visited;
}

function loop(call: Call): bigint {
  const count = call.u32(1);
  if (call.u64(4) !== 0n) return EINVAL;
  if (count > 8 * 1024 * 1024) return -7n;
  for (let i = 0; i < count; i++)
    if (call.callback(BigInt(i), call.u64(3)) !== 0n) return BigInt(i + 1);
  return BigInt(count);
}

function tailCall(call: Call): bigint {
  const target = call.map(2).target(new Uint8Array(Uint32Array.of(call.u32(3)).buffer));
  if (target === undefined) return -2n;
  return call.run.tailCall(call.machine, target, call.u64(1));
}

const MAPS: Readonly<Record<number, HelperFunction>> = {
  1: (call) => lookup(call, call.run.cpu),
  2: (call) => {
    const map = call.map(1);
    const value = call.bytes(3, map.spec.valueSize);
    return map.update(call.bytes(2, map.keySize), value, call.u64(4), call.run.cpu);
  },
  3: (call) => call.map(1).delete(call.bytes(2, call.map(1).keySize)),
  12: tailCall,
  87: (call) => call.map(1).push(call.bytes(2, call.map(1).spec.valueSize), call.u64(3)),
  88: (call) => call.map(1).take(call.bytes(2, call.map(1).spec.valueSize, 'read-write'), 'leaves'),
  89: (call) => call.map(1).take(call.bytes(2, call.map(1).spec.valueSize, 'read-write'), 'stays'),
  93: () => 0n,
  94: () => 0n,
  130: (call) => call.map(1).output(call.bytes(2, Number(call.u64(3)))),
  131: (call) => (call.u64(3) === 0n ? call.run.reserve(call.map(1), Number(call.u64(2))) : 0n),
  132: (call) => call.run.finishRecord(call.u64(1), 'ready'),
  133: (call) => call.run.finishRecord(call.u64(1), 'discarded'),
  134: (call) =>
    call.u64(2) === 0n
      ? BigInt(call.map(1).pendingBytes)
      : call.u64(2) === 1n
        ? BigInt(call.map(1).maxEntries)
        : 0n,
  164: forEach,
  181: loop,
  195: (call) => (call.u32(3) < CPU_SLOTS && call.map(1).perCpu ? lookup(call, call.u32(3)) : 0n),
};

const time: HelperFunction = (call) => call.run.now();

const ENVIRONMENT: Readonly<Record<number, HelperFunction>> = {
  5: time,
  125: time,
  160: time,
  208: time,
  118: (call) => 4294967296n - 75_000n + call.run.now() / 4_000_000n,
  7: (call) => call.run.random(),
  8: (call) => BigInt(call.run.cpu),
  42: () => 0n,
  14: (call) => call.run.process.pidTgid,
  15: (call) => call.run.process.uidGid,
  16: (call) => {
    const out = call.bytes(1, call.u32(2), 'read-write');
    out.fill(0);
    if (out.length === 0) return EINVAL;
    out.set(
      new TextEncoder().encode(call.run.process.comm).subarray(0, Math.min(15, out.length - 1)),
    );
    return 0n;
  },
};

/** Copies between packet and memory; `undefined` error means: fill with zeroes and -EFAULT. */
function loadBytes(call: Call, base: number): bigint {
  const { packet } = call.run;
  const [offset, sizeBytes] = [call.u32(2), call.u32(4)];
  const out = call.bytes(3, sizeBytes, 'read-write');
  const inside = offset <= 0x7fffffff && base + offset + sizeBytes <= packet.end;
  if (inside) out.set(packet.buffer.subarray(base + offset, base + offset + sizeBytes));
  else out.fill(0);
  return inside ? 0n : EFAULT;
}

function loadRelative(call: Call): bigint {
  const { packet } = call.run;
  const start = call.u32(5);
  const base = start === 0 ? packet.mac : packet.network;
  if (start <= 1 && call.u32(2) <= 0xffff) return loadBytes(call, base);
  call.bytes(3, call.u32(4), 'read-write').fill(0);
  return EFAULT;
}

function storeBytes(call: Call, beyond: bigint): bigint {
  const { packet } = call.run;
  const [offset, sizeBytes] = [call.u32(2), call.u32(4)];
  const source = call.bytes(3, sizeBytes).slice();
  if (offset > 0x7fffffff || packet.data + offset + sizeBytes > packet.end) return beyond;
  packet.buffer.set(source, packet.data + offset);
  return 0n;
}

const tooLong = (call: Call) => call.u32(2) > 0xffff || call.u32(4) > 0xffff;

function xdpLoadBytes(call: Call): bigint {
  const { packet } = call.run;
  const [offset, sizeBytes] = [call.u32(2), call.u32(4)];
  if (tooLong(call)) return EFAULT;
  const out = call.bytes(3, sizeBytes, 'read-write');
  if (packet.data + offset + sizeBytes > packet.end) return EINVAL;
  out.set(packet.buffer.subarray(packet.data + offset, packet.data + offset + sizeBytes));
  return 0n;
}

/** struct xdp_frame stands at the start of the headroom. */
const XDP_FRAME_BYTES = 40;
const ETHERNET_BYTES = 14;

function adjustHead(call: Call): bigint {
  const { packet } = call.run;
  const change = call.s32(2);
  const metaBytes = packet.data - packet.meta;
  const data = packet.data + change;
  if (data < packet.headLimit + XDP_FRAME_BYTES + metaBytes || data > packet.end - ETHERNET_BYTES)
    return EINVAL;
  packet.buffer.copyWithin(packet.meta + change, packet.meta, packet.data);
  packet.meta += change;
  packet.data = data;
  packet.publish();
  return 0n;
}

function adjustTail(call: Call): bigint {
  const { packet } = call.run;
  const end = packet.end + call.s32(2);
  if (end > packet.tailLimit || end < packet.data + ETHERNET_BYTES) return EINVAL;
  if (end > packet.end) packet.buffer.fill(0, packet.end, end);
  packet.end = end;
  packet.publish();
  return 0n;
}

function adjustMeta(call: Call): bigint {
  const { packet } = call.run;
  const meta = packet.meta + call.s32(2);
  if (meta < packet.headLimit + XDP_FRAME_BYTES || meta > packet.data) return EINVAL;
  if ((packet.data - meta) % 4 !== 0 || packet.data - meta > 255) return EACCES;
  packet.meta = meta;
  packet.publish();
  return 0n;
}

const SKB_BYTES_MAX = 16384 - 320;

function changeTail(call: Call): bigint {
  const { packet } = call.run;
  const wanted = call.u32(2);
  if (call.u64(3) !== 0n || wanted > SKB_BYTES_MAX) return EINVAL;
  if (wanted < Math.max(0, packet.network - packet.data)) return EINVAL;
  const end = packet.data + wanted;
  if (end > packet.tailLimit) return ENOMEM;
  if (end > packet.end) packet.buffer.fill(0, packet.end, end);
  packet.end = end;
  return resized(call);
}

function changeHead(call: Call): bigint {
  const { packet } = call.run;
  const room = call.u32(2);
  if (call.u64(3) !== 0n || packet.length + room > SKB_BYTES_MAX) return EINVAL;
  if (room > packet.data - packet.headLimit) return ENOMEM;
  packet.data -= room;
  packet.buffer.fill(0, packet.data, packet.data + room);
  packet.mac = packet.data;
  return resized(call);
}

function resized(call: Call): bigint {
  const { packet } = call.run;
  packet.meta = packet.data;
  packet.set32(0, packet.length);
  packet.publish();
  return 0n;
}

function redirect(call: Call): bigint {
  const xdp = call.run.packet.plan.kind === 'xdp';
  const flags = call.u64(2);
  if (xdp ? flags !== 0n : (flags & ~1n) !== 0n) return xdp ? 0n : 2n;
  call.run.redirect = { kind: 'redirect', ifindex: call.u32(1), flags, key: call.u32(1) };
  return xdp ? 4n : 7n;
}

function redirectMap(call: Call): bigint {
  const flags = call.u64(3);
  const key = call.u32(2);
  if ((flags & ~0x1bn) !== 0n) return 0n;
  const present = call.map(1).find(new Uint8Array(Uint32Array.of(key).buffer)) !== undefined;
  if ((flags & 8n) === 0n && !present) return flags & 3n;
  call.run.redirect = { kind: 'redirect-map', ifindex: key, flags, key };
  return 4n;
}

const PACKETS: Readonly<Record<number, HelperFunction>> = {
  9: (call) => ((call.u64(5) & ~3n) === 0n ? storeBytes(call, EFAULT) : EINVAL),
  13: (call) => {
    if ((call.u64(3) & ~1n) !== 0n) return EINVAL;
    const ifindex = call.u32(2);
    call.run.redirect = { kind: 'clone-redirect', ifindex, flags: call.u64(3), key: ifindex };
    return 0n;
  },
  23: redirect,
  26: (call) => loadBytes(call, call.run.packet.data),
  32: (call) => {
    if (call.u32(2) > 3 || call.run.packet.get32(4) > 3) return EINVAL;
    call.run.packet.set32(4, call.u32(2));
    return 0n;
  },
  34: (call) => {
    const { packet } = call.run;
    if (packet.get32(68) === 0) packet.set32(68, flowHash(packet));
    return BigInt(packet.get32(68));
  },
  38: changeTail,
  39: (call) => (call.u32(2) <= call.run.packet.length ? 0n : ENOMEM),
  41: (call) => setHash(call, 0),
  43: changeHead,
  44: adjustHead,
  48: (call) => setHash(call, call.u32(2)),
  51: redirectMap,
  54: adjustMeta,
  65: adjustTail,
  68: loadRelative,
  188: (call) => BigInt(call.run.packet.length),
  189: xdpLoadBytes,
  190: (call) => (tooLong(call) ? EFAULT : storeBytes(call, EINVAL)),
};

/** FNV-1a over addresses and ports, as in loader/native/helpers_room.c. */
function flowHash(packet: RunMemory): number {
  const protocol = packet.get32(16);
  const header = packet.buffer.subarray(packet.network, packet.end);
  const isIpv4 = protocol === 0x0008;
  const [start, end] = isIpv4 ? [12, 20] : [8, 40];
  if ((!isIpv4 && protocol !== 0xdd86) || header.length < end) return protocol + 1;
  const ports = isIpv4 ? (header[0]! & 15) * 4 : 40;
  let hash = 2166136261;
  for (const byte of [...header.subarray(start, end), ...header.subarray(ports, ports + 4)])
    hash = Math.imul(hash ^ byte, 16777619);
  return hash >>> 0 || 1;
}

function setHash(call: Call, hash: number): bigint {
  call.run.packet.set32(68, hash);
  return 0n;
}

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

const LINK: Readonly<Record<number, HelperFunction>> = {
  18: (call) => pushTag(call.run.packet, call.u32(2) & 0xffff, call.u32(3) & 0xffff),
  19: (call) => popTag(call.run.packet),
  31: (call) => changeProtocol(call.run.packet, call.u32(2) & 0xffff, call.u64(3)),
  50: (call) => adjustRoom(call.run.packet, call.s32(2), call.u32(3), call.u64(4)),
};

const CHECKSUMS: Readonly<Record<number, HelperFunction>> = {
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

function words(bytes: Uint8Array): bigint[] | undefined {
  if (bytes.length % 8 !== 0 || bytes.length > 96) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / 8 }, (_, i) => view.getBigUint64(i * 8, true));
}

function trace(call: Call, values: readonly bigint[] | undefined): bigint {
  const bytes = call.bytes(1, call.u32(2));
  const end = bytes.indexOf(0);
  const line =
    end < 0 || values === undefined
      ? undefined
      : format(Buffer.from(bytes.subarray(0, end)).toString('latin1'), values);
  if (line === undefined) return EINVAL;
  const shown = line.slice(0, 1023);
  call.run.trace += shown.endsWith('\n') ? shown : `${shown}\n`;
  return BigInt(line.length);
}

function snprintf(call: Call): bigint {
  const out = call.bytes(1, call.u32(2), 'read-write');
  const text = words(call.bytes(4, call.u32(5)));
  const line = text === undefined ? undefined : format(call.text(3, 4096), text);
  if (line === undefined) return EINVAL;
  const shown = line.slice(0, Math.max(0, out.length - 1));
  if (out.length > 0) out.set([...Buffer.from(shown, 'latin1'), 0]);
  return BigInt(line.length + 1);
}

function compareText(call: Call): bigint {
  const first = call.bytes(1, call.u32(2));
  for (let i = 0; i < first.length; i++) {
    const other = call.machine.memory.load(call.u64(3) + BigInt(i), 1);
    if (other === undefined) throw call.machine.fault('access', 'string', call.u64(3));
    if (first[i] !== Number(other)) return first[i]! < Number(other) ? -1n : 1n;
    if (other === 0n) return 0n;
  }
  return 0n;
}

function convertNumber(call: Call, signed: 'signed' | 'unsigned'): bigint {
  const text = Buffer.from(call.bytes(1, Number(call.u64(2)))).toString('latin1');
  const { used, magnitude, negative } = parseNumber(text, call.u64(3));
  const out = call.bytes(4, 8, 'read-write');
  const most = signed === 'signed' ? (1n << 63n) - (negative ? 0n : 1n) : (1n << 64n) - 1n;
  let result = used;
  if (used >= 0n && signed === 'unsigned' && negative) result = EINVAL;
  else if (used >= 0n && magnitude > most) result = -34n;
  const value = result < 0n ? 0n : negative ? -magnitude : magnitude;
  new DataView(out.buffer, out.byteOffset, 8).setBigUint64(0, BigInt.asUintN(64, value), true);
  return result;
}

const TEXT: Readonly<Record<number, HelperFunction>> = {
  6: (call) => trace(call, [call.u64(3), call.u64(4), call.u64(5)]),
  105: (call) => convertNumber(call, 'signed'),
  106: (call) => convertNumber(call, 'unsigned'),
  165: snprintf,
  177: (call) => trace(call, words(call.bytes(3, call.u32(4)))),
  182: compareText,
};

/** By enum bpf_func_id. */
export const HELPERS: Readonly<Record<number, HelperFunction>> = {
  ...MAPS,
  ...ENVIRONMENT,
  ...PACKETS,
  ...LINK,
  ...CHECKSUMS,
  ...TEXT,
};
