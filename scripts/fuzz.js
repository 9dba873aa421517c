/**
 * `node scripts/fuzz.js --seconds 60 --seed 1 --grade 3`: generates programs and examines them with
 * verifier, interpreter, compiler and, where bpf(2) is permitted, the running kernel. What it finds
 * is printed, made small, and written to build/fuzz/.
 */
import { runTypeScript } from './run-typescript.js';
import { buildAddon, installPackages } from './setup.js';

installPackages();
buildAddon();
await runTypeScript('test/fuzz/main.ts');
