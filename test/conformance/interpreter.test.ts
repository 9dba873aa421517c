/** The conformance suite, run by the interpreter. */

import { expect, test } from 'vitest';
import { AddressSpace, decode, interpret, TABLE } from '../../isa/index.ts';
import { type ConformanceCase, readConformance } from '../support/conformance.ts';

const MEMORY_ADDRESS = 0x1000_0000n;
const CASES = readConformance();

function runCase({ file, name, program, runs }: ConformanceCase): void {
  const { instructions, errors } = decode(program.code);
  expect(errors, `${file}: ${name}`).toEqual([]);
  for (const run of runs) {
    const memory = new AddressSpace();
    const bytes = run.memory.slice();
    memory.add({ name: 'memory', base: MEMORY_ADDRESS, bytes, access: 'read-write' });
    const registers = [MEMORY_ADDRESS, BigInt(bytes.length)];
    const outcome = interpret(instructions, { memory }, { registers });
    const place = `${file}:${run.line}: ${name}`;
    if (outcome.kind !== 'exit') expect.fail(`${place}: ${JSON.stringify(outcome)}`);
    if (outcome.r0 !== run.result) expect(outcome.r0, place).toBe(run.result);
    if (Buffer.compare(bytes, run.memoryAfter) !== 0) {
      expect(Buffer.from(bytes).toString('hex'), place).toBe(
        Buffer.from(run.memoryAfter).toString('hex'),
      );
    }
  }
}

for (const file of new Set(CASES.map((one) => one.file))) {
  const cases = CASES.filter((one) => one.file === file);
  const runs = cases.reduce((sum, one) => sum + one.runs.length, 0);
  // The longest case is one loop of 25 million instructions.
  test(`${file}: ${cases.length} programs, ${runs} runs`, { timeout: 60_000 }, () => {
    for (const one of cases) runCase(one);
  });
}

test('every instruction that needs no host is in a case', () => {
  const used = new Set(
    CASES.flatMap(({ program }) => decode(program.code).instructions.map((i) => i.op)),
  );
  const needsHost = /^(ld_abs|ld_ind|constant_(map|kernel)|call_(helper|kfunc)|addr_space_cast)/;
  const missing = TABLE.filter((row) => !used.has(row.index) && !needsHost.test(row.name));
  expect(missing.map((row) => row.name)).toEqual([]);
});
