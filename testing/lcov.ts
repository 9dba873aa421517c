/**
 * Coverage as a tracefile: the records of lcov's geninfo(1), in its order. Consumers are strict about
 * that order, and about totals that agree with the records.
 */

import type { BranchCount, FileCoverage } from './file-coverage.ts';

/** Numbers of the ways out of a conditional jump. */
const PASSED = 0;
const TAKEN = 1;

/** A tracefile of these files; empty for none. */
export function lcovOf(files: readonly FileCoverage[], testName: string): string {
  return files.map((file) => `${section(file, testName).join('\n')}\n`).join('');
}

function section({ file, lines, branches, functions }: FileCoverage, testName: string): string[] {
  const ways = branches.flatMap(branchLines);
  const taken = branches.flatMap((branch) => [branch.passed, branch.taken]);
  return [
    `TN:${testName.replace(/\W/g, '_')}`,
    `SF:${file}`,
    ...functions.map(({ line, name }) => `FN:${line},${name}`),
    ...functions.map(({ hits, name }) => `FNDA:${hits},${name}`),
    `FNF:${functions.length}`,
    `FNH:${functions.filter(({ hits }) => hits > 0).length}`,
    ...ways,
    `BRF:${ways.length}`,
    `BRH:${taken.filter((times) => times > 0).length}`,
    ...lines.map(({ line, hits }) => `DA:${line},${hits}`),
    `LF:${lines.length}`,
    `LH:${lines.filter(({ hits }) => hits > 0).length}`,
    'end_of_record',
  ];
}

/** A jump that never executed has `-` for both: neither way was even decided. */
function branchLines({ line, block, passed, taken }: BranchCount): string[] {
  const reached = passed + taken > 0;
  const times = (count: number) => (reached ? String(count) : '-');
  return [
    `BRDA:${line},${block},${PASSED},${times(passed)}`,
    `BRDA:${line},${block},${TAKEN},${times(taken)}`,
  ];
}
