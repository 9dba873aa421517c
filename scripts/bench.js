/**
 * `npm run bench`: sets up what is missing, bundles bench/ and runs it. Arguments go to it; with
 * `--code` nothing is measured that needs dist/, so it is not built.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildAddon, installPackages, root, setUp } from './setup.js';

if (process.argv.includes('--code')) {
  installPackages();
  buildAddon();
} else await setUp();
const { build } = await import('esbuild');
const bundle = join(root, 'build/bench/main.mjs');
await build({
  entryPoints: [join(root, 'bench/main.ts')],
  outfile: bundle,
  bundle: true,
  platform: 'node',
  format: 'esm',
  packages: 'external',
  logLevel: 'error',
});
const { main } = await import(pathToFileURL(bundle).href);
await main(root);
