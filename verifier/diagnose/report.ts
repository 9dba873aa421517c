/** From a failure to the diagnostic that people and tools read. */

import type { Program } from '../../isa/index.ts';
import type { Diagnostic, Span, ValueNote } from '../diagnostic.ts';
import { DIAGNOSTICS, fillText } from '../diagnostics.ts';
import { conditionExtent } from './c-text.ts';
import { adviceOf } from './explain/advice.ts';
import type { Explanation } from './explain/case.ts';
import type { Failure } from './failure.ts';
import { spanAt } from './span.ts';

/** What is known of registers where the failure was found, and how it was reached. */
export interface Circumstances {
  readonly explanation: Explanation;
  readonly values: readonly ValueNote[];
  readonly path: Diagnostic['path'];
}

/** A failure found without a walk. */
export const withoutWalk = (program: Program, failure: Failure): Circumstances => ({
  explanation: adviceOf(program, failure),
  values: [],
  path: [],
});

/** Where a branch is to blame, its whole condition is pointed at. */
function primarySpan(program: Program, failure: Failure, label: string): Span {
  const span = spanAt(program, failure.at ?? failure.pc, label);
  const extent = failure.at === undefined ? undefined : conditionExtent(span.text ?? '');
  if (extent === undefined) return span;
  return { ...span, extent: { from: extent.from + 1, to: extent.to + 1 } };
}

export function diagnose(
  program: Program,
  failure: Failure,
  { explanation, values: known, path }: Circumstances,
): Diagnostic {
  const row = DIAGNOSTICS[failure.code];
  const values = { pc: failure.pc, ...failure.values };
  const linux = explanation.linux ?? fillText(row.linux, values);
  const places = (failure.places ?? []).map(({ pc, label }) => spanAt(program, pc, label));
  const notes = known.map((note, index) =>
    index === 0 && failure.needed !== undefined ? { needed: failure.needed, ...note } : note,
  );
  return {
    code: failure.code,
    category: row.category,
    message: explanation.message ?? fillText(row.text, values),
    primary: primarySpan(program, failure, explanation.label ?? ''),
    secondary: explanation.secondary ?? places,
    values: notes,
    path,
    help: explanation.help ?? fillText(row.help, values),
    ...(linux === '' ? {} : { linux }),
  };
}
