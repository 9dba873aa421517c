/**
 * Branches that only choose between values become selections. BPF has no conditional move, so
 * compilers for it write `c ? a : b` as a branch around a move; a machine executes the choice
 * without guessing. Only what a compiler would have made of a choice is converted: the sides hold at
 * most one cheap operation, and at most two values differ.
 */

import {
  type Block,
  type IrFunction,
  jump,
  newValue,
  replace,
  resolveAll,
  type Value,
} from '../ir/ir.ts';
import { orderBlocks } from '../ir/order.ts';
import { removeTrivialPhis } from '../ir/variables.ts';

const MAX_CHOICES = 2;
const MAX_SPECULATED = 1;
/** A choice can become the side of an outer choice; deeper nests are rare. */
const MAX_ROUNDS = 3;

export function convertBranches(fn: IrFunction): void {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    let changed = false;
    for (let i = fn.blocks.length - 1; i >= 0; i--) {
      if (convertBranch(fn, fn.blocks[i]!)) changed = true;
    }
    if (!changed) return;
    orderBlocks(fn);
    removeTrivialPhis(fn);
    resolveAll(fn);
    mergeBlocks(fn);
  }
}

interface Choice {
  readonly join: Block;
  /** The predecessors of `join` when the condition holds and when not; the branch itself or a side. */
  readonly whenTrue: Block;
  readonly whenFalse: Block;
}

function findChoice(block: Block): Choice | undefined {
  if (block.terminator.kind !== 'branch') return undefined;
  const [taken, otherwise] = block.terminator.targets as [Block, Block];
  const takenJoin = joinBehind(taken, block);
  const otherwiseJoin = joinBehind(otherwise, block);
  if (takenJoin !== undefined && takenJoin === otherwiseJoin) {
    return { join: takenJoin, whenTrue: taken, whenFalse: otherwise };
  }
  if (takenJoin === otherwise) return { join: otherwise, whenTrue: taken, whenFalse: block };
  if (otherwiseJoin === taken) return { join: taken, whenTrue: block, whenFalse: otherwise };
  return undefined;
}

/** Where a side leads, if it is one: reached from `block` alone, next to empty, ending in a jump. */
function joinBehind(side: Block, block: Block): Block | undefined {
  if (side.predecessors.length !== 1 || side.terminator.kind !== 'jump') return undefined;
  if (side.phis.length > 0 || side.values.length > MAX_SPECULATED) return undefined;
  if (!side.values.every(isCheap)) return undefined;
  const join = side.terminator.targets[0]!;
  return join === block || join === side ? undefined : join;
}

function isCheap(value: Value): boolean {
  switch (value.op) {
    case 'add':
    case 'sub':
    case 'and':
    case 'or':
    case 'xor':
    case 'neg':
    case 'zext':
    case 'sext':
      return true;
    case 'shl':
    case 'shr':
    case 'sar':
      return value.args[1]!.op === 'const';
    default:
      return false;
  }
}

function convertBranch(fn: IrFunction, block: Block): boolean {
  const choice = findChoice(block);
  if (choice === undefined) return false;
  const { join, whenTrue, whenFalse } = choice;
  const trueEdge = join.predecessors.indexOf(whenTrue);
  const falseEdge = join.predecessors.indexOf(whenFalse);
  const choices = join.phis.filter((phi) => phi.args[trueEdge] !== phi.args[falseEdge]);
  if (choices.length > MAX_CHOICES) return false;
  for (const side of [whenTrue, whenFalse]) if (side !== block) block.values.push(...side.values);
  const { terminator } = block;
  for (const phi of choices) {
    const [a, b] = terminator.args as [Value, Value];
    const args = [a, b, phi.args[trueEdge]!, phi.args[falseEdge]!];
    const value = newValue(fn, 'select', terminator.width, args, terminator.pc);
    value.condition = terminator.condition;
    block.values.push(value);
    phi.args[trueEdge] = value;
  }
  join.predecessors[trueEdge] = block;
  dropEdge(join, falseEdge);
  block.terminator = jump(join, terminator.pc);
  for (const side of [whenTrue, whenFalse]) if (side !== block) detach(side);
  return true;
}

function dropEdge(join: Block, edge: number): void {
  join.predecessors.splice(edge, 1);
  for (const phi of join.phis) phi.args.splice(edge, 1);
}

/** A side is unreachable now; it keeps nothing, so that `orderBlocks` drops it quietly. */
function detach(side: Block): void {
  side.values = [];
  side.predecessors = [];
  side.terminator = { ...side.terminator, kind: 'trap', targets: [], args: [] };
}

/** Joins a block with its only successor when it is that block's only predecessor. */
export function mergeBlocks(fn: IrFunction): void {
  let merged = false;
  for (const block of fn.blocks) {
    while (mergeNext(block)) merged = true;
  }
  if (!merged) return;
  removeTrivialPhis(fn);
  resolveAll(fn);
  orderBlocks(fn);
}

function mergeNext(block: Block): boolean {
  if (block.terminator.kind !== 'jump') return false;
  const next = block.terminator.targets[0]!;
  if (next.predecessors.length !== 1 || next === block) return false;
  for (const phi of next.phis) replace(phi, phi.args[0]!);
  block.values.push(...next.values);
  block.terminator = next.terminator;
  for (const target of block.terminator.targets) {
    target.predecessors[target.predecessors.indexOf(next)] = block;
  }
  next.phis = [];
  detach(next);
  return true;
}
