/** Frames of the interpreter: one per active call, each with a stack of its own. */

import type { Executable } from './machine.ts';
import type { ByteRegion } from './memory.ts';

/** Top of the first frame's stack; each deeper frame lies STACK_STRIDE lower. Hosts avoid it. */
export const STACK_ADDRESS = 0x7fff_f000_0000n;
const STACK_STRIDE = 0x10_0000n;

/** MAX_BPF_STACK of include/linux/filter.h. */
export const DEFAULT_STACK_BYTES = 512;
/** MAX_CALL_FRAMES of include/linux/bpf_verifier.h. */
export const DEFAULT_MAX_DEPTH = 8;
/** BPF_MAX_LOOPS of include/linux/bpf.h. */
export const DEFAULT_MAY_GOTO_BUDGET = 8 * 1024 * 1024;

export interface Frame {
  /** The program that runs in it; a tail call changes it. */
  executable: Executable;
  /** Where the caller continues. */
  readonly returnPc: number;
  /** The caller's r6 to r10. */
  readonly saved: readonly (bigint | undefined)[];
  readonly stack: ByteRegion;
  mayGotoLeft: number;
  /** A tail call put another program into it. */
  isTailCalled: boolean;
}

/** r10 of the frame that has `depth` frames above it. */
export function stackTop(depth: number): bigint {
  return STACK_ADDRESS - BigInt(depth) * STACK_STRIDE;
}

/** A fresh stack. Zeros, so that the profiles that allow uninitialised reads are deterministic. */
export function openStack(
  depth: number,
  sizeBytes: number,
  content: 'zeroed' | 'unwritten',
): ByteRegion {
  return {
    name: `stack of frame ${depth}`,
    base: stackTop(depth) - BigInt(sizeBytes),
    bytes: new Uint8Array(sizeBytes),
    access: 'read-write',
    ...(content === 'unwritten' && { written: new Uint8Array(sizeBytes) }),
  };
}
