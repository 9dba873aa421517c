/**
 * Bytes of the stack are left out of comparisons where nothing below reads them. Each program here
 * leaves two values in a slot, by the way first walked a harmless one, and has the other one noticed
 * late, in one of the ways in which a slot can be read. Were any of them overlooked, the second way
 * would be taken for the first one.
 */

import { describe, expect, it } from 'vitest';
import { assembleProgram } from '../../isa/index.ts';
import { verify } from '../../verifier/index.ts';

const verdictOf = (lines: readonly string[]) =>
  verify(assembleProgram([...lines, ''].join('\n'), 'stack'));

/** Enough work and branches for a state to be kept behind it. */
const work = (label: string): string[] => [
  ...Array.from({ length: 8 }, (_, i) => `r8 += ${i}`),
  `if r7 == 3 goto ${label}a`,
  'r8 ^= 1',
  `${label}a:`,
  `if r7 == 4 goto ${label}b`,
  'r8 ^= 2',
  `${label}b:`,
];

/** r9 holds the context of 64 bytes, r7 anything, r8 a number that nothing depends on. */
const START = ['.type memory', '.context 64', 'r9 = r1', 'r7 = *(u64 *)(r9 + 0)', 'r8 = 0'];
const USE = ['r9 += r2', 'r0 = *(u8 *)(r9 + 0)', 'r0 = 0', 'exit'];

/** The slot at -8 holds `harmless` or, where r7 is 1, `harmful`. */
const choose = (harmless: number, harmful: number): string[] => [
  `*(u64 *)(r10 - 16) = ${harmless}`,
  `r3 = ${harmful}`,
  'if r7 == 1 goto chosen',
  `r3 = ${harmless}`,
  'chosen:',
  '*(u64 *)(r10 - 8) = r3',
  'r3 = 0',
];

