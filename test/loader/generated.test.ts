/** A few generated programs of each type, on the kernel, natively and interpreted. */
import { describe, expect, it } from 'vitest';
import { kernelRefusal } from '../../hosts/index.ts';
import { compareGenerated } from '../support/generated-runs.ts';

const refusal = kernelRefusal();
if (refusal !== undefined) console.log(`generated programs are not run by the kernel: ${refusal}`);

describe.skipIf(refusal !== undefined)('generated programs', () => {
  it('run as in the kernel and in the interpreter', () => {
    const { rows, differences } = compareGenerated({ seed: 1, seconds: 5, programs: 40 });
    expect(differences).toEqual([]);
    for (const { type, runs } of rows) expect(runs, type).toBeGreaterThan(0);
  });
});
