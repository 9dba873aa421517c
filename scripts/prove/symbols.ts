/**
 * Numbers that are not known yet: JavaScript numbers and booleans as formulas over bit vectors.
 *
 * The domain computes with integers far inside ±2^47, partly as 32-bit words. A symbolic number is a
 * bit vector with bounds that hold for all its values; an operation whose result might leave the 48
 * bits throws, so that no formula ever means something else than the program text.
 */
import type { Bool, Context, BitVec as Vector } from 'z3-solver';

export type Z3 = Context<'main'>;
type Bits = Vector<number, 'main'>;
export type Formula = Bool<'main'>;

/** Wide enough for sums of 32-bit numbers and for products of 16-bit ones. */
const WIDE = 48;
const LIMIT = 2 ** (WIDE - 1) - 1;
const INT32_MIN = -(2 ** 31);
const INT32_MAX = 2 ** 31 - 1;
const UINT32_MAX = 2 ** 32 - 1;

export interface SymbolicNumber {
  readonly kind: 'number';
  /** The number as a 48-bit signed vector, or as a word (with the bounds telling its sign). */
  readonly wide: Bits | undefined;
  readonly word: Bits | undefined;
  readonly min: number;
  readonly max: number;
}

export interface SymbolicBoolean {
  readonly kind: 'boolean';
  readonly formula: Formula;
}

export type NumberValue = number | SymbolicNumber;
export type BooleanValue = boolean | SymbolicBoolean;

/** The operators of the program text, over concrete and symbolic values alike. */
export class Algebra {
  readonly z3: Z3;

  constructor(z3: Z3) {
    this.z3 = z3;
  }

  /** A word read as a signed number. */
  ofWord(word: Bits, min = INT32_MIN, max = INT32_MAX): SymbolicNumber {
    return { kind: 'number', wide: undefined, word, min, max };
  }

