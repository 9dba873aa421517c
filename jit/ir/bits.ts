/**
 * How many low bits of a value can be other than zero. BPF programs are full of masks and
 * extensions that change nothing; this says which, without a data-flow analysis: a value's answer
 * follows from its operation and, to a small depth, its arguments.
 */

import type { Value } from './ir.ts';

/** Deeper chains answer as if nothing were known, which bounds the work for each question. */
const MAX_DEPTH = 6;

/** n such that value < 2^n, unsigned. */
export function significantBits(value: Value, depth = 0): number {
  const bound = value.width === 32 ? 32 : 64;
  if (depth > MAX_DEPTH) return isMasked(value) ? Math.min(bound, value.size * 8) : bound;
  switch (value.op) {
    case 'const':
      return value.hi !== 0 ? 64 - Math.clz32(value.hi) : 32 - Math.clz32(value.lo);
    case 'copy':
      return significantBits(value.args[0]!, depth + 1);
    case 'load':
      return value.memory?.signed ? 64 : value.size * 8;
    case 'atomic':
      return value.size * 8;
    case 'zext':
    case 'bswap':
      return value.op === 'zext'
        ? Math.min(value.size * 8, significantBits(value.args[0]!, depth + 1))
        : value.size * 8;
    case 'and':
      return Math.min(bound, argument(value, 0, depth), argument(value, 1, depth));
    case 'or':
    case 'xor':
      return Math.min(bound, Math.max(argument(value, 0, depth), argument(value, 1, depth)));
    case 'add':
      return Math.min(bound, 1 + Math.max(argument(value, 0, depth), argument(value, 1, depth)));
    case 'mul':
      return Math.min(bound, argument(value, 0, depth) + argument(value, 1, depth));
    case 'shl':
    case 'shr':
      return shifted(value, bound, depth);
    // Dividing never makes a number larger, and neither does a zero divisor.
    case 'div':
      return Math.min(bound, argument(value, 0, depth));
    case 'mod':
      return Math.min(bound, argument(value, 0, depth));
    case 'select':
      return Math.max(argument(value, 2, depth), argument(value, 3, depth));
    case 'phi': {
      let bits = 0;
      for (const arg of value.args) {
        if (arg === value) continue;
        // Half of the remaining depth: phis branch, and the questions must not multiply.
        bits = Math.max(bits, significantBits(arg, depth + 3));
        if (bits === 64) break;
      }
      return bits;
    }
    default:
      return bound;
  }
}

const isMasked = (value: Value): boolean => value.op === 'zext';

function argument(value: Value, index: number, depth: number): number {
  return significantBits(value.args[index]!, depth + 1);
}

function shifted(value: Value, bound: number, depth: number): number {
  const count = value.args[1]!;
  const bits = Math.min(bound, argument(value, 0, depth));
  if (count.op !== 'const') return value.op === 'shr' ? bits : bound;
  const distance = count.lo & (value.width - 1);
  return value.op === 'shl' ? Math.min(bound, bits + distance) : Math.max(0, bits - distance);
}
