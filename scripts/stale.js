/**
 * Fails when a committed generated file differs from what its generator writes now. Every
 * `scripts/generate-*.js` (or the compiled `.ts` beside it) rewrites its output in place; git then
 * tells whether anything changed. A generator that cannot run here (no clang, say) prints why and
 * leaves its files alone.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, setUp } from './setup.js';

await setUp();
const generators = readdirSync(join(root, 'scripts')).filter((name) =>
  /^generate-.*\.js$/.test(name),
);
for (const name of generators) {
  const result = spawnSync(process.execPath, [join(root, 'scripts', name)], {
    cwd: root,
    stdio: 'inherit',
  });
  if (result.status !== 0) {
    console.error(`${name} failed`);
    process.exit(1);
  }
}
const diff = spawnSync(
  'git',
  [
    'status',
    '--porcelain',
    '--',
    ':/**/generated/**',
    ':/programs/samples',
    ':/docs/diagnostics.md',
  ],
  {
    cwd: root,
    encoding: 'utf8',
  },
);
if (diff.status !== 0 || diff.stdout !== '') {
  console.error(`generated files are stale:\n${diff.stdout}${diff.stderr}`);
  process.exit(1);
}
console.log(`${generators.length} generators ran, nothing stale`);
