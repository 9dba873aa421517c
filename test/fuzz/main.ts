/** The command line of the fuzzer: `node scripts/fuzz.js --seconds 60 --seed 1 --grade 3`. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type FindingReport, fuzz, type Grade } from './fuzz.ts';
import { kernelAbsence } from './kernel.ts';
import { signature } from './outcome.ts';

/** Returns the exit code: 1 when something was found. */
export function main(root: string): number {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '60' },
      seed: { type: 'string', default: '1' },
      grade: { type: 'string', default: '3' },
      inputs: { type: 'string', default: '6' },
      'no-kernel': { type: 'boolean', default: false },
      'no-minimise': { type: 'boolean', default: false },
    },
  });
  const absence = values['no-kernel'] ? 'not asked for' : kernelAbsence();
  if (absence !== undefined) console.log(`without the kernel: ${absence}`);
  const folder = join(root, 'build/fuzz');
  mkdirSync(folder, { recursive: true });
  const report = fuzz({
    grade: gradeOf(values.grade),
    seed: Number(values.seed),
    seconds: Number(values.seconds),
    inputs: Number(values.inputs),
    kernel: absence === undefined ? 'asked' : 'absent',
    findings: values['no-minimise'] ? 'as-found' : 'minimised',
    onFinding: (each) => print(each, folder),
  });
  const share = ((100 * report.accepted) / Math.max(1, report.programs)).toFixed(1);
  console.log(
    `${report.programs} programs, ${report.accepted} accepted (${share} %), ${report.runs} runs`,
  );
  for (const [name, count] of report.counts) console.log(`${count} x ${name}`);
  return report.findings.length === 0 ? 0 : 1;
}

function gradeOf(text: string): Grade {
  const grade = Number(text);
  if (grade === 1 || grade === 2 || grade === 3) return grade;
  throw new RangeError(`there are grades 1, 2 and 3, not ${text}`);
}

function print({ seed, finding, text }: FindingReport, folder: string): void {
  const file = join(folder, `${finding.kind}-${seed}.txt`);
  writeFileSync(file, `== ${signature(finding)}, seed ${seed}\n---\n${text}`);
  console.log(`\n${finding.kind}, seed ${seed}: ${finding.detail}\n${text}`);
}
