/**
 * Pairs: programs in test/pairs that Linux accepts as VARIANT 0 and falsely rejects as VARIANT 1,
 * and look-alikes that are unsafe in both. Each names in a comment what it is about:
 *
 *     pair: other width          unsafe: other width
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Btf } from '../../btf/index.ts';
import { loadIntoKernel } from '../../hosts/index.ts';
import type { Program } from '../../isa/index.ts';
import { readObject } from '../../programs/object/index.ts';
import { type Verdict, verify } from '../../verifier/index.ts';
import { type Build, compileSource } from './corpus.ts';

export const VARIANTS = [0, 1] as const;
export type Variant = (typeof VARIANTS)[number];

export interface PairProgram {
  readonly name: string;
  readonly topic: string;
  readonly isSafe: boolean;
}

export interface PairSource {
  /** Without `.bpf.c`. */
  readonly name: string;
  readonly path: string;
  readonly programs: readonly PairProgram[];
}

/** One program in one variant. */
export interface PairRow extends PairProgram {
  readonly variant: Variant;
  readonly verdict: Verdict;
  /** Undefined: the kernel was not asked. */
  readonly kernelAccepts: boolean | undefined;
}

const DIRECTIVE = /\/\* (pair|unsafe): (.+?) \*\/\s*SEC\("[^"]*"\)\s*int (\w+)\(/g;

export function pairSources(folder: string): PairSource[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.bpf.c'))
    .sort()
    .map((file) => {
      const path = join(folder, file);
      const found = readFileSync(path, 'utf8').matchAll(DIRECTIVE);
      const programs = [...found].map(([, kind, topic = '', name = '']) => {
        if ((kind === 'unsafe') !== name.startsWith('unsafe_')) throw new Error(`${file}: ${name}`);
        return { name, topic, isSafe: kind === 'pair' };
      });
      return { name: file.slice(0, -'.bpf.c'.length), path, programs };
    });
}

/** Every program of the source in one variant, put to ringfence and, where it may be, to Linux. */
export function judgePairs(
  source: PairSource,
  build: Build,
  variant: Variant,
  output: string,
  oracle: { readonly kernel: boolean; readonly kernelBtf: Btf | undefined },
): PairRow[] {
  const object = compileSource(source, build, output, [`VARIANT=${variant}`]);
  const options = oracle.kernelBtf === undefined ? {} : { kernelBtf: oracle.kernelBtf };
  const read = readObject(readFileSync(object), `${source.name}.bpf.o`, options);
  const programs = new Map(read.map((each) => [each.name, each]));
  return source.programs.map((stated) => {
    const program = programs.get(stated.name);
    if (program === undefined) throw new Error(`${source.path}: no program ${stated.name}`);
    const verdict = verify(program, { kernelBtf: oracle.kernelBtf, profile: 'linux-6.18' });
    const kernelAccepts = oracle.kernel ? isLoaded(program, options) : undefined;
    return { ...stated, variant, verdict, kernelAccepts };
  });
}

function isLoaded(program: Program, options: { readonly kernelBtf?: Btf }): boolean {
  const answer = loadIntoKernel(program, options);
  if (answer.accepted) answer.program.close();
  return answer.accepted;
}
