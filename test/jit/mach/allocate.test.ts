import { describe, expect, it } from 'vitest';
import { allocate, assemble, type Backend, checkAllocation } from '../../../jit/mach/index.ts';
import { X64_BACKEND } from '../../../jit/x64/backend.ts';
import { randomFunction, type Shape, shuffled } from './random-function.ts';

/** Fewer registers to give, same calling convention: every allocation spills. */
const cramped = (calleeSaved: readonly number[]): Backend => ({
  ...X64_BACKEND,
  registers: { ...X64_BACKEND.registers, calleeSaved },
});

const SHAPES: readonly (readonly [string, Shape])[] = [
  ['straight', { blocks: 1, variables: 6, instructionsPerBlock: 40 }],
  ['small', { blocks: 5, variables: 4, instructionsPerBlock: 6 }],
  ['crowded', { blocks: 6, variables: 24, instructionsPerBlock: 12 }],
  ['tangled', { blocks: 24, variables: 9, instructionsPerBlock: 5 }],
];

describe('every allocation is proven by the checker', () => {
  for (const [name, shape] of SHAPES) {
    for (const [registers, backend] of [
      ['all registers', X64_BACKEND],
      ['one callee-saved register', cramped([3])],
      ['no callee-saved register', cramped([])],
    ] as const) {
      it(`${name}, ${registers}`, () => {
        for (let seed = 0; seed < 120; seed++) {
          const ordered = randomFunction(seed, shape);
          const code = seed % 3 === 0 ? shuffled(ordered, seed) : ordered;
          const allocation = allocate(code, backend);
          expect(() => checkAllocation(allocation, backend), `seed ${seed}`).not.toThrow();
          assemble([allocation], backend);
        }
      });
    }
  }
});
