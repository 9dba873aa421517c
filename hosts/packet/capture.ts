/**
 * Capture files: pcap (both byte orders, microseconds and nanoseconds) and pcapng.
 *
 * A capture is handed on as one buffer with offsets and lengths, the form in which the loader runs a
 * batch: no packet is copied. Sources: draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng.
 */
import { InputError } from '../../isa/index.ts';

export interface Capture {
  /** The whole file. */
  readonly bytes: Uint8Array;
  /** Byte offset in `bytes` of each packet, and its captured length. */
  readonly offsets: Uint32Array;
  readonly lengths: Uint32Array;
  /** Length on the wire; larger than `lengths` where the capture truncated the packet. */
  readonly originalLengths: Uint32Array;
  /** Nanoseconds since the epoch. */
  readonly timestamps: BigUint64Array;
  /** LINKTYPE_ value (1: Ethernet) of the file, or of the first interface. */
  readonly linkType: number;
}

/** LINKTYPE_ETHERNET. */
export const LINK_ETHERNET = 1;

/** Magic numbers as a little-endian reader sees them: byte order and time unit. */
const PCAP_MAGICS: ReadonlyMap<number, { little: boolean; nanosecondsPerUnit: bigint }> = new Map([
  [0xa1b2c3d4, { little: true, nanosecondsPerUnit: 1000n }],
  [0xd4c3b2a1, { little: false, nanosecondsPerUnit: 1000n }],
  [0xa1b23c4d, { little: true, nanosecondsPerUnit: 1n }],
  [0x4d3cb2a1, { little: false, nanosecondsPerUnit: 1n }],
]);
const PCAPNG_SECTION = 0x0a0d0d0a;
const PCAPNG_INTERFACE = 1;
const PCAPNG_SIMPLE_PACKET = 3;
const PCAPNG_ENHANCED_PACKET = 6;
const PCAPNG_BYTE_ORDER = 0x1a2b3c4d;
const OPTION_TIMESTAMP_RESOLUTION = 9;
const NANOSECONDS_PER_SECOND = 1_000_000_000n;

interface Record {
  readonly offset: number;
  readonly length: number;
  readonly original: number;
  readonly nanoseconds: bigint;
}

/** Reads a capture. Throws InputError when the file is malformed or truncated. */
export function readCapture(bytes: Uint8Array, file: string): Capture {
  if (bytes.length < 4) throw new InputError(file, 0, 'not a capture: shorter than a magic number');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = view.getUint32(0, true);
  const records: Record[] = [];
  let linkType: number;
  if (magic === PCAPNG_SECTION) linkType = readPcapng(view, file, records);
  else if (PCAP_MAGICS.has(magic)) linkType = readPcap(view, file, records);
  else {
    throw new InputError(
      file,
      0,
      `not a capture: magic 0x${magic.toString(16)} is neither pcap's nor pcapng's`,
    );
  }
  return {
    // A Buffer's slice() would share memory where that of other byte arrays copies.
    bytes: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    offsets: Uint32Array.from(records, (record) => record.offset),
    lengths: Uint32Array.from(records, (record) => record.length),
    originalLengths: Uint32Array.from(records, (record) => record.original),
    timestamps: BigUint64Array.from(records, (record) => record.nanoseconds),
    linkType,
  };
}

function readPcap(view: DataView, file: string, records: Record[]): number {
  const format = PCAP_MAGICS.get(view.getUint32(0, true));
  if (!format || view.byteLength < 24) throw new InputError(file, 0, 'pcap header needs 24 bytes');
  const { little, nanosecondsPerUnit } = format;
  for (let at = 24; at < view.byteLength; ) {
    if (view.byteLength - at < 16) {
      throw new InputError(file, at, 'packet header needs 16 bytes, file ends before');
    }
    const length = view.getUint32(at + 8, little);
    if (length > view.byteLength - at - 16) {
      throw new InputError(file, at, `packet of ${length} bytes passes the end of the file`);
    }
    records.push({
      offset: at + 16,
      length,
      original: view.getUint32(at + 12, little),
      nanoseconds:
        BigInt(view.getUint32(at, little)) * NANOSECONDS_PER_SECOND +
        BigInt(view.getUint32(at + 4, little)) * nanosecondsPerUnit,
    });
    at += 16 + length;
  }
  return view.getUint32(20, little) & 0x0fff_ffff;
}

interface Interface {
  readonly linkType: number;
  readonly snapLength: number;
  readonly unitsPerSecond: bigint;
}

