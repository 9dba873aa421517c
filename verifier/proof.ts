/**
 * ProvenProgram: the token that a program was proven. The compiler takes nothing else.
 *
 * It is what the compiler needs, not a mark on something mutable: program and instructions are
 * copied when it is minted, and handed out as copies, so nobody can edit them afterwards. It can be
 * minted only in this module (the constructor wants a key that nothing exports), and recognised only
 * by its private field, which no cast, look-alike, prototype or clone has.
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
    this.#instructions = parts.instructions.map((insn) => Object.freeze({ ...insn }));
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
    return this.#instructions.slice();
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

/** Arrays and bytes are copied, whatever their depth; strings and numbers are values. */
function copyProgram(program: Program): Program {
  return structuredClone(program);
}
