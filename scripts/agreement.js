/**
 * `node scripts/agreement.js`: compiles the corpus in test/corpus, puts it to the running kernel and
 * to ringfence, and prints where they agree. Needs clang, and leave to use bpf(2).
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildAddon, installPackages, root } from './setup.js';

installPackages();
buildAddon();
const { build } = await import('esbuild');
const bundle = join(root, `build/agreement/main.mjs`);
await build({
  entryPoints: [join(root, 'test/support/corpus-report.ts')],
  outfile: bundle,
  bundle: true,
  platform: 'node',
  format: 'esm',
  packages: 'external',
  logLevel: 'error',
});
const { main } = await import(pathToFileURL(bundle).href);
process.exitCode = main(root);
