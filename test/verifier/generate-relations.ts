/**
 * Programs whose proofs need to be looked for along the path: a number is checked in one form and
 * used in another, with the bound right, or off by a little. Assembly text; they run as `memory`
 * programs on a buffer of BUFFER_BYTES. Packets: generate-packet-relations.ts.
 */

import { Random } from '../support/random-program.ts';

export const BUFFER_BYTES = 64;

/** Where the numbers that the program begins with lie in its buffer, and how they are read. */
const NUMBERS = ['r7', 'r8', 'r9'] as const;
const DERIVED = ['r2', 'r3', 'r4', 'r5'] as const;
const WIDTHS = [8, 16, 32, 32, 64] as const;
const UNSIGNED = ['<', '<=', '>', '>='] as const;
const SIGNED = ['s<', 's<=', 's>', 's>='] as const;
const NOISE = [0, 0, 0, 0, 1, -1, 2, 7, -8];
const FAR = 200;

const mask64 = (value: bigint): bigint => BigInt.asUintN(64, value);

/** One step from a number to another: as text on `$d`, and as a function. */
interface Step {
  readonly lines: (register: string) => string[];
  readonly apply: (value: bigint) => bigint;
}

const low = (register: string): string => register.replace('r', 'w');

export class RelationGenerator {
  readonly #random: Random;
  readonly #lines: string[] = [];
  #labels = 0;

  constructor(seed: number) {
    this.#random = new Random(Math.imul(seed, 0x9e3779b1) ^ seed);
    for (let i = 0; i < 8; i++) this.#random.below(2);
  }

  program(): string {
    this.#emit('.type memory', `.context ${BUFFER_BYTES}`, 'r6 = r1');
    NUMBERS.forEach((register, index) => {
      const width = this.#random.pick(WIDTHS);
      this.#emit(`${register} = *(u${width} *)(r6 + ${index * 8})`);
    });
    const templates = [
      () => this.#checkedForm(),
      () => this.#checkedForm(),
      () => this.#sumOrDifference(),
      () => this.#chain(),
      () => this.#askedTwice(),
      () => this.#throughStack(),
      () => this.#random.pick([() => this.#noise(), () => this.#maskedBySign()])(),
      () => this.#random.pick([() => this.#lowHalves(), () => this.#table()])(),
      () => this.#wholes(),
    ];
    const count = 1 + this.#random.below(3);
    for (let i = 0; i < count; i++) this.#random.pick(templates)();
    this.#emit('out:', 'r0 = 0', 'exit');
    return this.#lines.join('\n');
  }

