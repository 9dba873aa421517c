/**
 * What the interpreter and its host say to each other: what a host must supply, what helpers may
 * ask of the running machine, and how a run ends.
 */

import type { AddressSpace } from './memory.ts';
import type { Instruction, MapReference } from './program.ts';

/** Registers r0 to r10; undefined is one that nothing has written. */
export type Registers = (bigint | undefined)[];

export type HelperArguments = readonly [
  bigint | undefined,
  bigint | undefined,
  bigint | undefined,
  bigint | undefined,
  bigint | undefined,
];

/** Code that can be entered: the program, or one that a tail call switches to. */
export interface Executable {
  readonly instructions: readonly Instruction[];
  readonly mapReferences?: readonly MapReference[];
}

/** What lies outside the instruction set. Methods that are absent make their instructions fault. */
export interface Host {
  readonly memory: AddressSpace;
  /** Result of helper `id`: what r0 becomes. Throw `machine.fault(...)` for a broken contract. */
  helper?(id: number, args: HelperArguments, machine: Machine): bigint;
  /** Result of the kernel function called at `pc`. */
  kfunc?(pc: number, args: HelperArguments, machine: Machine): bigint;
  /** Address that stands for map `map` of the program whose code this is. */
  mapAddress?(map: number, executable: Executable): bigint;
  /** Address of byte `offset` of the value at key 0. */
  mapValueAddress?(map: number, offset: number, executable: Executable): bigint;
  /** Address of a kernel symbol, by BTF type id and BTF object. */
  kernelSymbol?(typeId: number, object: number): bigint;
  /**
   * Legacy packet load in network order, already swapped to a number; undefined ends the program
   * with r0 = 0, as a load past the end does. `context` is r6.
   */
  loadPacket?(offset: number, sizeBytes: number, context: bigint): bigint | undefined;
  /** Address-space cast: to `space` from `from`. */
  castAddress?(value: bigint, space: number, from: number): bigint;
  /** Called before each instruction. `registers` is live: copy what is kept. */
  trace?(pc: number, registers: Readonly<Registers>, machine: Machine): void;
}

/** The running machine, as helpers see it. */
export interface Machine {
  readonly memory: AddressSpace;
  /** Slot of the instruction being executed. */
  readonly pc: number;
  /** The program that it belongs to: another one after a tail call. */
  readonly executable: Executable;
  /** Frames that are active: 1 in the main program. */
  readonly depth: number;
  /** Instructions executed until now, the current one included; a constant counts one. */
  readonly executed: number;
  /** Slot of the function whose address the program passed; undefined if it is none. */
  functionAt(address: bigint): number | undefined;
  /** Runs the function at slot `pc` of the current program to its end: a callback. */
  call(pc: number, args: readonly bigint[]): bigint;
  /** After this helper returns, the current frame continues as `target` with r1 as its context. */
  tailCall(target: Executable, context: bigint): void;
  /**
   * After this callee returns, all frames of the current program are left. `value` is its result, or
   * what the function at slot `catcher` gets, whose result counts then.
   */
  unwind(value: bigint, catcher: number | undefined): void;
  /** Makes an error to throw: the program broke a rule. */
  fault(kind: FaultKind, reason: string, address?: bigint): Error;
}

export type FaultKind =
  | 'access' // outside every region, or not allowed there
  | 'uninitialized' // a register, or tracked memory, that was never written
  | 'pc' // execution left the program or entered a constant
  | 'frame-pointer' // r10 written
  | 'depth' // too many nested calls
  | 'call' // a callee that does not exist, or a broken contract
  | 'unsupported'; // the host does not supply what the instruction needs

export interface Fault {
  readonly kind: FaultKind;
  readonly pc: number;
  readonly reason: string;
  readonly address?: bigint;
}

/** How a run ended. `executed` counts instructions, a constant as one. */
export type Outcome =
  | { readonly kind: 'exit'; readonly r0: bigint; readonly executed: number }
  | { readonly kind: 'fault'; readonly fault: Fault; readonly executed: number }
  /** `maxInstructions` were executed. */
  | { readonly kind: 'exhausted'; readonly pc: number; readonly executed: number };

export interface InterpretOptions {
  /** r1 and up at entry; the others are uninitialised. */
  readonly registers?: readonly bigint[];
  /** Slot to start at; default 0. */
  readonly entry?: number;
  readonly mapReferences?: readonly MapReference[];
  /** Stop after this many instructions; default: never. */
  readonly maxInstructions?: number;
  /**
   * Whether a frame's stack starts as zeros (default), or its bytes must be written before they are
   * read, as profiles that forbid uninitialised reads demand.
   */
  readonly stack?: 'zeroed' | 'unwritten';
  /** Bytes of stack per frame; default 512. */
  readonly stackBytes?: number;
  /** Nested frames, callbacks included; default 8, as in Linux. */
  readonly maxDepth?: number;
  /** Times that the may_goto of one frame fall through; default 8388608, as in Linux. */
  readonly mayGotoBudget?: number;
}

/** Thrown inside the interpreter and by hosts; `interpret` turns it into an Outcome. */
export class ExecutionFault extends Error {
  override readonly name = 'ExecutionFault';
  readonly fault: Fault;

  constructor(fault: Fault) {
    super(`slot ${fault.pc}: ${fault.reason}`);
    this.fault = fault;
  }
}
