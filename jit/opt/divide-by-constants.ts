/**
 * Unsigned division by a constant as multiplication (Granlund and Montgomery 1994, "Division by
 * Invariant Integers using Multiplication"): a multiply costs 3 to 4 cycles, a division 20 to 40.
 *
 * For x < 2^b, any m = floor(2^k / d) + 1 has floor(x * m / 2^k) = floor(x / d) if the excess
 * e = m * d - 2^k satisfies e <= 2^(k - b): then x * m / 2^k exceeds x / d by x * e / (d * 2^k)
 * < 2^b * 2^(k - b) / (d * 2^k) = 1 / d, too little to reach the next integer. With k = N + s the
 * multiplier must stay below 2^N; if no shift s gives that, the multiplier of N + 1 bits is used,
 * whose top bit is an addition: q = (t + (x - t) / 2) / 2^(l - 1), t = high half of x * (m - 2^N).
 */

import { significantBits } from '../ir/bits.ts';
import {
  type Block,
  type IrFunction,
  newConstant,
  newValue,
  type Op,
  replace,
  resolveAll,
  type Value,
  type Width,
} from '../ir/ir.ts';
import { powerOfTwo } from './simplify-rules.ts';

export function divideByConstants(fn: IrFunction): void {
  let changed = false;
  for (const block of fn.blocks) {
    if (!block.values.some(isMeant)) continue;
    changed = true;
    const before = block.values;
    block.values = [];
    for (const value of before) {
      if (isMeant(value)) replace(value, divide({ fn, block, value }));
      else block.values.push(value);
    }
  }
  if (changed) resolveAll(fn);
}

/** Powers of two and zero have become shifts, masks and constants before. */
function isMeant(value: Value): boolean {
  if (value.op !== 'div' && value.op !== 'mod') return false;
  const divisor = value.args[1]!;
  if (divisor.op !== 'const' || powerOfTwo(divisor, value.width) >= 0) return false;
  return divisor.lo !== 0 || (value.width === 64 && divisor.hi !== 0);
}

/** Where new values go: in place of `value`. */
interface Site {
  readonly fn: IrFunction;
  readonly block: Block;
  readonly value: Value;
}

function divide(site: Site): Value {
  const { value } = site;
  const [dividend, divisor] = value.args as [Value, Value];
  const width = value.width;
  const x = width === 64 || significantBits(dividend) <= 32 ? dividend : lowHalf(site, dividend);
  const d = toBigInt(divisor, width);
  const bits = Math.min(width, significantBits(dividend));
  const magic = findMagic(d, width, bits);
  const quotient = magic ? multiply(site, x, magic, width) : multiplyLong(site, x, d, width);
  if (value.op === 'div') return quotient;
  return append(site, 'sub', width, dividend, append(site, 'mul', width, quotient, divisor));
}

function toBigInt({ lo, hi }: Value, width: Width): bigint {
  return (width === 64 ? BigInt(hi >>> 0) << 32n : 0n) | BigInt(lo >>> 0);
}

interface Magic {
  readonly multiplier: bigint;
  readonly shift: number;
}

function findMagic(d: bigint, width: Width, bits: number): Magic | undefined {
  const limit = 1n << BigInt(width);
  for (let shift = 0; shift < width; shift++) {
    const k = BigInt(width + shift);
    const multiplier = (1n << k) / d + 1n;
    if (multiplier >= limit) return undefined;
    const excess = multiplier * d - (1n << k);
    if (excess <= 1n << (k - BigInt(bits))) return { multiplier, shift };
  }
  return undefined;
}

/** High half of x * multiplier, shifted. In 32 bits the whole product fits 64. */
function multiply(site: Site, x: Value, { multiplier, shift }: Magic, width: Width): Value {
  const m = wide(site, multiplier);
  if (width === 32) {
    return append(site, 'shr', 64, append(site, 'mul', 64, x, m), count(site, 32 + shift));
  }
  const high = append(site, 'mulhi', 64, x, m);
  return shift === 0 ? high : append(site, 'shr', 64, high, count(site, shift));
}

/** The multiplier of N + 1 bits, with l = ceil(log2 d); x is already zero-extended. */
function multiplyLong(site: Site, x: Value, d: bigint, width: Width): Value {
  const l = (d - 1n).toString(2).length;
  const n = BigInt(width);
  const multiplier = ((1n << n) * ((1n << BigInt(l)) - d)) / d + 1n;
  const t = multiply(site, x, { multiplier, shift: 0 }, width);
  const half = append(site, 'shr', width, append(site, 'sub', width, x, t), count(site, 1));
  return append(site, 'shr', width, append(site, 'add', width, half, t), count(site, l - 1));
}

function lowHalf({ fn, block, value }: Site, x: Value): Value {
  const low = newValue(fn, 'zext', 64, [x], value.pc);
  low.size = 4;
  block.values.push(low);
  return low;
}

function append({ fn, block, value }: Site, op: Op, width: Width, a: Value, b: Value): Value {
  const result = newValue(fn, op, width, [a, b], value.pc);
  block.values.push(result);
  return result;
}

const count = ({ fn, value }: Site, n: number): Value => newConstant(fn, n, 0, value.pc);

function wide({ fn, value }: Site, x: bigint): Value {
  const lo = Number(BigInt.asIntN(32, x));
  return newConstant(fn, lo, Number(BigInt.asIntN(32, x >> 32n)), value.pc);
}
