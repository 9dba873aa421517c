/** The command line of `node scripts/differential.js --seconds 60 --seed 1`. */
import { parseArgs } from 'node:util';
import { kernelRefusal } from '../../hosts/index.ts';
import { compareGenerated } from './generated-runs.ts';

/** Returns the exit code: 1 when something differs. */
export function main(): number {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '60' },
      seed: { type: 'string', default: '1' },
    },
  });
  const refusal = kernelRefusal();
  if (refusal !== undefined) {
    console.log(`the kernel does not take part: ${refusal}`);
    return 1;
  }
  const { rows, differences } = compareGenerated({
    seed: Number(values.seed),
    seconds: Number(values.seconds),
  });
  for (const { type, programs, compared, runs, skipped } of rows) {
    console.log(
      `${type}: ${programs} programs, ${compared} compared in ${runs} runs; not compared:`,
    );
    for (const [reason, count] of [...skipped].sort((a, b) => b[1] - a[1]))
      console.log(`  ${count} x ${reason}`);
  }
  for (const difference of differences) console.log(difference);
  console.log(`${differences.length} differences`);
  return differences.length === 0 ? 0 : 1;
}
