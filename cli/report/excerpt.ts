/**
 * Source excerpts: lines with carets under the expression that a diagnostic speaks of. A span says
 * which part of its line that is; one that does not is marked to the end of its line.
 */
import type { Span } from '../../verifier/index.ts';

/** One caret line for a span, aligned with its source line in a gutter of `width`. */
function caretLine(span: Span, width: number, mark: string): string {
  const text = span.text ?? '';
  const from = span.extent?.from ?? span.column ?? 1;
  const to = span.extent?.to ?? text.trimEnd().length + 1;
  const carets = mark.repeat(Math.max(1, to - from));
  // Tabs stay tabs so that the carets line up however wide the reader shows them.
  const indent = text
    .slice(0, from - 1)
    .padEnd(from - 1)
    .replace(/[^\t]/g, ' ');
  return `${' '.repeat(width)} | ${indent}${carets} ${span.label}`.trimEnd();
}

/** The lines that the spans stand on, in source order, each followed by its carets. */
export function excerpt(primary: Span, secondary: readonly Span[]): string[] {
  const spans = [primary, ...secondary].filter(
    (span) => span.line !== undefined && span.text !== undefined && span.file === primary.file,
  );
  const width = Math.max(2, ...spans.map((span) => String(span.line).length + 1));
  const byLine = new Map<number, Span[]>();
  for (const span of spans)
    byLine.set(span.line ?? 0, [...(byLine.get(span.line ?? 0) ?? []), span]);
  return [...byLine.entries()]
    .sort(([a], [b]) => a - b)
    .flatMap(([line, onLine]) => [
      `${String(line).padStart(width)} | ${onLine[0]?.text ?? ''}`,
      ...onLine.map((span) => caretLine(span, width, span === primary ? '^' : '-')),
    ]);
}
