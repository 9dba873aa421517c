/**
 * Everything a fresh clone needs before `npm start` or `npm test` can do its work: packages, the
 * compiled TypeScript in dist/, the native addon in build/. Each step is skipped when its result is
 * newer than its inputs, so that a second start costs a few milliseconds.
 *
 * Plain JavaScript without dependencies: it runs before there are any.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Folders whose TypeScript is compiled into dist/. */
const SOURCE_FOLDERS = [
  'isa',
  'btf',
  'platform',
  'programs',
  'verifier',
  'jit',
  'loader',
  'hosts',
  'testing',
  'cli',
];

/** Runs a command; on failure prints what it said and exits with `status`. */
function run(command, args, what) {
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  if (result.status === 0) return;
  process.stderr.write(
    `${what} failed:\n${result.stdout ?? ''}${result.stderr ?? ''}${result.error ?? ''}\n`,
  );
  process.exit(70);
}

function* filesUnder(folder) {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) yield* filesUnder(path);
    else yield path;
  }
}

/** A digest over names, sizes and times of the given files. */
function fingerprint(paths) {
  const hash = createHash('sha256');
  for (const path of paths) {
    const { size, mtimeMs } = statSync(join(root, path));
    hash.update(`${path}\0${size}\0${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

export function installPackages() {
  const lock = join(root, 'package-lock.json');
  const installed = join(root, 'node_modules/.package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  process.stderr.write('installing packages (once)\n');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  run(npm, ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'], 'npm ci');
}

/**
 * The command line in a few files instead of some two hundred: finding and reading modules is the
 * larger part of a short command's time.
 */
async function bundleCommandLine() {
  const { build } = await import('esbuild');
  await build({
    entryPoints: {
      ringfence: join(root, 'dist/cli/bin.js'),
      tour: join(root, 'dist/cli/tour.js'),
    },
    outdir: join(root, 'dist/bin'),
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  });
}

async function compileTypeScript() {
  const sources = ['index.ts', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];
  for (const folder of SOURCE_FOLDERS) sources.push(...filesUnder(folder));
  const inputs = sources.filter((path) => /\.(ts|js|json)$/.test(path));
  const stamp = join(root, 'dist/.stamp');
  const wanted = fingerprint(inputs);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  process.stderr.write('compiling TypeScript\n');
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  run(
    process.execPath,
    [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'],
    'tsc',
  );
  for (const path of inputs.filter(
    (name) => name.includes('/generated/') && name.endsWith('.js'),
  )) {
    mkdirSync(join(root, 'dist', dirname(path)), { recursive: true });
    copyFileSync(join(root, path), join(root, 'dist', path));
  }
  await bundleCommandLine();
  writeFileSync(stamp, wanted);
}

export function buildAddon() {
  const result = spawnSync(process.execPath, [join(root, 'scripts/build-addon.js')], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (result.status !== 0) process.exit(result.status ?? 70);
}

/** Brings packages, dist/ and the addon up to date. */
export async function setUp() {
  installPackages();
  await compileTypeScript();
  buildAddon();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await setUp();
