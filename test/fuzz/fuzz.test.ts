/** A few seconds of each grade of the fuzzer, and everything that it found before. */

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { examine } from './examine.ts';
import { assemble, type FuzzReport, fuzz, type Grade } from './fuzz.ts';
import { kernelAbsence } from './kernel.ts';
import { minimise } from './minimise.ts';
import { signature } from './outcome.ts';

const FOLDER = new URL('../cases/fuzz/', import.meta.url);
const INPUTS = 12;
const SECONDS = 4;
/** By grade; those of the third grade are worth more. */
const PROGRAMS: Readonly<Record<Grade, number>> = { 1: 600, 2: 400, 3: 120 };
/** Share of programs of the third grade that must be accepted, so that there is something to run. */
const LEAST_ACCEPTED = 0.4;

const absence = kernelAbsence();
if (absence !== undefined) console.log(`generated programs are not put to the kernel: ${absence}`);
const kernel = absence === undefined ? 'asked' : 'absent';

const run = (grade: Grade): FuzzReport =>
  fuzz({
    grade,
    seed: 1,
    seconds: SECONDS,
    programs: PROGRAMS[grade],
    kernel,
    findings: 'as-found',
  });

describe('generated programs', () => {
  it.each([1, 2, 3] as const)('of grade %i bring nothing to light', (grade) => {
    const { findings, accepted, programs } = run(grade);
    const found = findings.map(({ seed, finding, text }) => {
      return `seed ${seed}, ${signature(finding)}\n${finding.detail}\n${text}`;
    });
    expect(found.join('\n')).toBe('');
    if (grade === 3) expect(accepted / programs).toBeGreaterThan(LEAST_ACCEPTED);
  });
});

for (const file of readdirSync(FOLDER).sort()) {
  const cases = readFileSync(new URL(file, FOLDER), 'utf8').split(/^== /m).slice(1);
  describe(`found before: ${file.replace('.txt', '')}`, () => {
    it.each(cases.map((each) => each.split('\n---\n')))('%s', (name = '', text = '') => {
      const program = assemble(text, name);
      expect(examine(program, { seed: 1, inputs: INPUTS, kernel }).finding).toBeUndefined();
    });
  });
}

describe('the minimiser', () => {
  it('leaves the lines that matter, with small numbers', () => {
    const lines = Array.from({ length: 40 }, (_, i) => `r${i % 10} = ${1000 + i}`);
    const stillFails = (text: string) => /^r7 = /m.test(text) && /^r3 = /m.test(text);
    expect(minimise(`${lines.join('\n')}\n`, stillFails, 500)).toMatch(/^r[37] = 0\nr[37] = 0\n$/);
  });
});
