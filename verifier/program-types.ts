/**
 * The types of the program itself, from its BTF: which special fields its map values and its
 * structures have. Answers are remembered, since the walk asks on every access.
 */

import { type Btf, parseBtf, type SpecialField, specialFields } from '../btf/index.ts';
import type { MapSpec, Program } from '../isa/index.ts';

const NONE: readonly SpecialField[] = Object.freeze([]);

/** Programs of one object share their BTF. */
const parsed = new WeakMap<Uint8Array, Btf>();

function btfOf(program: Program): Btf | undefined {
  if (program.btf === undefined) return undefined;
  let btf = parsed.get(program.btf);
  if (btf === undefined) parsed.set(program.btf, (btf = parseBtf(program.btf, program.file)));
  return btf;
}

export class ProgramTypes {
  /** Undefined: the program has none, or needs none. */
  readonly btf: Btf | undefined;
  readonly #ofMap: readonly (readonly SpecialField[])[];
  readonly #ofType = new Map<number, readonly SpecialField[]>();

  /** Throws InputError where the program's BTF is malformed. */
  constructor(program: Program, maps: readonly MapSpec[]) {
    const isTyped = maps.some(({ btfValueTypeId }) => btfValueTypeId !== undefined);
    const hasGlobals = program.functions.some(({ linkage }) => linkage === 'global');
    const isNeeded = isTyped || hasGlobals || program.kfuncCalls.length > 0;
    this.btf = isNeeded ? btfOf(program) : undefined;
    this.#ofMap = maps.map(({ btfValueTypeId }) => this.ofType(btfValueTypeId ?? 0));
  }

  /** Special fields of the values of a map. */
  ofMap(index: number): readonly SpecialField[] {
    return this.#ofMap[index] ?? NONE;
  }

  /** Special fields of a type. */
  ofType(typeId: number): readonly SpecialField[] {
    let fields = this.#ofType.get(typeId);
    if (fields === undefined) {
      const isKnown = this.btf?.has(typeId) === true && typeId !== 0;
      fields = isKnown ? specialFields(this.btf!, typeId) : NONE;
      this.#ofType.set(typeId, fields);
    }
    return fields;
  }
}
