/**
 * The types of the program itself, from its BTF: which special fields its map values and its
 * structures have. Answers are remembered, since the walk asks on every access.
 */

import { type Btf, parseBtf, type SpecialField, specialFields } from '../btf/index.ts';
import type { MapSpec, Program } from '../isa/index.ts';
import { combinationProblem, fieldsProblem } from '../platform/index.ts';

const NONE: readonly SpecialField[] = Object.freeze([]);

const NODES: ReadonlySet<string> = new Set(['list-node', 'rbtree-node']);

const hasCollection = (fields: readonly SpecialField[]): boolean =>
  fields.some(({ contains }) => contains !== undefined);

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
  readonly #problems: readonly (string | undefined)[];
  readonly #ofType = new Map<number, readonly SpecialField[]>();

  /** Throws InputError where the program's BTF is malformed. */
  constructor(program: Program, maps: readonly MapSpec[]) {
    const isTyped = maps.some(({ btfValueTypeId }) => btfValueTypeId !== undefined);
    const hasGlobals = program.functions.some(({ linkage }) => linkage === 'global');
    const isNeeded = isTyped || hasGlobals || program.kfuncCalls.length > 0;
    this.btf = isNeeded ? btfOf(program) : undefined;
    this.#ofMap = maps.map(({ btfValueTypeId }) => this.ofType(btfValueTypeId ?? 0));
    this.#problems = maps.map(
      (map, index) =>
        fieldsProblem(map, this.ofMap(index)) ?? this.problemOfType(map.btfValueTypeId ?? 0),
    );
  }

  /** Special fields of the values of a map. */
  ofMap(index: number): readonly SpecialField[] {
    return this.#ofMap[index] ?? NONE;
  }

  /** Why functions do not work on the special fields of a map; undefined: they do. */
  problemOf(index: number): string | undefined {
    return this.#problems[index];
  }

  /**
   * Why there can be no values of the type, by its special fields and by those of what its lists and
   * trees contain. What is both in a collection and has one may contain nothing that has one: so
   * objects never own each other in a circle.
   */
  problemOfType(typeId: number): string | undefined {
    const fields = this.ofType(typeId);
    const all = [fields, ...this.#contents(fields)];
    if (all.some((each) => this.#mayOwnItself(each))) return 'objects could own each other';
    return all.map(combinationProblem).find((problem) => problem !== undefined);
  }

  #mayOwnItself(fields: readonly SpecialField[]): boolean {
    return fields.some(({ kind }) => NODES.has(kind)) && this.#contents(fields).some(hasCollection);
  }

  /** The special fields of what the lists and trees among the fields contain. */
  #contents(fields: readonly SpecialField[]): (readonly SpecialField[])[] {
    return fields.flatMap(({ contains }) =>
      contains === undefined ? [] : [this.ofType(this.btf!.find(contains.typeName, 'struct') ?? 0)],
    );
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
