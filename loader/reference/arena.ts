/**
 * Arenas on the reference engine. What a program has after a cast is the low half of an address, so the
 * lowest part of the flat address space, where nothing else lies, is one region that answers accesses
 * itself: what is no page of the arena reads as 0 and swallows writes.
 */

import type { MapSpec, VirtualRegion } from '../../isa/index.ts';
import { ARENA_PAGE_BYTES, type ArenaRange, arenaRange } from '../../platform/index.ts';
import { PACKET_ADDRESS } from './memory.ts';

/** More than ever lies before a packet. */
const HEADROOM_BYTES = 2 ** 20;

type Page = 'free' | 'reserved' | 'present';

export class ReferenceArena implements VirtualRegion {
  readonly name: string;
  readonly base = 0n;
  readonly sizeBytes = Number(PACKET_ADDRESS) - HEADROOM_BYTES;
  readonly #low: number;
  readonly range: ArenaRange;
  readonly #pages: Page[];
  readonly #bytes = new Map<number, Uint8Array>();

  constructor(spec: MapSpec) {
    this.name = `map ${spec.name}`;
    this.range = arenaRange(spec);
    this.#low = Number(this.range.start & 0xffff_ffffn);
    if (this.#low + this.range.sizeBytes > this.sizeBytes)
      throw new RangeError(`${this.name} is too large for the interpreter`);
    this.#pages = new Array<Page>(spec.maxEntries).fill('free');
    const initial = spec.initial ?? new Uint8Array();
    for (let at = 0; at < initial.length; at += ARENA_PAGE_BYTES)
      this.page(at / ARENA_PAGE_BYTES).set(initial.subarray(at, at + ARENA_PAGE_BYTES));
  }

  /** The bytes of a page, which is there from now on. */
  page(number: number): Uint8Array {
    if (this.#pages[number] === undefined)
      throw new RangeError(`${this.name} has no page ${number}`);
    this.#pages[number] = 'present';
    const bytes = this.#bytes.get(number) ?? new Uint8Array(ARENA_PAGE_BYTES);
    this.#bytes.set(number, bytes);
    return bytes;
  }

  load(address: number, sizeBytes: number): bigint {
    const offset = address - this.#low;
    let value = 0n;
    if (!this.#isThere(offset, sizeBytes)) return 0n;
    for (let i = sizeBytes - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#byte(offset + i));
    return value;
  }

  store(address: number, sizeBytes: number, value: bigint): boolean {
    const offset = address - this.#low;
    if (!this.#isThere(offset, sizeBytes)) return true;
    for (let i = 0; i < sizeBytes; i++) {
      const page = this.page(Math.floor((offset + i) / ARENA_PAGE_BYTES));
      page[(offset + i) % ARENA_PAGE_BYTES] = Number((value >> BigInt(8 * i)) & 0xffn);
    }
    return true;
  }

  isAbsent(address: number, sizeBytes: number): boolean {
    return !this.#isThere(address - this.#low, sizeBytes);
  }

  cast(value: bigint, intoArena: boolean): bigint {
    const low = value & 0xffff_ffffn;
    if (intoArena || low === 0n || !this.range.converts) return low;
    return (this.range.start & ~0xffff_ffffn) | low;
  }

  /** The user address of the first page, or 0. */
  allocate(address: bigint, count: number): bigint {
    if (count === 0 || address % BigInt(ARENA_PAGE_BYTES) !== 0n) return 0n;
    const first = address === 0n ? this.#firstFree(count) : this.#pageOf(address);
    if (first === undefined || !this.#are(first, count, 'free')) return 0n;
    for (let i = 0; i < count; i++) this.page(first + i);
    return this.range.start + BigInt(first * ARENA_PAGE_BYTES);
  }

  free(address: bigint, count: number): void {
    const first = this.#pageOf(address);
    if (first === undefined) return;
    for (let page = first; page < Math.min(first + count, this.#pages.length); page++) {
      this.#pages[page] = 'free';
      this.#bytes.delete(page);
    }
  }

  /** 0, or -1: outside, -2: not free. */
  reserve(address: bigint, count: number): 0 | -1 | -2 {
    const first = this.#pageOf(address);
    if (count === 0) return 0;
    if (first === undefined || first + count > this.#pages.length) return -1;
    if (!this.#are(first, count, 'free')) return -2;
    this.#pages.fill('reserved', first, first + count);
    return 0;
  }

  #byte(offset: number): number {
    return this.#bytes.get(Math.floor(offset / ARENA_PAGE_BYTES))![offset % ARENA_PAGE_BYTES]!;
  }

  #isThere(offset: number, sizeBytes: number): boolean {
    const last = Math.floor((offset + sizeBytes - 1) / ARENA_PAGE_BYTES);
    const first = Math.floor(offset / ARENA_PAGE_BYTES);
    return this.#pages[first] === 'present' && this.#pages[last] === 'present';
  }

  #are(first: number, count: number, page: Page): boolean {
    const found = this.#pages.slice(first, first + count);
    return found.length === count && found.every((each) => each === page);
  }

  #firstFree(count: number): number | undefined {
    for (let first = 0; first + count <= this.#pages.length; first++)
      if (this.#are(first, count, 'free')) return first;
    return undefined;
  }

  #pageOf(address: bigint): number | undefined {
    const page = Number(BigInt.asUintN(32, address - this.range.start) >> 12n);
    return page < this.#pages.length ? page : undefined;
  }
}
