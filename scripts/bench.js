/**
 * `npm run bench`: sets up what is missing, bundles bench/ and runs it. Arguments go to it; with
 * `--code` or `--calls` nothing is measured that needs dist/, so it is not built.
 */
import { runTypeScript } from './run-typescript.js';
import { buildAddon, installPackages, setUp } from './setup.js';

if (['--code', '--calls'].some((option) => process.argv.includes(option))) {
  installPackages();
  buildAddon();
} else await setUp();
await runTypeScript('bench/main.ts');
