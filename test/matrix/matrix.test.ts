/** A share of every matrix, put to the running kernel; all of it by `node scripts/matrix.js`. */

import { describe, expect, it } from 'vitest';
import { kernelAbsence } from '../fuzz/kernel.ts';
import { AREAS } from './areas/index.ts';
import { assembleEntry, compare, type Entry } from './compare.ts';

/** Programs of each area; spread over it, so that no template is left out. */
const PROGRAMS = 14;

const absence = kernelAbsence();
if (absence !== undefined) console.log(`the matrices are not put to the kernel: ${absence}`);

/** About `count` of the entries, at even distances. */
function* sample(entries: readonly (string | Entry)[], count: number): Generator<string | Entry> {
  const step = Math.max(1, Math.floor(entries.length / count));
  for (let at = 0; at < entries.length; at += step) yield entries[at]!;
}

describe.skipIf(absence !== undefined)('what is predicted of Linux, Linux says', () => {
  it.each(Object.keys(AREAS))('%s', (name) => {
    const wrong: string[] = [];
    for (const entry of sample([...AREAS[name]!()], PROGRAMS)) {
      const { answer, ours, kernel } = compare(assembleEntry(entry));
      if (answer !== 'kernel-accepts' && answer !== 'kernel-rejects') continue;
      wrong.push(
        `${answer}: ${ours}; ${kernel}\n${typeof entry === 'string' ? entry : entry.text}`,
      );
    }
    expect(wrong.join('\n')).toBe('');
  });
});
