/**
 * `npm run sanitize`: the loader's tests with an addon that checks itself. The addon is built with
 * AddressSanitizer and UndefinedBehaviorSanitizer, whose run-time library is loaded into Node before
 * everything else, because Node itself is built without it. Arguments name other test folders.
 *
 * A compiler without these sanitizers is no fault of the addon: the reason is printed, and the exit
 * code is 0.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installPackages, root } from './setup.js';

/** Folders whose tests run native code of the addon. */
const TESTS = ['test/loader'];

/**
 * leaks: Node frees nothing when it exits. segv: V8 has handlers of its own. odr: the addon may be
 * loaded twice, by a worker thread. quarantine: freed memory counts in tests that bound growth.
 */
const ASAN = [
  'detect_leaks=0',
  'handle_segv=0',
  'detect_odr_violation=0',
  'quarantine_size_mb=8',
  'thread_local_quarantine_size_kb=64',
].join(':');
const UBSAN = 'print_stacktrace=1:halt_on_error=1';

const compiler = (process.env.CC ?? 'cc').split(/\s+/);

function skip(reason) {
  process.stderr.write(`ringfence: sanitizers are not run: ${reason}\n`);
  process.exit(0);
}

function compile(args) {
  const [command, ...prefix] = compiler;
  return spawnSync(command, [...prefix, ...args], { encoding: 'utf8' });
}

/** Whether a program with both sanitizers can be linked at all. */
function refuseWithoutSanitizers() {
  if (process.platform !== 'linux') skip('the addon needs Linux');
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-'));
  try {
    const source = join(folder, 'empty.c');
    writeFileSync(source, 'int main(void) { return 0; }\n');
    const flags = ['-fsanitize=address,undefined', '-o', join(folder, 'empty')];
    const result = compile([...flags, source]);
    if (result.error) skip(`no C compiler found (tried "${compiler.join(' ')}")`);
    if (result.status !== 0) skip(`"${compiler.join(' ')}" lacks them: ${result.stderr.trim()}`);
    const run = spawnSync(join(folder, 'empty'), { env: { ...process.env, ASAN_OPTIONS: ASAN } });
    if (run.status !== 0) skip(`a program built with them does not start: ${run.stderr}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Run-time libraries to load first: gcc has one per sanitizer, clang one for both. */
function runtimeLibraries() {
  const architecture = { x64: 'x86_64', arm64: 'aarch64' }[process.arch] ?? process.arch;
  const names = [
    'libasan.so',
    'libubsan.so',
    `libclang_rt.asan-${architecture}.so`,
    'libclang_rt.asan.so',
  ];
  const found = names
    .map((name) => compile([`-print-file-name=${name}`]).stdout.trim())
    .filter((path) => path.startsWith('/') && existsSync(path));
  if (found.length === 0) skip(`"${compiler.join(' ')}" has no shared run-time library of them`);
  return found.map((path) => realpathSync(path)).join(':');
}

/** Builds ahead of the tests, so that no compiler runs under the preloaded library. */
function build(...args) {
  const result = spawnSync(process.execPath, [join(root, 'scripts/build-addon.js'), ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  if (result.status !== 0) process.exit(result.status ?? 70);
}

function test(folders) {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const env = {
    ...process.env,
    ASAN_OPTIONS: ASAN,
    UBSAN_OPTIONS: UBSAN,
    LD_PRELOAD: runtimeLibraries(),
    RINGFENCE_ADDON: join(root, 'build/sanitized/ringfence.node'),
  };
  const result = spawnSync(process.execPath, [vitest, 'run', ...folders], {
    cwd: root,
    stdio: 'inherit',
    env,
  });
  process.exitCode = result.status ?? 70;
}

refuseWithoutSanitizers();
installPackages();
build('--sanitize');
build('--sources', 'test/loader/native', '--output', 'build/attack.node');
const folders = process.argv.slice(2);
test(folders.length > 0 ? folders : TESTS);
