/**
 * Generates programs of nested loops for `memory` buffers: counters in registers and on the stack,
 * steps up and down, tests before and after the body, and, now and then, a body that tampers with a
 * counter, so that some loops are endless or run longer than they look.
 */

import { Random } from '../support/random-program.ts';

export const LOOP_BUFFER_BYTES = 64;
const COUNTERS = ['r6', 'r7', 'r8', 'stack'] as const;
type Counter = (typeof COUNTERS)[number];

interface Shape {
  readonly counter: Counter;
  readonly slot: number;
  readonly start: number;
  readonly step: number;
  readonly bound: number;
  readonly width: 'w' | 'r';
}

export class LoopGenerator {
  readonly #random: Random;
  readonly #tampering: 'none' | 'some';
  readonly #lines: string[] = [];
  #labels = 0;

  /** `tampering` makes loops that only the budget ends: some seconds each. */
  constructor(seed: number, tampering: 'none' | 'some') {
    this.#random = new Random(seed);
    this.#tampering = tampering;
  }

  program(): string {
    this.#lines.push('.type memory', `.context ${LOOP_BUFFER_BYTES}`);
    this.#say('r9 = r1', 'r0 = 0', 'r6 = 0', 'r7 = 0', 'r8 = 0', '*(u64 *)(r10 - 8) = 0');
    this.#nest(1 + this.#random.below(2), [...COUNTERS]);
    if (this.#random.below(2) === 0) this.#useCounter(this.#random.pick(['r6', 'r7', 'r8']));
    this.#say('out:', 'r0 = 0', 'exit');
    return `${this.#lines.join('\n')}\n`;
  }

  #say(...lines: string[]): void {
    this.#lines.push(...lines);
  }

  #label(): string {
    return `l${++this.#labels}`;
  }

  #shape(free: Counter[]): Shape {
    const random = this.#random;
    const counter = free.splice(random.below(free.length), 1)[0]!;
    const passes = random.pick([2, 20, 110, 130]);
    const size = random.pick([1, 1, 1, 2, 3, 4]);
    const down = random.below(4) === 0;
    const start = down ? passes * size : random.pick([0, 0, 5]);
    const bound = down ? random.pick([0, 1]) : start + passes * size + random.pick([0, 0, 1]);
    const width = random.below(3) === 0 ? 'w' : 'r';
    return { counter, slot: 8, start, step: down ? -size : size, bound, width };
  }

  /** A loop with others in its body. */
  #nest(depth: number, free: Counter[]): void {
    if (depth === 0 || free.length === 0) {
      this.#body(free);
      return;
    }
    const shape = this.#shape(free);
    const top = this.#label();
    const end = this.#label();
    const before = this.#random.below(3) === 0;
    this.#set(shape);
    this.#say(`${top}:`);
    if (before) this.#test(shape, end, 'leaves');
    this.#nest(depth - 1, free);
    if (this.#random.below(3) === 0) this.#body(free);
    if (this.#tampering === 'some' && this.#random.below(8) === 0) this.#tamper(shape);
    this.#add(shape);
    if (before) this.#say(`goto ${top}`);
    else this.#test(shape, top, 'stays');
    this.#say(`${end}:`);
    free.push(shape.counter);
  }

  #set({ counter, start }: Shape): void {
    if (counter === 'stack') this.#say(`r1 = ${start}`, '*(u64 *)(r10 - 8) = r1');
    else this.#say(`${counter} = ${start}`);
  }

  #add({ counter, step, width }: Shape): void {
    const register = counter === 'stack' ? '1' : counter.slice(1);
    if (counter === 'stack') this.#say('r1 = *(u64 *)(r10 - 8)');
    this.#say(`${width}${register} += ${step}`);
    if (counter === 'stack') this.#say('*(u64 *)(r10 - 8) = r1');
  }

  #test({ counter, step, bound, width }: Shape, label: string, way: 'leaves' | 'stays'): void {
    const register = counter === 'stack' ? '1' : counter.slice(1);
    if (counter === 'stack') this.#say('r1 = *(u64 *)(r10 - 8)');
    const up = way === 'stays' ? ['<', '<=', '!=', 's<'] : ['>=', '>', '==', 's>='];
    const down = way === 'stays' ? ['>', '>=', '!=', 's>'] : ['<=', '<', '==', 's<='];
    const operator = this.#random.pick(step > 0 ? up : down);
    this.#say(`if ${width}${register} ${operator} ${bound} goto ${label}`);
  }

  /** Something cheap: a read, a decision, a sum, a way out. */
  #body(free: readonly Counter[]): void {
    const random = this.#random;
    const skip = this.#label();
    switch (random.below(this.#tampering === 'some' ? 6 : 5)) {
      case 0:
        this.#say(`r2 = *(u8 *)(r9 + ${random.below(LOOP_BUFFER_BYTES)})`, 'r0 += r2');
        break;
      case 1:
        this.#say('r2 = *(u8 *)(r9 + 3)', `if r2 > ${random.below(200)} goto ${skip}`);
        this.#say('r0 += 1', `${skip}:`);
        break;
      case 2:
        this.#say('r2 = *(u8 *)(r9 + 5)', 'if r2 == 77 goto out');
        break;
      case 3:
        this.#useCounter(random.pick(['r6', 'r7', 'r8']));
        break;
      case 5:
        if (free.length > 0 && free[0] !== 'stack') this.#say(`${free[0]} += 1`);
        break;
      default:
        this.#say('r3 = r0', 'r3 &= 31', 'r2 = r9', 'r2 += r3', '*(u8 *)(r2 + 0) = r0');
    }
  }

  /** Reads the buffer at a counter, checked or not. */
  #useCounter(counter: string): void {
    const skip = this.#label();
    this.#say(`r2 = ${counter}`);
    if (this.#random.below(4) !== 0) this.#say(`if r2 > ${LOOP_BUFFER_BYTES - 1} goto ${skip}`);
    else this.#say('r2 &= 63');
    this.#say('r3 = r9', 'r3 += r2', 'r4 = *(u8 *)(r3 + 0)', `${skip}:`);
  }

  /** Changes the counter on some passes. */
  #tamper({ counter, step }: Shape): void {
    if (counter === 'stack') return;
    const skip = this.#label();
    const amount = this.#random.pick([-step, -1, 1, step]);
    this.#say('r2 = *(u8 *)(r9 + 7)', `if r2 > 250 goto ${skip}`);
    this.#say(`${counter} += ${amount}`, `${skip}:`);
  }
}
