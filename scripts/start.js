/** `npm start`: sets up what is missing, then shows the product at work on real input. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, setUp } from './setup.js';

await setUp();
const { main } = await import(pathToFileURL(join(root, 'dist/bin/tour.js')).href);
process.exitCode = await main();
