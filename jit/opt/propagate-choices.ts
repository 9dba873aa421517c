/**
 * Where a branch has settled a comparison, a selection by the same comparison is settled too: on
 * the way that is taken, its users get the chosen side directly. After a null check of an inlined
 * look-up this leaves an address and no conditional move.
 */

import type { JumpCondition } from '../../isa/index.ts';
import type { Block, IrFunction, Value } from '../ir/ir.ts';
import { dominates, findDominators, placesOf } from '../ir/order.ts';

export function propagateChoices(fn: IrFunction): void {
  const selections = findSelections(fn);
  if (selections.size === 0) return;
  const dominators = findDominators(fn);
  const places = placesOf(fn);
  for (const block of fn.blocks) {
    const { kind, targets, args } = block.terminator;
    if (kind !== 'branch') continue;
    for (const selection of selections.get(args[0]!) ?? []) {
      const meaning = isDecidedBy(selection, block);
      if (meaning === undefined) continue;
      const [, , whenTrue, whenFalse] = selection.args as [Value, Value, Value, Value];
      const sides = meaning === 'same' ? [whenTrue, whenFalse] : [whenFalse, whenTrue];
      for (const [i, target] of targets.entries()) {
        // With another way in, the target does not know that the branch was taken.
        if (target.predecessors.length !== 1) continue;
        substitute(fn, selection, sides[i]!, (at) =>
          dominates(dominators, places[target.id]!, places[at.id]!),
        );
      }
    }
  }
}

/** By the left side of their comparison, which is no constant after simplification. */
function findSelections(fn: IrFunction): ReadonlyMap<Value, Value[]> {
  const selections = new Map<Value, Value[]>();
  for (const block of fn.blocks) {
    for (const value of block.values) {
      if (value.op !== 'select') continue;
      const list = selections.get(value.args[0]!);
      if (list) list.push(value);
      else selections.set(value.args[0]!, [value]);
    }
  }
  return selections;
}

const OPPOSITES: Readonly<Partial<Record<JumpCondition, JumpCondition>>> = {
  eq: 'ne',
  ne: 'eq',
  gt: 'le',
  le: 'gt',
  ge: 'lt',
  lt: 'ge',
  sgt: 'sle',
  sle: 'sgt',
  sge: 'slt',
  slt: 'sge',
};

function isDecidedBy(selection: Value, { terminator }: Block): 'same' | 'opposite' | undefined {
  if (selection.width !== terminator.width) return undefined;
  if (!isSameOperand(selection.args[1]!, terminator.args[1]!)) return undefined;
  if (selection.condition === terminator.condition) return 'same';
  return selection.condition === OPPOSITES[terminator.condition] ? 'opposite' : undefined;
}

const isSameOperand = (a: Value, b: Value): boolean =>
  a === b || (a.op === 'const' && b.op === 'const' && a.lo === b.lo && a.hi === b.hi);

/** Replaces `value` by `by` in the blocks that `isInside`; phis read at the end of a predecessor. */
function substitute(
  fn: IrFunction,
  value: Value,
  by: Value,
  isInside: (block: Block) => boolean,
): void {
  const change = (args: Value[]): void => {
    for (let i = 0; i < args.length; i++) if (args[i] === value) args[i] = by;
  };
  for (const block of fn.blocks) {
    for (const [i, predecessor] of block.predecessors.entries()) {
      if (!isInside(predecessor)) continue;
      for (const phi of block.phis) if (phi.args[i] === value) phi.args[i] = by;
    }
    if (!isInside(block)) continue;
    for (const user of block.values) change(user.args);
    change(block.terminator.args);
  }
}
