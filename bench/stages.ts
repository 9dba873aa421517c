/**
 * What each stage costs around the generated code: verifying, compiling, and starting the
 * command line. Peers, where there are any, are measured beside them.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { kernelRefusal, loadIntoKernel } from '../hosts/index.ts';
import type { Program } from '../isa/index.ts';
import { compile } from '../jit/index.ts';
import { readObject } from '../programs/object/index.ts';
import { verify } from '../verifier/index.ts';
import { median } from './code-speed.ts';

/** Until V8 has optimised all of the compiler. */
const WARM_UP_MILLISECONDS = 1500;
const ROUNDS = 31;
const ROUND_NANOSECONDS = 1_000_000;

export interface StageRow {
  readonly stage: string;
  readonly subject: string;
  readonly nanoseconds: number;
  readonly peer: string;
  /** Undefined: the peer is absent or cannot be measured here. */
  readonly peerNanoseconds: number | undefined;
}

const now = () => Number(process.hrtime.bigint());

/** Median nanoseconds of one call of `work`, after it has been optimised. */
function timeOf(work: () => void): number {
  const warm = now() + WARM_UP_MILLISECONDS * 1e6;
  let calls = 0;
  const first = now();
  for (; now() < warm; calls++) work();
  const count = Math.max(1, Math.round((calls * ROUND_NANOSECONDS) / (now() - first)));
  const samples: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = now();
    for (let i = 0; i < count; i++) work();
    samples.push((now() - start) / count);
  }
  return median(samples);
}

/** The same for a command, cold: nothing stays warm but the files in the page cache. */
function timeOfCommand(args: readonly string[], rounds = 9): number {
  const samples = Array.from({ length: rounds }, () => {
    const start = now();
    spawnSync(process.execPath, args, { stdio: 'ignore' });
    return now() - start;
  });
  return median(samples);
}

function proofOf(program: Program) {
  const verdict = verify(program);
  if (!verdict.ok) throw new Error(`${program.name}: ${verdict.diagnostics[0]?.message}`);
  return verdict.proof;
}

function slots(program: Program): number {
  return program.code.length / 8;
}

/** The promise: 60 instructions in at most a millisecond, warm. */
function compileRow(programs: readonly Program[]): StageRow {
  const distance = (program: Program) => Math.abs(slots(program) - 60);
  const program = programs.reduce((best, other) =>
    distance(other) < distance(best) ? other : best,
  );
  const proof = proofOf(program);
  return {
    stage: 'compile',
    subject: `${program.name}, ${slots(program)} instructions`,
    nanoseconds: timeOf(() => compile(proof)),
    peer: 'limit',
    peerNanoseconds: 1e6,
  };
}

/** The kernel states its own time, which is of verification alone. */
function verifyRow(program: Program): StageRow {
  const kernel = kernelRefusal() === undefined ? kernelVerifyTime(program) : undefined;
  return {
    stage: 'verify',
    subject: `${program.name}, ${slots(program)} instructions`,
    nanoseconds: timeOf(() => verify(program)),
    peer: 'kernel',
    peerNanoseconds: kernel,
  };
}

function kernelVerifyTime(program: Program): number | undefined {
  const times = Array.from({ length: 9 }, () => {
    const verdict = loadIntoKernel(program);
    if (!verdict.accepted) return Number.NaN;
    verdict.program.close();
    return (verdict.microseconds ?? Number.NaN) * 1000;
  });
  const time = median(times);
  return Number.isNaN(time) ? undefined : time;
}

/** A whole process: from nothing to a printed verdict. */
function startRow(root: string, sample: string): StageRow | undefined {
  const command = join(root, 'dist/bin/ringfence.js');
  if (!existsSync(command)) return undefined;
  return {
    stage: 'ringfence verify, cold process',
    subject: 'firewall.bpf.o',
    nanoseconds: timeOfCommand([command, 'verify', sample]),
    peer: 'node -e 0',
    peerNanoseconds: timeOfCommand(['-e', '0']),
  };
}

/** `root`: the checkout. */
export function measureStages(root: string): StageRow[] {
  const folder = join(root, 'programs/samples');
  const samples = readdirSync(folder)
    .filter((file) => file.endsWith('.bpf.o') && !file.startsWith('bad-'))
    .flatMap((file) => readObject(readFileSync(join(folder, file)), file));
  const start = startRow(root, join(folder, 'firewall.bpf.o'));
  return [compileRow(samples), ...samples.map(verifyRow), ...(start === undefined ? [] : [start])];
}
