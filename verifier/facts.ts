/**
 * Facts: what was proven, in the form that the JIT needs. The JIT never derives them again and
 * never checks them again; a pass that uses one cites it. `pc` is always a slot index of the linked
 * program. Every fact holds for every concrete execution that reaches `pc`: facts are joined over
 * all paths, including those that pruning did not walk.
 */

/** What a proven memory access touches. */
export type Region =
  | 'stack'
  | 'context'
  | 'packet'
  | 'packet-meta'
  | 'map-value'
  | 'memory' // helper-returned memory, ring-buffer records, `memory` program buffers
  | 'socket'
  | 'flow-keys'
  | 'btf' // kernel object, proven valid
  | 'btf-faulting' // kernel object that may fault: the load yields 0 instead
  | 'map' // a map itself, as the kernel keeps it
  | 'arena'
  | 'mixed'; // differs between paths, all in plain native memory

export interface AccessFact {
  readonly region: Region;
  /** Byte offset from the region's start (stack: from r10 of `frame`'s function, negative). */
  readonly offset: number | undefined;
  /** Bytes accessed. */
  readonly sizeBytes: number;
  /** Stack only: 0 is the accessing function's own frame, 1 its caller's, ...; undefined: varies. */
  readonly frame: number | undefined;
  /** Map values only: index into Program.maps, undefined where several. */
  readonly map: number | undefined;
  /** Context only: index of the field in the context layout. */
  readonly field: number | undefined;
  /** Proven that the address is a multiple of sizeBytes. */
  readonly aligned: boolean;
}

/** What is known of a register that an instruction reads, before it executes. */
export interface OperandFact {
  readonly pointer: boolean;
  /** Present: the value on every execution, as two int32 words. */
  readonly constant: { readonly lo: number; readonly hi: number } | undefined;
  /** Unsigned value < 2^significantBits; 64 for pointers and unknown values. */
  readonly significantBits: number;
  /** Sign-extended value fits in this many bits (1..64). */
  readonly signedBits: number;
  readonly nonZero: boolean;
  /** The low 32 bits are never 0 (32-bit divisors). */
  readonly nonZero32: boolean;
  /** Proven different from -1 (64-bit, and in its low 32 bits). */
  readonly notMinusOne: boolean;
}

export interface FunctionFact {
  /** First slot, and one past the last. */
  readonly start: number;
  readonly end: number;
  readonly name: string;
  /** Stack bytes used, rounded up to 8. */
  readonly stackBytes: number;
  /** Some path may read stack bytes it did not write: the frame must be zeroed on entry. */
  readonly readsUninitialised: boolean;
  /** Frame bytes whose address is passed on or computed: [lowest, highest) offsets from r10. */
  readonly escaping: { readonly low: number; readonly high: number } | undefined;
  readonly isCallback: boolean;
  readonly isGlobal: boolean;
  /** r1..r5 that callers pass: how many argument registers it may read. */
  readonly argumentCount: number;
}

export interface CallFact {
  /** Index into Program.maps of the helper's map argument where it is the same on every path. */
  readonly map: number | undefined;
  /** Entry slot of the callback argument, if any. */
  readonly callback: number | undefined;
  /** Constant key of a map lookup in an array map, proven in range. */
  readonly constantKey: number | undefined;
}

export interface Facts {
  /** False: no execution gets here. */
  reached(pc: number): boolean;
  /** Conditional jumps: whether the jump may be taken, and whether it may fall through. */
  mayJump(pc: number): boolean;
  mayFallThrough(pc: number): boolean;
  /** Loads, stores, atomics. */
  access(pc: number): AccessFact | undefined;
  /** The `dst` or `src` register as the instruction at `pc` reads it. */
  operand(pc: number, which: 'dst' | 'src'): OperandFact;
  call(pc: number): CallFact | undefined;
  readonly functions: readonly FunctionFact[];
  /** Proven bound on executed instructions of one run; null: `unboundedBy` says why. */
  readonly worstCaseInstructions: number | null;
  readonly unboundedBy: string | undefined;
  /** Entry slot of the function that runs after bpf_throw, whose result is the program's. */
  readonly exceptionCallback: number | undefined;
  /** Deepest combined stack, bytes. */
  readonly stackBytes: number;
}
