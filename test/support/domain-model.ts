/**
 * The scalar domain in BigInt: what sixteen words denote, said as plainly as possible, and ways to
 * make scalars together with values that they must contain. The tests of the domain compare with
 * this; nothing here is fast.
 */
import { refine, SCALAR_WORDS, setUnknown } from '../../verifier/domain/index.ts';

export interface ScalarModel {
  readonly value: bigint;
  readonly mask: bigint;
  readonly umin: bigint;
  readonly umax: bigint;
  readonly smin: bigint;
  readonly smax: bigint;
  readonly u32min: bigint;
  readonly u32max: bigint;
  readonly s32min: bigint;
  readonly s32max: bigint;
}

export const unsigned64 = (x: bigint) => BigInt.asUintN(64, x);
export const signed64 = (x: bigint) => BigInt.asIntN(64, x);
export const lowWord = (x: bigint) => Number(BigInt.asIntN(32, x));
export const highWord = (x: bigint) => Number(BigInt.asIntN(32, x >> 32n));

const pair = (w: Int32Array, at: number) =>
  (BigInt(w[at + 1]! >>> 0) << 32n) | BigInt(w[at]! >>> 0);

/** The scalar at `o`, in the order of the words that words.ts documents. */
export function readScalar(w: Int32Array, o: number): ScalarModel {
  return {
    value: pair(w, o),
    mask: pair(w, o + 2),
    umin: pair(w, o + 4),
    umax: pair(w, o + 6),
    smin: signed64(pair(w, o + 8)),
    smax: signed64(pair(w, o + 10)),
    u32min: BigInt(w[o + 12]! >>> 0),
    u32max: BigInt(w[o + 13]! >>> 0),
    s32min: BigInt(w[o + 14]!),
    s32max: BigInt(w[o + 15]!),
  };
}

/** Whether x (unsigned) is in γ. */
export function holds(model: ScalarModel, x: bigint): boolean {
  const s = signed64(x);
  const u32 = BigInt.asUintN(32, x);
  const s32 = BigInt.asIntN(32, x);
  return (
    (x & ~model.mask) === model.value &&
    model.umin <= x &&
    x <= model.umax &&
    model.smin <= s &&
    s <= model.smax &&
    model.u32min <= u32 &&
    u32 <= model.u32max &&
    model.s32min <= s32 &&
    s32 <= model.s32max
  );
}

function writePair(w: Int32Array, at: number, x: bigint): void {
  w[at] = lowWord(x);
  w[at + 1] = highWord(x);
}

export function writeScalar(w: Int32Array, o: number, model: Partial<ScalarModel>): void {
  setUnknown(w, o);
  const all = { ...readScalar(w, o), ...model };
  writePair(w, o, all.value);
  writePair(w, o + 2, all.mask);
  writePair(w, o + 4, all.umin);
  writePair(w, o + 6, all.umax);
  writePair(w, o + 8, all.smin);
  writePair(w, o + 10, all.smax);
  w[o + 12] = Number(BigInt.asIntN(32, all.u32min));
  w[o + 13] = Number(BigInt.asIntN(32, all.u32max));
  w[o + 14] = Number(all.s32min);
  w[o + 15] = Number(all.s32max);
}

/** The best each part can say about a non-empty set of values. */
export function abstraction(values: readonly bigint[]): ScalarModel {
  const first = values[0]!;
  let ones = first;
  let any = first;
  for (const x of values) {
    ones &= x;
    any |= x;
  }
  const ends = (view: (x: bigint) => bigint) => {
    let min = view(first);
    let max = min;
    for (const x of values) {
      const y = view(x);
      if (y < min) min = y;
      if (y > max) max = y;
    }
    return [min, max] as const;
  };
  const [umin, umax] = ends((x) => x);
  const [smin, smax] = ends(signed64);
  const [u32min, u32max] = ends((x) => BigInt.asUintN(32, x));
  const [s32min, s32max] = ends((x) => BigInt.asIntN(32, x));
  return { value: ones, mask: ones ^ any, umin, umax, smin, smax, u32min, u32max, s32min, s32max };
}

/** A small, fast, seeded generator: results repeat from run to run. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0 || 1;
  }

  /** 32 random bits. */
  word(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x | 0;
    return Math.imul(x, 0x9e3779b1) ^ (x >>> 15);
  }

  below(limit: number): number {
    return (this.word() >>> 0) % limit;
  }

  bits64(): bigint {
    return (BigInt(this.word() >>> 0) << 32n) | BigInt(this.word() >>> 0);
  }

  /** Mostly numbers near powers of two and their sums, where operators change their mind. */
  corner(): bigint {
    const kind = this.below(8);
    if (kind === 0) return this.bits64();
    if (kind === 1) return unsigned64(BigInt(this.below(32) - 16));
    const power = 1n << BigInt(this.below(64));
    const near = power + BigInt(this.below(5) - 2);
    if (kind < 4) return unsigned64(near);
    if (kind === 4) return unsigned64(-near);
    if (kind === 5) return unsigned64(near + (1n << BigInt(this.below(64))));
    if (kind === 6) return this.bits64() & unsigned64(power - 1n);
    return unsigned64(this.bits64() << BigInt(this.below(64)));
  }
}

const least = (a: bigint, b: bigint) => (a < b ? a : b);
const most = (a: bigint, b: bigint) => (a > b ? a : b);

/** A run around x in the given number line, its ends corner-like distances away. */
function around(random: Random, x: bigint, min: bigint, max: bigint): readonly [bigint, bigint] {
  const below = random.corner() >> BigInt(random.below(64));
  const above = random.corner() >> BigInt(random.below(64));
  return [most(min, x - below), least(max, x + above)];
}

/** Writes a random refined scalar that contains x: random true constraints of each kind. */
export function randomScalarWith(random: Random, w: Int32Array, o: number, x: bigint): void {
  const parts = random.below(64);
  const model: { -readonly [K in keyof ScalarModel]?: bigint } = {};
  if (parts & 1) {
    model.mask = random.below(2) ? random.bits64() & random.bits64() : random.corner();
    model.value = x & ~model.mask;
  }
  if (parts & 2) [model.umin, model.umax] = around(random, x, 0n, (1n << 64n) - 1n);
  if (parts & 4) {
    [model.smin, model.smax] = around(random, signed64(x), -(1n << 63n), (1n << 63n) - 1n);
  }
  if (parts & 8) {
    [model.u32min, model.u32max] = around(random, BigInt.asUintN(32, x), 0n, (1n << 32n) - 1n);
  }
  if (parts & 16) {
    const s32 = BigInt.asIntN(32, x);
    [model.s32min, model.s32max] = around(random, s32, -(1n << 31n), (1n << 31n) - 1n);
  }
  if (parts === 32) model.mask = (model.value = x) & 0n;
  writeScalar(w, o, model);
  if (!refine(w, o)) throw new Error('refine lost a member');
}

/** Some members of the scalar: its ends, their neighbours, and combinations of its known bits. */
export function sampleMembers(random: Random, model: ScalarModel, known: bigint): bigint[] {
  const candidates = [
    known,
    model.umin,
    model.umax,
    unsigned64(model.smin),
    unsigned64(model.smax),
    model.umin + 1n,
    model.umax - 1n,
    model.value,
    model.value | model.mask,
    model.value | (random.bits64() & model.mask),
    (known & ~model.mask) | ((known ^ (1n << BigInt(random.below(64)))) & model.mask),
  ];
  return candidates.map(unsigned64).filter((x) => holds(model, x));
}

export const newScalars = (count: number) => new Int32Array(count * SCALAR_WORDS);
