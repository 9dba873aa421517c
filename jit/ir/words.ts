/**
 * 64-bit arithmetic on two int32 words, for folding constants: BigInt would cost more than the rest
 * of a pass. Every function returns fresh words; meanings are those of isa/evaluate.ts, and a
 * property test holds them equal.
 */

import type { JumpCondition } from '../../isa/index.ts';
import type { Op, Size, Width } from './ir.ts';

export interface Words {
  readonly lo: number;
  readonly hi: number;
}

const words = (lo: number, hi: number): Words => ({ lo: lo | 0, hi: hi | 0 });

export function add64(a: Words, b: Words): Words {
  const lo = (a.lo >>> 0) + (b.lo >>> 0);
  return words(lo, a.hi + b.hi + (lo > 0xffffffff ? 1 : 0));
}

export function neg64(a: Words): Words {
  return words(-a.lo, ~a.hi + (a.lo === 0 ? 1 : 0));
}

/** The 64-bit product of two uint32, by 16-bit halves: doubles hold 53 bits only. */
function product32(a: number, b: number): Words {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const low = aLow * bLow;
  const middle = aHigh * bLow + (low >>> 16);
  const cross = aLow * bHigh + (middle & 0xffff);
  const high = aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(cross / 0x10000);
  return words(Math.imul(a, b), high);
}

export function mul64(a: Words, b: Words): Words {
  const low = product32(a.lo >>> 0, b.lo >>> 0);
  return words(low.lo, low.hi + Math.imul(a.lo, b.hi) + Math.imul(a.hi, b.lo));
}

export function shl64(a: Words, count: number): Words {
  if (count === 0) return a;
  if (count >= 32) return words(0, a.lo << (count - 32));
  return words(a.lo << count, (a.hi << count) | (a.lo >>> (32 - count)));
}

export function shr64(a: Words, count: number): Words {
  if (count === 0) return a;
  if (count >= 32) return words(a.hi >>> (count - 32), 0);
  return words((a.lo >>> count) | (a.hi << (32 - count)), a.hi >>> count);
}

export function sar64(a: Words, count: number): Words {
  if (count === 0) return a;
  if (count >= 32) return words(a.hi >> (count - 32), a.hi >> 31);
  return words((a.lo >>> count) | (a.hi << (32 - count)), a.hi >> count);
}

export function lessUnsigned64(a: Words, b: Words): boolean {
  return a.hi === b.hi ? a.lo >>> 0 < b.lo >>> 0 : a.hi >>> 0 < b.hi >>> 0;
}

export function lessSigned64(a: Words, b: Words): boolean {
  return a.hi === b.hi ? a.lo >>> 0 < b.lo >>> 0 : a.hi < b.hi;
}

const unsigned64 = (a: Words): bigint => (BigInt(a.hi >>> 0) << 32n) | BigInt(a.lo >>> 0);
const fromBigInt = (x: bigint): Words =>
  words(Number(BigInt.asIntN(32, x)), Number(BigInt.asIntN(32, x >> 32n)));

/**
 * The four divisions. BigInt is right here: a constant divided by a constant occurs about never,
 * since clang folds it, and this way the rare case is the obvious one.
 */
function divide(op: 'div' | 'sdiv' | 'mod' | 'smod', width: Width, a: Words, b: Words): Words {
  const signed = op === 'sdiv' || op === 'smod';
  const cast = (x: bigint) => (signed ? BigInt.asIntN(width, x) : BigInt.asUintN(width, x));
  const x = cast(unsigned64(a));
  const y = cast(unsigned64(b));
  const quotient = op === 'div' || op === 'sdiv';
  const result = y === 0n ? (quotient ? 0n : x) : quotient ? x / y : x % y;
  return fromBigInt(BigInt.asUintN(width, result));
}

export function bswap(a: Words, size: Size): Words {
  const swapped = (x: number) =>
    ((x & 0xff) << 24) | ((x & 0xff00) << 8) | ((x >>> 8) & 0xff00) | (x >>> 24);
  if (size === 2) return words(swapped(a.lo) >>> 16, 0);
  if (size === 4) return words(swapped(a.lo), 0);
  return words(swapped(a.hi), swapped(a.lo));
}

