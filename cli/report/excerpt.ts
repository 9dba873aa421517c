/**
 * Source excerpts: lines with carets under the expression that a diagnostic speaks of. BTF line info
 * gives the column where an expression starts, not where it ends; the end is found by reading C far
 * enough to balance brackets.
 */
import type { Span } from '../../verifier/index.ts';

/** The number of characters of the C expression that starts at 1-based `column`. */
export function expressionLength(text: string, column: number): number {
  const start = column - 1;
  let depth = 0;
  let quote = '';
  let at = start;
  for (; at < text.length; at++) {
    const character = text[at] ?? '';
    if (quote !== '') {
      if (character === '\\') at++;
      else if (character === quote) quote = '';
      continue;
    }
    if (character === '"' || character === "'") quote = character;
    else if ('([{'.includes(character)) depth++;
    else if (')]}'.includes(character)) {
      if (depth === 0) break;
      depth--;
    } else if (
      depth === 0 &&
      (';,?'.includes(character) || (character === ' ' && endsOperand(text, start, at)))
    )
      break;
    else if (text.startsWith('//', at) || text.startsWith('/*', at)) break;
  }
  return Math.max(1, text.slice(start, at).trimEnd().length);
}

/** A keyword such as `if` or `return` at the start does not end the expression at its space. */
function endsOperand(text: string, start: number, at: number): boolean {
  const word = text.slice(start, at);
  return (
    !/^(if|while|for|return|switch|else|do)$/.test(word) &&
    /[\w)\]]$/.test(word) &&
    !/^\s*[=<>!+\-*/&|^%]/.test(text.slice(at))
  );
}

/** One caret line for a span, aligned with its source line in a gutter of `width`. */
function caretLine(span: Span, width: number, mark: string): string {
  const column = span.column ?? 1;
  const text = span.text ?? '';
  const from = Math.max(column, text.length - text.trimStart().length + 1);
  const carets = mark.repeat(expressionLength(text, from));
  // Tabs stay tabs so that the carets line up however wide the reader shows them.
  const indent = text.slice(0, from - 1).replace(/[^\t]/g, ' ');
  return `${' '.repeat(width)} | ${indent}${carets} ${span.label}`;
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
