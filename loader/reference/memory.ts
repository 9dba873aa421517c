/**
 * Where things lie in the reference engine's flat address space. Every object has its own region with
 * gaps around it, so that an access which strays by one byte is a fault. What context fields point
 * at lies below 4 GiB: those fields are 32 bits wide, and the interpreter loads no more than that.
 */

import { AddressSpace, type ByteRegion } from '../../isa/index.ts';
import { Heap } from './heap.ts';

export const CONTEXT_ADDRESS = 0x1000_0000_0000n;
/** Address of the first packet byte as given; headroom lies below. */
export const PACKET_ADDRESS = 0x2000_0000n;
/** What socket and flow pointers lead to. */
export const OBJECT_ADDRESS = 0x3000_0000n;
const MAP_OBJECTS = 0x3000_0000_0000n;
const VALUES = 0x4000_0000_0000n;
const GAP = 64n;

/** Hands out addresses that never overlap and are never reused; removes what is no longer reachable. */
export class Allocator {
  readonly memory = new AddressSpace();
  /** Objects that programs know by an address alone: maps. */
  readonly objects = new Map<bigint, unknown>();
  readonly heap = new Heap(this);
  #next = VALUES;
  #nextObject = MAP_OBJECTS;

  /** A region of its own for these bytes. */
  place(name: string, bytes: Uint8Array, access: ByteRegion['access'] = 'read-write'): ByteRegion {
    const region = { name, base: this.reserve(bytes.length), bytes, access };
    this.memory.add(region);
    return region;
  }

  /** Addresses for `sizeBytes` bytes whose regions the caller adds himself. */
  reserve(sizeBytes: number): bigint {
    const base = this.#next;
    this.#next += (BigInt(sizeBytes) / 8n + 1n) * 8n + GAP;
    return base;
  }

  /** An address that stands for an object and is no memory. */
  name(object: unknown): bigint {
    const address = this.#nextObject;
    this.#nextObject += 4096n;
    this.objects.set(address, object);
    return address;
  }
}
