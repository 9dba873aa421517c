/** Refusals name the right rule at the right line, whatever compiler built the program. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readObject } from '../../programs/object/index.ts';
import { verify } from '../../verifier/index.ts';
import { compileSource, installedBuilds } from '../support/corpus.ts';
import { diagnosticCases } from '../support/corpus-diagnostics.ts';

const builds = installedBuilds().filter(({ cpu, level }) => cpu === 3 && level === '-O2');
/** Refused only after millions of instructions: here its good half alone is verified. */
const LONG = 'too-complex';
if (builds.length === 0) console.log('skipped: neither clang-19 nor clang-14 is installed');
const output = mkdtempSync(join(tmpdir(), 'ringfence-diagnostics-'));
afterAll(() => rmSync(output, { recursive: true }));

for (const build of builds) {
  describe(`diagnostics of programs built by ${build.name}`, () => {
    for (const { source, code, line, profile } of diagnosticCases(
      join(import.meta.dirname, '../cases/diagnostics'),
    )) {
      test(source.name, () => {
        const object = readFileSync(compileSource(source, build, output));
        const [bad, fixed] = readObject(object, source.name);
        if (bad === undefined || fixed === undefined) throw new Error('not two programs');
        const good = verify(fixed);
        expect(good.ok ? good.linux : good.diagnostics).toBe('accepted');
        if (source.name === LONG) return;
        const refused = verify(bad, { profile });
        if (refused.ok) throw new Error('bad was accepted');
        const [first] = refused.diagnostics;
        expect(first?.code).toBe(code);
        if (line !== undefined) expect(first?.primary.line).toBe(line);
      });
    }
  });
}
