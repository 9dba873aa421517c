/**
 * ProvenProgram: the token that a program was proven. The compiler takes nothing else.
 *
 * It is what the compiler needs, not a mark on something mutable: the program is copied when it is
 * minted, its instructions are the verifier's own, and both are handed out as copies, so nobody can
 * edit them afterwards. It can be minted only in this module (the constructor wants a key that
 * nothing exports), and recognised only by its private field, which no cast, look-alike, prototype
 * or clone has.
 */

import type { Instruction, Program } from '../isa/index.ts';
import type { ProgramType } from '../platform/index.ts';
import type { Facts } from './facts.ts';

const KEY = Symbol('proof');

/** What a proof consists of. */
export interface ProofParts {
  readonly program: Program;
  readonly instructions: readonly Instruction[];
  /** Made when first asked for: most verdicts are never compiled. */
  readonly facts: () => Facts;
  /** Name of the profile under which the program was proven. */
  readonly profile: string;
  /** The embedder's definition that it was proven against. */
  readonly programType?: ProgramType<unknown> | undefined;
}

export class ProvenProgram {
  readonly #program: Program;
  readonly #instructions: readonly Instruction[];
  readonly #makeFacts: () => Facts;
  readonly #profile: string;
  readonly #programType: ProgramType<unknown> | undefined;
  #facts: Facts | undefined;

  constructor(key: symbol, parts: ProofParts) {
    if (key !== KEY) throw new TypeError('a ProvenProgram comes from verify() only');
    this.#program = copyProgram(parts.program);
    this.#instructions = parts.instructions;
    this.#makeFacts = parts.facts;
    this.#profile = parts.profile;
    this.#programType = parts.programType;
    Object.freeze(this);
  }

  /** Whether `x` was minted here. */
  static is(x: unknown): x is ProvenProgram {
    return typeof x === 'object' && x !== null && #program in x;
  }

  /** A copy of the program. */
  get program(): Program {
    return copyProgram(this.#program);
  }

  get instructions(): readonly Instruction[] {
    return this.#instructions.map((insn) => Object.freeze({ ...insn }));
  }

  get facts(): Facts {
    return (this.#facts ??= this.#makeFacts());
  }

  get profile(): string {
    return this.#profile;
  }

  /** Present for programs of a type that `defineProgramType` made. */
  get programType(): ProgramType<unknown> | undefined {
    return this.#programType;
  }
}
Object.freeze(ProvenProgram);
Object.freeze(ProvenProgram.prototype);

/** Only `verify` calls this; `index.ts` does not export it. */
export const mintProof = (parts: ProofParts): ProvenProgram => new ProvenProgram(KEY, parts);

const copyProgram = (program: Program): Program => copyOf(program);

/**
 * Arrays and bytes are copied, whatever their depth; strings and numbers are values. Every verdict
 * waits for this, so what a program mostly consists of is copied without `structuredClone`.
 */
function copyOf<T>(data: T): T {
  if (typeof data !== 'object' || data === null) return data;
  if (data instanceof Uint8Array) return new Uint8Array(data) as T;
  if (Array.isArray(data)) return data.map(copyOf) as T;
  if (Object.getPrototypeOf(data) !== Object.prototype) return structuredClone(data);
  const copy = { ...data };
  for (const key in copy) if (typeof copy[key] === 'object') copy[key] = copyOf(copy[key]);
  return copy;
}
