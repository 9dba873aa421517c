/**
 * `npm run bench -- --verify FILE...`: verification beside the running kernel's own, on the same
 * programs in one run. The kernel states its time and its processed instructions at log level 4;
 * of ours, the first call is shown beside the median of warm ones.
 */
import { readFileSync } from 'node:fs';
import { type Btf, parseBtf } from '../btf/index.ts';
import { loadIntoKernel } from '../hosts/index.ts';
import type { Program } from '../isa/index.ts';
import { readObject } from '../programs/object/index.ts';
import { type Verdict, type VerifyOptions, verify } from '../verifier/index.ts';
import { median } from './code-speed.ts';

const KERNEL_BTF = '/sys/kernel/btf/vmlinux';
const ROUNDS = 5;
const KERNEL_ROUNDS = 3;

export interface VerificationRow {
  readonly name: string;
  readonly instructions: number;
  /** Undefined: refused. */
  readonly processed: number | undefined;
  readonly firstMicroseconds: number;
  /** Of accepted programs. */
  readonly warmMicroseconds: number | undefined;
  /** Undefined: the kernel refused, or says nothing. */
  readonly kernelProcessed: number | undefined;
  readonly kernelMicroseconds: number | undefined;
}

interface Timed {
  readonly program: Program;
  readonly verdict: Verdict;
  readonly first: number;
}

/** Measures every program of the object files: all first calls, then warm ones and the kernel. */
export function measureVerification(files: readonly string[]): VerificationRow[] {
  const kernelBtf = readKernelBtf();
  const options = { kernelBtf };
  const timed = files.flatMap((file) =>
    readObject(readFileSync(file), file).map((program): Timed => {
      const started = performance.now();
      const verdict = verify(program, options);
      return { program, verdict, first: (performance.now() - started) * 1000 };
    }),
  );
  for (let round = 0; round < ROUNDS; round++) {
    for (const { program, verdict } of timed) if (verdict.ok) verify(program, options);
  }
  return timed.map(({ program, verdict, first }) => {
    const kernel = verdict.ok ? askKernel(program, kernelBtf) : undefined;
    return {
      name: program.name,
      instructions: verdict.instructions,
      processed: verdict.ok ? verdict.processed : undefined,
      firstMicroseconds: first,
      warmMicroseconds: verdict.ok ? warmTime(program, options) : undefined,
      kernelProcessed: kernel?.processed,
      kernelMicroseconds: kernel?.microseconds,
    };
  });
}

const warmTime = (program: Program, options: VerifyOptions): number =>
  median(Array.from({ length: ROUNDS }, () => verify(program, options).microseconds));

function readKernelBtf(): Btf | undefined {
  try {
    return parseBtf(readFileSync(KERNEL_BTF), KERNEL_BTF);
  } catch {
    return undefined;
  }
}

function askKernel(program: Program, kernelBtf: Btf | undefined) {
  let processed: number | undefined;
  const times: number[] = [];
  for (let round = 0; round < KERNEL_ROUNDS; round++) {
    const answer = loadIntoKernel(program, kernelBtf === undefined ? {} : { kernelBtf });
    if (!answer.accepted) return undefined;
    answer.program.close();
    processed = answer.processed;
    if (answer.microseconds !== undefined) times.push(answer.microseconds);
  }
  return { processed, microseconds: times.length === 0 ? undefined : median(times) };
}

const number = (value: number | undefined, digits = 0) =>
  (value === undefined ? '-' : value.toFixed(digits)).padStart(12);

/** One line per program, and the sums over those that both accept. */
export function verificationTable(rows: readonly VerificationRow[]): string {
  const head = ['program', 'slots', 'processed', 'kernel', 'first us', 'warm us', 'kernel us'];
  const lines = [
    head[0]!.padEnd(28) +
      head
        .slice(1)
        .map((text) => text.padStart(12))
        .join(''),
  ];
  const both = rows.filter(
    ({ processed, kernelProcessed }) => processed !== undefined && kernelProcessed !== undefined,
  );
  const sum = (pick: (row: VerificationRow) => number | undefined) =>
    both.reduce((total, row) => total + (pick(row) ?? 0), 0);
  const line = (name: string, values: readonly (number | undefined)[]) =>
    lines.push(name.slice(0, 27).padEnd(28) + values.map((value) => number(value)).join(''));
  for (const row of rows) {
    line(row.name, [
      row.instructions,
      row.processed,
      row.kernelProcessed,
      row.firstMicroseconds,
      row.warmMicroseconds,
      row.kernelMicroseconds,
    ]);
  }
  line(`${both.length} accepted by both`, [
    sum((row) => row.instructions),
    sum((row) => row.processed),
    sum((row) => row.kernelProcessed),
    sum((row) => row.firstMicroseconds),
    sum((row) => row.warmMicroseconds),
    sum((row) => row.kernelMicroseconds),
  ]);
  return `${lines.join('\n')}\n`;
}
