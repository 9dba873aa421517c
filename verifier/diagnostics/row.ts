/** The shape of a row of the table of diagnostics, and what makes the rows of one category. */

import type { Category } from '../diagnostic.ts';

export interface DiagnosticRow {
  readonly category: Category;
  readonly text: string;
  readonly help: string;
  readonly linux: string;
  /** How the verdict classes it; default 'rejected'. */
  readonly outcome?: 'unsupported' | 'limit';
}

type MakeRow = (text: string, help: string, linux: string) => DiagnosticRow;

/** Each file of rows names its category once, here. */
export const rowsOf =
  (category: Category, outcome?: 'unsupported' | 'limit'): MakeRow =>
  (text, help, linux) =>
    Object.freeze({ category, text, help, linux, ...(outcome && { outcome }) });
