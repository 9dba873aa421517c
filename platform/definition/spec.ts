/**
 * What an embedder writes to define a program type, and what TypeScript makes of it: the types of a
 * run's context and of a helper's arguments follow from the definition.
 */

import type { NumberOf, NumberType } from './numbers.ts';

/** A number in the context. */
export interface NumberField {
  readonly type: NumberType;
  /** Bytes from the start of the context; a multiple of the number's size. */
  readonly offset: number;
  /** What the program may do; default: read. */
  readonly access?: 'read' | 'write' | 'read-write';
}

/** 8 bytes that point to the first byte of the run's `packet`, or behind its last. */
export interface PacketField {
  readonly type: 'packet' | 'packet-end';
  readonly offset: number;
}

export type FieldSpec = NumberField | PacketField;

/**
 * One argument of a helper. Numbers take a register. `bytes` takes two, as in C: a pointer and the
 * number of bytes behind it; `{ bytes: n }` takes a pointer to exactly n bytes.
 */
export type ArgumentSpec =
  | NumberType
  | 'bytes'
  | {
      readonly bytes: 'sized' | number;
      /** `write`: the helper fills them, whatever they were; default: read. */
      readonly access?: 'read' | 'write' | 'read-write';
    };

/** What a helper returns: nothing, a number, or a number of which only some values occur. */
export type ReturnSpec = 'void' | NumberType | { readonly min: number; readonly max: number };

/** What JavaScript gets for an argument; bytes are a copy, written back where `access` says so. */
export type ArgumentOf<A> = A extends NumberType ? NumberOf<A> : Uint8Array;

export type ArgumentsOf<A extends readonly ArgumentSpec[]> = {
  -readonly [I in keyof A]: ArgumentOf<A[I]>;
};

/** A helper that is a JavaScript function: the slow path, some microseconds a call. */
export interface HostedHelperSpec<A extends readonly ArgumentSpec[] = readonly ArgumentSpec[]> {
  /** Number by which programs call it: 65536 or more, where Linux has none. */
  readonly id: number;
  readonly arguments: A;
  /** Default: void. */
  readonly returns?: ReturnSpec;
  /** What it throws ends the run with a HelperError. */
  // biome-ignore lint/suspicious/noConfusingVoidType: `run: (text) => console.log(text)` is one
  readonly run: (...args: ArgumentsOf<A>) => number | bigint | boolean | undefined | void;
}

/** A helper of ringfence under a name and number of the definition's own: native speed. */
export interface BuiltinHelperSpec {
  readonly id: number;
  /** `bpf_ktime_get_ns`. */
  readonly builtin: string;
}

export interface LimitsSpec {
  /** 8-byte slots of a program; default and most 1,000,000. */
  readonly instructions?: number;
  /** Proven bound on executed instructions of one run. Default: none, as long as there is a bound. */
  readonly executed?: number;
  /** Bytes of stack of one function; default and most 512. */
  readonly stackBytes?: number;
  /** Nested functions; default and most 8. */
  readonly callDepth?: number;
}

export interface ReturnsSpec {
  readonly min: number;
  readonly max: number;
  /** Names of results, for reports: `{ 0: 'DENY', 1: 'ADMIT' }`. */
  readonly names?: Readonly<Record<number, string>>;
}

export type FieldSpecs = Readonly<Record<string, FieldSpec>>;
export type HelperArguments = Readonly<Record<string, readonly ArgumentSpec[]>>;

export interface ProgramTypeSpec<F extends FieldSpecs, H extends HelperArguments> {
  /** Kebab or snake case; also the name of the section: `SEC("admission")`. */
  readonly name: string;
  readonly context: {
    /** Default: up to the end of the last field, a multiple of 8. */
    readonly sizeBytes?: number;
    readonly fields: F;
  };
  readonly helpers?: { readonly [K in keyof H]: HostedHelperSpec<H[K]> };
  /** Helpers of ringfence under other names and numbers. */
  readonly aliases?: Readonly<Record<string, BuiltinHelperSpec>>;
  /** Helpers of ringfence under Linux's numbers; default: all that `memory` programs may call. */
  readonly builtins?: 'all' | readonly string[];
  /** Allowed results; default: any. */
  readonly returns?: 'any' | ReturnsSpec;
  readonly limits?: LimitsSpec;
}

type ReadOnly<F> = {
  [K in keyof F]: F[K] extends { readonly access: 'write' | 'read-write' }
    ? never
    : F[K] extends NumberField
      ? K
      : never;
}[keyof F];

type Writable<F> = {
  [K in keyof F]: F[K] extends { readonly access: 'write' | 'read-write' } ? K : never;
}[keyof F];

type ValueOf<F> = F extends { readonly type: infer T extends NumberType }
  ? number | NumberOf<T>
  : never;

/**
 * The context that a run is given: what the program only reads must be there; what it may write
 * starts as zero unless it is given.
 */
export type ContextOf<F extends FieldSpecs> = {
  readonly [K in ReadOnly<F>]: ValueOf<F[K]>;
} & {
  readonly [K in Writable<F>]?: ValueOf<F[K]>;
};
