/**
 * The rules of `simplify`, by operation. A rule yields what the value equals: another value, the
 * value itself after a change in place, or undefined when nothing applies. Constants stand on the
 * right where an operation commutes; `c` below is a constant.
 *
 * Widths: an operation of width 32 clears the upper half, so "x op 0 = x" holds in 32 bits only for
 * an x without one; otherwise the value becomes the extension that it is.
 */

import { significantBits } from '../ir/bits.ts';
import {
  type IrFunction,
  isConstant,
  newConstant,
  OPS,
  type Size,
  type Value,
  type Width,
} from '../ir/ir.ts';
import { foldTwo, type Words } from '../ir/words.ts';
import { decide, lowHalf, simplifyComparison } from './simplify-branch.ts';

type Rule = (fn: IrFunction, value: Value) => Value | undefined;

const RULES: Partial<Record<Value['op'], Rule>> = {
  add: simplifyAdd,
  sub: simplifySub,
  mul: simplifyMul,
  div: simplifyDivision,
  sdiv: simplifyDivision,
  mod: simplifyDivision,
  smod: simplifyDivision,
  and: simplifyAnd,
  or: simplifyOr,
  xor: simplifyXor,
  shl: simplifyShift,
  shr: simplifyShift,
  sar: simplifyShift,
  neg: (_, value) => (inner(value, 'neg') ? whole(value, value.args[0]!.args[0]!) : undefined),
  zext: simplifyZeroExtension,
  sext: simplifySignExtension,
  bswap: simplifyByteSwap,
  select: simplifySelect,
};

export function ruleFor(fn: IrFunction, value: Value): Value | undefined {
  const row = OPS[value.op];
  const [a, b] = value.args;
  if (row.commutative && a!.op === 'const' && b!.op !== 'const') {
    value.args = [b!, a!];
    return value;
  }
  if (value.width === 32 && value.op !== 'select' && peelArguments(value)) return value;
  return RULES[value.op]?.(fn, value);
}

/** Operations of width 32 read low halves only. Extensions state their own sizes. */
function peelArguments(value: Value): boolean {
  let changed = false;
  for (let i = 0; i < value.args.length; i++) {
    const low = lowHalf(value.args[i]!);
    if (low === value.args[i]) continue;
    value.args[i] = low;
    changed = true;
  }
  return changed;
}

/** Whether the first argument of `value` is `op` in the same width. */
function inner(value: Value, op: Value['op']): boolean {
  const first = value.args[0]!;
  return first.op === op && first.width === value.width;
}

/** `x` as the result of an operation of `value`'s width: x itself, or its low half. */
function whole(value: Value, x: Value): Value {
  if (value.width === 64 || significantBits(x) <= 32) return x;
  return become(value, 'zext', 64, [x], 4);
}

function become(value: Value, op: Value['op'], width: Width, args: Value[], size: Size): Value {
  value.op = op;
  value.width = width;
  value.args = args;
  value.size = size;
  value.divisor = undefined;
  return value;
}

const constant = (fn: IrFunction, value: Value, words: Words): Value =>
  newConstant(fn, words.lo, words.hi, value.pc);

const isZeroIn = (value: Value, width: Width): boolean =>
  value.op === 'const' && value.lo === 0 && (width === 32 || value.hi === 0);

/** (x op c) op d = x op (c op d), for the associative operations. */
function reassociate(fn: IrFunction, value: Value): Value | undefined {
  const [a, b] = value.args as [Value, Value];
  if (b.op !== 'const' || !inner(value, value.op) || a.args[1]!.op !== 'const') return undefined;
  const joined = foldTwo(value.op, value.width, a.args[1]!, b)!;
  value.args = [a.args[0]!, constant(fn, value, joined)];
  return value;
}

function simplifyAdd(fn: IrFunction, value: Value): Value | undefined {
  const [a, b] = value.args as [Value, Value];
  if (isZeroIn(b, value.width)) return whole(value, a);
  return reassociate(fn, value);
}

/** x - c = x + -c, so that only `add` has rules for constants. */
function simplifySub(fn: IrFunction, value: Value): Value | undefined {
  const [a, b] = value.args as [Value, Value];
  if (a === b) return newConstant(fn, 0, 0, value.pc);
  if (isZeroIn(a, value.width)) return become(value, 'neg', value.width, [b], 0);
  if (b.op !== 'const') return undefined;
  const zero = { lo: 0, hi: 0 };
  const negated = constant(fn, value, foldTwo('sub', value.width, zero, b)!);
  return become(value, 'add', value.width, [a, negated], 0);
}

/** k where the constant is 2^k in this width, or -1. */
export function powerOfTwo(value: Value, width: Width): number {
  if (value.op !== 'const') return -1;
  const hi = width === 64 ? value.hi : 0;
  const { lo } = value;
  if (hi === 0) return lo !== 0 && (lo & (lo - 1)) === 0 ? 31 - Math.clz32(lo) : -1;
  return lo === 0 && (hi & (hi - 1)) === 0 ? 63 - Math.clz32(hi) : -1;
}

