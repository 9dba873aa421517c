/**
 * `node scripts/differential.js --seconds 60 --seed 1`: runs generated programs of several types on
 * the running kernel, natively and interpreted, and compares everything that a run leaves behind.
 */
import { runTypeScript } from './run-typescript.js';
import { buildAddon, installPackages } from './setup.js';

installPackages();
buildAddon();
await runTypeScript('test/support/generated-main.ts');
