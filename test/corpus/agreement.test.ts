/**
 * A part of the corpus, by the reference build: what Linux says of each program is what its source
 * states and what ringfence predicts, and nothing that Linux refuses is proven unless by a rule that
 * the verdict names. `node scripts/agreement.js` compares every build.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { kernelRefusal, kernelRelease } from '../../hosts/index.ts';
import { corpusSources, installedBuilds, REFERENCE_BUILD } from '../support/corpus.ts';
import { compareSource, disagreement } from '../support/corpus-agreement.ts';
import { runningBtf } from '../support/corpus-report.ts';

const isInstalled = installedBuilds().includes(REFERENCE_BUILD);
if (!isInstalled) console.log('skipped: clang-19 is not installed');
const kernelBtf = runningBtf();
const refusal =
  kernelRefusal() ?? (kernelRelease().startsWith('6.18.') ? undefined : 'the kernel is not 6.18');
if (refusal !== undefined) console.log(`Linux is not asked: ${refusal}`);
const oracle = { kernel: refusal === undefined, kernelBtf };
const output = mkdtempSync(join(tmpdir(), 'ringfence-corpus-'));
afterAll(() => rmSync(output, { recursive: true }));

/** These read the kernel's types. */
const TYPED = /^(tracing-typed|resources)$/;

describe.skipIf(!isInstalled)('the corpus', () => {
  for (const source of corpusSources(import.meta.dirname)) {
    test.skipIf(kernelBtf === undefined && TYPED.test(source.name))(source.name, () => {
      const rows = compareSource(source, REFERENCE_BUILD, output, oracle);
      expect(rows.length).toBe(source.programs.length);
      for (const row of rows) {
        const name = `${row.source} ${row.program}`;
        if (row.kernel !== undefined) {
          const said = row.kernel.accepted ? 'accepted' : 'rejected';
          expect(`${name} ${said}`).toBe(`${name} ${row.expected}`);
        }
        const differs = disagreement(row);
        if (differs !== 'beyond Linux') expect([name, differs]).toEqual([name, undefined]);
      }
    });
  }
});