function readPcapng(view: DataView, file: string, records: Record[]): number {
  let little = true;
  let interfaces: Interface[] = [];
  let linkType: number | undefined;
  for (let at = 0; at < view.byteLength; ) {
    if (view.byteLength - at < 12) throw new InputError(file, at, 'block needs 12 bytes');
    if (view.getUint32(at, true) === PCAPNG_SECTION) {
      little = view.getUint32(at + 8, true) === PCAPNG_BYTE_ORDER;
      if (!little && view.getUint32(at + 8, false) !== PCAPNG_BYTE_ORDER) {
        throw new InputError(file, at + 8, 'section header has no byte-order magic');
      }
      interfaces = [];
    }
    const type = view.getUint32(at, little);
    const length = view.getUint32(at + 4, little);
    if (length < 12 || length % 4 !== 0 || length > view.byteLength - at) {
      throw new InputError(file, at + 4, `block length ${length} is impossible here`);
    }
    if (view.getUint32(at + length - 4, little) !== length)
      throw new InputError(
        file,
        at + length - 4,
        `block of ${length} bytes ends with another length`,
      );
    const block = { view, file, at, length, little };
    if (type === PCAPNG_INTERFACE) {
      interfaces.push(readInterface(block));
      linkType ??= interfaces[0]?.linkType;
    } else if (type === PCAPNG_ENHANCED_PACKET) records.push(readEnhanced(block, interfaces));
    else if (type === PCAPNG_SIMPLE_PACKET) records.push(readSimple(block, interfaces));
    at += length;
  }
  return linkType ?? LINK_ETHERNET;
}

interface Block {
  readonly view: DataView;
  readonly file: string;
  readonly at: number;
  readonly length: number;
  readonly little: boolean;
}

function readInterface({ view, file, at, length, little }: Block): Interface {
  if (length < 20) throw new InputError(file, at, 'interface block needs 20 bytes');
  let unitsPerSecond = 1_000_000n;
  const end = at + length - 4;
  for (let option = at + 16; option + 4 <= end; ) {
    const code = view.getUint16(option, little);
    const bytes = view.getUint16(option + 2, little);
    if (code === 0) break;
    if (option + 4 + bytes > end) throw new InputError(file, option, 'option passes its block');
    if (code === OPTION_TIMESTAMP_RESOLUTION && bytes === 1) {
      const value = view.getUint8(option + 4);
      unitsPerSecond = (value & 0x80 ? 2n : 10n) ** BigInt(value & 0x7f);
    }
    option += 4 + ((bytes + 3) & ~3);
  }
  return {
    linkType: view.getUint16(at + 8, little),
    snapLength: view.getUint32(at + 12, little),
    unitsPerSecond,
  };
}

function readEnhanced(block: Block, interfaces: readonly Interface[]): Record {
  const { view, file, at, length, little } = block;
  if (length < 32) throw new InputError(file, at, 'enhanced packet block needs 32 bytes');
  const source = interfaces[view.getUint32(at + 8, little)];
  if (!source)
    throw new InputError(file, at + 8, 'packet names an interface that was not declared');
  const captured = view.getUint32(at + 20, little);
  if (captured > length - 32) throw new InputError(file, at + 20, 'packet passes its block');
  const units =
    (BigInt(view.getUint32(at + 12, little)) << 32n) | BigInt(view.getUint32(at + 16, little));
  return {
    offset: at + 28,
    length: captured,
    original: view.getUint32(at + 24, little),
    nanoseconds: (units * NANOSECONDS_PER_SECOND) / source.unitsPerSecond,
  };
}

function readSimple(block: Block, interfaces: readonly Interface[]): Record {
  const { view, file, at, length, little } = block;
  if (length < 16) throw new InputError(file, at, 'simple packet block needs 16 bytes');
  const source = interfaces[0];
  if (!source) throw new InputError(file, at, 'simple packet before any interface');
  const original = view.getUint32(at + 8, little);
  const captured = source.snapLength === 0 ? original : Math.min(original, source.snapLength);
  if (captured > length - 16) throw new InputError(file, at + 8, 'packet passes its block');
  return { offset: at + 12, length: captured, original, nanoseconds: 0n };
}

/** A packet to be written: its bytes, and its length on the wire when it was cut. */
export interface CapturedPacket {
  readonly bytes: Uint8Array;
  readonly originalLength?: number;
  /** Nanoseconds since the epoch; written in whole microseconds. */
  readonly timestamp?: bigint;
}

/** A little-endian, microsecond pcap file of Ethernet packets. */
export function writeCapture(packets: readonly CapturedPacket[]): Uint8Array {
  const size = packets.reduce((sum, packet) => sum + 16 + packet.bytes.length, 24);
  const out = new Uint8Array(size);
  const view = new DataView(out.buffer);
  view.setUint32(0, 0xa1b2c3d4, true);
  view.setUint16(4, 2, true);
  view.setUint16(6, 4, true);
  view.setUint32(16, 0x40000, true);
  view.setUint32(20, LINK_ETHERNET, true);
  let at = 24;
  for (const { bytes, originalLength, timestamp = 0n } of packets) {
    view.setUint32(at, Number(timestamp / NANOSECONDS_PER_SECOND), true);
    view.setUint32(at + 4, Number((timestamp % NANOSECONDS_PER_SECOND) / 1000n), true);
    view.setUint32(at + 8, bytes.length, true);
    view.setUint32(at + 12, originalLength ?? bytes.length, true);
    out.set(bytes, at + 16);
    at += 16 + bytes.length;
  }
  return out;
}
