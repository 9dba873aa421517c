/**
 * What each operation means on concrete values. Slow and obvious on purpose: every abstract
 * operator must cover these functions, every constant fold must equal them, and every generated
 * instruction must agree with them. Values are unsigned: 0 <= value < 2^64.
 *
 * Source: RFC 9669 sections 4.1 to 4.3 and 5.1 to 5.3. What it defines where C does not: division by
 * zero yields zero, modulo zero yields the dividend, the most negative number divided by -1 is
 * itself (and leaves 0), and shift amounts are taken modulo the width. A 32-bit operation clears the
 * upper half of its result.
 */

import type { AluOperation, AtomicOperation, JumpCondition } from './table.ts';

export const MASK_64 = 0xffff_ffff_ffff_ffffn;

const low = (value: bigint, bits: number): bigint => BigInt.asUintN(bits, value);
const signed = (value: bigint, bits: number): bigint => BigInt.asIntN(bits, value);

/** BigInt division and remainder truncate towards zero, as RFC 9669 has it for signed operands. */
function divide(dividend: bigint, divisor: bigint): bigint {
  return divisor === 0n ? 0n : dividend / divisor;
}

function remainder(dividend: bigint, divisor: bigint): bigint {
  return divisor === 0n ? dividend : dividend % divisor;
}

/**
 * `dst operation src` at `width` bits. `sizeBytes` is how much of the value `movsx` extends and the
 * byte-order operations keep; other operations do not look at it. Operations with one operand take
 * it from `src` when they are moves and from `dst` otherwise.
 */
export function alu(
  operation: AluOperation,
  width: 32 | 64,
  dst: bigint,
  src: bigint,
  sizeBytes = 0,
): bigint {
  const a = low(dst, width);
  const b = low(src, width);
  return low(exactAlu(operation, width, a, b, sizeBytes), width);
}

/** The result before it is cut to `width` bits; operands already are. */
function exactAlu(
  operation: AluOperation,
  width: 32 | 64,
  a: bigint,
  b: bigint,
  sizeBytes: number,
): bigint {
  const shift = b % BigInt(width);
  switch (operation) {
    case 'add':
      return a + b;
    case 'sub':
      return a - b;
    case 'mul':
      return a * b;
    case 'div':
      return divide(a, b);
    case 'sdiv':
      return divide(signed(a, width), signed(b, width));
    case 'mod':
      return remainder(a, b);
    case 'smod':
      return remainder(signed(a, width), signed(b, width));
    case 'or':
      return a | b;
    case 'and':
      return a & b;
    case 'xor':
      return a ^ b;
    case 'lsh':
      return a << shift;
    case 'rsh':
      return a >> shift;
    case 'arsh':
      return signed(a, width) >> shift;
    case 'neg':
      return -a;
    case 'mov':
      return b;
    case 'movsx':
      return signed(b, sizeBytes * 8);
    // The machine is little-endian: converting to it keeps the order, only the size is cut.
    case 'le':
      return low(a, sizeBytes * 8);
    case 'be':
    case 'bswap':
      return swapBytes(a, sizeBytes);
    default:
      return operation satisfies never;
  }
}

/** The lowest `sizeBytes` bytes in reverse order. */
export function swapBytes(value: bigint, sizeBytes: number): bigint {
  let result = 0n;
  for (let byte = 0; byte < sizeBytes; byte++) {
    result = (result << 8n) | ((value >> BigInt(8 * byte)) & 0xffn);
  }
  return result;
}

/** Whether `dst condition src` holds, comparing the low `width` bits. */
export function compare(
  condition: JumpCondition,
  width: 32 | 64,
  dst: bigint,
  src: bigint,
): boolean {
  const a = low(dst, width);
  const b = low(src, width);
  switch (condition) {
    case 'eq':
      return a === b;
    case 'ne':
      return a !== b;
    case 'set':
      return (a & b) !== 0n;
    case 'gt':
      return a > b;
    case 'ge':
      return a >= b;
    case 'lt':
      return a < b;
    case 'le':
      return a <= b;
    case 'sgt':
      return signed(a, width) > signed(b, width);
    case 'sge':
      return signed(a, width) >= signed(b, width);
    case 'slt':
      return signed(a, width) < signed(b, width);
    case 'sle':
      return signed(a, width) <= signed(b, width);
    default:
      return condition satisfies never;
  }
}

/** A 32-bit immediate as an operand: sign-extended to 64 bits. */
export function immediate(imm: number): bigint {
  return low(BigInt(imm), 64);
}

/** What a load of `sizeBytes` leaves in a register: zero- or sign-extended to 64 bits. */
export function extend(value: bigint, sizeBytes: number, extension: 'zero' | 'sign'): bigint {
  const cut = low(value, sizeBytes * 8);
  return extension === 'zero' ? cut : low(signed(cut, sizeBytes * 8), 64);
}

export interface AtomicResult {
  /** What memory holds afterwards. */
  readonly memory: bigint;
  /** What the fetching register (src; r0 for cmpxchg; dst for load_acquire) holds, if there is one. */
  readonly register?: bigint;
}

/**
 * An atomic operation on `sizeBytes` of memory that hold `memory`, with operand `src`; `cmpxchg`
 * stores it only when memory equals the low bits of `r0`. Fetched values are zero-extended.
 */
export function atomic(
  operation: AtomicOperation,
  sizeBytes: number,
  memory: bigint,
  src: bigint,
  r0: bigint,
): AtomicResult {
  const bits = sizeBytes * 8;
  const before = low(memory, bits);
  const operand = low(src, bits);
  switch (operation) {
    case 'add':
      return { memory: low(before + operand, bits) };
    case 'or':
      return { memory: before | operand };
    case 'and':
      return { memory: before & operand };
    case 'xor':
      return { memory: before ^ operand };
    case 'fetch_add':
      return { memory: low(before + operand, bits), register: before };
    case 'fetch_or':
      return { memory: before | operand, register: before };
    case 'fetch_and':
      return { memory: before & operand, register: before };
    case 'fetch_xor':
      return { memory: before ^ operand, register: before };
    case 'xchg':
      return { memory: operand, register: before };
    case 'cmpxchg':
      return { memory: before === low(r0, bits) ? operand : before, register: before };
    case 'load_acquire':
      return { memory: before, register: before };
    case 'store_release':
      return { memory: operand };
    default:
      return operation satisfies never;
  }
}
