/**
 * Programs whose refusal must be understood: each source states the code of the diagnostic, and a
 * piece of the line that it must point at. The first line with that piece is meant.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CorpusSource } from './corpus.ts';

export interface Expectation {
  readonly source: CorpusSource;
  readonly code: string;
  readonly line: number | undefined;
  readonly profile: string;
}

const EXPECT = /\/\* expect: (\S+)(?: at "(.*)")?(?: profile (\S+))? \*\//;

function expectationOf(folder: string, file: string): Expectation {
  const path = join(folder, file);
  const lines = readFileSync(path, 'utf8').split('\n');
  const [, code = '', piece, profile = 'linux-6.18'] = EXPECT.exec(lines[0] ?? '') ?? [];
  const index =
    piece === undefined ? -1 : lines.findIndex((text, i) => i > 0 && text.includes(piece));
  const name = file.slice(0, -'.bpf.c'.length);
  return {
    source: { name, path, cpu: 1, clang: 14, programs: [] },
    code,
    line: index < 0 ? undefined : index + 1,
    profile,
  };
}

export function diagnosticCases(folder: string): Expectation[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.bpf.c'))
    .sort()
    .map((file) => expectationOf(folder, file));
}
