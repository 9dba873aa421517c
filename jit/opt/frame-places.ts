/**
 * Where in the own stack frame an access or an address lies, and which frame bytes others may touch.
 */

import type { IrFunction, Value } from '../ir/ir.ts';

interface Range {
  readonly low: number;
  readonly high: number;
}

/** Offset from r10 of an address that is r10 plus a constant. */
export function frameOffset(address: Value): number | undefined {
  let offset = 0;
  let value = address;
  while (value.op === 'add' && value.width === 64 && value.args[1]!.op === 'const') {
    const step = value.args[1]!;
    if (step.hi !== step.lo >> 31) return undefined;
    offset += step.lo;
    value = value.args[0]!;
  }
  return value.op === 'frame' ? offset : undefined;
}

/** Offset from r10 of the bytes that a load, store or atomic touches. */
export function framePlace(value: Value): number | undefined {
  if (value.op !== 'load' && value.op !== 'store' && value.op !== 'atomic') return undefined;
  const base = frameOffset(value.args[0]!);
  return base === undefined ? undefined : base + value.disp;
}

/**
 * The frame bytes whose address is passed on or computed; undefined: none. Every such address comes
 * from the `frame` value, so where the IR uses none (any more) as a value, nothing escapes, whatever
 * the fact says of the program as written. Otherwise the fact bounds the bytes; as a safeguard, every
 * address in use must be covered by it: if one is not, the answer is 'unknown' and nothing may be
 * moved out of memory.
 */
export function reconcileEscapes(fn: IrFunction): Range | undefined | 'unknown' {
  const { escaping } = fn;
  let covered = true;
  let used = false;
  const see = (arg: Value, isAddress: boolean): void => {
    const offset = isAddress ? undefined : frameOffset(arg);
    if (offset === undefined) return;
    used = true;
    covered &&= escaping !== undefined && offset >= escaping.low && offset <= escaping.high;
  };
  for (const block of fn.blocks) {
    for (const phi of block.phis) for (const arg of phi.args) see(arg, false);
    for (const value of block.values) {
      const accesses = value.op === 'load' || value.op === 'store' || value.op === 'atomic';
      const steps = frameOffset(value) !== undefined;
      for (const [i, arg] of value.args.entries()) see(arg, steps || (accesses && i === 0));
    }
    for (const arg of block.terminator.args) see(arg, false);
  }
  if (!used) return undefined;
  return covered ? escaping : 'unknown';
}
