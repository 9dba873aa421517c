/**
 * Where everything lies in the packed words of a machine state. Exploration clones states at every
 * branch; as words in one Int32Array a clone is a block copy. This file, `machine.ts` and
 * `stack.ts` are the only ones that know these numbers; `domain/` alone knows what the scalar words
 * mean.
 *
 * A state is:   header | frame table | scratch | frame 0: registers, slots | frame 1 ... | references
 * A value is:   kind flags id target offset extent reference link | scalar words
 */

import { SCALAR_WORDS } from '../domain/index.ts';

/** Words of one abstract value, before its scalar. */
export const KIND = 0;
/** Bit set of the FLAG_ constants. */
export const FLAGS = 1;
/** Values with the same non-zero id hold the same number (scalars), or the same base (pointers). */
export const ID = 2;
/** What the kind points at: map index, frame index, function entry, BTF type id. */
export const TARGET = 3;
/** Constant part of a pointer's offset; of a linked scalar, its distance from the common value. */
export const OFFSET = 4;
/** Packet: bytes proven to exist behind the base. Memory: size of the region. */
export const EXTENT = 5;
/** Id of the reference that keeps the pointee alive, or 0. */
export const REFERENCE = 6;
/** BTF: id of the program's or kernel's BTF; iterators and dynptrs: their state. */
export const DETAIL = 7;
/** Scalars: the number. Pointers: the variable part of the offset. */
export const NUMBER = 8;
export const VALUE_WORDS = NUMBER + SCALAR_WORDS;

export const FLAG_NULLABLE = 1;
/** Some decision depended on this scalar: pruning must compare it. Set in saved states only. */
export const FLAG_PRECISE = 2;
export const FLAG_READ_ONLY = 4;
/** The pointee is a ring-buffer record. */
export const FLAG_RECORD = 8;
/** BTF pointers: proven valid, protected by RCU, or neither (a faulting read yields 0). */
export const FLAG_TRUSTED = 16;
export const FLAG_RCU = 32;
export const FLAG_UNTRUSTED = 64;
/** Owned by the program, not yet part of a collection: fields may be written. */
export const FLAG_ALLOCATED = 128;
/** Part of a collection, valid while its lock is held. */
export const FLAG_BORROWED = 256;
/** Linked scalars: OFFSET holds a distance. */
export const FLAG_DISTANCE = 512;
/** The distance holds modulo 2^32, and the upper half is zero. */
export const FLAG_DISTANCE_32 = 1 << 20;
/** A per-CPU BTF object. */
export const FLAG_PERCPU = 1024;
/** Points into the memory of a process. */
export const FLAG_USER = 2048;
/** Bytes of a packet, seen through a dynptr. */
export const FLAG_SLICE = 4096;
/** Numbers: all that it came from is marked in the kept states of this path. Never in those. */
export const FLAG_TRACED = 8192;

export const REGISTERS = 11;
export const FRAME_POINTER = 10;
export const MAX_FRAMES = 8;
/** Deepest stack of any profile, in slots of 8 bytes. */
export const SLOT_BYTES = 8;

/** Stack slot: one word with a 4-bit type per byte (lowest nibble: lowest address), and a value. */
export const SLOT_TYPES = 0;
/** Which of the bytes were written, and which will be read: see explore/stack-use.ts. */
export const SLOT_USE = 1;
export const SLOT_VALUE = 2;
export const SLOT_WORDS = SLOT_VALUE + VALUE_WORDS;

export const BYTE_INVALID = 0;
/** Initialised with something. */
export const BYTE_MISC = 1;
export const BYTE_ZERO = 2;
/** Part of the slot's spilled value. */
export const BYTE_SPILL = 3;
export const BYTE_DYNPTR = 4;
export const BYTE_ITERATOR = 5;
export const BYTE_IRQ_FLAG = 6;
/** A slot whose eight bytes all have `type`. */
export const allBytes = (type: number): number => Math.imul(type, 0x11111111);
export const SLOT_SPILLED = allBytes(BYTE_SPILL);

/** Header. */
export const FRAME_COUNT = 0;
/** Words in use. */
export const LENGTH = 1;
export const REFERENCES_START = 2;
export const REFERENCE_COUNT = 3;
export const RCU_DEPTH = 4;
export const PREEMPT_DEPTH = 5;
/** Saved interrupt states: references of type REFERENCE_IRQ. */
export const IRQ_DEPTH = 6;
export const LOCK_COUNT = 7;
/** Times a `may_goto` was passed, and iterator steps, on this path: tells loop passes apart. */
export const MAY_GOTO_DEPTH = 8;
export const SLEEPABLE = 9;
/** Callbacks entered on this path. */
export const CALLBACK_DEPTH = 10;
export const HEADER_WORDS = 12;

/** One row of the frame table. */
export const FRAME_START = 0;
export const FRAME_SLOTS = 1;
/** Slot of the call that made the frame; -1 for the outermost. */
export const FRAME_CALL_SITE = 2;
/** Entry slot of the function. */
export const FRAME_ENTRY = 3;
/** How the frame was entered: 0 by a plain call, or as the program's entry. */
export const FRAME_CALLBACK = 4;
/** Times that the call at which the frame waits has called back on this path. */
export const FRAME_CALLBACK_DEPTH = 5;
export const FRAME_RANGE_MIN = 6;
export const FRAME_RANGE_MAX = 7;
/** Words before this one are compared; the others tell what bounds a loop (explore/progress.ts). */
export const FRAME_COMPARED_WORDS = 8;
/** Unique among all frames of the walk. */
export const FRAME_INSTANCE = 8;
/** Unique among all calls that call back: the one at which the frame waits, or 0. */
export const FRAME_RUN = 9;
/** Times that a may_goto of the frame went on. */
export const FRAME_PASSES = 10;
export const FRAME_ROW_WORDS = 11;
/** FRAME_CALLBACK: by a helper, which goes on when the frame ends. */
export const ENTERED_BY_HELPER = 1;
/** A global function, walked for any arguments. */
export const ENTERED_ALONE = 2;
/** A function that the program left to run later. */
export const ENTERED_LATER = 3;
/** By a kernel function, for which the caller holds a lock. */
export const ENTERED_UNDER_LOCK = 4;
/** As ENTERED_LATER, and nobody looks at the result. */
export const ENTERED_UNHEEDED = 6;
/** The function that runs when an exception ends the program. */
export const ENTERED_BY_EXCEPTION = 5;
/** Room for two numbers that are no value of the program: immediate operands. */
export const SCRATCH = HEADER_WORDS + MAX_FRAMES * FRAME_ROW_WORDS;
export const SCRATCH_2 = SCRATCH + SCALAR_WORDS;
/** Room for a whole value: the immediate of a store. */
export const SCRATCH_VALUE = SCRATCH_2 + SCALAR_WORDS;
export const FRAMES_START = SCRATCH_VALUE + VALUE_WORDS;

/** One held reference or lock: id, what it is, slot that acquired it, frame that did. */
export const REF_ID = 0;
export const REF_TYPE = 1;
export const REF_PC = 2;
export const REF_TARGET = 3;
export const REF_WORDS = 4;