function simplifyMul(fn: IrFunction, value: Value): Value | undefined {
  const [a, b] = value.args as [Value, Value];
  if (isZeroIn(b, value.width)) return newConstant(fn, 0, 0, value.pc);
  const power = powerOfTwo(b, value.width);
  if (power === 0) return whole(value, a);
  if (power < 0) return reassociate(fn, value);
  return become(value, 'shl', value.width, [a, newConstant(fn, power, 0, value.pc)], 0);
}

/** Division by a constant zero is defined (RFC 9669 section 4.1), and by a power of two cheap. */
function simplifyDivision(fn: IrFunction, value: Value): Value | undefined {
  const [a, b] = value.args as [Value, Value];
  const { op, width } = value;
  if (b.op !== 'const') return undefined;
  const quotient = op === 'div' || op === 'sdiv';
  if (isZeroIn(b, width)) return quotient ? newConstant(fn, 0, 0, value.pc) : whole(value, a);
  const power = powerOfTwo(b, width);
  if (power === 0) return quotient ? whole(value, a) : newConstant(fn, 0, 0, value.pc);
  const signed = op === 'sdiv' || op === 'smod';
  if (signed) return divideByMinusOne(fn, value, a, b) ?? noteDivisor(value);
  if (power < 0) return noteDivisor(value);
  if (quotient) {
    return become(value, 'shr', width, [a, newConstant(fn, power, 0, value.pc)], 0);
  }
  const mask = foldTwo('sub', width, b, { lo: 1, hi: 0 })!;
  return become(value, 'and', width, [a, constant(fn, value, mask)], 0);
}

function divideByMinusOne(fn: IrFunction, value: Value, a: Value, b: Value): Value | undefined {
  if (b.lo !== -1 || (value.width === 64 && b.hi !== -1)) return undefined;
  if (value.op === 'smod') return newConstant(fn, 0, 0, value.pc);
  return become(value, 'neg', value.width, [a], 0);
}

/** A constant divisor that got here is neither 0 nor -1. */
function noteDivisor(value: Value): Value | undefined {
  if (value.divisor?.nonZero && value.divisor.notMinusOne) return undefined;
  value.divisor = { nonZero: true, notMinusOne: true };
  return value;
}

const MASK_SIZES = [1, 2, 4] as const;

function simplifyAnd(fn: IrFunction, value: Value): Value | undefined {
  const [a, b] = value.args as [Value, Value];
  if (a === b) return whole(value, a);
  if (b.op !== 'const') return undefined;
  if (isZeroIn(b, value.width)) return newConstant(fn, 0, 0, value.pc);
  const hi = value.width === 64 ? b.hi : 0;
  const bits = significantBits(a);
  if (keeps(b.lo, hi, bits)) return a;
  for (const size of MASK_SIZES) {
    if (hi === 0 && b.lo === (size === 4 ? -1 : 2 ** (8 * size) - 1)) {
      return become(value, 'zext', 64, [a], size);
    }
  }
  return reassociate(fn, value);
}

/** Whether the mask hi:lo has ones in all of the low `bits` bits. */
function keeps(lo: number, hi: number, bits: number): boolean {
  const low = bits >= 32 ? -1 : 2 ** bits - 1;
  const high = bits >= 64 ? -1 : bits <= 32 ? 0 : 2 ** (bits - 32) - 1;
  return (lo & low) === (low | 0) && (hi & high) === (high | 0);
}

function simplifyOr(fn: IrFunction, value: Value): Value | undefined {
  const [a, b] = value.args as [Value, Value];
  if (a === b || isZeroIn(b, value.width)) return whole(value, a);
  return rotation(value, a, b) ?? rotation(value, b, a) ?? reassociate(fn, value);
}

/** (x << c) | (x >> width - c) */
function rotation(value: Value, left: Value, right: Value): Value | undefined {
  const { width } = value;
  if (left.op !== 'shl' || right.op !== 'shr') return undefined;
  if (left.width !== width || right.width !== width) return undefined;
  const [x, up] = left.args as [Value, Value];
  const [y, down] = right.args as [Value, Value];
  if (x !== y || up.op !== 'const' || down.op !== 'const') return undefined;
  const count = up.lo & (width - 1);
  if (count === 0 || (down.lo & (width - 1)) !== width - count) return undefined;
  value.lo = count;
  return become(value, 'rol', width, [x], 0);
}

function simplifyXor(fn: IrFunction, value: Value): Value | undefined {
  const [a, b] = value.args as [Value, Value];
  if (a === b) return newConstant(fn, 0, 0, value.pc);
  if (isZeroIn(b, value.width)) return whole(value, a);
  return reassociate(fn, value);
}

