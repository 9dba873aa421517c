/**
 * What all generators of assembly write with: lines, fresh labels, and choices from one seeded
 * source, so that a seed names a program.
 */

import { Random } from './random-program.ts';

/** Numbers at which off-by-one and sign mistakes show. */
export const CORNERS: readonly number[] = [
  0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 60, 63, 64, 100, 127, 128, 255, 256, 1000, 32767, 32768,
  65535, 65536, 0x7ffffffe, 0x7fffffff, -1, -2, -7, -8, -128, -129, -32768, -65536, -0x7fffffff,
  -0x80000000,
];

export class Writer {
  readonly random: Random;
  readonly #lines: string[] = [];
  #labels = 0;

  constructor(seed: number) {
    this.random = new Random(Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995);
  }

  emit(...lines: readonly string[]): void {
    this.#lines.push(...lines);
  }

  text(): string {
    return `${this.#lines.join('\n')}\n`;
  }

  label(): string {
    return `label_${this.#labels++}`;
  }

  /** True once in `of` times. */
  chance(of: number): boolean {
    return this.random.below(of) === 0;
  }

  below(limit: number): number {
    return this.random.below(limit);
  }

  pick<T>(list: readonly T[]): T {
    return this.random.pick(list);
  }

  immediate(): number {
    return this.chance(4) ? this.random.below(2 ** 32) | 0 : this.pick(CORNERS);
  }
}

/** The low half of a register, as 32-bit instructions write it. */
export const narrow = (register: string): string => register.replace('r', 'w');

/** `r1 + 8`, `r1 - 8`: an address in the assembler's notation. */
export const address = (base: string, offset: number): string =>
  `${base} ${offset < 0 ? '-' : '+'} ${Math.abs(offset)}`;

export const place = (size: number, base: string, offset: number): string =>
  `*(u${size * 8} *)(${address(base, offset)})`;
