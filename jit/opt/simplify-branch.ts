/**
 * Comparisons, as they occur in branches and selections: decided where both sides are constants or
 * the same value, otherwise brought into the form that machines compare best, which is narrow, with
 * the constant on the right.
 */

import type { JumpCondition } from '../../isa/index.ts';
import { significantBits } from '../ir/bits.ts';
import { type IrFunction, isConstant, newConstant, type Value, type Width } from '../ir/ir.ts';
import { bswap, compare } from '../ir/words.ts';

/** What branches and selections have in common. */
interface Comparison {
  condition: JumpCondition | undefined;
  width: Width;
  args: Value[];
  readonly pc: number;
}

const REFLEXIVE: readonly JumpCondition[] = ['eq', 'ge', 'le', 'sge', 'sle'];

/** Whether the comparison always (true) or never (false) holds. */
export function decide(
  condition: JumpCondition,
  width: Width,
  a: Value,
  b: Value,
): boolean | undefined {
  if (a.op === 'const' && b.op === 'const') return compare(condition, width, a, b);
  if (a === b && condition !== 'set') return REFLEXIVE.includes(condition);
  const zero = b.op === 'const' && b.lo === 0 && b.hi === 0 && width === 64;
  if (zero && isEquality(condition) && isNonZero(a)) return condition === 'ne';
  return decideByBits(condition, width, a, b);
}

/** Addresses of values in maps are not null; an index times a stride cannot wrap them around. */
function isNonZero(value: Value): boolean {
  if (value.op === 'address') return true;
  if (value.op !== 'add' || value.width !== 64 || value.args[0]!.op !== 'address') return false;
  return significantBits(value.args[1]!) <= MAX_OFFSET_BITS;
}

/** User addresses have at most 57 bits on x64 and the loader maps storage low; 2^56 is far away. */
const MAX_OFFSET_BITS = 56;

/** A value below 2^bits is below every larger constant. */
function decideByBits(
  condition: JumpCondition,
  width: Width,
  a: Value,
  b: Value,
): boolean | undefined {
  if (b.op !== 'const' || (width === 32 && significantBits(a) > 32)) return undefined;
  const above = significantBits(b) > significantBits(a);
  if (width === 32 && b.hi !== 0) return undefined;
  if (!above) return undefined;
  switch (condition) {
    case 'eq':
    case 'gt':
    case 'ge':
      return false;
    case 'ne':
    case 'lt':
    case 'le':
      return true;
    default:
      return undefined;
  }
}

const EXCHANGED: Readonly<Record<JumpCondition, JumpCondition>> = {
  eq: 'eq',
  ne: 'ne',
  set: 'set',
  gt: 'lt',
  ge: 'le',
  lt: 'gt',
  le: 'ge',
  sgt: 'slt',
  sge: 'sle',
  slt: 'sgt',
  sle: 'sge',
};

/** Improves the comparison in place; true if it changed. Values without one are left alone. */
export function simplifyComparison(fn: IrFunction, comparison: Comparison): boolean {
  if (comparison.condition === undefined) return false;
  let changed = false;
  while (improve(fn, comparison, comparison.condition!)) changed = true;
  return changed;
}

function improve(fn: IrFunction, comparison: Comparison, condition: JumpCondition): boolean {
  const [a, b] = comparison.args as [Value, Value];
  if (a.op === 'const' && b.op !== 'const') {
    setSides(comparison, b, a);
    comparison.condition = EXCHANGED[condition];
    return true;
  }
  if (comparison.width === 64 && canNarrow(condition, a, b)) {
    comparison.width = 32;
    return true;
  }
  if (comparison.width === 32 && peelExtensions(comparison, a, b)) return true;
  return isEquality(condition) && improveEquality(fn, comparison, a, b);
}

const isEquality = (condition: JumpCondition): boolean => condition === 'eq' || condition === 'ne';

function setSides(comparison: Comparison, a: Value, b: Value): void {
  comparison.args = [a, b, ...comparison.args.slice(2)];
}

/** Both upper halves are zero, or both are the sign of the lower: they cannot decide. */
function canNarrow(condition: JumpCondition, a: Value, b: Value): boolean {
  const unsigned = !condition.startsWith('s') || condition === 'set';
  const bits = Math.max(significantBits(a), significantBits(b));
  if (unsigned ? bits <= 32 : bits <= 31) return true;
  // Sign-extended values compare alike in 32 bits, signed or for equality.
  return (!unsigned || isEquality(condition)) && isSignExtended(a) && isSignExtended(b);
}

const isSignExtended = (value: Value): boolean =>
  (value.op === 'sext' && value.size <= 4 && value.width === 64) ||
  (value.op === 'const' && value.hi === value.lo >> 31);

/** Only the low halves are compared: extensions of them are beside the point. */
function peelExtensions(comparison: Comparison, a: Value, b: Value): boolean {
  const left = lowHalf(a);
  const right = lowHalf(b);
  if (left === a && right === b) return false;
  setSides(comparison, left, right);
  return true;
}

/** A value with the same low 32 bits that needs no extension. */
export function lowHalf(value: Value): Value {
  let low = value;
  while ((low.op === 'zext' || low.op === 'sext') && low.size === 4) low = low.args[0]!;
  return low;
}

/** a - b and a ^ b are zero when a = b; a swapped value equals a constant when it equals its swap. */
function improveEquality(fn: IrFunction, comparison: Comparison, a: Value, b: Value): boolean {
  if (b.op !== 'const') return false;
  const zero = b.lo === 0 && (b.hi === 0 || comparison.width === 32);
  if (zero && (a.op === 'sub' || a.op === 'xor') && a.width === comparison.width) {
    setSides(comparison, a.args[0]!, a.args[1]!);
    return true;
  }
  if (zero && a.op === 'select') return askSelection(comparison, a);
  const fits = a.op === 'bswap' && significantBits(a.args[0]!) <= a.size * 8;
  if (!fits || significantBits(b) > Math.min(comparison.width, a.size * 8)) return false;
  if (comparison.width === 32 && a.size === 8) return false;
  const swapped = bswap(b, a.size);
  setSides(comparison, a.args[0]!, newConstant(fn, swapped.lo, swapped.hi, comparison.pc));
  return true;
}

/** (c ? x : 0) is zero exactly when c does not hold, for an x that is never zero; likewise reversed. */
function askSelection(comparison: Comparison, choice: Value): boolean {
  const [a, b, whenTrue, whenFalse] = choice.args as [Value, Value, Value, Value];
  if (comparison.width !== 64) return false;
  const zeroWhenFalse = isNonZero(whenTrue) && isConstant(whenFalse, 0, 0);
  const zeroWhenTrue = isNonZero(whenFalse) && isConstant(whenTrue, 0, 0);
  if (!zeroWhenFalse && !zeroWhenTrue) return false;
  const holds = (comparison.condition === 'ne') === zeroWhenFalse;
  const condition = holds ? choice.condition! : NEGATED[choice.condition!];
  if (condition === undefined) return false;
  comparison.condition = condition;
  comparison.width = choice.width;
  setSides(comparison, a, b);
  return true;
}

const NEGATED: Readonly<Record<JumpCondition, JumpCondition | undefined>> = {
  eq: 'ne',
  ne: 'eq',
  set: undefined,
  gt: 'le',
  ge: 'lt',
  lt: 'ge',
  le: 'gt',
  sgt: 'sle',
  sge: 'slt',
  slt: 'sge',
  sle: 'sgt',
};
