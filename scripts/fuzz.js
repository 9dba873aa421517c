/**
 * `node scripts/fuzz.js --seconds 60 --seed 1 --grade 3`: generates programs and examines them with
 * verifier, interpreter, compiler and, where bpf(2) is permitted, the running kernel. What it finds
 * is printed, made small, and written to build/fuzz/.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildAddon, installPackages, root } from './setup.js';

installPackages();
buildAddon();
const { build } = await import('esbuild');
const bundle = join(root, 'build/fuzz/main.mjs');
await build({
  entryPoints: [join(root, 'test/fuzz/main.ts')],
  outfile: bundle,
  bundle: true,
  platform: 'node',
  format: 'esm',
  packages: 'external',
  logLevel: 'error',
});
const { main } = await import(pathToFileURL(bundle).href);
process.exitCode = main(root);
