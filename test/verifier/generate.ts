/**
 * Programs that are often accepted: numbers from a buffer, masks and comparisons, spills, variable
 * indexes into buffer and stack, counted loops, local calls. Assembly text, so that a failure can be
 * read. They run as `memory` programs on a buffer of BUFFER_BYTES.
 */

import { Random } from '../support/random-program.ts';

export const BUFFER_BYTES = 64;

const IMMEDIATES = [
  0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 60, 63, 64, 100, 127, 128, 255, 256, 1000, 65535, -1, -2, -8,
  -128, 0x7fffffff, -0x80000000,
];
const CONDITIONS = ['==', '!=', '<', '<=', '>', '>=', 's<', 's<=', 's>', 's>=', '&'];
const OPERATORS = ['+=', '-=', '*=', '|=', '&=', '^=', '<<=', '>>=', 's>>=', '/=', '%='];
const MASKS = [1, 3, 7, 15, 31, 48, 56, 60, 63, 255];
const SIZES = [1, 1, 1, 2, 4, 8];
const DEEPEST = 4;

const narrow = (register: string): string => register.replace('r', 'w');

export class Generator {
  readonly #random: Random;
  readonly #lines: string[] = [];
  #labels = 0;
  #registers = ['r7', 'r8', 'r9'];

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  program(): string {
    this.#lines.push('.type memory', `.context ${BUFFER_BYTES}`, 'r6 = r1');
    for (const [i, register] of this.#registers.entries()) {
      this.#lines.push(`${register} = *(u32 *)(r6 + ${i * 4})`);
    }
    for (const offset of [8, 16, 24, 32]) {
      this.#lines.push(`*(u64 *)(r10 - ${offset}) = ${this.#immediate()}`);
    }
    this.#statements(0, 4 + this.#random.below(14));
    this.#lines.push('r0 = r7', 'exit');
    return this.#lines.join('\n');
  }

  #register = (): string => this.#random.pick(this.#registers);
  #immediate = (): number => this.#random.pick(IMMEDIATES);
  #chance = (of: number): boolean => this.#random.below(of) === 0;
  #label = (): string => `label_${this.#labels++}`;

  #statements(depth: number, count: number): void {
    for (let i = 0; i < count; i++) this.#statement(depth);
  }

  #statement(depth: number): void {
    const choice = this.#random.below(20);
    if (choice < 4) this.#arithmetic();
    else if (choice < 6) this.#lines.push(`${this.#register()} &= ${this.#random.pick(MASKS)}`);
    else if (choice < 8) this.#move();
    else if (choice < 11 && depth < DEEPEST) this.#branch(depth);
    else if (choice < 13) this.#stack();
    else if (choice < 15) this.#indexStack();
    else if (choice < 18) this.#indexBuffer();
    else if (choice < 19 && depth === 0) this.#loop();
    else this.#lines.push(`${this.#register()} = *(u32 *)(r6 + ${4 * this.#random.below(15)})`);
  }

  #arithmetic(): void {
    const operator = this.#random.pick(OPERATORS);
    const wide = !this.#chance(3);
    const show = wide ? (r: string) => r : narrow;
    const dst = show(this.#register());
    if (this.#chance(2)) this.#lines.push(`${dst} ${operator} ${show(this.#register())}`);
    else this.#lines.push(`${dst} ${operator} ${this.#immediate()}`);
  }

  #move(): void {
    const dst = this.#register();
    const src = this.#register();
    const sign = this.#random.pick([8, 16, 32]);
    const forms = [
      `${dst} = ${src}`,
      `${narrow(dst)} = ${narrow(src)}`,
      `${dst} = (s${sign})${src}`,
    ];
    this.#lines.push(this.#chance(2) ? forms[0]! : this.#random.pick(forms));
  }

  #branch(depth: number): void {
    const label = this.#label();
    const show = this.#chance(3) ? narrow : (r: string) => r;
    const right = this.#chance(3) ? show(this.#register()) : String(this.#immediate());
    const condition = this.#random.pick(CONDITIONS);
    this.#lines.push(`if ${show(this.#register())} ${condition} ${right} goto ${label}`);
    this.#statements(depth + 1, 1 + this.#random.below(4));
    this.#lines.push(`${label}:`);
  }

  #stack(): void {
    const size = this.#random.pick([8, 8, 4, 2, 1]);
    const place = `*(u${size * 8} *)(r10 - ${size * (1 + this.#random.below(32 / size))})`;
    const register = this.#register();
    if (this.#chance(2)) this.#lines.push(`${register} = ${place}`);
    else this.#lines.push(`${place} = ${this.#chance(3) ? this.#immediate() : register}`);
  }

  #indexStack(): void {
    const index = this.#register();
    if (!this.#chance(4)) this.#lines.push(`${index} &= ${this.#random.pick([7, 15, 24, 31])}`);
    this.#lines.push('r3 = r10', `r3 += ${this.#random.pick([-32, -32, -31, -24])}`);
    this.#lines.push(`r3 += ${index}`);
    this.#access('r3', this.#random.pick([1, 1, 1, 8]), 0);
  }

  #indexBuffer(): void {
    const label = this.#label();
    const index = this.#register();
    const bound = this.#random.pick([8, 15, 48, 56, 60, 63, 64]);
    if (this.#chance(2)) this.#lines.push(`if ${index} > ${bound} goto ${label}`);
    else if (!this.#chance(8)) this.#lines.push(`${index} &= ${this.#random.pick(MASKS)}`);
    if (this.#chance(6)) this.#lines.push(`if ${index} s> ${bound} goto ${label}`);
    this.#lines.push('r3 = r6', `r3 ${this.#chance(8) ? '-=' : '+='} ${index}`);
    this.#access('r3', this.#random.pick(SIZES), this.#random.pick([0, 0, 0, 1, 4, -4]));
    this.#lines.push(`${label}:`);
  }

  #access(pointer: string, size: number, offset: number): void {
    const place = `*(u${size * 8} *)(${pointer} ${offset < 0 ? '-' : '+'} ${Math.abs(offset)})`;
    const register = this.#register();
    this.#lines.push(this.#chance(2) ? `${place} = ${register}` : `${register} = ${place}`);
  }

  /** A counter that the body leaves alone. */
  #loop(): void {
    const label = this.#label();
    const counter = this.#register();
    const all = this.#registers;
    this.#registers = all.filter((register) => register !== counter);
    this.#lines.push(`${counter} = 0`, `${label}:`);
    this.#statements(DEEPEST - 1, 1 + this.#random.below(4));
    const bound = this.#random.pick([3, 6, 8, 12]);
    this.#lines.push(`${counter} += ${this.#random.pick([1, 1, 2])}`);
    this.#lines.push(`if ${counter} < ${bound} goto ${label}`);
    this.#registers = all;
  }
}