  #ofWide(wide: Bits, min: number, max: number): SymbolicNumber {
    if (min < -LIMIT || max > LIMIT) throw new Error(`number may leave ${WIDE} bits`);
    return { kind: 'number', wide, word: undefined, min, max };
  }

  word(x: NumberValue): Bits {
    if (typeof x === 'number') return this.z3.BitVec.val(x >>> 0, 32);
    return x.word ?? (x.wide!.extract(31, 0) as Bits);
  }

  #wide(x: NumberValue): Bits {
    if (typeof x === 'number') return this.z3.BitVec.val(BigInt.asUintN(WIDE, BigInt(x)), WIDE);
    if (x.wide) return x.wide;
    const extra = WIDE - 32;
    if (x.min >= INT32_MIN && x.max <= INT32_MAX) return x.word!.signExt(extra) as Bits;
    return x.word!.zeroExt(extra) as Bits;
  }

  /** ToInt32: what a store into an Int32Array or a bitwise operator sees. */
  toInt32(x: NumberValue): NumberValue {
    if (typeof x === 'number') return x | 0;
    if (x.min >= INT32_MIN && x.max <= INT32_MAX) return x;
    return this.ofWord(this.word(x));
  }

  add(x: NumberValue, y: NumberValue): NumberValue {
    if (typeof x === 'number' && typeof y === 'number') return x + y;
    const [a, b] = [bounds(x), bounds(y)];
    return this.#ofWide(this.#wide(x).add(this.#wide(y)), a.min + b.min, a.max + b.max);
  }

  subtract(x: NumberValue, y: NumberValue): NumberValue {
    if (typeof x === 'number' && typeof y === 'number') return x - y;
    const [a, b] = [bounds(x), bounds(y)];
    return this.#ofWide(this.#wide(x).sub(this.#wide(y)), a.min - b.max, a.max - b.min);
  }

  multiply(x: NumberValue, y: NumberValue): NumberValue {
    if (typeof x === 'number' && typeof y === 'number') return x * y;
    if (x === 0 || y === 0) return 0;
    const [a, b] = [bounds(x), bounds(y)];
    const corners = [a.min * b.min, a.min * b.max, a.max * b.min, a.max * b.max];
    const product = this.#wide(x).mul(this.#wide(y));
    return this.#ofWide(product, Math.min(...corners), Math.max(...corners));
  }

  /** floor(x / y), which is the only quotient that formulas have. */
  floorQuotient(x: NumberValue, y: NumberValue): NumberValue {
    if (typeof x === 'number' && typeof y === 'number') return Math.floor(x / y);
    const a = bounds(x);
    if (y === 2 ** 32) {
      return this.#ofWide(this.#wide(x).shr(32), Math.floor(a.min / y), Math.floor(a.max / y));
    }
    if (a.min < 0 || bounds(y).min < 0) throw new Error('quotient of negative numbers');
    return this.#ofWide(this.#wide(x).udiv(this.#wide(y)), 0, a.max);
  }

  remainder(x: NumberValue, y: NumberValue): NumberValue {
    if (typeof x === 'number' && typeof y === 'number') return x % y;
    const a = bounds(x);
    if (a.min < 0 || bounds(y).min < 0) throw new Error('remainder of negative numbers');
    return this.#ofWide(this.#wide(x).urem(this.#wide(y)), 0, a.max);
  }

  imul(x: NumberValue, y: NumberValue): NumberValue {
    if (typeof x === 'number' && typeof y === 'number') return Math.imul(x, y);
    if (x === 0 || y === 0) return 0;
    return this.ofWord(this.word(x).mul(this.word(y)));
  }

  and(x: NumberValue, y: NumberValue): NumberValue {
    if (typeof x === 'number' && typeof y === 'number') return x & y;
    if (x === 0 || y === 0) return 0;
    const caps = [x, y].map(bounds).filter((b) => b.min >= 0 && b.max <= INT32_MAX);
    const result = this.word(x).and(this.word(y));
    if (caps.length === 0) return this.ofWord(result);
    return this.ofWord(result, 0, Math.min(...caps.map((b) => b.max)));
  }

  or(x: NumberValue, y: NumberValue): NumberValue {
    if (typeof x === 'number' && typeof y === 'number') return x | y;
    if (y === 0) return this.toInt32(x);
    if (x === 0) return this.toInt32(y);
    const [a, b] = [bounds(x), bounds(y)];
    const result = this.word(x).or(this.word(y));
    if (a.min < 0 || b.min < 0 || a.max > INT32_MAX || b.max > INT32_MAX)
      return this.ofWord(result);
    return this.ofWord(result, 0, 2 ** (32 - Math.clz32(a.max | b.max)) - 1);
  }

  xor(x: NumberValue, y: NumberValue): NumberValue {
    if (typeof x === 'number' && typeof y === 'number') return x ^ y;
    return this.ofWord(this.word(x).xor(this.word(y)));
  }

  #amount(k: NumberValue): Bits {
    return typeof k === 'number' ? this.word(k & 31) : this.word(this.and(k, 31));
  }

  shiftLeft(x: NumberValue, k: NumberValue): NumberValue {
    if (typeof x === 'number' && typeof k === 'number') return x << k;
    return this.ofWord(this.word(x).shl(this.#amount(k)));
  }

  shiftRight(x: NumberValue, k: NumberValue): NumberValue {
    if (typeof x === 'number' && typeof k === 'number') return x >> k;
    const { min, max } = bounds(this.toInt32(x));
    const result = this.word(x).shr(this.#amount(k));
    if (typeof k === 'number') return this.ofWord(result, min >> k, max >> k);
    return this.ofWord(result, Math.min(min, 0), Math.max(max, 0));
  }

  shiftRightUnsigned(x: NumberValue, k: NumberValue): NumberValue {
    if (typeof x === 'number' && typeof k === 'number') return x >>> k;
    const b = bounds(x);
    const max = b.min >= 0 ? Math.min(b.max, UINT32_MAX) : UINT32_MAX;
    if (k === 0) return this.ofWord(this.word(x), 0, max);
    const result = this.word(x).lshr(this.#amount(k));
    if (typeof k === 'number' && max >>> k === 0) return 0;
    return this.ofWord(result, 0, typeof k === 'number' ? max >>> k : max);
  }

  clz32(x: NumberValue): NumberValue {
    if (typeof x === 'number') return Math.clz32(x);
    const word = this.word(x);
    let result = this.z3.BitVec.val(32, 32) as Bits;
    for (let i = 0; i < 32; i++) {
      const set = word.extract(i, i).eq(this.z3.BitVec.val(1, 1));
      result = this.z3.If(set, this.z3.BitVec.val(31 - i, 32), result) as Bits;
    }
    return this.ofWord(result, 0, 32);
  }

  less(x: NumberValue, y: NumberValue): BooleanValue {
    if (typeof x === 'number' && typeof y === 'number') return x < y;
    const [a, b] = [bounds(x), bounds(y)];
    if (a.max < b.min) return true;
    if (a.min >= b.max) return false;
    return this.ofFormula(this.#wide(x).slt(this.#wide(y)));
  }

  equal(x: NumberValue, y: NumberValue): BooleanValue {
    if (typeof x === 'number' && typeof y === 'number') return x === y;
    const [a, b] = [bounds(x), bounds(y)];
    if (a.max < b.min || b.max < a.min) return false;
    if (isInt32(a) && isInt32(b)) return this.ofFormula(this.word(x).eq(this.word(y)));
    return this.ofFormula(this.#wide(x).eq(this.#wide(y)));
  }

  ofFormula(formula: Formula): BooleanValue {
    return { kind: 'boolean', formula };
  }

  formula(x: BooleanValue): Formula {
    return typeof x === 'boolean' ? this.z3.Bool.val(x) : x.formula;
  }

  not(x: BooleanValue): BooleanValue {
    return typeof x === 'boolean' ? !x : this.ofFormula(x.formula.not());
  }

  sameTruth(x: BooleanValue, y: BooleanValue): BooleanValue {
    if (typeof x === 'boolean') return x ? y : this.not(y);
    if (typeof y === 'boolean') return y ? x : this.not(x);
    return this.ofFormula(this.formula(x).eq(this.formula(y)));
  }

  /** condition ? x : y, for numbers. */
  choose(condition: Formula, x: NumberValue, y: NumberValue): NumberValue {
    if (x === y) return x;
    const [a, b] = [bounds(x), bounds(y)];
    const min = Math.min(a.min, b.min);
    const max = Math.max(a.max, b.max);
    const word = isInt32({ min, max }) || (min >= 0 && max <= UINT32_MAX);
    if (word) {
      return this.ofWord(this.z3.If(condition, this.word(x), this.word(y)) as Bits, min, max);
    }
    return this.#ofWide(this.z3.If(condition, this.#wide(x), this.#wide(y)) as Bits, min, max);
  }

  chooseTruth(condition: Formula, x: BooleanValue, y: BooleanValue): BooleanValue {
    if (x === y) return x;
    return this.ofFormula(
      this.z3.If(condition, this.formula(x), this.formula(y)) as unknown as Formula,
    );
  }
}

const bounds = (x: NumberValue) => (typeof x === 'number' ? { min: x, max: x } : x);
const isInt32 = (b: { min: number; max: number }) => b.min >= INT32_MIN && b.max <= INT32_MAX;
