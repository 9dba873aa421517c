/** The generated case files are what their generator writes. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const HERE = new URL('.', import.meta.url).pathname;

function hasCompiler(): boolean {
  try {
    return execFileSync('cc', ['--version']).length > 0;
  } catch {
    return false;
  }
}

const compiles = hasCompiler();
if (!compiles) console.log('skipped: there is no C compiler');

test.skipIf(!compiles)('corner-values.c writes the committed files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-corner-values-'));
  try {
    const program = join(folder, 'corner-values');
    execFileSync('cc', ['-O1', '-fwrapv', '-o', program, join(HERE, 'corner-values.c')]);
    execFileSync(program, [folder]);
    const files = readdirSync(folder).filter((name) => name.endsWith('.txt'));
    expect(files).toHaveLength(5);
    for (const name of files) {
      const same = readFileSync(join(folder, name)).equals(readFileSync(join(HERE, 'cases', name)));
      expect(same, `${name} is stale: run the generator again`).toBe(true);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
