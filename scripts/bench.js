/**
 * `npm run bench`: sets up what is missing, bundles bench/ and runs it. Arguments go to it; with
 * `--code` nothing is measured that needs dist/, so it is not built.
 */
import { runTypeScript } from './run-typescript.js';
import { buildAddon, installPackages, setUp } from './setup.js';

if (process.argv.includes('--code')) {
  installPackages();
  buildAddon();
} else await setUp();
await runTypeScript('bench/main.ts');
