/** Writes capture files of every kind that the reader must take, byte order and options included. */

export type ByteOrder = 'little' | 'big';

/** Grows a file field by field, in one byte order. */
export class FileBuilder {
  readonly #bytes: number[] = [];
  readonly #little: boolean;

  constructor(order: ByteOrder) {
    this.#little = order === 'little';
  }

  get length(): number {
    return this.#bytes.length;
  }

  u16(value: number): this {
    const low = value & 0xff;
    const high = (value >>> 8) & 0xff;
    this.#bytes.push(...(this.#little ? [low, high] : [high, low]));
    return this;
  }

  u32(value: number): this {
    const low = value & 0xffff;
    const high = value >>> 16;
    return this.#little ? this.u16(low).u16(high) : this.u16(high).u16(low);
  }

  raw(bytes: Uint8Array | readonly number[]): this {
    this.#bytes.push(...bytes);
    return this;
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

export interface FilePacket {
  readonly bytes: readonly number[];
  readonly original?: number;
  readonly seconds?: number;
  /** Micro- or nanoseconds, as the file has it. */
  readonly fraction?: number;
}

const PCAP_MAGIC = { microseconds: 0xa1b2c3d4, nanoseconds: 0xa1b23c4d } as const;

export function pcapFile(
  order: ByteOrder,
  unit: keyof typeof PCAP_MAGIC,
  packets: readonly FilePacket[],
  linkType = 1,
): Uint8Array {
  const file = new FileBuilder(order).u32(PCAP_MAGIC[unit]).u16(2).u16(4).u32(0).u32(0);
  file.u32(0x40000).u32(linkType);
  for (const { bytes, original = bytes.length, seconds = 0, fraction = 0 } of packets)
    file.u32(seconds).u32(fraction).u32(bytes.length).u32(original).raw(bytes);
  return file.bytes();
}

/** A pcapng block: type, length, body padded to 4 bytes, length. */
export function block(order: ByteOrder, type: number, body: Uint8Array): Uint8Array {
  const padding = (4 - (body.length % 4)) % 4;
  const length = 12 + body.length + padding;
  return new FileBuilder(order)
    .u32(type)
    .u32(length)
    .raw(body)
    .raw(new Uint8Array(padding))
    .u32(length)
    .bytes();
}

export const join = (...parts: readonly Uint8Array[]) =>
  Uint8Array.from(parts.flatMap((part) => [...part]));

export const sectionBlock = (order: ByteOrder) =>
  block(
    order,
    0x0a0d0d0a,
    new FileBuilder(order).u32(0x1a2b3c4d).u16(1).u16(0).u32(0xffffffff).u32(0xffffffff).bytes(),
  );

/** `resolution`: the if_tsresol option; a comment option before it must be skipped. */
export function interfaceBlock(
  order: ByteOrder,
  linkType: number,
  snapLength: number,
  resolution?: number,
): Uint8Array {
  const body = new FileBuilder(order).u16(linkType).u16(0).u32(snapLength);
  if (resolution !== undefined) {
    body.u16(1).u16(5).raw([0x68, 0x65, 0x6c, 0x6c, 0x6f, 0, 0, 0]);
    body.u16(9).u16(1).raw([resolution, 0, 0, 0]).u16(0).u16(0);
  }
  return block(order, 1, body.bytes());
}

export function enhancedBlock(
  order: ByteOrder,
  bytes: readonly number[],
  more: {
    interface?: number;
    original?: number;
    high?: number;
    low?: number;
    captured?: number;
  } = {},
): Uint8Array {
  const body = new FileBuilder(order)
    .u32(more.interface ?? 0)
    .u32(more.high ?? 0)
    .u32(more.low ?? 0)
    .u32(more.captured ?? bytes.length)
    .u32(more.original ?? bytes.length)
    .raw(bytes);
  return block(order, 6, body.bytes());
}

export const simpleBlock = (order: ByteOrder, bytes: readonly number[], original = bytes.length) =>
  block(order, 3, new FileBuilder(order).u32(original).raw(bytes).bytes());
