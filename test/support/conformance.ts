/**
 * Reads the conformance cases of test/conformance/cases: programs with inputs and the results that
 * RFC 9669 demands. They name no engine, so that each engine runs the same ones.
 *
 *     # a comment
 *     -- case what it shows
 *     -- group base64            conformance group of RFC 9669 section 2.4, or `linux`
 *     r0 = *(u64 *)(r1 + 0)      code; r1 is the memory, r2 its size
 *     exit
 *     -- run 0x5 0x6 -> 0x5      memory -> r0
 *     -- run 0500ff -> 5 then 0600ff
 *
 * Memory is a list of words: `0x...` is a 64-bit little-endian number, anything else bytes in
 * hexadecimal. After `then` stands what memory must hold afterwards; without it, the same as before.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { assembleProgram, type Program } from '../../isa/index.ts';

export interface ConformanceRun {
  /** Line in the case file, for messages. */
  readonly line: number;
  readonly memory: Uint8Array;
  readonly result: bigint;
  readonly memoryAfter: Uint8Array;
}

export interface ConformanceCase {
  readonly name: string;
  readonly group: string;
  readonly file: string;
  readonly line: number;
  /** Of type `memory`; the memory of every run has its `contextSize`. */
  readonly program: Program;
  readonly runs: readonly ConformanceRun[];
}

const CASES = new URL('../conformance/cases/', import.meta.url);

/** All cases of all files, or of those named. */
export function readConformance(files?: readonly string[]): ConformanceCase[] {
  const names = files ?? readdirSync(CASES).filter((name) => name.endsWith('.txt'));
  return [...names]
    .sort()
    .flatMap((name) => parse(readFileSync(new URL(name, CASES), 'utf8'), name));
}

interface Draft {
  readonly name: string;
  readonly line: number;
  group: string;
  readonly code: string[];
  readonly runs: ConformanceRun[];
}

function parse(text: string, file: string): ConformanceCase[] {
  const drafts: Draft[] = [];
  text.split('\n').forEach((raw, index) => {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) return;
    const [, directive, rest] = /^-- (case|group|run)(?: (.*))?$/.exec(line) ?? [];
    if (directive === 'case') {
      drafts.push({ name: rest!, line: index + 1, group: '', code: [], runs: [] });
      return;
    }
    const draft = drafts.at(-1);
    if (!draft) throw new Error(`${file}:${index + 1}: expected '-- case'`);
    if (directive === 'group') draft.group = rest!;
    else if (directive === 'run')
      draft.runs.push(parseRun(rest!, `${file}:${index + 1}`, index + 1));
    else draft.code.push(line);
  });
  return drafts.map((draft) => finish(draft, file));
}

function finish({ name, line, group, code, runs }: Draft, file: string): ConformanceCase {
  const size = runs[0]?.memory.length;
  if (size === undefined || runs.some((run) => run.memory.length !== size)) {
    throw new Error(`${file}:${line}: a case has runs, and their memory has one size`);
  }
  const text = `.context ${size}\n${code.join('\n')}\n`;
  return { name, group, file, line, program: assembleProgram(text, `${file}: ${name}`), runs };
}

function parseRun(text: string, place: string, line: number): ConformanceRun {
  const parts = /^(.*?)\s*-> (0x[0-9a-f]+|\d+)(?: then (.*))?$/.exec(text);
  if (!parts) throw new Error(`${place}: expected '-- run MEMORY -> RESULT [then MEMORY]'`);
  const memory = parseMemory(parts[1]!, place);
  const memoryAfter = parts[3] === undefined ? memory : parseMemory(parts[3], place);
  return { line, memory, result: BigInt(parts[2]!), memoryAfter };
}

function parseMemory(text: string, place: string): Uint8Array {
  const bytes = text
    .split(/\s+/)
    .filter((word) => word !== '')
    .flatMap((word) => {
      if (word.startsWith('0x')) {
        const value = BigInt(word);
        return Array.from({ length: 8 }, (_, byte) => Number((value >> BigInt(8 * byte)) & 0xffn));
      }
      if (!/^([0-9a-f]{2})+$/.test(word)) throw new Error(`${place}: '${word}' is no memory`);
      return word.match(/../g)!.map((pair) => Number.parseInt(pair, 16));
    });
  return Uint8Array.from(bytes);
}