function simplifyShift(fn: IrFunction, value: Value): Value | undefined {
  const [a, b] = value.args as [Value, Value];
  const { width, op } = value;
  if (b.op !== 'const') return undefined;
  const count = b.lo & (width - 1);
  if (count === 0) return whole(value, a);
  if (b.lo !== count || b.hi !== 0) {
    value.args = [a, newConstant(fn, count, 0, value.pc)];
    return value;
  }
  if (inner(value, op) && a.args[1]!.op === 'const') return joinShifts(fn, value, a, count);
  if (op === 'shl') return undefined;
  if (op === 'shr' && a.op === 'and' && isShiftMask(a, count)) return dropMask(value, a);
  if (op === 'shr' && significantBits(a) <= count) return newConstant(fn, 0, 0, value.pc);
  // Zeros come down either way, and in 32 bits the extension of the argument is spared.
  if (op === 'shr' && width === 64 && significantBits(a) <= 32) {
    return become(value, 'shr', 32, value.args, 0);
  }
  if (inner(value, 'shl') && isConstant(a.args[1]!, count, 0)) {
    return shiftPair(value, a.args[0]!, count);
  }
  return undefined;
}

/**
 * (x & mask) >> c where the mask keeps all bits from c up to 31 or 63: the shift drops the rest
 * itself, in 32 bits for the shorter mask.
 */
function dropMask(value: Value, masked: Value): Value {
  const mask = masked.args[1]!;
  value.args = [masked.args[0]!, value.args[1]!];
  if (masked.width === 32 || mask.hi === 0) value.width = 32;
  return value;
}

function isShiftMask(masked: Value, count: number): boolean {
  const mask = masked.args[1]!;
  if (mask.op !== 'const' || count >= 32) return false;
  const low = 2 ** count - 1;
  return (mask.lo | low) === -1 && (masked.width === 32 || mask.hi === 0 || mask.hi === -1);
}

/** Two shifts in the same direction; counts of the inner one were brought into range before. */
function joinShifts(fn: IrFunction, value: Value, a: Value, count: number): Value {
  const sum = count + (a.args[1]!.lo & (value.width - 1));
  if (sum < value.width) {
    value.args = [a.args[0]!, newConstant(fn, sum, 0, value.pc)];
    return value;
  }
  if (value.op !== 'sar') return newConstant(fn, 0, 0, value.pc);
  value.args = [a.args[0]!, newConstant(fn, value.width - 1, 0, value.pc)];
  return value;
}

/** Up by c and down by c again: an extension of what is left, where that is a whole number of bytes. */
function shiftPair(value: Value, x: Value, count: number): Value | undefined {
  const size = (value.width - count) / 8;
  if (size !== 1 && size !== 2 && size !== 4) return undefined;
  if (value.op === 'sar') return become(value, 'sext', value.width, [x], size);
  return become(value, 'zext', 64, [x], size);
}

/** Operations whose low half depends on the low halves of their arguments alone. */
const LOW_OPERATIONS: readonly Value['op'][] = ['add', 'sub', 'mul', 'and', 'or', 'xor', 'neg'];

function simplifyZeroExtension(_: IrFunction, value: Value): Value | undefined {
  const a = value.args[0]!;
  if (significantBits(a) <= value.size * 8) return a;
  if ((a.op === 'zext' || a.op === 'sext') && a.size >= value.size) {
    value.args = [a.args[0]!];
    return value;
  }
  if (value.size !== 4 || a.width !== 64) return undefined;
  if (LOW_OPERATIONS.includes(a.op)) return become(value, a.op, 32, [...a.args], 0);
  if (a.op === 'shl' && a.args[1]!.op === 'const' && a.args[1]!.lo >>> 0 < 32) {
    return become(value, 'shl', 32, [...a.args], 0);
  }
  return undefined;
}

function simplifySignExtension(_: IrFunction, value: Value): Value | undefined {
  const a = value.args[0]!;
  const bits = value.size * 8;
  if (value.width === 32 && value.size === 4) return become(value, 'zext', 64, [a], 4);
  if (significantBits(a) < bits) return a;
  if (a.op === 'load' && a.memory?.signed && a.size <= value.size && value.width === 64) return a;
  if ((a.op === 'zext' || a.op === 'sext') && a.size >= value.size) {
    value.args = [a.args[0]!];
    return value;
  }
  if (a.op === 'sext' && a.width === 64 && value.width === 64) return a;
  return undefined;
}

function simplifyByteSwap(_: IrFunction, value: Value): Value | undefined {
  const a = value.args[0]!;
  if (a.op === 'bswap' && a.size === value.size) {
    const x = a.args[0]!;
    if (value.size === 8) return x;
    return become(value, 'zext', 64, [x], value.size);
  }
  if ((a.op === 'zext' || a.op === 'sext') && a.size >= value.size) {
    value.args = [a.args[0]!];
    return value;
  }
  return undefined;
}

function simplifySelect(fn: IrFunction, value: Value): Value | undefined {
  const [a, b, whenTrue, whenFalse] = value.args as [Value, Value, Value, Value];
  if (whenTrue === whenFalse) return whenTrue;
  const decision = decide(value.condition!, value.width, a, b);
  if (decision !== undefined) return decision ? whenTrue : whenFalse;
  return simplifyComparison(fn, value) ? value : undefined;
}
