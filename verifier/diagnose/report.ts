/** From a failure to the diagnostic that people and tools read. */

import type { Program } from '../../isa/index.ts';
import type { Diagnostic, Span, ValueNote } from '../diagnostic.ts';
import { DIAGNOSTICS, fillText } from '../diagnostics.ts';
import type { Failure } from './failure.ts';
import { spanAt } from './span.ts';

/** What is known of registers where the failure was found, and how it was reached. */
export interface Circumstances {
  readonly values: readonly ValueNote[];
  readonly path: Diagnostic['path'];
}

export const NO_CIRCUMSTANCES: Circumstances = { values: [], path: [] };

export function diagnose(
  program: Program,
  failure: Failure,
  circumstances: Circumstances,
): Diagnostic {
  const row = DIAGNOSTICS[failure.code];
  const values = { pc: failure.pc, ...failure.values };
  const linux = fillText(row.linux, values);
  const message = fillText(row.text, values);
  const primary: Span = spanAt(program, failure.at ?? failure.pc, message);
  const secondary = (failure.places ?? []).map(({ pc, label }) => spanAt(program, pc, label));
  const notes = circumstances.values.map((note, index) =>
    index === 0 && failure.needed !== undefined ? { ...note, needed: failure.needed } : note,
  );
  return {
    code: failure.code,
    category: row.category,
    message,
    primary,
    secondary,
    values: notes,
    path: circumstances.path,
    help: fillText(row.help, values),
    ...(linux === '' ? {} : { linux }),
  };
}
