/** Where an instruction is in the source. */

import type { LineInfo, Program } from '../../isa/index.ts';
import type { Span } from '../diagnostic.ts';
import { expressionAt } from './c-text.ts';

/** The line of the slot: the last entry at or before it, within its function. */
export function lineAt(program: Program, pc: number): LineInfo | undefined {
  const { lines } = program;
  let low = 0;
  let high = lines.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lines[middle]!.instruction <= pc) low = middle + 1;
    else high = middle;
  }
  return lines[low - 1];
}

const isAssembly = ({ file }: LineInfo): boolean => /\.(s|S|asm)$/.test(file);

/** The line of the slot, where it is one of C: only there names and expressions are looked for. */
export function cLineAt(program: Program, pc: number): LineInfo | undefined {
  const line = lineAt(program, pc);
  return line === undefined || isAssembly(line) ? undefined : line;
}

export function spanAt(program: Program, pc: number, label: string): Span {
  const line = lineAt(program, pc);
  if (line === undefined) return { instruction: pc, label };
  const { file, line: number, column, text } = line;
  const { from, to } = isAssembly(line)
    ? { from: column - 1, to: text.trimEnd().length }
    : expressionAt(text, column);
  const extent = { from: from + 1, to: to + 1 };
  return { instruction: pc, file, line: number, column, text, extent, label };
}