export function zext(a: Words, size: Size): Words {
  if (size === 8) return a;
  return words(size === 4 ? a.lo : size === 2 ? a.lo & 0xffff : a.lo & 0xff, 0);
}

export function sext(a: Words, size: Size, width: Width): Words {
  const lo = size === 1 ? (a.lo << 24) >> 24 : size === 2 ? (a.lo << 16) >> 16 : a.lo;
  return words(lo, width === 64 ? lo >> 31 : 0);
}

function mulhi64(a: Words, b: Words): Words {
  return fromBigInt((unsigned64(a) * unsigned64(b)) >> 64n);
}

/** The value of a one-argument operation on a constant; `count` is the rotation count. */
export function foldOne(
  op: Op,
  width: Width,
  size: Size,
  a: Words,
  count: number,
): Words | undefined {
  switch (op) {
    case 'neg':
      return width === 32 ? words(-a.lo, 0) : neg64(a);
    case 'zext':
      return zext(a, size);
    case 'sext':
      return sext(a, size, width);
    case 'bswap':
      return bswap(a, size);
    case 'rol': {
      const turn = count & (width - 1);
      if (turn === 0) return width === 32 ? words(a.lo, 0) : a;
      if (width === 32) return words((a.lo << turn) | (a.lo >>> (32 - turn)), 0);
      const left = shl64(a, turn);
      const right = shr64(a, 64 - turn);
      return words(left.lo | right.lo, left.hi | right.hi);
    }
    default:
      return undefined;
  }
}

function fold32(op: Op, a: number, b: number): number | undefined {
  switch (op) {
    case 'add':
      return a + b;
    case 'sub':
      return a - b;
    case 'mul':
      return Math.imul(a, b);
    case 'and':
      return a & b;
    case 'or':
      return a | b;
    case 'xor':
      return a ^ b;
    case 'shl':
      return a << (b & 31);
    case 'shr':
      return a >>> (b & 31);
    case 'sar':
      return a >> (b & 31);
    default:
      return undefined;
  }
}

function fold64(op: Op, a: Words, b: Words): Words | undefined {
  switch (op) {
    case 'add':
      return add64(a, b);
    case 'sub':
      return add64(a, neg64(b));
    case 'mul':
      return mul64(a, b);
    case 'mulhi':
      return mulhi64(a, b);
    case 'and':
      return words(a.lo & b.lo, a.hi & b.hi);
    case 'or':
      return words(a.lo | b.lo, a.hi | b.hi);
    case 'xor':
      return words(a.lo ^ b.lo, a.hi ^ b.hi);
    case 'shl':
      return shl64(a, b.lo & 63);
    case 'shr':
      return shr64(a, b.lo & 63);
    case 'sar':
      return sar64(a, b.lo & 63);
    default:
      return undefined;
  }
}

/** The value of a two-argument operation on constants, or undefined for operations without one. */
export function foldTwo(op: Op, width: Width, a: Words, b: Words): Words | undefined {
  if (op === 'div' || op === 'sdiv' || op === 'mod' || op === 'smod') {
    return divide(op, width, a, b);
  }
  if (width === 64) return fold64(op, a, b);
  const result = fold32(op, a.lo, b.lo);
  return result === undefined ? undefined : words(result, 0);
}

/** Whether a comparison of constants holds. */
export function compare(condition: JumpCondition, width: Width, a: Words, b: Words): boolean {
  const signed = condition[0] === 's' && condition !== 'set';
  const x = width === 64 ? a : sext(a, 4, signed ? 64 : 32);
  const y = width === 64 ? b : sext(b, 4, signed ? 64 : 32);
  const equal = x.lo === y.lo && x.hi === y.hi;
  switch (condition) {
    case 'eq':
      return equal;
    case 'ne':
      return !equal;
    case 'set':
      return ((x.lo & y.lo) | (x.hi & y.hi)) !== 0;
    case 'gt':
      return lessUnsigned64(y, x);
    case 'ge':
      return !lessUnsigned64(x, y);
    case 'lt':
      return lessUnsigned64(x, y);
    case 'le':
      return !lessUnsigned64(y, x);
    case 'sgt':
      return lessSigned64(y, x);
    case 'sge':
      return !lessSigned64(x, y);
    case 'slt':
      return lessSigned64(x, y);
    case 'sle':
      return !lessSigned64(y, x);
    default:
      return condition satisfies never;
  }
}
