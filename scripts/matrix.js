/**
 * `node scripts/matrix.js [AREA ...] [--show 3] [--every 10]`: systematic programs by area, each put
 * to the verifier and to the running kernel; prints where the prediction differs.
 */
import { runTypeScript } from './run-typescript.js';
import { buildAddon, installPackages } from './setup.js';

installPackages();
buildAddon();
await runTypeScript('test/matrix/main.ts');
