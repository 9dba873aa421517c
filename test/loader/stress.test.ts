/** A second of what scripts/stress.js does for as long as one likes. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const stress = (...args: string[]) =>
  spawnSync(process.execPath, ['scripts/stress.js', ...args], { cwd: ROOT, encoding: 'utf8' });

/** The preloaded library of another sanitizer (npm run sanitize) would get in the way. */
const preloaded = process.env.LD_PRELOAD !== undefined;
if (preloaded) console.log('maps are not stressed: another sanitizer is loaded');

it.skipIf(preloaded)('maps have no races but those they allow', () => {
  const { status, stdout, stderr } = stress('maps', '1');
  expect(stderr.replace(/^ringfence: .*\n/, '')).toBe('');
  expect(status).toBe(0);
  if (!stderr.startsWith('ringfence: ')) expect(stdout).toMatch(/^\d+ operations, 0 wrong\n$/);
});

it.skipIf(preloaded)('loading and closing replaceable code leaks nothing', () => {
  const { status, stdout } = stress('loads', '6000');
  expect(JSON.parse(stdout)).toMatchObject({ cycles: 6000, arenas: 0 });
  expect(status).toBe(0);
});
