/**
 * Puts the same programs to the running kernel and to ringfence and compares: what `linux` predicts
 * must be what Linux says, and nothing that Linux refuses for safety may be proven here.
 */
import { readFileSync } from 'node:fs';
import type { Btf } from '../../btf/index.ts';
import { KernelError, loadIntoKernel } from '../../hosts/index.ts';
import type { Program } from '../../isa/index.ts';
import { readObject } from '../../programs/object/index.ts';
import { type Verdict, verify } from '../../verifier/index.ts';
import {
  type Build,
  type Category,
  type CorpusSource,
  canBuild,
  compileSource,
  REFERENCE_BUILD,
} from './corpus.ts';

export interface KernelAnswer {
  readonly accepted: boolean;
  /** The last lines of its log, or the map that could not be created. */
  readonly reason: readonly string[];
  readonly processed: number | undefined;
}

export interface Comparison {
  readonly source: string;
  readonly program: string;
  readonly build: string;
  readonly category: Category;
  /** What the source says Linux does with its reference build. */
  readonly expected: 'accepted' | 'rejected';
  readonly isReference: boolean;
  readonly kernel: KernelAnswer | undefined;
  readonly verdict: 'accepted' | 'rejected' | 'unsupported' | 'limit';
  readonly linux: Verdict['linux'];
  /** Code, message and line of each diagnostic. */
  readonly diagnostics: readonly string[];
  readonly processed: number;
  readonly milliseconds: number;
}

export interface Oracle {
  /** Undefined: only ringfence is asked. */
  readonly kernel: boolean;
  readonly kernelBtf: Btf | undefined;
}

const LOG_LINES = 4;

const EPERM = 1;

/** Undefined where this kernel may not be asked: not its verifier but its security policy refuses. */
function askKernel(program: Program, kernelBtf: Btf | undefined): KernelAnswer | undefined {
  try {
    const answer = loadIntoKernel(program, kernelBtf === undefined ? {} : { kernelBtf });
    if (answer.accepted) answer.program.close();
    else if (answer.errno === EPERM && answer.log === '') return undefined;
    const lines = answer.log.split('\n').filter((line) => line !== '' && !/^\d+: /.test(line));
    const said = lines.filter((line) => !/^(processed|verification|stack depth)/.test(line));
    return {
      accepted: answer.accepted,
      reason: answer.accepted ? [] : [`errno ${answer.errno}`, ...said.slice(-LOG_LINES)],
      processed: answer.accepted ? answer.processed : undefined,
    };
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    return { accepted: false, reason: [error.message], processed: undefined };
  }
}

function compareProgram(
  source: CorpusSource,
  build: Build,
  program: Program,
  oracle: Oracle,
): Comparison[] {
  const stated = source.programs.find(({ name }) => name === program.name);
  if (stated === undefined) return [];
  const kernel = oracle.kernel ? askKernel(program, oracle.kernelBtf) : undefined;
  const verdict = verify(program, { kernelBtf: oracle.kernelBtf, profile: 'linux-6.18' });
  return [
    {
      source: source.name,
      program: program.name,
      build: build.name,
      category: stated.category,
      expected: stated.expected,
      isReference: build.name === REFERENCE_BUILD.name,
      kernel,
      verdict: verdict.ok ? 'accepted' : verdict.outcome,
      linux: verdict.linux,
      diagnostics: verdict.ok
        ? []
        : verdict.diagnostics.map(
            ({ code, message, primary }) =>
              `${code}: ${message} (line ${primary.line ?? '?'}, instruction ${primary.instruction})`,
          ),
      processed: verdict.processed,
      milliseconds: verdict.microseconds / 1000,
    },
  ];
}

/** Every program of one source in one build; none when the build cannot express it. */
export function compareSource(
  source: CorpusSource,
  build: Build,
  output: string,
  oracle: Oracle,
): Comparison[] {
  if (!canBuild(source, build)) return [];
  const object = compileSource(source, build, output);
  const options = oracle.kernelBtf === undefined ? {} : { kernelBtf: oracle.kernelBtf };
  const programs = readObject(readFileSync(object), `${source.name}.bpf.o`, options);
  return programs.flatMap((program) => compareProgram(source, build, program, oracle));
}

/** What Linux is taken to say: what it said, or what the source states of its reference build. */
export function linuxSays(row: Comparison): 'accepted' | 'rejected' | undefined {
  if (row.kernel !== undefined) return row.kernel.accepted ? 'accepted' : 'rejected';
  return row.isReference ? row.expected : undefined;
}

export type Disagreement =
  | 'unsafe accept' // proven here, and predicted to be accepted; Linux refuses
  | 'beyond Linux' // proven here by reasoning that Linux lacks, and said so
  | 'refused here' // Linux accepts
  | 'unsupported here'
  | 'wrong prediction'; // the verdict agrees, the prediction does not

/** How the answers differ; undefined where they agree, or where Linux was not asked. */
export function disagreement(row: Comparison): Disagreement | undefined {
  const linux = linuxSays(row);
  if (linux === undefined) return undefined;
  if (row.verdict === 'unsupported') return 'unsupported here';
  if (row.verdict === 'accepted' && linux === 'rejected') {
    return row.linux === 'accepted' ? 'unsafe accept' : 'beyond Linux';
  }
  if (row.verdict !== 'accepted' && linux === 'accepted') return 'refused here';
  const predicted = row.linux === 'accepted' ? 'accepted' : 'rejected';
  return predicted === linux ? undefined : 'wrong prediction';
}
