/**
 * Machine code before it has registers: what a target's `select` writes, and what the allocator,
 * the checker and the assembler read. Nothing here knows a target; a target is the record at the
 * end of this file.
 *
 * Form. A MachFunction is in SSA form: every virtual register (a small integer) is defined exactly
 * once, by an instruction or as a parameter of a block, and the definition dominates its uses. A
 * value that must change in place does not exist: an instruction whose manual says "the destination
 * is also a source" has a definition that *reuses* the register of one of its uses. The only class
 * is the general-purpose register, 64 bits wide; a spill slot holds all 64 bits.
 *
 * Time. Within instruction i, uses are read early and definitions written late, so a definition may
 * take the register of a use that ends there; `useLate` and `defineEarly` take that liberty away.
 *
 * Control. The blocks are in layout order; block 0 is the entry and has no predecessor. Every block
 * ends in its only terminator: `return` and `trap` have no successor, `jump` one, `branch` two (taken
 * first, then not taken). Arguments may stand on any edge; critical edges are split by the allocator
 * and the assembler decides which successor falls through (it uses `inverse` of the branch row).
 * A terminator defines nothing, and a `jump` uses nothing.
 *
 * Flags. Condition flags are not values. They live from the instruction that sets them to the next
 * one that sets them; everything the allocator inserts (moves, spills, reloads, rematerialised
 * constants) leaves them alone, so compare and branch need not be adjacent, but nothing that `select`
 * itself puts between them may write flags.
 */

import type { CodeBuffer, Encoder, Label, PoolEntry, RelocationTarget } from './code-buffer.ts';

// ---- operands ---------------------------------------------------------------------------------

/**
 * A register operand, packed: bits 0..19 the virtual register, 20..21 the constraint, 22..27 its
 * argument (a physical register, or the index of the reused operand), 28 definition, 29 "the other
 * time" (late use, early definition). A number, because there are several for each instruction.
 */
export type Operand = number;

export const MAX_VIRTUAL_REGISTERS = 1 << 20;

const VREG_MASK = MAX_VIRTUAL_REGISTERS - 1;
const CONSTRAINT_SHIFT = 20;
const ARGUMENT_SHIFT = 22;
const DEFINITION = 1 << 28;
const SHIFTED_TIME = 1 << 29;

export const ANY = 0;
export const FIXED = 1;
export const REUSE = 2;

/** Reads v from any register. */
export const use = (v: number): Operand => v;
/** Reads v from any register that no definition of this instruction shares. */
export const useLate = (v: number): Operand => v | SHIFTED_TIME;
/** Reads v from physical register r; v itself may live on elsewhere. */
export const useFixed = (v: number, r: number): Operand =>
  v | (FIXED << CONSTRAINT_SHIFT) | (r << ARGUMENT_SHIFT);
/** Writes v into any register. */
export const define = (v: number): Operand => v | DEFINITION;
/** Writes v into a register that no use of this instruction shares. */
export const defineEarly = (v: number): Operand => v | DEFINITION | SHIFTED_TIME;
/** Writes v into physical register r; v may be moved elsewhere afterwards. */
export const defineFixed = (v: number, r: number): Operand =>
  v | DEFINITION | (FIXED << CONSTRAINT_SHIFT) | (r << ARGUMENT_SHIFT);
/**
 * Writes v into the register from which operand number `index` (an ANY use) is read. The value used
 * is copied there first when it lives on, so select never copies by itself.
 */
export const defineReuse = (v: number, index: number): Operand =>
  v | DEFINITION | (REUSE << CONSTRAINT_SHIFT) | (index << ARGUMENT_SHIFT);

export const vregOf = (operand: Operand): number => operand & VREG_MASK;
export const constraintOf = (operand: Operand): number => (operand >> CONSTRAINT_SHIFT) & 3;
/** The physical register of FIXED, the operand index of REUSE. */
export const argumentOf = (operand: Operand): number => (operand >> ARGUMENT_SHIFT) & 63;
export const isDefinition = (operand: Operand): boolean => (operand & DEFINITION) !== 0;
/** Late use or early definition. */
export const isShifted = (operand: Operand): boolean => (operand & SHIFTED_TIME) !== 0;

// ---- memory -----------------------------------------------------------------------------------

/** A set of physical registers: bit r for register r. */
export type RegisterMask = number;

/**
 * The memory operand of an instruction: base + index * scale + displacement. Base and index
 * registers, where there are any, are operands of the instruction (see MachInst.operands); the
 * other bases are places that are known when the code is laid out.
 */
