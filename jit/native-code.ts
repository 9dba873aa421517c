/**
 * NativeCode: machine code that was compiled here from a proven program, as a token. Only `compile`
 * can make one and only tokens are loaded, so nothing unproven ever runs. The brand is a private
 * field, which no cast, look-alike or prototype can forge; the constructor demands a key that never
 * leaves this module, because TypeScript's `private` is gone at run time. Byte arrays cannot be
 * frozen, so accessors hand out copies.
 */

import type { MapSpec } from '../isa/index.ts';
import type { ProgramType } from '../platform/index.ts';
import type { CodeMapEntry, Relocation } from './code.ts';

/** A function inside the code. */
export interface NativeFunction {
  readonly name: string;
  /** First slot. */
  readonly instruction: number;
  /** Byte offset of its entry. */
  readonly offset: number;
}

/** What the loader must know of the program, and what its proof assumed. */
export interface ProgramMeta {
  readonly name: string;
  readonly type: string;
  readonly attachType: string | undefined;
  readonly contextSize: number | undefined;
  readonly maps: readonly MapSpec[];
  /** Raw .BTF of the program, which types the keys and values of its maps. */
  readonly btf: Uint8Array | undefined;
  /** Ids of the helpers and names of the kernel functions that the code calls. */
  readonly helpers: readonly number[];
  readonly kfuncs: readonly string[];
  /** Profile under which it was proven. */
  readonly profile: string;
  readonly worstCaseInstructions: number | null;
  readonly unboundedBy: string | undefined;
  /** Slot of the function that has the result after bpf_throw. */
  readonly exceptionCallback: number | undefined;
  /** Deepest combined BPF stack, bytes. */
  readonly stackBytes: number;
  readonly returnBits: 32 | 64;
  /** Proven neither to write nor to resize its packet. */
  readonly keepsPacket: boolean;
  /** Some load or store goes through a pointer that is typed by BTF. */
  readonly readsObjects: boolean;
  /** Counts the instructions that it executes, and stops when the run's budget does not suffice. */
  readonly metered: boolean;
}

/** Everything that a NativeCode consists of. */
export interface NativeContent {
  readonly target: string;
  readonly code: Uint8Array;
  /** Byte offset at which the program is entered. */
  readonly entry: number;
  readonly relocations: readonly Relocation[];
  readonly codeMap: readonly CodeMapEntry[];
  readonly functions: readonly NativeFunction[];
  readonly program: ProgramMeta;
  /** The embedder's definition that it was proven against; a token, so never a copy. */
  readonly programType?: ProgramType<unknown> | undefined;
}

const KEY = Symbol('jit/native-code');

export class NativeCode {
  readonly #content: NativeContent;
  readonly #programType: ProgramType<unknown> | undefined;

  constructor(key: typeof KEY, content: NativeContent) {
    if (key !== KEY) throw new TypeError('NativeCode is made by compile() only');
    this.#programType = content.programType;
    this.#content = deepFreeze({
      ...structuredClone({ ...content, code: undefined, programType: undefined }),
      code: content.code.slice(),
    });
    Object.freeze(this);
  }

  /** Whether `x` was made by `compile`. */
  static is(x: unknown): x is NativeCode {
    return typeof x === 'object' && x !== null && #content in x;
  }

  get target(): string {
    return this.#content.target;
  }

  /** A copy of the machine code, with zeros where relocations go. */
  get code(): Uint8Array {
    return this.#content.code.slice();
  }

  get entry(): number {
    return this.#content.entry;
  }

  get relocations(): readonly Relocation[] {
    return this.#content.relocations;
  }

  get codeMap(): readonly CodeMapEntry[] {
    return this.#content.codeMap;
  }

  get functions(): readonly NativeFunction[] {
    return this.#content.functions;
  }

  /** Present for programs of a type that `defineProgramType` made. */
  get programType(): ProgramType<unknown> | undefined {
    return this.#programType;
  }

  /** A copy, as the map specifications hold bytes. */
  get program(): ProgramMeta {
    return structuredClone(this.#content.program);
  }
}
Object.freeze(NativeCode);
Object.freeze(NativeCode.prototype);

/** Freezes plain data to the bottom; bytes stay as they are and are only handed out as copies. */
function deepFreeze<T>(data: T): T {
  if (typeof data !== 'object' || data === null || ArrayBuffer.isView(data)) return data;
  for (const part of Object.values(data)) deepFreeze(part);
  return Object.freeze(data);
}

/** For `compile` alone; no index re-exports it. */
export function mintNativeCode(content: NativeContent): NativeCode {
  return new NativeCode(KEY, content);
}
