/**
 * Ways that meet are joined where walking each of them takes too long: what holds for the joined
 * state is proven, what does not is said to be too complex, and Linux is known to give up.
 */

import { expect, it } from 'vitest';
import { assembleProgram } from '../../isa/index.ts';
import { verify } from '../../verifier/index.ts';

const verdictOf = (lines: readonly string[]) =>
  verify(assembleProgram([...lines, ''].join('\n'), 'diamonds'));

/** r6 gets a bit from each of `count` decisions about what the program is given. */
const diamonds = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => [
    'r2 = *(u32 *)(r9 + 0)',
    'r6 <<= 1',
    `if r2 == ${i + 7} goto d${i}`,
    'r6 += 1',
    `d${i}:`,
  ]).flat();

const START = ['.type memory', '.context 64', 'r9 = r1', 'r6 = 0'];

it('decisions that do not depend on each other are walked once each', () => {
  const verdict = verdictOf([
    ...START,
    ...diamonds(24),
    'if r6 > 100000000 goto never',
    'r0 = 0',
    'exit',
    'never:',
    'r0 = *(u64 *)(r9 + 4096)',
    'exit',
  ]);
  expect(verdict).toMatchObject({ ok: true, linux: 'limit' });
  expect(verdict.warnings[0]).toContain('joining');
  expect(verdict.worstCaseInstructions).toBe(2 + 24 * 4 + 3);
});

it('what only holds on each way by itself is not proven by joining them', () => {
  // The last bit of r6 is set on all ways; a joined state knows as much, but not which r6 it is in.
  const verdict = verdictOf([
    ...START,
    'r7 = 0',
    'r2 = *(u32 *)(r9 + 0)',
    'if r2 == 7 goto other',
    'r6 = 1000',
    'r7 = 1',
    'other:',
    'r8 = 0',
    ...diamonds(3),
    'if r7 != 0 goto out',
    'r6 &= 4095',
    'r9 += r6',
    'r0 = *(u8 *)(r9 + 0)',
    'out:',
    'r0 = 0',
    'exit',
  ]);
  expect(verdict.ok).toBe(true);
  expect(verdict.warnings).toEqual([]);
});
