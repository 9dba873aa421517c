/**
 * Where an arena lies in the addresses that programs and user space exchange. In the kernel a process
 * chooses by mapping it; here it follows from the map's definition, so that the compiler, the loader
 * and the reference engine know it alike. Programs use the low 32 bits to access memory, and the
 * number as a whole as data.
 *
 * Source: Documentation/bpf, uapi/linux/bpf.h (map_extra); rules of creation as the running kernel
 * (6.18) enforces them.
 */

import type { MapSpec } from '../isa/index.ts';

export const ARENA_PAGE_BYTES = 4096;
/** One address space of 32 bits. */
const PAGES_MAX = 2 ** 20;
/** Where an arena lies that does not say: far from anything, and no page of it at offset 0, which is null. */
const DEFAULT_START = 0x1000_0001_0000n;
const FIRST_PAGE = 16;

/** BPF_F_NO_USER_CONV, uapi/linux/bpf.h: casts to user addresses leave the low 32 bits as they are. */
const NO_USER_CONVERSION = 1 << 18;

export interface ArenaRange {
  /** Address of its first byte, as user space sees it. */
  readonly start: bigint;
  readonly sizeBytes: number;
  /** Casts to user addresses put in the upper half of the start. */
  readonly converts: boolean;
}

export function arenaRange(spec: MapSpec): ArenaRange {
  const whole = spec.maxEntries + FIRST_PAGE > PAGES_MAX;
  const chosen = whole ? DEFAULT_START & ~0xffff_ffffn : DEFAULT_START;
  return {
    start: spec.mapExtra === 0 ? chosen : BigInt(spec.mapExtra),
    sizeBytes: spec.maxEntries * ARENA_PAGE_BYTES,
    converts: (spec.flags & NO_USER_CONVERSION) === 0,
  };
}
