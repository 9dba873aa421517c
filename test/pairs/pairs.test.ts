/**
 * More precise than Linux, and no less safe: of every pair, both variants are proven; the one that
 * Linux rejects by a rule that the verdict names. No look-alike is.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { kernelRefusal, kernelRelease } from '../../hosts/index.ts';
import { installedBuilds, REFERENCE_BUILD } from '../support/corpus.ts';
import { runningBtf } from '../support/corpus-report.ts';
import { judgePairs, pairSources, VARIANTS } from '../support/pairs.ts';

const isInstalled = installedBuilds().includes(REFERENCE_BUILD);
if (!isInstalled) console.log('skipped: clang-19 is not installed');
const refusal =
  kernelRefusal() ?? (kernelRelease().startsWith('6.18.') ? undefined : 'the kernel is not 6.18');
if (refusal !== undefined) console.log(`Linux is not asked: ${refusal}`);
const oracle = { kernel: refusal === undefined, kernelBtf: runningBtf() };
const output = mkdtempSync(join(tmpdir(), 'ringfence-pairs-'));
afterAll(() => rmSync(output, { recursive: true }));

describe.skipIf(!isInstalled)('pairs', () => {
  for (const source of pairSources(import.meta.dirname)) {
    // It calls kernel functions.
    const isSkipped = source.name === 'control' && oracle.kernelBtf === undefined;
    for (const variant of VARIANTS) {
      test.skipIf(isSkipped)(`${source.name}, variant ${variant}`, () => {
        for (const row of judgePairs(source, REFERENCE_BUILD, variant, output, oracle)) {
          const { name, verdict, isSafe, kernelAccepts } = row;
          expect([name, verdict.ok]).toEqual([name, isSafe]);
          const linuxAccepts = isSafe && variant === 0;
          expect([name, kernelAccepts ?? linuxAccepts]).toEqual([name, linuxAccepts]);
          if (!isSafe || linuxAccepts) continue;
          expect([name, verdict.linux]).toEqual([name, 'unknown']);
          expect(verdict.warnings.join('\n')).toContain(
            'proven by a rule that Linux does not have',
          );
        }
      });
    }
  }
});

test('there are as many as promised', () => {
  const programs = pairSources(import.meta.dirname).flatMap((source) => source.programs);
  expect(programs.filter(({ isSafe }) => isSafe).length).toBeGreaterThanOrEqual(40);
  expect(programs.filter(({ isSafe }) => !isSafe).length).toBeGreaterThanOrEqual(15);
});
