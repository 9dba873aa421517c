/**
 * Packet and context of a run, as BPF_PROG_TEST_RUN presents them. The context is a region that
 * answers accesses itself: its pointer fields are 32 bits wide in the uapi structure and hold 64-bit
 * pointers when loaded.
 */

import type { AddressSpace, ByteRegion, VirtualRegion } from '../../isa/index.ts';
import { type ContextField, FLOW_KEYS_BYTES } from '../../platform/index.ts';
import type { Plan } from '../plan.ts';
import { type Allocator, CONTEXT_ADDRESS, OBJECT_ADDRESS, PACKET_ADDRESS } from './memory.ts';

/** RF_HEADROOM and RF_TAILROOM of loader/native/instance.h. */
const HEADROOM = 16384;
const TAILROOM = 16384;
const ETHERNET_BYTES = 14;
const XDP_HEADROOM = 256;
const XDP_PACKET_BYTES = 4096 - 256 - 320;

export class RunMemory {
  readonly memory: AddressSpace;
  readonly plan: Plan;
  readonly context: Uint8Array;
  readonly buffer: Uint8Array;
  /** Offsets in `buffer`. */
  meta = HEADROOM;
  data = HEADROOM;
  end = HEADROOM;
  headLimit = HEADROOM;
  tailLimit = HEADROOM;
  mac = HEADROOM;
  network = HEADROOM;
  readonly #fields: readonly ContextField[];
  /** Zeroes behind socket and flow pointers. */
  readonly #objects: ByteRegion;
  readonly #dissects: boolean;
  #packetRegion: ByteRegion | undefined;
  #contextRegion: VirtualRegion | ByteRegion | undefined;

