/**
 * Operations whose meaning in BPF is more than one machine operation, written out as control flow
 * so that later passes can see and improve the parts:
 *
 * - a division whose divisor may be zero: the quotient is 0 then, the remainder the dividend
 *   (RFC 9669 section 4.1); a signed one by -1 is a negation, since the quotient of INT_MIN traps
 *   on x64 and wraps in BPF;
 * - fetching `or`, `and`, `xor`, for which machines offer a compare-and-exchange.
 */

import type { AtomicOperation } from '../../isa/index.ts';
import {
  type Block,
  branch,
  type IrFunction,
  jump,
  newBlock,
  newConstant,
  newValue,
  type Op,
  replace,
  resolveAll,
  type Value,
} from '../ir/ir.ts';
import { orderBlocks } from '../ir/order.ts';

/** Writes out every division that may trap. */
export function expandDivisions(fn: IrFunction): void {
  expandWhere(fn, needsGuard, expandDivision);
}

/** Writes out the atomics that are loops. */
export function expandAtomics(fn: IrFunction): void {
  expandWhere(fn, (value) => LOOP_OPERATIONS[value.atomic!] !== undefined, expandAtomic);
}

function expandWhere(
  fn: IrFunction,
  isMeant: (value: Value) => boolean,
  expand: (fn: IrFunction, block: Block, value: Value, rest: Block) => Value,
): void {
  let changed = false;
  for (let i = 0; i < fn.blocks.length; i++) {
    const block = fn.blocks[i]!;
    const index = block.values.findIndex(isMeant);
    if (index < 0) continue;
    const value = block.values[index]!;
    const rest = splitAfter(fn, block, index);
    replace(value, expand(fn, block, value, rest));
    changed = true;
  }
  if (!changed) return;
  orderBlocks(fn);
  resolveAll(fn);
}

/** Cuts `block` at the value at `index`, which leaves it; what follows moves to a new block. */
function splitAfter(fn: IrFunction, block: Block, index: number): Block {
  const rest = newBlock(fn, block.pc);
  rest.values = block.values.splice(index + 1);
  block.values.pop();
  rest.terminator = block.terminator;
  for (const target of rest.terminator.targets) {
    target.predecessors[target.predecessors.indexOf(block)] = rest;
  }
  fn.blocks.push(rest);
  return rest;
}

function addBlock(fn: IrFunction, pc: number, predecessors: Block[]): Block {
  const block = newBlock(fn, pc);
  block.predecessors = predecessors;
  fn.blocks.push(block);
  return block;
}

function addPhi(fn: IrFunction, block: Block, args: Value[]): Value {
  const phi = newValue(fn, 'phi', 64, args, block.pc);
  block.phis.push(phi);
  return phi;
}

function addValue(fn: IrFunction, block: Block, like: Value, op: Op, args: Value[]): Value {
  const value = newValue(fn, op, like.width, args, like.pc);
  block.values.push(value);
  return value;
}

function needsGuard(value: Value): boolean {
  if (value.op === 'div' || value.op === 'mod') return !value.divisor?.nonZero;
  if (value.op !== 'sdiv' && value.op !== 'smod') return false;
  return !(value.divisor?.nonZero && value.divisor.notMinusOne);
}

/**
 * One guard for each value that the divisor may still take; the division itself comes back into
 * the stream, guarded, so a signed one may be visited twice.
 */
function expandDivision(fn: IrFunction, block: Block, value: Value, rest: Block): Value {
  const { pc, width } = value;
  const [dividend, divisor] = value.args as [Value, Value];
  const zero = newConstant(fn, 0, 0, pc);
  const isZeroCheck = !value.divisor?.nonZero;
  const excluded = isZeroCheck ? zero : newConstant(fn, -1, width === 64 ? -1 : 0, pc);
  const special = addBlock(fn, pc, [block]);
  const usual = addBlock(fn, pc, [block]);
  block.terminator = branch('eq', width, [divisor, excluded], [special, usual], pc);
  const divided = addValue(fn, usual, value, value.op, [dividend, divisor]);
  const notMinusOne = !isZeroCheck || (value.divisor?.notMinusOne ?? false);
  divided.divisor = { nonZero: true, notMinusOne };
  const exception = isZeroCheck
    ? byZero(fn, special, value, dividend)
    : byMinusOne(fn, special, value, dividend);
  special.terminator = jump(rest, pc);
  usual.terminator = jump(rest, pc);
  rest.predecessors = [special, usual];
  return addPhi(fn, rest, [exception, divided]);
}

const isQuotient = ({ op }: Value): boolean => op === 'div' || op === 'sdiv';

function byZero(fn: IrFunction, block: Block, value: Value, dividend: Value): Value {
  if (isQuotient(value)) return newConstant(fn, 0, 0, value.pc);
  if (value.width === 64) return dividend;
  const low = addValue(fn, block, value, 'zext', [dividend]);
  low.width = 64;
  low.size = 4;
  return low;
}

function byMinusOne(fn: IrFunction, block: Block, value: Value, dividend: Value): Value {
  if (!isQuotient(value)) return newConstant(fn, 0, 0, value.pc);
  return addValue(fn, block, value, 'neg', [dividend]);
}

const LOOP_OPERATIONS: Partial<Record<AtomicOperation, Op>> = {
  fetch_or: 'or',
  fetch_and: 'and',
  fetch_xor: 'xor',
};

/**
 * old = load; do { seen = old; old = cmpxchg(address, seen, seen op operand) } while (old != seen).
 * The first load may be stale, which costs a round: the exchange decides.
 */
function expandAtomic(fn: IrFunction, block: Block, value: Value, rest: Block): Value {
  const { pc, width } = value;
  const [address, operand] = value.args as [Value, Value];
  const first = addAccess(fn, block, value, 'load', [address]);
  first.width = 64;
  const loop = addBlock(fn, pc, [block]);
  block.terminator = jump(loop, pc);
  const seen = addPhi(fn, loop, []);
  const desired = addValue(fn, loop, value, LOOP_OPERATIONS[value.atomic!]!, [seen, operand]);
  const old = addAccess(fn, loop, value, 'atomic', [address, seen, desired]);
  old.atomic = 'cmpxchg';
  seen.args = [first, old];
  loop.predecessors.push(loop);
  loop.terminator = branch('ne', width, [old, seen], [loop, rest], pc);
  rest.predecessors = [loop];
  return old;
}

function addAccess(
  fn: IrFunction,
  block: Block,
  like: Value,
  op: 'load' | 'atomic',
  args: Value[],
): Value {
  const value = addValue(fn, block, like, op, args);
  value.size = like.size;
  value.disp = like.disp;
  value.memory = like.memory;
  return value;
}
