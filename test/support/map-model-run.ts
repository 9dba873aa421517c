/**
 * `node scripts/stress.js model [seconds]`: maps against their models, and the kernel's where it may be
 * asked, with ever new calls for as long as one likes.
 */
import fc from 'fast-check';
import { kernelRefusal } from '../../hosts/index.ts';
import { differenceIn, SUBJECTS, steps } from './map-differences.ts';
import { modelSide } from './map-model.ts';
import { kernelSide, nativeSide } from './map-sides.ts';

const CALLS = 4000;

/** The difference that was found, as small as it can be made; undefined: none. */
function search(open: typeof modelSide | typeof kernelSide, name: string, seed: number) {
  const subject = SUBJECTS[name]!;
  let calls = 0;
  const property = fc.property(steps(CALLS, CALLS / 2), (list) => {
    calls += list.length;
    return differenceIn(subject, list, [open, nativeSide]) === undefined;
  });
  const { failed, counterexample } = fc.check(property, { numRuns: 4, seed });
  const [list] = counterexample ?? [];
  const difference = failed && list ? differenceIn(subject, list, [open, nativeSide]) : undefined;
  return { calls, difference: difference && `${name}, seed ${seed}: ${difference}` };
}

export function main(): number {
  const seconds = Number(process.argv[3] ?? 60);
  const against = kernelRefusal() === undefined ? [modelSide, kernelSide] : [modelSide];
  const end = Date.now() + seconds * 1000;
  const calls = new Map<string, number>();
  for (let seed = 1; Date.now() < end; seed++)
    for (const open of against)
      for (const name of Object.keys(SUBJECTS)) {
        const found = search(open, name, seed);
        calls.set(open.name, (calls.get(open.name) ?? 0) + found.calls);
        if (found.difference === undefined) continue;
        process.stderr.write(`${open.name}: ${found.difference}\n`);
        return 1;
      }
  for (const [name, count] of calls) process.stdout.write(`${name}: ${count} calls, all equal\n`);
  return 0;
}
