/**
 * To which program decoded instructions belong, and its maps. A tail call switches to another
 * program's instructions, and with them to its maps and its source lines.
 */

import type { Instruction, Program } from '../../isa/index.ts';
import type { ReferenceMap } from './maps.ts';

/** Slots of a program, decoded. */
export type Decoded = readonly Instruction[];

export interface Owner {
  readonly program: Program;
  /** In the order of `program.maps`. */
  readonly maps: readonly ReferenceMap[];
}

const owners = new WeakMap<Decoded, Owner>();

export const setOwner = (instructions: Decoded, owner: Owner): void => {
  owners.set(instructions, owner);
};

export const ownerOf = (instructions: Decoded): Owner | undefined => owners.get(instructions);
