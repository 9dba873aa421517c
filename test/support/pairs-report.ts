/**
 * `node scripts/pairs.js`: every pair in every build, put to the running kernel and to ringfence.
 * What Linux rejects of safe programs is rejected falsely; the table counts by topic how much of that
 * is proven here, the lines below it by which rule.
 */
import { join } from 'node:path';
import { kernelRefusal } from '../../hosts/index.ts';
import { installedBuilds } from './corpus.ts';
import { runningBtf } from './corpus-report.ts';
import { judgePairs, type PairRow, pairSources, VARIANTS } from './pairs.ts';

const PREFIX = 'proven by a rule that Linux does not have: ';

const say = (text: string) => process.stdout.write(`${text}\n`);

/** Each program of each source, in both variants of every build that is installed. */
function judgeAll(root: string): PairRow[] {
  const oracle = { kernel: true, kernelBtf: runningBtf() };
  const output = join(root, 'build/pairs');
  return installedBuilds().flatMap((build) =>
    pairSources(join(root, 'test/pairs')).flatMap((source) =>
      VARIANTS.flatMap((variant) => judgePairs(source, build, variant, output, oracle)),
    ),
  );
}

const count = (rows: readonly PairRow[], counts: (row: PairRow) => boolean): number =>
  rows.filter(counts).length;

const isFalselyRejected = ({ isSafe, kernelAccepts }: PairRow): boolean =>
  isSafe && kernelAccepts === false;

function line(name: string, rows: readonly PairRow[]): string {
  const rejected = rows.filter(isFalselyRejected);
  const unsafe = rows.filter(({ isSafe }) => !isSafe);
  const cells = [
    new Set(rows.filter(({ isSafe }) => isSafe).map((row) => row.name)).size,
    rejected.length,
    count(rejected, ({ verdict }) => verdict.ok),
    unsafe.length,
    count(unsafe, ({ verdict, kernelAccepts }) => verdict.ok || kernelAccepts === true),
  ];
  return name.padEnd(32) + cells.map((cell) => String(cell).padStart(18)).join('');
}

function tellRules(rows: readonly PairRow[]): void {
  const uses = new Map<string, number>();
  for (const { verdict } of rows) {
    for (const warning of verdict.warnings) {
      if (!warning.startsWith(PREFIX)) continue;
      const rule = warning.slice(PREFIX.length);
      uses.set(rule, (uses.get(rule) ?? 0) + 1);
    }
  }
  for (const [rule, times] of [...uses].sort(([, a], [, b]) => b - a)) say(`${times} by ${rule}`);
}

/** The exit code: 1 where something unsafe was accepted. */
export function main(root: string): number {
  const refusal = kernelRefusal();
  if (refusal !== undefined) {
    say(`Linux cannot be asked: ${refusal}`);
    return 2;
  }
  const rows = judgeAll(root);
  const headings = ['pairs', 'falsely rejected', 'proven here', 'unsafe', 'accepted'];
  say('topic'.padEnd(32) + headings.map((heading) => heading.padStart(18)).join(''));
  for (const topic of new Set(rows.map((row) => row.topic))) {
    say(
      line(
        topic,
        rows.filter((row) => row.topic === topic),
      ),
    );
  }
  say(line('total', rows));
  tellRules(rows.filter(isFalselyRejected));
  return rows.some(({ isSafe, verdict }) => !isSafe && verdict.ok) ? 1 : 0;
}
