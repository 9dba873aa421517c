/**
 * Runs a program of the project that is written in TypeScript and not part of the package: bundles
 * its `main.ts` under build/ and calls the `main` that it exports with the project's root folder. Its
 * result, where it is a number, becomes the exit code.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './setup.js';

/** @param {string} entry the file, from the root; packages must be installed */
export async function runTypeScript(entry) {
  const { build } = await import('esbuild');
  // Two folders below the root, like the files of dist/: the addon is found from there.
  const bundle = join(root, 'build', entry.replace('.ts', '').replaceAll('/', '-'), 'main.mjs');
  await build({
    entryPoints: [join(root, entry)],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'error',
  });
  const { main } = await import(pathToFileURL(bundle).href);
  const code = await main(root);
  if (typeof code === 'number') process.exitCode = code;
}
