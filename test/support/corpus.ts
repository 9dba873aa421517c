/**
 * The corpus: C programs in the style of real tools, good and deliberately wrong, compiled by every
 * compiler and instruction-set version that is installed. Each program states in a comment before
 * its section which part of the verifier it is about and what Linux says of its reference build:
 *
 *     corpus: packet rejected
 *
 * Objects are kept by a digest of source, headers and flags, so that only changed sources compile.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';

/** The parts of the verifier, in the order of the report. */
export const CATEGORIES = [
  'ALU and encoding',
  'ranges',
  'stack',
  'packet',
  'context',
  'map values',
  'helper arguments',
  'calls',
  'loops',
  'callbacks',
  'iterators',
  'dynptr',
  'references',
  'locks',
  'ring buffer',
  'kptr',
  'atomics',
  'tail calls',
  'ld_abs',
] as const;
export type Category = (typeof CATEGORIES)[number];

export interface CorpusProgram {
  readonly name: string;
  readonly category: Category;
  /** What Linux says of the reference build. */
  readonly expected: 'accepted' | 'rejected';
}

export interface CorpusSource {
  /** Without `.bpf.c`. */
  readonly name: string;
  readonly path: string;
  /** Lowest instruction-set version that can express it. */
  readonly cpu: number;
  /** Oldest clang that can compile it. */
  readonly clang: number;
  readonly programs: readonly CorpusProgram[];
}

export interface Build {
  readonly name: string;
  readonly clang: number;
  readonly cpu: number;
  readonly level: '-O1' | '-O2' | '-Os';
}

const build = (clang: number, cpu: number, level: Build['level']): Build => ({
  name: `clang-${clang} v${cpu} ${level}`,
  clang,
  cpu,
  level,
});

/** The build whose verdicts the sources state. */
export const REFERENCE_BUILD = build(19, 3, '-O2');
export const BUILDS: readonly Build[] = [
  REFERENCE_BUILD,
  build(19, 1, '-O2'),
  build(19, 2, '-O2'),
  build(19, 4, '-O2'),
  build(19, 3, '-O1'),
  build(19, 3, '-Os'),
  build(14, 1, '-O2'),
  build(14, 2, '-O2'),
  build(14, 3, '-O2'),
  build(14, 3, '-Os'),
];

const DIRECTIVE =
  /\/\* corpus: (.+?) (accepted|rejected) \*\/\s*SEC\("[^"]*"\)[^(]*?(?:BPF_\w+\()?(\w+)\s*[(,)]/g;
const NEEDS = /\/\* corpus: needs (?:v(\d))?,? ?(?:clang-(\d+))? \*\//;

function isCategory(name: string): name is Category {
  return (CATEGORIES as readonly string[]).includes(name);
}

function readSource(folder: string, file: string): CorpusSource {
  const path = join(folder, file);
  const text = readFileSync(path, 'utf8');
  const needs = NEEDS.exec(text);
  const programs = [...text.matchAll(DIRECTIVE)].map(([, category = '', expected, name = '']) => {
    if (!isCategory(category)) throw new Error(`${file}: ${name} has no category '${category}'`);
    return { name, category, expected: expected === 'accepted' ? 'accepted' : 'rejected' } as const;
  });
  const stated = text.split('SEC("').length - text.split(/SEC\("(?:\.maps|license|\.k|\.d)/).length;
  if (programs.length !== stated)
    throw new Error(`${file}: ${stated} programs, but ${programs.length} are described`);
  return {
    name: file.slice(0, -'.bpf.c'.length),
    path,
    cpu: Number(needs?.[1] ?? 1),
    clang: Number(needs?.[2] ?? 14),
    programs,
  };
}

/** The sources in `folder`, by name. */
export function corpusSources(folder: string): CorpusSource[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.bpf.c'))
    .sort()
    .map((file) => readSource(folder, file));
}

/** The builds whose compilers are installed. */
export function installedBuilds(): Build[] {
  const installed = new Set(
    [...new Set(BUILDS.map(({ clang }) => clang))].filter((clang) => {
      const { status, stdout } = spawnSync(`clang-${clang}`, ['--print-targets'], {
        encoding: 'utf8',
      });
      return status === 0 && stdout.includes('bpf');
    }),
  );
  return BUILDS.filter(({ clang }) => installed.has(clang));
}

const FLAGS = ['-g', '-target', 'bpf', '-Wall', '-Wno-unused-function', '-Wno-array-bounds'];
/** Where Debian keeps asm/types.h, which linux/types.h includes. */
const MULTIARCH = ['-isystem', '/usr/include/x86_64-linux-gnu', '-D__TARGET_ARCH_x86'];

/** Whether `source` can be expressed in `build` at all. */
export function canBuild(source: CorpusSource, { clang, cpu }: Build): boolean {
  return clang >= source.clang && cpu >= source.cpu;
}

/** The object file of a source, made or found in `output`. Throws with what the compiler said. */
export function compileSource(
  source: Pick<CorpusSource, 'name' | 'path'>,
  { clang, cpu, level }: Build,
  output: string,
  defines: readonly string[] = [],
) {
  const folder = join(source.path, '..');
  const options = [`-mcpu=v${cpu}`, ...MULTIARCH, `-I${folder}`];
  const flags = [level, ...FLAGS, ...options, ...defines.map((define) => `-D${define}`)];
  const hash = createHash('sha256').update(`clang-${clang} ${flags.join(' ')}`);
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.h')))
    hash.update(readFileSync(join(folder, file)));
  hash.update(readFileSync(source.path));
  const object = join(output, `${source.name}-${hash.digest('hex').slice(0, 16)}.o`);
  if (existsSync(object)) return object;
  mkdirSync(output, { recursive: true });
  const partial = `${object}.${process.pid}`;
  const args = [...flags, '-c', source.path, '-o', partial];
  const { status, stderr } = spawnSync(`clang-${clang}`, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`clang-${clang} ${args.join(' ')}\n${stderr}`);
  renameSync(partial, object);
  return object;
}
