/**
 * To which program decoded instructions belong, and its maps. A tail call switches to another
 * program's instructions, and with them to its maps and its source lines.
 */

import type { Instruction, Program } from '../../isa/index.ts';
import { type HelperRow, helperFor, type ProgramType, partsOf } from '../../platform/index.ts';
import type { ReferenceMap } from './maps.ts';

/** Slots of a program, decoded. */
export type Decoded = readonly Instruction[];

export interface Owner {
  readonly program: Program;
  /** In the order of `program.maps`. */
  readonly maps: readonly ReferenceMap[];
  /** Names of the kernel functions called, by slot. */
  readonly kfuncs: ReadonlyMap<number, string>;
  /** What a helper's number means to it. */
  readonly helper: (id: number) => HelperRow | undefined;
}

const owners = new WeakMap<Decoded, Owner>();

export function setOwner(
  instructions: Decoded,
  program: Program,
  maps: readonly ReferenceMap[],
  programType: ProgramType<unknown> | undefined,
): void {
  const own = programType && partsOf(programType).profile.helpers;
  const helper = (id: number) => (own ? own.get(id) : helperFor(id, program.type));
  const kfuncs = new Map(program.kfuncCalls.map(({ instruction, name }) => [instruction, name]));
  owners.set(instructions, { program, maps, kfuncs, helper });
}

export const ownerOf = (instructions: Decoded): Owner | undefined => owners.get(instructions);
