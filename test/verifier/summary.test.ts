/**
 * Loops proven at once. Each generated program that is accepted is interpreted: nothing may leave
 * the buffer, and no run may execute more than was proven. LOOP_PROGRAMS sets how many; without it, a few
 * that take no time.
 */

import { describe, expect, it } from 'vitest';
import { AddressSpace, assembleProgram, interpret } from '../../isa/index.ts';
import { verify } from '../../verifier/index.ts';
import { Random } from '../support/random-program.ts';
import { LOOP_BUFFER_BYTES, LoopGenerator } from './generate-loops.ts';

const PROGRAMS = Number(process.env.LOOP_PROGRAMS ?? 0);
const FIRST = Number(process.env.LOOP_SEED ?? 11);
const BASE = 0x1000_0000n;
/** Longer runs tell nothing more, and the interpreter is slow. */
const MOST_EXECUTED = 10_000;

function runOnce(text: string, bytes: Uint8Array): string | undefined {
  const verdict = verify(assembleProgram(text, 'loops'));
  if (!verdict.ok) return undefined;
  const memory = new AddressSpace();
  memory.add({ name: 'buffer', base: BASE, bytes, access: 'read-write' });
  const worst = verdict.worstCaseInstructions;
  if (worst === null) return 'no worst case';
  const maxInstructions = Math.min(worst, MOST_EXECUTED);
  const registers = [BASE, BigInt(bytes.length)];
  const outcome = interpret(
    verdict.proof.instructions,
    { memory },
    { registers, stack: 'unwritten', maxInstructions },
  );
  if (outcome.kind === 'exit') return undefined;
  if (outcome.kind === 'exhausted' && worst > MOST_EXECUTED) return undefined;
  return `${JSON.stringify(outcome, (_, x) => String(x))}, proven at most ${worst}`;
}

const COUNT = PROGRAMS > 0 ? PROGRAMS : 15;

it(`${COUNT} generated loops stay within their bounds`, () => {
  let summarised = 0;
  for (let seed = FIRST; seed < FIRST + COUNT; seed++) {
    const text = new LoopGenerator(seed, PROGRAMS > 0 ? 'some' : 'none').program();
    const verdict = verify(assembleProgram(text, `seed ${seed}`));
    if (!verdict.ok) continue;
    if ((verdict.worstCaseInstructions ?? 0) > verdict.processed) summarised++;
    const random = new Random(seed);
    for (const fill of [0, 255, 77, -1]) {
      const bytes = new Uint8Array(LOOP_BUFFER_BYTES).map(() =>
        fill < 0 ? random.below(256) : fill,
      );
      const broken = runOnce(text, bytes);
      expect(broken, `seed ${seed}: ${broken}\n${text}`).toBeUndefined();
    }
  }
  expect(summarised).toBeGreaterThan(0);
});

const program = (...lines: string[]): string =>
  ['.type memory', '.context 64', ...lines, ''].join('\n');
const verdictOf = (text: string) => verify(assembleProgram(text, 'loop'));

describe('ten million passes', () => {
  const loop = (test: string, step = 'r6 += 1', start = 'r6 = 0') =>
    program(start, 'l:', 'r3 = *(u8 *)(r1 + 7)', step, `if ${test} goto l`, 'r0 = 0', 'exit');

  it.each([
    ['r6 < 10000000', 'r6 += 1', 'r6 = 0'],
    ['r6 != 10000000', 'r6 += 1', 'r6 = 0'],
    ['w6 != 10000000', 'w6 += 1', 'w6 = 0'],
    ['r6 s< 10000000', 'r6 += 1', 'r6 = 0'],
    ['r6 <= 40000000', 'r6 += 4', 'r6 = 0'],
    ['r6 != 0', 'r6 += -1', 'r6 = 10000000'],
    ['r6 > 0', 'r6 -= 1', 'r6 = 10000000'],
  ])('while %s, %s', (test, step, start) => {
    const verdict = verdictOf(loop(test, step, start));
    expect(verdict.ok).toBe(true);
    expect(verdict.linux).toBe('limit');
    expect(verdict.worstCaseInstructions).toBeGreaterThanOrEqual(30_000_000);
    expect(verdict.worstCaseInstructions).toBeLessThan(30_010_000);
    expect(verdict.processed).toBeLessThan(1000);
  });

  it.each([
    ['the counter is set back', 'r6 = 0'],
    ['the counter is halved', 'r6 >>= 1'],
    ['the counter goes both ways', 'if r3 > 4 goto +1\nr6 -= 2'],
  ])('not when %s', (_, tampering) => {
    const text = loop('r6 < 10000000', `${tampering}\nr6 += 1`);
    const verdict = verdictOf(text);
    expect(verdict.ok).toBe(false);
  });

  it('not when an access leaves the buffer late', () => {
    const index = 'r2 = r1\nr2 += r6\nr4 = *(u8 *)(r2 + 0)\nr6 += 1';
    const verdict = verdictOf(
      program('r6 = 0', 'l:', index, 'if r6 < 500 goto l', 'r0 = 0', 'exit'),
    );
    expect(verdict.ok).toBe(false);
    expect(verdict.ok ? [] : verdict.diagnostics.map(({ code }) => code)).toEqual([
      'memory-out-of-bounds',
    ]);
  });
});

it('says that Linux would not get so far, and why we do', () => {
  const lines = ['.type xdp', 'r6 = 0', 'l:', 'r6 += 1', 'if r6 < 10000000 goto l'];
  const verdict = verdictOf([...lines, 'r0 = 2', 'exit', ''].join('\n'));
  expect(verdict).toMatchObject({ ok: true, linux: 'limit' });
  expect(verdict.warnings[0]).toContain('counted by r6');
});

it('nested loops multiply', () => {
  const nest = ['r6 = 0', 'o:', 'r7 = 0', 'i:', 'r7 += 1', 'if r7 < 1000 goto i', 'r6 += 1'];
  const verdict = verdictOf(program(...nest, 'if r6 < 10000 goto o', 'r0 = 0', 'exit'));
  expect(verdict.ok).toBe(true);
  expect(verdict.worstCaseInstructions).toBeGreaterThanOrEqual(20_000_000);
  expect(verdict.processed).toBeLessThan(5000);
});
