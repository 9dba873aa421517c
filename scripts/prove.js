/**
 * `npm run prove [-- NAME]`: proves the scalar domain with an SMT solver, all goals or those whose
 * name contains NAME. Takes some minutes; a quick part is in the unit tests.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { build } from 'esbuild';
import { root, setUp } from './setup.js';

await setUp();
const outfile = join(root, 'build/prove.js');
await build({
  entryPoints: [join(root, 'scripts/prove/main.ts')],
  bundle: true,
  platform: 'node',
  format: 'esm',
  packages: 'external',
  outfile,
});
const result = spawnSync(process.execPath, [outfile, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
process.exitCode = result.status ?? 70;
