/**
 * Threads and time against the loader, longer than tests may take:
 *
 *   node scripts/stress.js maps [seconds]    every map operation from four threads, under
 *                                            ThreadSanitizer (default 20)
 *   node scripts/stress.js model [seconds]   random calls on maps, on plain models of them, and on the
 *                                            kernel's where that is allowed (default 60)
 *   node scripts/stress.js loads [count]     load, run and close replaceable code; memory and arenas
 *                                            must not grow (default 1000000)
 *
 * Exit code 1: a different answer, a race that is not listed in test/loader/stress/suppressions.txt, or growth. A compiler
 * without ThreadSanitizer: the reason, and 0.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { runTypeScript } from './run-typescript.js';
import { buildAddon, installPackages, root } from './setup.js';

const FOLDER = join(root, 'test/loader/stress');
/** Sources that need Node's own symbols. */
const OF_NODE = /^(addon|api_.*|handles|kernel)\.c$/;

function skip(reason) {
  process.stderr.write(`ringfence: maps are not stressed: ${reason}\n`);
  process.exit(0);
}

function compileMaps(output) {
  const sources = readdirSync(join(root, 'loader/native'))
    .filter((name) => name.endsWith('.c') && !OF_NODE.test(name))
    .map((name) => join(root, 'loader/native', name));
  const headers = createRequire(import.meta.url)('node-api-headers').include_dir;
  const [command, ...prefix] = (process.env.CC ?? 'cc').split(/\s+/);
  // Calls of Node's functions are never reached, so they may lead nowhere.
  const link = '-Wl,--unresolved-symbols=ignore-all';
  const flags = ['-std=c11', '-O1', '-g', '-fsanitize=thread', '-pthread', '-w', '-no-pie', link];
  const paths = ['-I', join(root, 'loader/native'), '-I', headers, '-o', output];
  const result = spawnSync(
    command,
    [...prefix, ...flags, ...paths, join(FOLDER, 'maps.c'), ...sources],
    { encoding: 'utf8' },
  );
  if (result.error) skip(`no C compiler found (tried "${command}")`);
  if (result.status === 0) return;
  if (/tsan|fsanitize/.test(result.stderr)) skip(`"${command}" lacks ThreadSanitizer`);
  process.stderr.write(result.stderr);
  process.exit(70);
}

/** Older run-time libraries of the sanitizer cannot place their shadow under full randomisation. */
function run(program, args, env) {
  const plain = spawnSync('setarch', ['-R', 'true']);
  const command = plain.status === 0 ? ['setarch', '-R', program, ...args] : [program, ...args];
  return spawnSync(command[0], command.slice(1), { encoding: 'utf8', env });
}

function stressMaps(seconds) {
  if (process.platform !== 'linux') skip('the loader needs Linux');
  mkdirSync(join(root, 'build'), { recursive: true });
  const program = join(root, 'build/stress-maps');
  compileMaps(program);
  const options = `suppressions=${join(FOLDER, 'suppressions.txt')}:history_size=4`;
  const result = run(program, [String(seconds)], { ...process.env, TSAN_OPTIONS: options });
  if (/unexpected memory mapping/.test(result.stderr))
    skip('ThreadSanitizer cannot map its shadow');
  process.stderr.write(result.stderr.split('\n').slice(0, 80).join('\n'));
  process.stdout.write(result.stdout);
  process.exitCode = result.status === 0 ? 0 : 1;
}

function stressLoads(count) {
  buildAddon();
  const args = ['--expose-gc', join(FOLDER, 'loads.js'), join(root, 'build/ringfence.node'), count];
  const result = spawnSync(process.execPath, args.map(String), { stdio: 'inherit' });
  process.exitCode = result.status ?? 70;
}

installPackages();
const [what, amount] = process.argv.slice(2);
if (what === 'maps') stressMaps(Number(amount ?? 20));
else if (what === 'loads') stressLoads(Number(amount ?? 1_000_000));
else if (what === 'model') {
  buildAddon();
  await runTypeScript('test/support/map-model-run.ts');
} else {
  process.stderr.write('usage: node scripts/stress.js maps|model [seconds] | loads [count]\n');
  process.exitCode = 2;
}
