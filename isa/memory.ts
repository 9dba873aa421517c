/**
 * The memory of an interpreted program: regions at flat 64-bit addresses, with gaps between them.
 *
 * Every access names its place and size and must lie inside one region; anything else is a fault, so
 * the interpreter is an oracle for what a verifier claims. A region holds bytes, or answers accesses
 * itself (a kernel context, whose fields are not bytes anywhere).
 */

export interface ByteRegion {
  readonly name: string;
  /** Address of the first byte. */
  readonly base: bigint;
  readonly bytes: Uint8Array;
  readonly access: 'read' | 'read-write';
  /** Present: 1 for each byte that was written; the others must not be read. */
  readonly written?: Uint8Array;
}

/** A region whose accesses the host decides. A refused access is `undefined` or `false`. */
export interface VirtualRegion {
  readonly name: string;
  readonly base: bigint;
  readonly sizeBytes: number;
  load(offset: number, sizeBytes: number): bigint | undefined;
  store(offset: number, sizeBytes: number, value: bigint): boolean;
  /** Loads yield 0 there and stores are dropped, as nothing is there. */
  isAbsent?(offset: number, sizeBytes: number): boolean;
}

export type Region = ByteRegion | VirtualRegion;

/** Where a checked access lands. */
export interface Place {
  readonly region: Region;
  readonly offset: number;
}

export function regionSize(region: Region): number {
  return 'bytes' in region ? region.bytes.length : region.sizeBytes;
}

/** The regions of one run, sorted by address, so that finding one is a binary search. */
export class AddressSpace {
  readonly #regions: Region[] = [];

  /** Adds a region. Throws RangeError when it overlaps another or wraps around. */
  add(region: Region): void {
    const end = region.base + BigInt(regionSize(region));
    if (region.base < 0n || end > 1n << 64n) throw new RangeError(`${region.name} wraps around`);
    const at = this.#after(region.base);
    const before = this.#regions[at - 1];
    const after = this.#regions[at];
    if (before && before.base + BigInt(regionSize(before)) > region.base) {
      throw new RangeError(`${region.name} overlaps ${before.name}`);
    }
    if (after && end > after.base) throw new RangeError(`${region.name} overlaps ${after.name}`);
    this.#regions.splice(at, 0, region);
  }

  /** Removes a region that `add` was given; accesses to it fault from now on. */
  remove(region: Region): void {
    const at = this.#regions.indexOf(region);
    if (at >= 0) this.#regions.splice(at, 1);
  }

  isAbsent(address: bigint, sizeBytes: number): boolean {
    const place = this.find(address, sizeBytes);
    if (place === undefined || 'bytes' in place.region) return false;
    return place.region.isAbsent?.(place.offset, sizeBytes) ?? false;
  }

  /** The region that holds all of `sizeBytes` bytes from `address`. */
  find(address: bigint, sizeBytes: number): Place | undefined {
    const region = this.#regions[this.#after(address) - 1];
    if (!region) return undefined;
    const offset = address - region.base;
    if (offset + BigInt(sizeBytes) > BigInt(regionSize(region))) return undefined;
    return { region, offset: Number(offset) };
  }

  /** Index of the first region that begins above `address`. */
  #after(address: bigint): number {
    let low = 0;
    let high = this.#regions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#regions[middle]!.base <= address) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Little-endian load; undefined where no region allows it. */
  load(address: bigint, sizeBytes: number): bigint | undefined {
    const place = this.find(address, sizeBytes);
    if (!place) return undefined;
    const { region, offset } = place;
    if (!('bytes' in region)) return region.load(offset, sizeBytes);
    if (!isWritten(region, offset, sizeBytes)) return undefined;
    return readBytes(region.bytes, offset, sizeBytes);
  }

  /** Little-endian store of the low bytes of `value`; false where no region allows it. */
  store(address: bigint, sizeBytes: number, value: bigint): boolean {
    const place = this.find(address, sizeBytes);
    if (!place) return false;
    const { region, offset } = place;
    if (!('bytes' in region)) return region.store(offset, sizeBytes, value);
    if (region.access === 'read') return false;
    writeBytes(region.bytes, offset, sizeBytes, value);
    region.written?.fill(1, offset, offset + sizeBytes);
    return true;
  }

  /**
   * `sizeBytes` bytes of a byte region, as a view: what helpers take and fill. Undefined where no
   * byte region allows it. What is viewed for 'write' counts as written, and need not be before.
   */
  view(
    address: bigint,
    sizeBytes: number,
    access: 'read' | 'write' | 'read-write',
  ): Uint8Array | undefined {
    const place = this.find(address, sizeBytes);
    if (!place || !('bytes' in place.region)) return undefined;
    const { region, offset } = place;
    if (access !== 'read' && region.access === 'read') return undefined;
    if (access === 'write') region.written?.fill(1, offset, offset + sizeBytes);
    else if (!isWritten(region, offset, sizeBytes)) return undefined;
    return region.bytes.subarray(offset, offset + sizeBytes);
  }
}

function isWritten({ written }: ByteRegion, offset: number, sizeBytes: number): boolean {
  if (!written) return true;
  const unwritten = written.indexOf(0, offset);
  return unwritten < 0 || unwritten >= offset + sizeBytes;
}

/** Unsigned little-endian number of `sizeBytes` bytes at `offset`. */
export function readBytes(bytes: Uint8Array, offset: number, sizeBytes: number): bigint {
  let low = 0;
  let high = 0;
  for (let byte = Math.min(sizeBytes, 4) - 1; byte >= 0; byte--) {
    low = low * 256 + bytes[offset + byte]!;
  }
  for (let byte = sizeBytes - 1; byte >= 4; byte--) high = high * 256 + bytes[offset + byte]!;
  return high === 0 ? BigInt(low) : (BigInt(high) << 32n) | BigInt(low);
}

export function writeBytes(
  bytes: Uint8Array,
  offset: number,
  sizeBytes: number,
  value: bigint,
): void {
  const low = Number(BigInt.asIntN(32, value));
  const high = sizeBytes > 4 ? Number(BigInt.asIntN(32, value >> 32n)) : 0;
  for (let byte = 0; byte < sizeBytes; byte++) {
    bytes[offset + byte] = byte < 4 ? low >> (8 * byte) : high >> (8 * (byte - 4));
  }
}
