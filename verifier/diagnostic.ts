/**
 * A rejection, as data: everything that any report format needs. Text is made elsewhere, from the
 * code's row in the table of diagnostics.
 */

export type Category =
  | 'memory-safety'
  | 'type-safety'
  | 'resource-safety'
  | 'termination'
  | 'encoding'
  | 'environment'
  | 'limit';

/** A place in the program: an instruction, and its source position where line info has one. */
export interface Span {
  readonly instruction: number;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  /** The source line. */
  readonly text?: string;
  /** The part of the line that is spoken of, 1-based columns [from, to); default: from `column`. */
  readonly extent?: { readonly from: number; readonly to: number };
  /** What to say of this place; empty: nothing but that it is the place. */
  readonly label: string;
}

/** A value that matters, in the terms of the source where possible. */
export interface ValueNote {
  /** `len`, `r2`, `stack -16`. */
  readonly name: string;
  /** Proven range or kind: `-2147483648..256`, `map value of counts, or null`. */
  readonly proven: string;
  /** What the rule needed. */
  readonly needed?: string;
}

/** One step of the path from the entry to the failure: a branch, with what it told, or a call. */
export interface PathStep extends Span {
  /** Whether the `if` of the line was entered (without line info: the jump taken), where clear. */
  readonly taken?: boolean;
  /** Passes of a loop that went this way one after the other; default 1. */
  readonly times?: number;
}

export interface Diagnostic {
  /** Stable kebab-case code of the table of diagnostics. */
  readonly code: string;
  readonly category: Category;
  /** One sentence, no trailing dot. */
  readonly message: string;
  readonly primary: Span;
  readonly secondary: readonly Span[];
  readonly values: readonly ValueNote[];
  readonly path: readonly PathStep[];
  /** How to fix it, one sentence. */
  readonly help?: string;
  /** What the kernel's verifier log would say, for searching. */
  readonly linux?: string;
}
