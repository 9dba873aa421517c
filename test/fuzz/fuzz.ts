/**
 * The fuzzer: programs of three grades, each from a seed, examined one after the other for so many
 * seconds. What is found is made small and reported once per signature.
 *
 *   grade 1  random bytes           grade 2  random instructions       grade 3  programs with a meaning
 */

import { assembleProgram, InputError, type Program } from '../../isa/index.ts';
import { describeFunctions } from '../support/describe-functions.ts';
import { instructionProgram, randomBytes } from '../support/generate-instructions.ts';
import { semanticProgram } from '../support/generate-semantic.ts';
import { type ExamineOptions, examine } from './examine.ts';
import { minimise } from './minimise.ts';
import { type Finding, hex, signature } from './outcome.ts';

export type Grade = 1 | 2 | 3;

export interface FuzzOptions {
  readonly grade: Grade;
  /** The first seed; the others follow. */
  readonly seed: number;
  readonly seconds: number;
  readonly kernel: ExamineOptions['kernel'];
  /** Programs at most; default: as many as the time allows. */
  readonly programs?: number;
  readonly inputs?: number;
  /** Whether findings are made small; it takes a while. */
  readonly findings: 'as-found' | 'minimised';
  readonly onFinding?: (report: FindingReport) => void;
}

export interface FindingReport {
  readonly seed: number;
  readonly finding: Finding;
  /** Assembly, or for bytes that do not decode their hexadecimal digits. */
  readonly text: string;
}

export interface FuzzReport {
  readonly programs: number;
  readonly accepted: number;
  readonly runs: number;
  readonly findings: readonly FindingReport[];
  /** Seeds that found something, by signature. */
  readonly counts: ReadonlyMap<string, number>;
}

const DEFAULT_INPUTS = 6;
const MINIMISER_ATTEMPTS = 600;

/** A program of this grade: its text, if it has one, and what to examine. */
function generate(grade: Grade, seed: number): { text: string | undefined; program: Program } {
  if (grade === 1) {
    const { type, code } = randomBytes(seed);
    const shell = assembleProgram(`.type ${type}\n`, `seed ${seed}`);
    return { text: undefined, program: { ...shell, code } };
  }
  const text = grade === 2 ? instructionProgram(seed) : semanticProgram(seed);
  return { text, program: assemble(text, `seed ${seed}`) };
}

/** An assembled program, with the types that its functions need in the kernel. */
export const assemble = (text: string, name: string): Program =>
  describeFunctions(assembleProgram(text, name));

export function fuzz(options: FuzzOptions): FuzzReport {
  const { grade, seconds, programs = Number.POSITIVE_INFINITY } = options;
  const end = performance.now() + seconds * 1000;
  const findings: FindingReport[] = [];
  const counts = new Map<string, number>();
  let seed = options.seed;
  let accepted = 0;
  let runs = 0;
  for (; performance.now() < end && seed - options.seed < programs; seed++) {
    const { text, program } = generate(grade, seed);
    const examination = examine(program, examineOptions(options, seed));
    if (examination.accepted) accepted++;
    runs += examination.runs;
    const { finding } = examination;
    if (finding === undefined) continue;
    const name = signature(finding);
    const known = counts.get(name) ?? 0;
    counts.set(name, known + 1);
    if (known > 0) continue;
    const shown = text === undefined ? hex(program.code) : shrink(text, finding, options, seed);
    findings.push({ seed, finding, text: shown });
    options.onFinding?.({ seed, finding, text: shown });
  }
  return { programs: seed - options.seed, accepted, runs, findings, counts };
}

const examineOptions = (options: FuzzOptions, seed: number): ExamineOptions => ({
  seed,
  inputs: options.inputs ?? DEFAULT_INPUTS,
  kernel: options.kernel,
});

function shrink(text: string, finding: Finding, options: FuzzOptions, seed: number): string {
  if (options.findings === 'as-found') return text;
  const wanted = signature(finding);
  const stillFails = (candidate: string): boolean => {
    try {
      const program = assemble(candidate, 'candidate');
      const found = examine(program, examineOptions(options, seed)).finding;
      return found !== undefined && signature(found) === wanted;
    } catch (error) {
      if (error instanceof InputError) return false;
      throw error;
    }
  };
  return minimise(text, stillFails, MINIMISER_ATTEMPTS);
}
