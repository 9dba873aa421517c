/** The command line of the matrices: `node scripts/matrix.js [AREA ...] [--show 3] [--every 1]`. */

import { parseArgs } from 'node:util';
import { AREAS } from './areas/index.ts';
import { type Answer, assembleEntry, compare, type Entry } from './compare.ts';

/** Returns the exit code: 1 where the prediction is wrong anywhere. */
export function main(): number {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      show: { type: 'string', default: '1' },
      every: { type: 'string', default: '1' },
      answers: { type: 'string', default: 'kernel-accepts,kernel-rejects,unpredicted,unsupported' },
    },
  });
  const names = positionals.length > 0 ? positionals : Object.keys(AREAS);
  const shown = new Set(values.answers.split(','));
  let wrong = 0;
  for (const name of names) {
    const area = AREAS[name];
    if (area === undefined) throw new RangeError(`no area is called '${name}'`);
    const counts = new Map<Answer, number>();
    const seen = new Map<string, number>();
    let index = 0;
    for (const entry of area()) {
      if (index++ % Number(values.every) !== 0) continue;
      const { answer, ours, kernel } = compare(assembleEntry(entry));
      counts.set(answer, (counts.get(answer) ?? 0) + 1);
      if (answer === 'kernel-accepts' || answer === 'kernel-rejects') wrong++;
      if (!shown.has(answer)) continue;
      const signature = `${answer} | ${ours} | ${kernel}`.replace(/-?(0x[0-9a-f]+|\d+)/g, '#');
      const before = seen.get(signature) ?? 0;
      seen.set(signature, before + 1);
      if (before < Number(values.show)) print(name, `${answer} | ${ours} | ${kernel}`, entry);
    }
    const text = [...counts].map(([answer, count]) => `${count} ${answer}`).join(', ');
    console.log(`${name}: ${text}`);
    for (const [signature, count] of seen) console.log(`   ${count} x ${signature}`);
  }
  return wrong === 0 ? 0 : 1;
}

function print(name: string, what: string, entry: string | Entry): void {
  console.log(`== ${name}: ${what}\n${typeof entry === 'string' ? entry : entry.text}\n`);
}
