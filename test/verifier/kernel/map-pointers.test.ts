/** Which structure a map of each type is: what Linux lets programs read through its pointer. */
import { describe, expect, test } from 'vitest';
import { mapOf, mapTypesToTry } from '../../support/helper-calls.ts';
import { EXIT, load, loadMap, move, refusal } from '../../support/kernel-probe.ts';
import { disagreement } from '../../support/kernel-program.ts';

const reason = refusal();
if (reason !== undefined) console.log(`map pointers are not checked: ${reason}`);

const KIND = { type: 'raw_tracepoint' };
/** Past the end of the largest of the structures. */
const MOST_BYTES = 1024;
const WORD = 8;

describe.skipIf(reason !== undefined)('map pointers', () => {
  test.each(mapTypesToTry)('%s', (type) => {
    const differences: string[] = [];
    for (let offset = 0; offset < MOST_BYTES; offset += WORD) {
      const code = [...loadMap(1, mapOf(type)), load(WORD, 0, 1, offset), move(0, 0), EXIT];
      const found = disagreement(KIND, code);
      if (found !== undefined) differences.push(`${offset}: ${found}`);
    }
    expect(differences).toEqual([]);
  });
});