describe('a value that differs on the second way is noticed where it is', () => {
  it.each([
    ['loaded', ['r2 = *(u64 *)(r10 - 8)'], 1000],
    ['loaded in part', ['r2 = *(u32 *)(r10 - 8)'], 1000],
    ['loaded from a byte of its own', ['r2 = *(u8 *)(r10 - 8)'], 100],
    [
      'loaded after its other half was written',
      ['*(u32 *)(r10 - 4) = 0', 'r2 = *(u64 *)(r10 - 8)'],
      1000,
    ],
    [
      'loaded through a copy of the frame pointer',
      ['r4 = r10', 'r4 += -8', 'r2 = *(u64 *)(r4 + 0)'],
      1000,
    ],
    ['read by a function', ['r1 = r10', 'r1 += -8', 'call read', 'r2 = r0'], 1000],
    [
      'read by a function that another one calls',
      ['r1 = r10', 'r1 += -8', 'call pass', 'r2 = r0'],
      1000,
    ],
    [
      'copied to another slot first',
      [
        'r4 = *(u64 *)(r10 - 8)',
        '*(u64 *)(r10 - 24) = r4',
        ...work('c'),
        'r2 = *(u64 *)(r10 - 24)',
      ],
      1000,
    ],
    [
      'read one way only',
      ['r2 = 0', 'if r7 == 9 goto skip', 'r2 = *(u64 *)(r10 - 8)', 'skip:'],
      1000,
    ],
    [
      'left by a write that may have missed it',
      [
        'r4 = r7',
        'r4 &= 8',
        'r5 = r10',
        'r5 += -16',
        'r5 += r4',
        '*(u64 *)(r5 + 0) = 0',
        'r2 = *(u64 *)(r10 - 8)',
      ],
      1000,
    ],
  ])('%s', (_, read, harmful) => {
    const functions = read.includes('call pass')
      ? ['pass:', 'call read', 'exit', 'read:', 'r0 = *(u64 *)(r1 + 0)', 'exit']
      : read.includes('call read')
        ? ['read:', 'r0 = *(u64 *)(r1 + 0)', 'exit']
        : [];
    const program = (bad: number) =>
      verdictOf([
        ...START,
        ...choose(0, bad),
        ...work('x'),
        ...work('y'),
        ...read,
        ...USE,
        ...functions,
      ]);
    const isAnything = read.some((line) => line.startsWith('*(u64 *)(r5'));
    if (!isAnything) expect(program(8).ok).toBe(true);
    expect(program(harmful).ok).toBe(false);
  });

  /** Rejects what leaves 1000 in the slot, and not what leaves 8. */
  const expectNoticed = (program: (bad: number) => readonly string[]): void => {
    expect(verdictOf([...START, ...program(8)]).ok).toBe(true);
    expect(verdictOf([...START, ...program(1000)]).ok).toBe(false);
  };

  it('below a state that another one covered', () => {
    expectNoticed((bad) => [
      '*(u64 *)(r10 - 8) = 0',
      'if r7 == 5 goto second',
      'goto end',
      'second:',
      'r6 = *(u64 *)(r9 + 8)',
      `r3 = ${bad}`,
      'if r6 == 1 goto third',
      'r3 = 0',
      'third:',
      '*(u64 *)(r10 - 8) = r3',
      'r3 = 0',
      'r6 = 0',
      ...work('x'),
      'end:',
      'r6 = 0',
      ...work('y'),
      'r2 = *(u64 *)(r10 - 8)',
      ...USE,
    ]);
  });

  it('beside bytes of the slot that were written since', () => {
    expectNoticed((bad) => [
      `r3 = ${bad}`,
      'r4 = 0',
      'if r7 == 1 goto chosen',
      'r3 = 0',
      'r4 = 1',
      'chosen:',
      // Bytes of zeros have a type of their own where they are no slot's lowest.
      '*(u32 *)(r10 - 4) = r3',
      'r3 = 0',
      'r4 = 0',
      ...work('x'),
      '*(u32 *)(r10 - 8) = 0',
      'r2 = *(u32 *)(r10 - 4)',
      bad === 8 ? 'r2 &= 7' : 'r0 = 0',
      ...USE,
    ]);
  });

  it('in the frame of a function', () => {
    expectNoticed((bad) => [
      'r1 = r7',
      'call function',
      'r2 = r0',
      ...USE,
      'function:',
      'r7 = r1',
      'r8 = 0',
      ...choose(0, bad),
      ...work('x'),
      'r0 = *(u64 *)(r10 - 8)',
      'exit',
    ]);
  });

  it('read in a later pass of a loop', () => {
    const loop = [
      'r6 = 0',
      'l:',
      'r2 = *(u64 *)(r10 - 8)',
      'r4 = r9',
      'r4 += r2',
      'r0 = *(u8 *)(r4 + 0)',
    ];
    const program = (bad: number) =>
      verdictOf([
        ...START,
        ...choose(0, 0),
        ...work('x'),
        ...loop,
        'if r6 < 3 goto n',
        `*(u64 *)(r10 - 8) = ${bad}`,
        'n:',
        ...work('y'),
        'r6 += 1',
        'if r6 < 6 goto l',
        'r0 = 0',
        'exit',
      ]);
    expect(program(8).ok).toBe(true);
    expect(program(1000).ok).toBe(false);
  });
});

it('a slot that is written before it is read keeps no states apart', () => {
  const forks = Array.from({ length: 12 }, (_, i) => [
    `r3 = ${i}`,
    `if r7 == ${i + 20} goto f${i}`,
    `r3 = ${i + 100}`,
    `f${i}:`,
    `*(u64 *)(r10 - ${8 * (i + 1)}) = r3`,
    'r3 = 0',
    ...work(`w${i}`),
  ]).flat();
  const isRead = Array.from({ length: 12 }, (_, i) => [
    `r2 = *(u64 *)(r10 - ${8 * (i + 1)})`,
    'r4 = r9',
    'r4 += r2',
  ]).flat();
  const overwritten = Array.from({ length: 12 }, (_, i) => `*(u64 *)(r10 - ${8 * (i + 1)}) = 1`);
  const dead = verdictOf([...START, ...forks, ...overwritten, ...isRead, 'r0 = 0', 'exit']);
  expect(dead.ok).toBe(true);
  expect(dead.processed).toBeLessThan(1000);
});
