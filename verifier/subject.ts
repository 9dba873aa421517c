/**
 * The subject of a verification: the decoded program together with everything about its platform
 * that rules ask for, resolved once. Nothing in it changes during the walk.
 */

import type { Instruction, MapSpec, Program, Row } from '../isa/index.ts';
import type {
  ContextLayout,
  HelperRow,
  KfuncRow,
  MapTypeRow,
  Profile,
  ProgramTypeRow,
} from '../platform/index.ts';
import type { Prototype } from './calls/prototype.ts';
import type { Cfg } from './cfg.ts';
import type { Failure } from './diagnose/failure.ts';
import type { Hook } from './kernel/hook.ts';
import type { KernelTypes } from './kernel/types.ts';
import type { Obligation } from './obligations/obligation.ts';
import type { ProgramTypes } from './program-types.ts';

export type Privilege = 'full' | 'bpf' | 'none';

/** What a `constant_map` or `constant_map_value` names. */
export interface ResolvedMap {
  readonly map: number;
  /** Offset into the value of key 0; undefined: the map itself. */
  readonly valueOffset: number | undefined;
}

export interface Subject {
  readonly program: Program;
  readonly instructions: readonly Instruction[];
  /** TABLE row of each slot. */
  readonly rows: readonly Row[];
  readonly cfg: Cfg;
  /** Mask of registers live before each slot. */
  readonly live: Uint16Array;
  /** Masks of registers whose value a slot decides: those it writes, or compares with each other. */
  readonly traced: Int16Array;
  /** The program's maps, and behind them the templates of inner maps. */
  readonly maps: readonly MapSpec[];
  /** For maps of maps: index of the template of their inner maps in `maps`; else -1. */
  readonly innerMap: Int32Array;
  readonly mapTypes: readonly (MapTypeRow | undefined)[];
  readonly mapAt: ReadonlyMap<number, ResolvedMap>;
  /** One of its maps is an arena. */
  readonly usesArena: boolean;
  readonly type: ProgramTypeRow;
  readonly layout: ContextLayout | undefined;
  /** The program's own types. */
  readonly types: ProgramTypes;
  /** The kernel's types, where they were given; read when first asked for. */
  readonly kernel: KernelTypes | undefined;
  /** What a BTF-typed program is attached to. */
  readonly hook: Hook | undefined;
  /** Its licence opens the kernel's own structures to it. */
  readonly isGplCompatible: boolean;
  readonly profile: Profile;
  readonly privilege: Privilege;
  /** Pointers may be stored in maps, returned, compared: not on unprivileged hosts. */
  readonly mayLeakPointers: boolean;
  /** Stack bytes never written may be read (engines clear the frame). */
  readonly mayReadUninitialised: boolean;
  /** The stack may be accessed at an offset that varies: not by unprivileged programs on Linux. */
  readonly mayIndexStack: boolean;
  /** Numbers are kept through the stack: not for loaders without CAP_BPF on Linux. */
  readonly keepsSpilledNumbers: boolean;
  /** What is added to pointers must be maskable: for loaders without CAP_PERFMON on Linux. */
  readonly masksArithmetic: boolean;
  readonly alignment: 'strict' | 'efficient';
  /** Helper called at each slot that calls one. */
  readonly helperAt: ReadonlyMap<number, HelperRow>;
  /** Kernel function called at each slot that calls one. */
  readonly kfuncAt: ReadonlyMap<number, KfuncRow>;
  /** Why the call at a slot cannot be made here, should it be reached. */
  readonly refusedCalls: ReadonlyMap<number, Failure>;
  /** Functions that are verified on their own, by entry slot. */
  readonly globals: ReadonlyMap<number, Prototype>;
  /** Entry of the function that runs when an exception ends the program. */
  readonly onException: number | undefined;
  /** What each slot owes before it may execute. */
  readonly obligations: readonly (readonly Obligation[])[];
  /** Registers that hold numbers where a slot owes nothing then, as masks; -1: it always does. */
  readonly numbersSuffice: Int16Array;
}
