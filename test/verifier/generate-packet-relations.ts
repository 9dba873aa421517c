/**
 * XDP programs that know the packet's length by a number, by another pointer than the one they use,
 * or in parts: right, or off by a little.
 */

import { Random } from '../support/random-program.ts';

/** Bytes that most of these programs check first. */
const HEADER = 20;
const NOISE = [0, 0, 0, 0, 1, -1, 4, -7];

const sum = (register: string, amount: number): string =>
  `${register} ${amount < 0 ? '-=' : '+='} ${Math.abs(amount)}`;

export class PacketRelationGenerator {
  readonly #random: Random;
  readonly #lines: string[] = [];

  constructor(seed: number) {
    this.#random = new Random(Math.imul(seed, 0x85ebca6b) ^ seed);
    for (let i = 0; i < 8; i++) this.#random.below(2);
  }

  program(): string {
    this.#emit('.type xdp', 'r6 = r1', 'r7 = *(u32 *)(r6 + 0)', 'r8 = *(u32 *)(r6 + 4)');
    this.#emit('r0 = r7', `r0 += ${HEADER}`, 'if r0 > r8 goto out');
    this.#emit('r9 = *(u8 *)(r7 + 0)', 'r5 = *(u8 *)(r7 + 8)');
    if (this.#chance(3)) this.#emit(`r9 ${this.#random.pick(['&= 15', '*= 4', '<<= 1', '>>= 2'])}`);
    if (this.#chance(4)) this.#emit('r5 = *(u16 *)(r7 + 2)');
    const templates = [
      () => this.#length(),
      () => this.#again(),
      () => this.#offsetAndLength(),
      () => this.#ownEnd(),
      () => this.#records(),
    ];
    const count = 1 + this.#random.below(2);
    for (let i = 0; i < count; i++) this.#random.pick(templates)();
    this.#emit('out:', 'r0 = 2', 'exit');
    return this.#lines.join('\n');
  }

  #emit(...lines: string[]): void {
    this.#lines.push(...lines);
  }

  #chance = (of: number): boolean => this.#random.below(of) === 0;
  #noisy = (value: number): number => value + this.#random.pick(NOISE);

  #use(pointer: string, offset: number): void {
    const place = `(${pointer} ${offset < 0 ? '-' : '+'} ${Math.abs(offset)})`;
    this.#emit(this.#chance(3) ? `*(u8 *)${place} = r9` : `r0 = *(u8 *)${place}`);
  }

  /** r2 = the packet's length, or what is left of it behind some bytes. */
  #measure(): number {
    this.#emit('r2 = r8', 'r2 -= r7');
    if (this.#chance(4)) this.#emit('w2 = w2');
    const less = this.#random.pick([0, 0, HEADER, -3, 14]);
    if (less !== 0) this.#emit(sum('r2', -less));
    return less;
  }

  #length(): void {
    const less = this.#measure();
    const wanted = this.#random.pick([24, 40, 60]);
    const bound = this.#noisy(wanted - less);
    const leave = this.#random.pick(['<', '<', 's<', '<=', 's<=']);
    this.#emit(`if ${this.#chance(4) ? 'w2' : 'r2'} ${leave} ${bound} goto out`);
    this.#use('r7', wanted - 1);
  }

  /** A pointer is checked, and another one made of the same parts is used. */
  #again(): void {
    const bytes = this.#random.pick([1, 8, 20]);
    this.#emit('r3 = r7', 'r3 += r9', 'r4 = r3', sum('r4', this.#noisy(bytes)));
    this.#emit('if r4 > r8 goto out', 'r1 = r9', sum('r1', this.#random.pick([0, 0, 2])));
    this.#emit('r4 = r7', 'r4 += r1');
    this.#use('r4', bytes - 1);
  }

  #offsetAndLength(): void {
    const less = this.#measure();
    const bytes = this.#random.pick([1, 8, 20]);
    this.#emit('r4 = r9', sum('r4', this.#noisy(bytes - less)));
    const leave = this.#random.pick(['>', '>', 's>', '>=']);
    this.#emit(`if r4 ${leave} r2 goto out`, 'r3 = r7', 'r3 += r9');
    this.#use('r3', bytes - 1);
  }

  /** Bytes before another pointer that lies before the end. */
  #ownEnd(): void {
    this.#emit('r3 = r7', 'r3 += r9', sum('r3', this.#random.pick([0, HEADER, 2])));
    this.#emit('if r3 > r8 goto out', 'r4 = r7', 'r4 += r5');
    this.#emit(`if r4 ${this.#random.pick(['>=', '>=', '>', '=='])} r3 goto out`);
    this.#use('r4', this.#random.pick([0, 0, -1, 1]));
  }

  /** One of as many records as the packet says that it has. */
  #records(): void {
    const size = this.#random.pick([1, 2, 8]);
    this.#emit('r3 = r9', `r3 *= ${size}`, 'r4 = r7', `r4 += ${HEADER}`, 'r4 += r3');
    this.#emit('if r4 > r8 goto out', `if r5 ${this.#random.pick(['>=', '>=', '>'])} r9 goto out`);
    this.#emit('r3 = r5', `r3 *= ${size}`, 'r4 = r7', 'r4 += r3');
    this.#use('r4', HEADER + this.#noisy(size - 1));
  }
}
