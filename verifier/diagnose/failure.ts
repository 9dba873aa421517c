/**
 * An obligation that could not be proven, before it is dressed for people: which rule, where, and
 * the values that fill the rule's text. Made only when something fails, so it may allocate.
 */

import type { DiagnosticCode } from '../diagnostics.ts';

export interface Failure {
  readonly code: DiagnosticCode;
  readonly pc: number;
  /** The slot to point at, where it is not `pc`. */
  readonly at?: number;
  /** Fill `{name}` in the texts of the code's row. */
  readonly values: Readonly<Record<string, string | number>>;
  /** Registers whose values explain the failure. */
  readonly registers?: readonly number[];
  /** Other places that matter. */
  readonly places?: readonly { readonly pc: number; readonly label: string }[];
  /** What the values had to be, for people: `at most 14`. */
  readonly needed?: string;
}