export interface Memory {
  /**
   * `register`: a base operand. `frame`: frame area number `area`. `absolute`: none.
   * `function`: the entry of function number `area` of the program. `pool`: entry `area` of
   * MachFunction.pool.
   */
  readonly base: 'register' | 'frame' | 'absolute' | 'function' | 'pool';
  /** Number of the frame area, function or pool entry; 0 otherwise. */
  readonly area: number;
  /** 0: no index register. */
  readonly scale: 0 | 1 | 2 | 4 | 8;
  /** Signed 32 bits. */
  readonly displacement: number;
}

// ---- instructions, blocks, functions ----------------------------------------------------------

/**
 * One instruction. `operands` are in the order of the row's text: an operand that is written takes
 * its definition, one that is read its use, one that is both a `defineReuse` immediately followed by
 * the use; a memory operand takes base (if `register`), then index (if scale is not 0). The
 * registers that the row names implicitly (x64: rax, rdx, rcx of mul, div, shifts, calls) come last
 * as fixed operands, each with the register stated.
 */
export interface MachInst {
  /** Row of the target's instruction table. */
  readonly op: number;
  readonly operands: readonly Operand[];
  readonly memory: Memory | null;
  /** The immediate, or the low 32 bits of a 64-bit one (as a signed number). */
  readonly imm: number;
  /** High 32 bits of a 64-bit immediate; 0 elsewhere. */
  readonly immHigh: number;
  /** Replaces a 64-bit immediate by an address that the loader fills in. */
  readonly relocation: RelocationTarget | null;
  /** Callee of a direct call: number of the function in the program; -1 elsewhere. */
  readonly callee: number;
  /** Registers destroyed, written late; those of fixed definitions need not be in it. */
  readonly clobbers: RegisterMask;
  /** BPF slot to which it belongs; -1: that of the instruction before. */
  readonly pc: number;
}

export interface MachBlock {
  /** Virtual registers defined at entry. */
  readonly parameters: readonly number[];
  readonly instructions: readonly MachInst[];
  /** Indices into MachFunction.blocks. */
  readonly successors: readonly number[];
  /** For each successor, one virtual register for each of its parameters. */
  readonly arguments: readonly (readonly number[])[];
  /** Rarely executed (error exits, slow paths): spills are cheap here. */
  readonly cold: boolean;
}

/** Bytes in the frame, addressed by `Memory.base === 'frame'`; e.g. the BPF stack. */
export interface FrameArea {
  readonly sizeBytes: number;
  /** A power of two up to 16. */
  readonly alignBytes: number;
  /** Filled with zeroes by the prologue. */
  readonly zeroed: boolean;
}

/**
 * One BPF function. Its incoming arguments are defined by the target's `entry` pseudo-instruction,
 * the first of block 0, as fixed definitions; its result is the fixed use of the return row.
 */
export interface MachFunction {
  readonly name: string;
  readonly blocks: readonly MachBlock[];
  /** Virtual registers are 0 .. vregCount - 1. */
  readonly vregCount: number;
  readonly areas: readonly FrameArea[];
  readonly pool: readonly PoolEntry[];
}

// ---- allocation -------------------------------------------------------------------------------

/**
 * Where a value is: 0 .. 63 a physical register, SLOT_BASE + n spill slot n, NOWHERE (not live).
 */
export type Location = number;
export const SLOT_BASE = 64;
export const NOWHERE = -1;
export const isSlot = (location: Location): boolean => location >= SLOT_BASE;

/**
 * Moves at one point, in the order in which they are executed (cycles already broken up).
 * `from` is a Location, or REMATERIALISE + n for "what instruction n defines, computed again".
 */
export interface Move {
  readonly from: number;
  readonly to: Location;
  /** The virtual register that arrives; for the checker and the listing. */
  readonly vreg: number;
  /** `swap` exchanges `from` and `to`. */
  readonly kind: 'move' | 'swap';
}
export const REMATERIALISE = 1 << 24;

/**
 * The answer of the allocator. Instructions are numbered through all blocks of `code` in layout
 * order; `firstOperand[i] + k` is the index in `registers` of operand k of instruction i.
 */
