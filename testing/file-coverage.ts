/** What is known of a source file once programs made of it have run: plain data. */

export interface LineCount {
  /** 1-based. */
  readonly line: number;
  readonly hits: number;
}

/** One conditional jump; where several are on a line, `block` tells them apart. */
export interface BranchCount {
  readonly line: number;
  readonly block: number;
  /** How often execution went on behind the jump, and how often it jumped. */
  readonly passed: number;
  readonly taken: number;
}

export interface FunctionCount {
  readonly name: string;
  readonly line: number;
  readonly hits: number;
}

/** What ran of one source file; everything sorted by line. */
export interface FileCoverage {
  /** As the object's line information names it. */
  readonly file: string;
  readonly lines: readonly LineCount[];
  readonly branches: readonly BranchCount[];
  readonly functions: readonly FunctionCount[];
}

/** How much there is, and how much of it ran. */
export interface CoverageTotals {
  readonly lines: { readonly found: number; readonly hit: number };
  readonly branches: { readonly found: number; readonly hit: number };
  readonly functions: { readonly found: number; readonly hit: number };
}
