/**
 * Arithmetic in 32 bits where nobody looks at the upper half. Compilers for BPF without ALU32
 * compute in 64 bits and cut the result; machines compute in 32 bits and cut for nothing.
 *
 * Backward analysis: a value's upper half is *seen* when some user reads it. Phis pass the question
 * on to their own users, so everything starts unseen and seeing spreads until nothing changes. An
 * operation whose upper half nobody sees and whose low half depends on low halves alone becomes an
 * operation of width 32; an extension from 32 bits whose upper half nobody sees is dropped.
 */

import { type IrFunction, replace, resolveAll, type Value } from '../ir/ir.ts';

export function narrowOperations(fn: IrFunction): void {
  const seen = findSeen(fn);
  let changed = false;
  for (const block of fn.blocks) {
    for (const value of block.values) {
      if (seen[value.id] === 1) continue;
      if ((value.op === 'zext' || value.op === 'sext') && value.size === 4) {
        replace(value, value.args[0]!);
        changed = true;
      } else if (value.width === 64 && canNarrow(value)) {
        value.width = 32;
        fixCount(value);
      }
    }
  }
  if (changed) resolveAll(fn);
}

/** Marks every value of which some user reads the upper half. */
function findSeen(fn: IrFunction): Uint8Array {
  const seen = new Uint8Array(fn.valueCount);
  const pending: Value[] = [];
  const see = (arg: Value): void => {
    if (seen[arg.id] === 1) return;
    seen[arg.id] = 1;
    pending.push(arg);
  };
  for (const block of fn.blocks) {
    for (const value of block.values) seeArguments(value, see);
    const { terminator } = block;
    if (terminator.width === 64 || terminator.kind === 'return') terminator.args.forEach(see);
  }
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (value.op === 'phi') value.args.forEach(see);
    else if (passesOn(value)) value.args.forEach(see);
    else if (value.op === 'select') value.args.slice(2).forEach(see);
  }
  return seen;
}

/** Operations that read upper halves only to make the upper half of their result. */
function passesOn(value: Value): boolean {
  return value.width === 64 && canNarrow(value);
}

/** What `value` reads of its arguments whoever uses it. */
function seeArguments(value: Value, see: (arg: Value) => void): void {
  switch (value.op) {
    case 'store':
    case 'atomic':
      see(value.args[0]!);
      if (value.size === 8) value.args.forEach(see);
      return;
    case 'zext':
    case 'sext':
      return;
    case 'bswap':
      if (value.size === 8) value.args.forEach(see);
      return;
    case 'select':
      if (value.width === 64) value.args.slice(0, 2).forEach(see);
      return;
    default:
      if (value.op === 'phi' || value.width === 32 || passesOn(value)) return;
      value.args.forEach(see);
  }
}

function canNarrow(value: Value): boolean {
  switch (value.op) {
    case 'add':
    case 'sub':
    case 'mul':
    case 'and':
    case 'or':
    case 'xor':
    case 'neg':
      return true;
    case 'shl': {
      const count = value.args[1]!;
      return count.op === 'const' && (count.lo & 63) < 32;
    }
    default:
      return false;
  }
}

/** A count of a 64-bit shift is taken modulo 64, so one above 63 must be brought into range. */
function fixCount(value: Value): void {
  const count = value.args[1];
  if (value.op === 'shl' && count && count.lo >>> 0 > 63) {
    value.args = [value.args[0]!, { ...count, lo: count.lo & 63, hi: 0 }];
  }
}