  constructor(
    allocator: Allocator,
    plan: Plan,
    type: string,
    given: Uint8Array,
    packet: Uint8Array,
  ) {
    this.memory = allocator.memory;
    this.plan = plan;
    this.context = new Uint8Array(plan.contextBytes);
    this.context.set(given);
    this.buffer = new Uint8Array(HEADROOM + packet.length + TAILROOM);
    this.buffer.set(packet, HEADROOM);
    this.end = HEADROOM + packet.length;
    this.#fields = plan.fields;
    this.#objects = {
      name: 'object',
      base: OBJECT_ADDRESS,
      bytes: new Uint8Array(80),
      access: 'read-write',
    };
    this.memory.add(this.#objects);
    this.#dissects = type === 'flow_dissector';
    if (this.#dissects) {
      const keys = new DataView(this.#objects.bytes.buffer);
      keys.setUint16(0, ETHERNET_BYTES, true);
      keys.setUint16(2, ETHERNET_BYTES, true);
      if (packet.length >= ETHERNET_BYTES) this.#objects.bytes.set(packet.subarray(12, 14), 10);
    }
  }

  /** What a dissector found, its offsets brought into the packet; it comes back in its place. */
  #flowKeys(packetBytes: number): Uint8Array {
    const keys = new DataView(this.#objects.bytes.buffer);
    let least = ETHERNET_BYTES;
    for (const at of [0, 2]) {
      least = Math.min(Math.max(keys.getUint16(at, true), least), packetBytes);
      keys.setUint16(at, least, true);
    }
    return this.#objects.bytes.slice(0, FLOW_KEYS_BYTES);
  }

  get length(): number {
    return this.end - this.data;
  }

  addressOf(offset: number): bigint {
    return PACKET_ADDRESS + BigInt(offset - HEADROOM);
  }

  /**
   * As the caller of a test run gets it: XDP metadata counts as packet, and what started at the
   * network header comes back behind a link header of zeroes.
   */
  handOut(): Uint8Array {
    if (this.plan.kind === 'xdp') {
      const parts = [this.data - this.meta, this.end - this.meta, 0];
      for (const [i, part] of parts.entries()) this.set32(i * 4, part);
      return this.buffer.slice(this.meta, this.end);
    }
    const bytes = this.buffer.subarray(this.data, this.end);
    if (this.#dissects) return this.#flowKeys(bytes.length);
    if (this.plan.kind !== 'skb' || this.plan.linkLayer) return bytes.slice();
    const framed = new Uint8Array(ETHERNET_BYTES + bytes.length);
    framed.set(bytes, ETHERNET_BYTES);
    return framed;
  }

  /** Sets the bounds and derived fields for the kind of context. */
  prepare(given: number, metaBytes: number): void {
    if (this.plan.kind === 'xdp') {
      this.data = this.meta + metaBytes;
      this.headLimit = this.data - XDP_HEADROOM;
      this.tailLimit = Math.max(this.end, this.data + XDP_PACKET_BYTES);
      if (given <= 12) this.set32(12, 1);
    } else if (this.plan.kind === 'skb') this.#prepareSocketBuffer(given);
    this.#addContext();
    this.publish();
  }

  /** Makes exactly the bytes between `meta` and `end` accessible. */
  publish(): void {
    if (this.#packetRegion !== undefined) this.memory.remove(this.#packetRegion);
    if (!this.plan.packet) return;
    this.#packetRegion = {
      name: 'packet',
      base: this.addressOf(this.meta),
      bytes: this.buffer.subarray(this.meta, this.end),
      access: 'read-write',
    };
    this.memory.add(this.#packetRegion);
  }

  release(): void {
    this.memory.remove(this.#objects);
    if (this.#packetRegion !== undefined) this.memory.remove(this.#packetRegion);
    if (this.#contextRegion !== undefined) this.memory.remove(this.#contextRegion);
  }

  set32(offset: number, value: number): void {
    new DataView(this.context.buffer).setUint32(offset, value, true);
  }
  get32(offset: number): number {
    return new DataView(this.context.buffer).getUint32(offset, true);
  }

  #addContext(): void {
    this.#contextRegion =
      this.plan.kind === 'memory'
        ? { name: 'memory', base: CONTEXT_ADDRESS, bytes: this.context, access: 'read-write' }
        : {
            name: 'context',
            base: CONTEXT_ADDRESS,
            sizeBytes: this.context.length,
            load: (offset, sizeBytes) => this.#load(offset, sizeBytes),
            store: (offset, sizeBytes, value) => this.#store(offset, sizeBytes, value),
          };
    this.memory.add(this.#contextRegion);
  }

  #load(offset: number, sizeBytes: number): bigint {
    const field = this.#fields.find((each) => each.offset === offset);
    if (field !== undefined && field.kind !== 'scalar') return this.#pointer(field);
    let value = 0n;
    for (let i = sizeBytes - 1; i >= 0; i--)
      value = (value << 8n) | BigInt(this.context[offset + i]!);
    return value;
  }

  #pointer({ kind }: ContextField): bigint {
    switch (kind) {
      case 'packet':
        return this.addressOf(this.data);
      case 'packet-end':
        return this.addressOf(this.end);
      case 'packet-meta':
        return this.addressOf(this.meta);
      default:
        return this.#objects.base;
    }
  }

  #store(offset: number, sizeBytes: number, value: bigint): boolean {
    for (let i = 0; i < sizeBytes; i++)
      this.context[offset + i] = Number((value >> BigInt(8 * i)) & 0xffn);
    return true;
  }

  /** Fields that follow from the packet; net/bpf/test_run.c and eth_type_trans. */
  #prepareSocketBuffer(given: number): void {
    const framed = this.length >= ETHERNET_BYTES;
    const start = this.data;
    this.mac = start;
    this.network = framed ? start + ETHERNET_BYTES : this.end;
    if (this.plan.words[5] === 0) this.data = this.meta = this.network;
    this.headLimit = start - HEADROOM;
    this.tailLimit = this.end + TAILROOM;
    if (this.get32(40) === 0) this.set32(40, 1);
    if (framed) this.#classify(start);
    for (const offset of [76, 80, 140]) this.set32(offset, 0);
    this.set32(0, this.length);
    if (given > 0 && this.get32(160) === 0) this.set32(160, this.length);
  }

  #classify(start: number): void {
    const frame = this.buffer.subarray(start, this.end);
    const type = (frame[12]! << 8) | frame[13]!;
    const novell = frame.length >= 16 && frame[14] === 0xff && frame[15] === 0xff;
    const protocol = type >= 0x600 ? type : novell ? 1 : 4;
    this.set32(16, ((protocol & 0xff) << 8) | (protocol >> 8));
    const destination = frame.subarray(0, 6);
    if ((destination[0]! & 1) === 1) this.set32(4, 2);
    else this.set32(4, destination.every((b) => b === 0) ? 0 : 3);
    const header = frame.subarray(ETHERNET_BYTES);
    if (protocol === 0x800 && header.length >= 20) {
      this.set32(88, 2);
      this.context.set(header.subarray(12, 16), 96);
      this.context.set(header.subarray(16, 20), 92);
    } else if (protocol === 0x86dd && header.length >= 40) {
      this.set32(88, 10);
      this.context.set(header.subarray(8, 24), 116);
      this.context.set(header.subarray(24, 40), 100);
    }
  }
}
