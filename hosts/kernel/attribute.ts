/**
 * union bpf_attr, written field by field. Offsets are those of uapi/linux/bpf.h (Linux 6.18); the
 * kernel accepts a longer attribute than it knows as long as the rest is zero, and a shorter one.
 */
import { addon } from '../../loader/index.ts';

/** enum bpf_cmd. */
export const COMMAND = {
  mapCreate: 0,
  mapLookup: 1,
  mapUpdate: 2,
  mapDelete: 3,
  mapNextKey: 4,
  programLoad: 5,
  testRun: 10,
  btfLoad: 18,
  mapFreeze: 22,
} as const;

const ATTRIBUTE_BYTES = 168;
const OBJECT_NAME_BYTES = 15;

/** A failed bpf(2) call. `errno` is positive, as in errno(3). */
export class KernelError extends Error {
  override readonly name = 'KernelError';
  readonly errno: number;

  constructor(what: string, errno: number) {
    super(`${what}: errno ${errno}`);
    this.errno = errno;
  }
}

/** One attribute under construction; addresses are filled in at the border to native code. */
export class Attribute {
  readonly bytes = new Uint8Array(ATTRIBUTE_BYTES);
  readonly #view = new DataView(this.bytes.buffer);
  readonly #pointers: [number, Uint8Array][] = [];

  u32(offset: number, value: number): this {
    this.#view.setUint32(offset, value >>> 0, true);
    return this;
  }

  u64(offset: number, value: bigint): this {
    this.#view.setBigUint64(offset, value, true);
    return this;
  }

  /** The address of `memory` at `offset`; an empty buffer stays a null pointer. */
  pointer(offset: number, memory: Uint8Array): this {
    if (memory.length > 0) this.#pointers.push([offset, memory]);
    return this;
  }

  /** An object name: what the kernel allows in one, cut to its size. */
  text(offset: number, text: string): this {
    const name = text.replace(/[^A-Za-z0-9_.]/g, '_').slice(0, OBJECT_NAME_BYTES);
    this.bytes.set(new TextEncoder().encode(name), offset);
    return this;
  }

  getU32(offset: number): number {
    return this.#view.getUint32(offset, true);
  }

  /** The result, or -errno. */
  try(command: number): number {
    return addon().bpfSyscall(command, this.bytes, this.#pointers);
  }

  /** The result. Throws KernelError. */
  call(command: number, what: string): number {
    const result = this.try(command);
    if (result < 0) throw new KernelError(what, -result);
    return result;
  }
}
