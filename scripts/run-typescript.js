/**
 * Runs a program of the project that is written in TypeScript and not part of the package: bundles
 * its `main.ts` under build/ and calls the `main` that it exports with the project's root folder. Its
 * result, where it is a number, becomes the exit code.
 */
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './setup.js';

/** @param {string} entry the file, from the root; packages must be installed */
export async function runTypeScript(entry) {
  const { build } = await import('esbuild');
  const bundle = join(root, 'build', dirname(entry), `${basename(entry, '.ts')}.mjs`);
  await build({
    entryPoints: [join(root, entry)],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  });
  const { main } = await import(pathToFileURL(bundle).href);
  const code = await main(root);
  if (typeof code === 'number') process.exitCode = code;
}
