/**
 * Builds the benchmark programs twice: as BPF objects, and natively into one harness process. Both
 * by the same compiler, where it can do both; nothing is committed, so the figures always belong to
 * the compiler that the report names.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Program } from '../isa/index.ts';
import { readObject } from '../programs/object/index.ts';

/** Newest first; 19 is the first that has -mcpu=v4. */
const COMPILERS = ['clang-21', 'clang-20', 'clang-19', 'clang', 'clang-14'];
const BPF_FLAGS = ['-O2', '-g', '-target', 'bpf', '-Wall', '-Wextra'];
/** Vector units are beyond what eBPF can say; the comparison is of scalar code. */
const NATIVE_FLAGS = ['-O2', '-fno-vectorize', '-fno-slp-vectorize', '-Wall', '-Wextra'];

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

/** The names of the benchmark programs, from `sources`, the folder bench/. */
function programNames(sources: string): string[] {
  return readdirSync(join(sources, 'programs'))
    .filter((file) => file.endsWith('.bpf.c'))
    .map((file) => file.slice(0, -'.bpf.c'.length));
}

const sourceOf = (sources: string, name: string) => join(sources, 'programs', `${name}.bpf.c`);

/** The programs for an instruction set, v1 to v4; objects are left in `output`. */
export function buildObjects(
  sources: string,
  output: string,
  compiler: string,
  cpu: string,
): ReadonlyMap<string, Program> {
  mkdirSync(output, { recursive: true });
  return new Map(
    programNames(sources).map((name) => {
      const object = join(output, `${name}.${cpu}.o`);
      const flags = [...BPF_FLAGS, `-mcpu=${cpu}`];
      runCompiler(compiler, [...flags, '-c', sourceOf(sources, name), '-o', object]);
      const [program] = readObject(readFileSync(object), object);
      if (program === undefined) throw new Error(`${object} has no program`);
      return [name, program];
    }),
  );
}

/** The same programs as native code, in a harness process; the path of its executable. */
export function buildHarness(sources: string, output: string, compiler: string): string {
  mkdirSync(output, { recursive: true });
  const names = programNames(sources);
  const harness = join(output, 'harness');
  runCompiler(compiler, [
    ...NATIVE_FLAGS,
    `-DPROGRAMS=${names.map((name) => `X(${name})`).join(' ')}`,
    ...names.map((name) => sourceOf(sources, name)),
    join(sources, 'harness.c'),
    '-o',
    harness,
  ]);
  return harness;
}

/** The addon that calls are measured against; its path. Any C compiler does. */
export function buildCrossing(sources: string, output: string): string {
  mkdirSync(output, { recursive: true });
  const addon = join(output, 'crossing.node');
  const headers = createRequire(import.meta.url)('node-api-headers').include_dir;
  const flags = ['-std=gnu11', '-O2', '-fPIC', '-shared', '-Wall', '-Wextra', `-I${headers}`];
  runCompiler(process.env.CC || 'cc', [...flags, join(sources, 'crossing.c'), '-o', addon]);
  return addon;
}

/** What the compiler calls itself. */
export function describeCompiler(compiler: string): string {
  const { stdout } = spawnSync(compiler, ['--version'], { encoding: 'utf8' });
  return stdout.split('\n')[0] ?? compiler;
}
