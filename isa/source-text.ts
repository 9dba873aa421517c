/**
 * Reads an assembly file line by line and says what each line is, so that the assembler proper sees
 * labels, directives and instructions only.
 *
 * Three writers produce such files: people, clang -S, and llvm-objdump -d with its headings,
 * addresses, raw bytes, relocation lines and `<f+0x10>` remarks. What the tools add is recognised
 * here and dropped; nothing else is.
 */

import { InputError } from './errors.ts';
import { withoutComment } from './tokens.ts';

export type Line =
  | { readonly kind: 'label'; readonly name: string; readonly place: Place }
  | {
      readonly kind: 'directive';
      readonly name: string;
      readonly words: readonly Word[];
      readonly place: Place;
    }
  | { readonly kind: 'instruction'; readonly text: string; readonly place: Place };

/** A word of a directive. */
export interface Word {
  readonly text: string;
  readonly place: Place;
}

/** Index in the text of the file, in UTF-16 units. */
export interface Place {
  readonly index: number;
}

/** The text, and how to complain about a place in it. */
export interface Source {
  readonly file: string;
  readonly text: string;
}

/** An error at `place`, with its line and column. */
export function errorAt(source: Source, place: Place, reason: string): InputError {
  const before = source.text.slice(0, place.index);
  const lineStart = before.lastIndexOf('\n') + 1;
  const line = before.split('\n').length;
  const offset = new TextEncoder().encode(before).length;
  const position = { line, column: place.index - lineStart + 1 };
  return new InputError(source.file, offset, reason, undefined, position);
}

/** What llvm-objdump prints around the instructions. */
const NOISE =
  /^(?:.*:\s+file format .*|Disassembly of section .*|\s*[0-9a-f]{8,16}:\s+R_BPF_\S+.*|\s*\.\.\.)$/;
/** `0000000000000018 <name>:` and `<name>:`. */
const HEADING = /^(?:[0-9a-f]{8,16}\s+)?<([A-Za-z_.][\w.]*)>:/;
const LABEL = /^\s*([A-Za-z_.][\w.]*):/;
/** `      12:` and, after it, the raw bytes of one or two slots. */
const ADDRESS =
  /^\s*[0-9]+:\s*(?:(?:[0-9a-f]{2} ){7}[0-9a-f]{2}(?:\s+(?:[0-9a-f]{2} ){7}[0-9a-f]{2})?\s)?/;
/** ` <f+0x278>` after a numeric target. */
const TARGET_REMARK = /([0-9a-f])\s+<[^<>]*>\s*$/;

/** All lines of the file that mean something, in order. Throws InputError. */
export function* readLines(source: Source): Generator<Line> {
  let start = 0;
  for (const raw of source.text.split('\n')) {
    yield* readLine(source, raw.endsWith('\r') ? raw.slice(0, -1) : raw, start);
    start += raw.length + 1;
  }
}

function* readLine(source: Source, raw: string, start: number): Generator<Line> {
  if (NOISE.test(raw)) return;
  const line = withoutComment(raw);
  const heading = HEADING.exec(line);
  if (heading) {
    yield { kind: 'label', name: heading[1]!, place: { index: start } };
    return;
  }
  let at = ADDRESS.exec(line)?.[0].length ?? 0;
  for (;;) {
    const label = LABEL.exec(line.slice(at));
    if (!label) break;
    const name = label[1]!;
    yield { kind: 'label', name, place: { index: start + at + label[0].length - name.length - 1 } };
    at += label[0].length;
  }
  const rest = line.slice(at).replace(TARGET_REMARK, '$1');
  const trimmed = rest.trim();
  if (trimmed === '') return;
  const index = start + at + rest.indexOf(trimmed[0]!);
  if (trimmed === '<unknown>') {
    throw errorAt(source, { index }, 'llvm-objdump did not know this instruction; try --mcpu=v4');
  }
  if (trimmed.startsWith('.')) yield directive(trimmed, index);
  else yield { kind: 'instruction', text: trimmed, place: { index } };
}

function directive(text: string, index: number): Line {
  const words = [...text.matchAll(/"[^"]*"|[^\s,]+/g)].map((match) => ({
    text: match[0].replace(/^"|"$/g, ''),
    place: { index: index + match.index },
  }));
  return { kind: 'directive', name: words[0]!.text, words: words.slice(1), place: { index } };
}
