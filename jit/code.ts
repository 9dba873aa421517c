/**
 * What the JIT hands to the loader: position-independent machine code with holes (relocations) for
 * the addresses that only the loader knows.
 *
 * Calling convention of every BPF function, helper and callback in native code: r1..r5 in the
 * target's first five integer argument registers, a pointer to the run environment (`struct rf_run`,
 * loader/native/run.h) in the sixth, r0 in the return register. On x64 (System V): rdi, rsi, rdx,
 * rcx, r8, r9 → rax. Programs are entered the same way: r1 is the context, r2 its size for `memory`
 * programs.
 *
 * Native context: r1 points to the bytes of the uapi structure (`struct xdp_md`, `struct __sk_buff`,
 * ...); the 64-bit pointers that its 32-bit pointer fields stand for lie before it, the one of
 * `pointerSlot` k at r1 - CONTEXT_HEADER_BYTES + 8 * k.
 */

/** Bytes of the pointer header before a native context: 8 slots. */
export const CONTEXT_HEADER_BYTES = 64;

/** Byte offset in `struct rf_run` (the sixth argument) of r0 of the program a tail call ran. */
export const RUN_TAIL_RESULT = 0;

/**
 * Byte offset in `struct rf_run` of what is left of the run's budget of instructions, a signed
 * 64-bit number: metered code (jit/ir/meter.ts) takes from it, and leaves when it is below zero.
 */
export const RUN_METER = 8;

/**
 * Support routines of the loader, in the calling convention above.
 *
 * `rf_tail_call(context, map, index)`: 1 when the target ran: this function must return at once, its
 *   r0 being the 8 bytes at RUN_TAIL_RESULT of the environment; 0: execution falls through.
 * `rf_load_packet(offset, sizeBytes)`: legacy packet loads; `offset` sign-extended from 32 bits, the
 *   value in host order and zero-extended, or -1 (64 bits): this function must return 0 at once.
 * `rf_zero(address, sizeBytes)`: clears native memory (a BPF frame).
 * `rf_probe_load(address, sizeBytes)`: the number there, zero-extended, or 0 where nothing may be read.
 * `rf_show_frame(address, sizeBytes)`: these bytes of the caller's stack may be read by number, until
 *   its `rf_hide_frame()`; see ir/shown-frame.ts.
 * `rf_arena_load(address, sizeBytes)`, `rf_arena_store(address, sizeBytes, value)`,
 *   `rf_arena_atomic(address, operation, operand, compared)`: accesses to an arena; see ir/arena.ts.
 */
export const RUNTIME_SYMBOLS = [
  'rf_tail_call',
  'rf_load_packet',
  'rf_zero',
  'rf_probe_load',
  'rf_show_frame',
  'rf_hide_frame',
  'rf_arena_load',
  'rf_arena_store',
  'rf_arena_atomic',
] as const;

/** What the 8 bytes at `offset` of the code must be filled with, absolute and little-endian. */
export type Relocation =
  | { readonly kind: 'helper'; readonly offset: number; readonly helper: number }
  | { readonly kind: 'kfunc'; readonly offset: number; readonly name: string }
  /** Address of the map object: what helpers take. */
  | { readonly kind: 'map'; readonly offset: number; readonly map: number }
  /** Address of byte `valueOffset` of the value storage of an array map. */
  | {
      readonly kind: 'map-value';
      readonly offset: number;
      readonly map: number;
      readonly valueOffset: number;
    }
  /** Address of a support routine of the loader (`rf_tail_call`, `rf_load_packet`, ...). */
  | { readonly kind: 'runtime'; readonly offset: number; readonly symbol: string };

/** Native byte offset at which the code of BPF slot `instruction` begins; sorted by `native`. */
export interface CodeMapEntry {
  readonly native: number;
  readonly instruction: number;
}
