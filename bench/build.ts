/**
 * Builds the benchmark programs twice: as BPF objects, and natively into one harness process. Both
 * by the same compiler, where it can do both; nothing is committed, so the figures always belong to
 * the compiler that the report names.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Program } from '../isa/index.ts';
import { readObject } from '../programs/object/index.ts';

/** Newest first; 19 is the first that has -mcpu=v4. */
const COMPILERS = ['clang-21', 'clang-20', 'clang-19', 'clang', 'clang-14'];
const BPF_FLAGS = ['-O2', '-g', '-target', 'bpf', '-Wall', '-Wextra'];
/** Vector units are beyond what eBPF can say; the comparison is of scalar code. */
const NATIVE_FLAGS = ['-O2', '-fno-vectorize', '-fno-slp-vectorize', '-Wall', '-Wextra'];

export interface BuiltPrograms {
  readonly compiler: string;
  readonly harness: string;
  readonly programs: ReadonlyMap<string, Program>;
}

function runCompiler(compiler: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(compiler, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${compiler} ${args.join(' ')}\n${stderr}`);
}

/** The compiler to use, or undefined where there is none that builds for BPF. */
export function findCompiler(): string | undefined {
  const chosen = process.env.BENCH_CLANG;
  if (chosen !== undefined && chosen !== '') return chosen;
  return COMPILERS.find((name) => {
    const { status, stdout } = spawnSync(name, ['--print-targets'], { encoding: 'utf8' });
    return status === 0 && stdout.includes('bpf');
  });
}

/** `sources`: the folder bench/; `output`: where results may be written; `cpu`: v1 to v4. */
export function buildPrograms(
  sources: string,
  output: string,
  compiler: string,
  cpu: string,
): BuiltPrograms {
  mkdirSync(output, { recursive: true });
  const folder = join(sources, 'programs');
  const names = readdirSync(folder)
    .filter((file) => file.endsWith('.bpf.c'))
    .map((file) => file.slice(0, -'.bpf.c'.length));
  const programs = new Map(
    names.map((name) => {
      const object = join(output, `${name}.${cpu}.o`);
      const source = join(folder, `${name}.bpf.c`);
      runCompiler(compiler, [...BPF_FLAGS, `-mcpu=${cpu}`, '-c', source, '-o', object]);
      const [program] = readObject(readFileSync(object), object);
      if (program === undefined) throw new Error(`${object} has no program`);
      return [name, program];
    }),
  );
  const harness = join(output, 'harness');
  runCompiler(compiler, [
    ...NATIVE_FLAGS,
    `-DPROGRAMS=${names.map((name) => `X(${name})`).join(' ')}`,
    ...names.map((name) => join(folder, `${name}.bpf.c`)),
    join(sources, 'harness.c'),
    '-o',
    harness,
  ]);
  const version = spawnSync(compiler, ['--version'], { encoding: 'utf8' }).stdout.split('\n')[0];
  return { compiler: version ?? compiler, harness, programs };
}
