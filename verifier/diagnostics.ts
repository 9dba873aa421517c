/**
 * The table of diagnostics: every reason for which a program is refused, by category in
 * `diagnostics/`. A row's `code` is stable; tools match on it. `{name}` in a text is filled from the
 * failure's values. `linux` is what the kernel's log prints for the same fault (observed from Linux
 * 6.18), so that people can search for it.
 */

import { ENCODING } from './diagnostics/encoding.ts';
import { ENVIRONMENT } from './diagnostics/environment.ts';
import { LIMIT } from './diagnostics/limit.ts';
import { MEMORY_SAFETY } from './diagnostics/memory-safety.ts';
import { RESOURCE_SAFETY } from './diagnostics/resource-safety.ts';
import type { DiagnosticRow } from './diagnostics/row.ts';
import { TERMINATION } from './diagnostics/termination.ts';
import { TYPE_SAFETY } from './diagnostics/type-safety.ts';

export type { DiagnosticRow } from './diagnostics/row.ts';

const ROWS = {
  ...ENCODING,
  ...MEMORY_SAFETY,
  ...TYPE_SAFETY,
  ...RESOURCE_SAFETY,
  ...ENVIRONMENT,
  ...TERMINATION,
  ...LIMIT,
} as const;

export type DiagnosticCode = keyof typeof ROWS;
export const DIAGNOSTICS: Readonly<Record<DiagnosticCode, DiagnosticRow>> = Object.freeze(ROWS);

/** `text` with `{name}` replaced by the values. */
export function fillText(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
