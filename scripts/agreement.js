/**
 * `node scripts/agreement.js`: compiles the corpus in test/corpus, puts it to the running kernel and
 * to ringfence, and prints where they agree. Needs clang, and leave to use bpf(2).
 */
import { runTypeScript } from './run-typescript.js';
import { buildAddon, installPackages } from './setup.js';

installPackages();
buildAddon();
await runTypeScript('test/support/corpus-report.ts');
