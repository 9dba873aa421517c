/**
 * Compiles the native addon: one call of the C compiler over loader/native/*.c against the headers
 * of the npm package `node-api-headers`, so nothing is downloaded and nothing but a C compiler is
 * needed. Works from a checkout and from an installed package; does nothing when the sources, the
 * flags and the compiler are those of the last build.
 *
 *   node scripts/build-addon.js [--optional] [--sanitize] [--sources DIR] [--output FILE]
 *
 * --optional: without a compiler, say so and succeed (verifying needs no addon).
 * --sanitize: AddressSanitizer and UndefinedBehaviorSanitizer; output build/sanitized/ringfence.node.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const FLAGS = ['-std=c11', '-O2', '-fPIC', '-shared', '-pthread', '-Wall', '-Wextra'];
const HARDENING = ['-fvisibility=hidden', '-fstack-protector-strong', '-Wl,-z,relro,-z,now'];
const SANITIZERS = [
  '-g',
  '-fsanitize=address,undefined',
  '-fno-sanitize-recover=undefined',
  '-fno-omit-frame-pointer',
];

const { values: options } = parseArgs({
  options: {
    optional: { type: 'boolean', default: false },
    sanitize: { type: 'boolean', default: false },
    sources: { type: 'string', default: 'loader/native' },
    output: { type: 'string' },
  },
});

/** One sentence; the exit code follows from whether the addon was asked for or only offered. */
function stop(sentence) {
  process.stderr.write(`ringfence: ${sentence}\n`);
  process.exit(options.optional ? 0 : 70);
}

function headersFolder() {
  try {
    return createRequire(import.meta.url)('node-api-headers').include_dir;
  } catch {
    return stop('the npm package node-api-headers is missing; run npm install first.');
  }
}

function filesEndingWith(folder, ending) {
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => join(folder, name));
}

function build() {
  if (process.platform !== 'linux')
    return stop('the native addon needs Linux; verifying and disassembling work without it.');
  const compiler = process.env.CC ?? 'cc';
  const folder = join(root, options.sources);
  const sources = filesEndingWith(folder, '.c');
  const inputs = [...sources, ...filesEndingWith(folder, '.h')];
  const extra = options.sanitize ? SANITIZERS : [];
  const flags = [...FLAGS, ...HARDENING, ...extra, '-I', headersFolder()];
  const preferred = options.sanitize ? 'build/sanitized/ringfence.node' : 'build/ringfence.node';
  const output = join(root, options.output ?? preferred);

  const hash = createHash('sha256').update(JSON.stringify([compiler, flags, process.arch]));
  for (const path of inputs) hash.update(`\0${relative(root, path)}\0`).update(readFileSync(path));
  const wanted = hash.digest('hex');
  const stamp = `${output}.stamp`;
  if (existsSync(output) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;

  mkdirSync(dirname(output), { recursive: true });
  // Written beside and renamed: a process that has the old addon mapped keeps its own inode.
  const fresh = `${output}.${process.pid}`;
  const [command, ...prefix] = compiler.split(/\s+/);
  const result = spawnSync(command, [...prefix, ...flags, '-o', fresh, ...sources], {
    encoding: 'utf8',
  });
  if (result.error?.code === 'ENOENT')
    return stop(`no C compiler found (tried "${compiler}"): install gcc or clang, or set CC.`);
  if (result.status !== 0)
    return stop(`the C compiler "${compiler}" failed on the native addon:\n${result.stderr}`);
  process.stderr.write(result.stderr);
  renameSync(fresh, output);
  writeFileSync(stamp, wanted);
}

build();
