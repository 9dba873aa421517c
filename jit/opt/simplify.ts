/**
 * One value at a time: constants folded, operations that change nothing removed, and the idioms in
 * which BPF compilers write what a machine has one instruction for (a pair of shifts is an
 * extension, two opposite shifts joined by `or` are a rotation).
 *
 * Blocks are visited in reverse post order, so that arguments are in simplest form before their
 * users; phis of loops are the exception, hence the rounds. The pass never adds a value to a block:
 * it changes a value in place or replaces it by an existing or floating one.
 */

import type { Block, IrFunction, Value } from '../ir/ir.ts';
import { jump, newConstant, OPS, replace, resolveAll, resolveArgs } from '../ir/ir.ts';
import { orderBlocks, removeEdge } from '../ir/order.ts';
import { removeTrivialPhis } from '../ir/variables.ts';
import { foldOne, foldTwo, type Words } from '../ir/words.ts';
import { decide, simplifyComparison } from './simplify-branch.ts';
import { ruleFor } from './simplify-rules.ts';

/** Two rounds reach nearly everything; more pay only for loops nested in loops. */
const MAX_ROUNDS = 4;

export function simplify(fn: IrFunction): void {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    let changed = false;
    for (const block of fn.blocks) {
      if (simplifyBlock(fn, block)) changed = true;
    }
    if (!changed) return;
    orderBlocks(fn);
    removeTrivialPhis(fn);
    resolveAll(fn);
  }
}

function simplifyBlock(fn: IrFunction, block: Block): boolean {
  let changed = false;
  for (const value of block.values) {
    if (value.op === 'copy') continue;
    resolveArgs(value.args);
    if (simplifyValue(fn, value)) changed = true;
  }
  return simplifyTerminator(fn, block) || changed;
}

/** Applies rules until none fits: each makes the value smaller in the order of `ruleFor`. */
function simplifyValue(fn: IrFunction, value: Value): boolean {
  let changed = false;
  while (value.op !== 'copy') {
    if (!OPS[value.op].pure) return changed;
    const constant = fold(value);
    const result = constant
      ? newConstant(fn, constant.lo, constant.hi, value.pc)
      : ruleFor(fn, value);
    if (result === undefined) return changed;
    if (result !== value) replace(value, result);
    changed = true;
  }
  return changed;
}

/** The value of an operation on constants. */
function fold(value: Value): Words | undefined {
  const { args } = value;
  const a = args[0];
  if (a === undefined || a.op !== 'const') return undefined;
  if (args.length === 1) return foldOne(value.op, value.width, value.size, a, value.lo);
  const b = args[1]!;
  if (args.length !== 2 || b.op !== 'const') return undefined;
  return foldTwo(value.op, value.width, a, b);
}

function simplifyTerminator(fn: IrFunction, block: Block): boolean {
  const { terminator } = block;
  resolveArgs(terminator.args);
  if (terminator.kind !== 'branch') return false;
  const changed = simplifyComparison(fn, terminator);
  const { condition, width, args } = terminator;
  const decision = decide(condition, width, args[0]!, args[1]!);
  if (decision === undefined) return changed;
  const [taken, otherwise] = terminator.targets as [Block, Block];
  removeEdge(block, decision ? otherwise : taken);
  block.terminator = jump(decision ? taken : otherwise, terminator.pc);
  return true;
}