  #emit(...lines: string[]): void {
    this.#lines.push(...lines);
  }

  #chance = (of: number): boolean => this.#random.below(of) === 0;
  #number = (): string => this.#random.pick(NUMBERS);
  #noiseIn = (bound: bigint): bigint => bound + BigInt(this.#random.pick(NOISE));

  /** Reads or writes one byte of the buffer at the number. */
  #use(register: string): void {
    const offset = this.#random.pick(['+ 0', '+ 0', '+ 0', '- 1', '+ 4']);
    this.#emit('r1 = r6', `r1 += ${register}`);
    if (this.#chance(3)) this.#emit(`*(u8 *)(r1 ${offset}) = ${this.#number()}`);
    else this.#emit(`r0 = *(u8 *)(r1 ${offset})`);
  }

  #step(): Step {
    const k = 1 + this.#random.below(5);
    const c = this.#random.pick([1, 3, 8, 63, 64, 100, -1, -5, -64, 4096]);
    const steps: Step[] = [
      { lines: (d) => [`${d} += ${c}`], apply: (x) => x + BigInt(c) },
      { lines: (d) => [`${d} -= ${c}`], apply: (x) => x - BigInt(c) },
      { lines: (d) => [`${d} *= ${k}`], apply: (x) => x * BigInt(k) },
      { lines: (d) => [`${d} <<= ${k}`], apply: (x) => x << BigInt(k) },
      { lines: (d) => [`${d} >>= ${k}`], apply: (x) => x >> BigInt(k) },
      { lines: (d) => [`${d} /= ${k}`], apply: (x) => x / BigInt(k) },
      { lines: (d) => [`${d} ^= ${k}`], apply: (x) => x ^ BigInt(k) },
      { lines: (d) => [`${d} ^= -1`], apply: (x) => ~x },
      { lines: (d) => [`${d} = -${d}`], apply: (x) => -x },
      { lines: (d) => [`${d} &= ${2 ** (k + 4) - 1}`], apply: (x) => x & BigInt(2 ** (k + 4) - 1) },
      { lines: (d) => [`${d} &= -${2 ** k}`], apply: (x) => x & BigInt(-(2 ** k)) },
      { lines: (d) => [`${d} |= ${2 ** k - 1}`], apply: (x) => x | BigInt(2 ** k - 1) },
      { lines: (d) => [`${low(d)} = ${low(d)}`], apply: (x) => BigInt.asUintN(32, x) },
      { lines: (d) => [`${low(d)} += ${c}`], apply: (x) => BigInt.asUintN(32, x + BigInt(c)) },
      { lines: (d) => [`${d} = (s32)${d}`], apply: (x) => BigInt.asIntN(32, x) },
      { lines: (d) => [`${d} = (s8)${d}`], apply: (x) => BigInt.asIntN(8, x) },
      { lines: (d) => [`${d} <<= 32`, `${d} s>>= 32`], apply: (x) => BigInt.asIntN(32, x) },
      { lines: (d) => [`${d} <<= 40`, `${d} >>= 40`], apply: (x) => BigInt.asUintN(24, x) },
      { lines: (d) => [`${d} s>>= ${k}`], apply: (x) => BigInt.asIntN(64, x) >> BigInt(k) },
      { lines: (d) => [`${d} %= ${c + 101}`], apply: (x) => x % BigInt(c + 101) },
      { lines: (d) => [`${d} = be16 ${d}`], apply: (x) => swap16(x) },
    ];
    return this.#random.pick(steps);
  }

  /** Computes some function of `from` in another register; yields it and the function. */
  #derive(from: string, steps: number): { register: string; apply: (x: bigint) => bigint } {
    const register = this.#random.pick(DERIVED);
    this.#emit(`${register} = ${from}`);
    let apply = (x: bigint): bigint => x;
    for (let i = 0; i < steps; i++) {
      const step = this.#step();
      const before = apply;
      this.#emit(...step.lines(register));
      apply = (x) => mask64(step.apply(mask64(before(x))));
    }
    return { register, apply };
  }

  /** Leaves unless `register` is on the same side of the bound as `member`. */
  #keepSide(register: string, bound: bigint, member: bigint): void {
    const isSigned = this.#chance(3);
    const order = isSigned
      ? BigInt.asIntN(64, member) <= BigInt.asIntN(64, bound)
      : member <= bound;
    const [lt, le, gt, ge] = isSigned ? SIGNED : UNSIGNED;
    const value = BigInt.asIntN(64, bound);
    const leave = order ? this.#random.pick([gt, gt, ge]) : this.#random.pick([lt, lt, le]);
    const fits = BigInt.asIntN(32, value) === value;
    if (fits && !this.#chance(4)) {
      const shown = this.#chance(4) ? low(register) : register;
      this.#emit(`if ${shown} ${leave} ${value} goto out`);
      return;
    }
    this.#emit(`r0 = ${value} ll`, `if ${register} ${leave} r0 goto out`);
  }

  #checkedForm(): void {
    const number = this.#number();
    const form = this.#derive(number, 1 + this.#random.below(3));
    const bound = this.#noiseIn(form.apply(BigInt(BUFFER_BYTES - 1)));
    this.#keepSide(form.register, mask64(bound), form.apply(5n));
    if (this.#chance(3)) this.#keepSide(form.register, mask64(form.apply(0n)), form.apply(7n));
    this.#use(this.#chance(4) ? form.register : number);
  }

  #sumOrDifference(): void {
    const [a, b] = [this.#number(), this.#number()];
    const d = this.#random.pick(DERIVED);
    const operator = this.#random.pick(['+=', '-=', '|=', '&=', '^=']);
    const half = BigInt(BUFFER_BYTES / 2);
    this.#emit(`${d} = ${a}`, `${d} ${operator} ${b}`);
    if (this.#chance(2)) this.#keepSide(b, this.#noiseIn(half), 1n);
    this.#keepSide(d, this.#noiseIn(operator === '-=' ? half - 1n : 2n * half - 1n), 2n);
    if (this.#chance(3)) this.#emit(`if ${a} < ${b} goto out`);
    this.#use(this.#random.pick([a, b, d]));
  }

  /** Orders between three numbers, and a bound for one of them, in any order. */
  #chain(): void {
    const pick = () => this.#random.pick([...NUMBERS, ...NUMBERS, 'r2', 'r3']);
    this.#emit(`r2 = ${this.#number()}`, `r2 += ${this.#random.pick([-1, 1, 4])}`);
    this.#emit(`r3 = ${this.#number()}`, `r3 -= ${this.#number()}`);
    const count = 2 + this.#random.below(3);
    for (let i = 0; i < count; i++) {
      const [a, b] = [pick(), pick()];
      if (a === b || this.#chance(3)) this.#keepSide(a, this.#noiseIn(63n), 3n);
      else {
        const condition = this.#random.pick(['>', '>=', '>', '==', '!=', 's>', 's>=']);
        const [x, y] = this.#chance(4) ? [low(a), low(b)] : [a, b];
        this.#emit(`if ${x} ${condition} ${y} goto out`);
      }
    }
    this.#use(pick());
  }

  /** Whether a number is fit for use depends on a question that is asked again, in other words. */
  #askedTwice(): void {
    const number = this.#number();
    const bound = BigInt(this.#random.pick([5, 20, 100, 255]));
    const form = this.#derive(number, 1 + this.#random.below(2));
    const label = `ask_${this.#labels++}`;
    const at = form.register === 'r5' ? 'r4' : 'r5';
    this.#emit(`${at} = ${FAR}`);
    const condition = this.#random.pick(['>', '>=', '==', '!=', 's>']);
    this.#emit(`if ${number} ${condition} ${bound} goto ${label}`, `${at} = 9`, `${label}:`);
    this.#keepSide(form.register, mask64(this.#noiseIn(form.apply(bound))), form.apply(bound - 1n));
    this.#use(at);
  }

  #throughStack(): void {
    const [a, b] = [this.#number(), this.#number()];
    const size = this.#random.pick([8, 4, 4, 2]);
    const place = 16 - size * this.#random.below(16 / size);
    this.#emit(`*(u64 *)(r10 - 8) = ${this.#random.pick(['0', b])}`);
    this.#emit(`*(u64 *)(r10 - 16) = ${this.#random.pick(['0', b])}`);
    this.#emit(`*(u${size * 8} *)(r10 - ${place}) = ${a}`);
    const read = this.#random.pick([8, 4, 2, 1]);
    const from = 16 - read * this.#random.below(16 / read);
    const [checked, used] = this.#chance(2) ? [a, 'r4'] : ['r4', a];
    this.#emit(`r4 = *(u${read * 8} *)(r10 - ${from})`);
    const shift = this.#random.pick([0, 0, 8, 16, 32]);
    this.#keepSide(checked, this.#noiseIn(64n << BigInt(shift)) - 1n, 1n);
    this.#use(used);
  }

  /** What remains of a number without a part of it, and a multiple of a difference. */
  #wholes(): void {
    const [a, b] = [this.#number(), this.#number()];
    const part = this.#random.pick(['%= 12', '&= 40', '>>= 2', '/= 3', '&= 7', '*= 2']);
    this.#keepSide(a, this.#noiseIn(63n), 3n);
    if (this.#chance(2)) {
      this.#emit(`r4 = ${a}`, `r4 ${part}`, `r5 = ${a}`, 'r5 -= r4');
      this.#use(this.#random.pick(['r5', 'r5', 'r4']));
      return;
    }
    this.#emit(`if ${a} ${this.#random.pick(['<', '<=', 's<'])} ${b} goto out`);
    this.#emit(`r4 = ${a}`, 'r4 *= 4', `r5 = ${b}`, 'r5 *= 4', 'r4 -= r5', 'r4 >>= 2');
    this.#use(this.#random.pick(['r4', b]));
  }

  /** Orders between low halves, of numbers that may have high ones. */
  #lowHalves(): void {
    const [a, b] = [this.#number(), this.#number()];
    const show = () => (this.#chance(3) ? (r: string) => r : low);
    this.#keepSide(b, this.#noiseIn(31n), 3n);
    const names = show();
    const condition = this.#random.pick(['>', '>=', 's>', '!=']);
    this.#emit(`if ${names(a)} ${condition} ${names(b)} goto out`);
    this.#emit(`r4 = ${b}`, `r4 -= ${a}`);
    if (this.#chance(3)) this.#emit('w4 = w4');
    this.#use(this.#random.pick([a, b, 'r4', 'r4']));
  }

  /** One of a few numbers, asked of a table of bits: each way has a length of its own. */
  #table(): void {
    const number = this.#number();
    const label = `table_${this.#labels++}`;
    const some = this.#random.below(8);
    const bits = this.#random.below(255) + 1;
    this.#emit(`r4 = ${number}`, `r4 ^= ${this.#random.below(8)}`, 'r5 = 9');
    this.#emit(`if ${number} == ${some} goto ${label}`, `r5 = ${FAR}`, `${label}:`);
    this.#emit('if r4 > 7 goto out', 'r3 = 1', 'r3 <<= r4');
    this.#emit(`r3 &= ${this.#chance(2) ? bits : 2 ** this.#random.below(8)}`);
    this.#emit('if r3 == 0 goto out');
    this.#use('r5');
  }

  #maskedBySign(): void {
    const number = this.#number();
    this.#emit(`r4 = ${number}`, `r4 -= ${this.#noiseIn(BigInt(BUFFER_BYTES))}`);
    this.#emit(`r4 ${this.#random.pick(['s>>=', '>>='])} 63`);
    if (this.#chance(2)) this.#emit(`r4 &= ${number}`);
    else this.#emit(`if r4 == 0 goto out`, `r4 = ${number}`);
    this.#use('r4');
  }

  #noise(): void {
    const [a, b] = [this.#number(), this.#number()];
    this.#emit(`${a} ${this.#random.pick(['+=', '-=', '^=', '&=', '|='])} ${b}`);
  }
}

function swap16(value: bigint): bigint {
  const half = BigInt.asUintN(16, value);
  return ((half & 0xffn) << 8n) | (half >> 8n);
}
