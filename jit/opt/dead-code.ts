/**
 * Removes what nobody uses: values without effect, loads (which cannot fault: the access was
 * proven), and phis that only feed each other. Marking starts from effects and terminators, so a
 * cycle of phis around a loop is found dead as a whole.
 */

import { type IrFunction, isRemovable, type Value } from '../ir/ir.ts';

export function removeDeadCode(fn: IrFunction): void {
  const live = new Uint8Array(fn.valueCount);
  const pending: Value[] = [];
  const mark = (value: Value): void => {
    if (live[value.id] === 1) return;
    live[value.id] = 1;
    pending.push(value);
  };
  for (const block of fn.blocks) {
    for (const value of block.values) {
      if (!isRemovable(value)) mark(value);
    }
    for (const arg of block.terminator.args) mark(arg);
  }
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    for (const arg of value.args) mark(arg);
  }
  const isLive = (value: Value): boolean => live[value.id] === 1;
  for (const block of fn.blocks) {
    keep(block.phis, isLive);
    keep(block.values, isLive);
  }
}

function keep(values: Value[], isKept: (value: Value) => boolean): void {
  let kept = 0;
  for (const value of values) {
    if (isKept(value)) values[kept++] = value;
  }
  values.length = kept;
}
