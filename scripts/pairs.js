/**
 * `node scripts/pairs.js`: compiles the pairs in test/pairs, puts them to the running kernel and to
 * ringfence, and prints how many false rejections are proven here. Needs clang, and leave to use
 * bpf(2).
 */
import { runTypeScript } from './run-typescript.js';
import { buildAddon, installPackages } from './setup.js';

installPackages();
buildAddon();
await runTypeScript('test/support/pairs-report.ts');
