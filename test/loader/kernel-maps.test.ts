/**
 * Maps against a plain model, and against the running kernel: the same calls, the same answers, the
 * same error numbers, for every map type; and the same rules of creation.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kernelRefusal } from '../../hosts/index.ts';
import { errnoName } from '../../loader/errno.ts';
import { differenceIn, SUBJECTS, steps } from '../support/map-differences.ts';
import { modelSide } from '../support/map-model.ts';
import { kernelSide, nativeSide, referenceSide, type Shape } from '../support/map-sides.ts';

const refusal = kernelRefusal();
if (refusal !== undefined) console.log(`maps are not compared with the kernel's: ${refusal}`);
const subjects = Object.entries(SUBJECTS);

describe('maps behave like their models', () => {
  it.each(subjects)('%s', (_, subject) => {
    fc.assert(
      fc.property(steps(60), (list) => {
        expect(differenceIn(subject, list, [modelSide, nativeSide])).toBeUndefined();
      }),
      { numRuns: 150 },
    );
  });
});

/** What the engine's own programs can do: no system call, so no rights of a descriptor, no taking. */
const OWN = [
  'hash',
  'per-CPU hash',
  'LRU hash',
  'array',
  'per-CPU array',
  'trie',
  'queue',
  'stack',
];
const owned = subjects.filter(([name]) => OWN.includes(name));

describe('maps of the reference engine behave like their models', () => {
  it.each(owned)('%s', (_, subject) => {
    const possible = steps(60).map((list) =>
      list.filter(({ name, flags }) => {
        if (name === 'take' || name === 'freeze') return false;
        return name !== 'lookup' || flags === 0;
      }),
    );
    const listed = subject.shape.keySize > 0;
    fc.assert(
      fc.property(possible, (list) => {
        const seen = list.filter(({ name }) => listed || name !== 'keys');
        expect(differenceIn(subject, seen, [modelSide, referenceSide])).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });
});

describe.skipIf(refusal !== undefined)('maps answer as the kernel does', () => {
  it.each(subjects)('%s', (_, subject) => {
    fc.assert(
      fc.property(steps(30), (list) => {
        expect(differenceIn(subject, list, [kernelSide, nativeSide])).toBeUndefined();
      }),
      { numRuns: 40 },
    );
  });

  /** Keys of more than 512 bytes are ours to refuse; how many CPUs a cpumap takes, the kernel's. */
  const SIZES = [0, 1, 2, 4, 5, 8, 12, 16, 24, 64, 260, 261, 512];
  const TYPES = [...new Set(subjects.map(([, { shape }]) => shape.type))].concat(
    'perf_event_array',
    'prog_array',
    'cgroup_array',
    'xskmap',
    'sockmap',
    'sockhash',
    'reuseport_sockarray',
  );
  const shape: fc.Arbitrary<Shape> = fc.record({
    type: fc.constantFrom(...TYPES),
    keySize: fc.oneof(fc.constantFrom(0, 4), fc.constantFrom(...SIZES)),
    valueSize: fc.oneof(
      fc.constantFrom(0, 4, 8),
      fc.constantFrom(...SIZES, 1016, 1024, 32768, 32769),
    ),
    maxEntries: fc.constantFrom(0, 1, 2, 3, 100, 200, 4096),
    flags: fc.oneof(
      fc.constantFrom(0, 1, 1 << 10),
      fc.nat(18).map((bit) => 2 ** bit),
      fc.nat(2 ** 19 - 1),
    ),
    extra: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.constantFrom(1, 15, 16, 4096)),
  });
  const outcome = (side: ReturnType<typeof kernelSide>) => {
    if (typeof side === 'number') return errnoName(side);
    side.close();
    return 'made';
  };

  it('at creation', () => {
    fc.assert(
      fc.property(shape, (each) => {
        if (each.type === 'cpumap' && each.maxEntries > 200) return;
        expect(outcome(nativeSide(each))).toBe(outcome(kernelSide(each)));
      }),
      { numRuns: 3000 },
    );
  });
});