export interface Allocation {
  /** The function with its critical edges split; block and instruction numbers refer to it. */
  readonly code: MachFunction;
  /** For each block, the number of its first instruction; one more entry at the end. */
  readonly firstInstruction: Int32Array;
  readonly firstOperand: Int32Array;
  /** Physical register of each operand. */
  readonly registers: Int8Array;
  /** Moves before instruction n (`before`), and between it and the next (`after`). */
  readonly before: readonly (readonly Move[] | undefined)[];
  readonly after: readonly (readonly Move[] | undefined)[];
  /** 1 for an instruction that is left out: its value is computed again wherever it is wanted. */
  readonly dropped: Uint8Array;
  /** Number of 8-byte spill slots. */
  readonly slotCount: number;
  /** Every register written: which callee-saved ones the frame must save. */
  readonly used: RegisterMask;
}

// ---- targets ----------------------------------------------------------------------------------

export type Flow = 'next' | 'call' | 'jump' | 'branch' | 'return' | 'trap';

/** What common code must know of a row of a target's instruction table. */
export interface MachRow {
  readonly name: string;
  readonly flow: Flow;
  /** For `branch`: the row with the opposite condition. */
  readonly inverse: number;
  /**
   * Reads nothing but what its operands name and leaves flags alone: where the definition is its
   * only operand it may be executed again anywhere instead of being spilled.
   */
  readonly rematerialisable: boolean;
  /** A `defineReuse`, its use, and another ANY use, which may change places. */
  readonly commutative: boolean;
  /** A plain copy of a whole register, definition then use: a hint to share a register. */
  readonly copy: boolean;
}

export interface RegisterFile {
  /** Names of the physical registers, in encoding order. */
  readonly names: readonly string[];
  /** Registers that a function may change, the cheapest to use first. */
  readonly callerSaved: readonly number[];
  /** Registers that a function must restore, the cheapest to save first. */
  readonly calleeSaved: readonly number[];
  /** r1 .. r5 and the run environment. */
  readonly arguments: readonly number[];
  /** r0. */
  readonly result: number;
  /** What a call destroys. */
  readonly clobbered: RegisterMask;
}

/** Where things are in the frame, relative to the stack pointer after the prologue. */
export interface Frame {
  /** Bytes by which the prologue lowers the stack pointer below the saved registers. */
  readonly sizeBytes: number;
  /** Saved registers, in the order in which they are saved. */
  readonly saved: readonly number[];
  readonly areaOffsets: readonly number[];
  /** Offset of spill slot 0; the next ones follow. */
  readonly slotOffset: number;
  /** Areas that the prologue zeroes. */
  readonly zeroed: readonly { readonly offset: number; readonly sizeBytes: number }[];
}

/** What an instruction may refer to while it is emitted. */
export interface Placement {
  readonly frame: Frame;
  /** Entries of all functions of the program. */
  readonly functions: readonly Label[];
  /** Constant pool of the function. */
  readonly pool: readonly PoolEntry[];
  /** Called with the text of each instruction of prologue and epilogue, before its bytes. */
  readonly note: ((text: string) => void) | undefined;
}

/**
 * A target as data and a few functions; `Source` is what `select` reads (the IR's function). All
 * `emit*` functions append to the buffer. Moves, spills and reloads preserve flags.
 */
export interface Backend extends Encoder {
  readonly name: string;
  readonly rows: readonly MachRow[];
  readonly registers: RegisterFile;
  /** Row of the unconditional jump. */
  readonly jump: number;
  /** Placement of the frame; `leaf`: the function calls nothing. */
  readonly frame: (allocation: Allocation, calls: 'calls' | 'leaf') => Frame;
  readonly emitPrologue: (buffer: CodeBuffer, placement: Placement) => void;
  /** The instruction, with the registers of its operands in `registers` from index `first`. */
  readonly emit: (
    buffer: CodeBuffer,
    inst: MachInst,
    registers: Int8Array,
    first: number,
    placement: Placement,
  ) => void;
  /** A move or swap of any two places; of a computed value, `recipe` is its instruction. */
  readonly emitMove: (
    buffer: CodeBuffer,
    move: Move,
    recipe: MachInst | undefined,
    placement: Placement,
  ) => void;
  /** The move as the listing shows it. */
  readonly printMove: (move: Move, recipe: MachInst | undefined, placement: Placement) => string;
  /**
   * The instruction as the listing shows it; `label` names what a jump or call refers to. Empty for
   * those that write no bytes, and for a return, which notes its lines itself.
   */
  readonly print: (
    inst: MachInst,
    registers: Int8Array,
    first: number,
    placement: Placement,
    label: string,
  ) => string;
}

export interface Target<Source> extends Backend {
  readonly select: (source: Source) => MachFunction;
}
