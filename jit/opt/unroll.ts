/**
 * Small loops of one block are written out several times, each copy with its own exit. A loop that
 * small spends its time on the jump back; with copies, one jump serves several rounds, and counters
 * of neighbouring copies fold into displacements. Nothing need be known of the number of rounds, and
 * every load and store still happens exactly as often as before.
 */

import { type Block, type IrFunction, newBlock, newValue, type Value } from '../ir/ir.ts';
import { orderBlocks } from '../ir/order.ts';

/** Instructions that all copies together may have. */
const MAX_VALUES = 28;
const MAX_COPIES = 4;
/** Each loop costs a walk over the function to find the users behind it: this keeps that linear. */
const MAX_LOOPS = 32;

export function unrollLoops(fn: IrFunction): void {
  let unrolled = 0;
  for (const block of [...fn.blocks]) {
    if (unrolled === MAX_LOOPS) break;
    const copies = Math.min(MAX_COPIES, Math.floor(MAX_VALUES / Math.max(1, block.values.length)));
    if (copies < 2 || !isMeant(block)) continue;
    unroll(fn, block, copies);
    unrolled++;
  }
  if (unrolled > 0) orderBlocks(fn);
}

/** A block that branches to itself and calls nothing. Its exit must have no other way in. */
function isMeant(block: Block): boolean {
  const { terminator, predecessors, values } = block;
  if (terminator.kind !== 'branch' || predecessors.length !== 2) return false;
  if (!terminator.targets.includes(block)) return false;
  return values.every(({ op }) => op !== 'call' && op !== 'atomic');
}

function unroll(fn: IrFunction, loop: Block, copies: number): void {
  const back = loop.predecessors.indexOf(loop);
  const exit = loop.terminator.targets.find((target) => target !== loop)!;
  const copied: Copy[] = [{ block: loop, values: identity(loop) }];
  for (let i = 1; i < copies; i++) copied.push(copyBlock(fn, loop, copied[i - 1]!, back));
  for (let i = 0; i < copies; i++) {
    const { block } = copied[i]!;
    const next = copied[(i + 1) % copies]!.block;
    block.terminator.targets = block.terminator.targets.map((t) => (t === exit ? exit : next));
  }
  closeLoop(loop, copied[copies - 1]!, back);
  joinExits(fn, loop, exit, copied);
}

/** What each phi and value of the loop is in one copy. */
interface Copy {
  readonly block: Block;
  readonly values: Map<Value, Value>;
}

function identity(loop: Block): Map<Value, Value> {
  return new Map([...loop.phis, ...loop.values].map((value) => [value, value]));
}

/** The next round: a phi of the loop is what the round before passes to it. */
function copyBlock(fn: IrFunction, loop: Block, previous: Copy, back: number): Copy {
  const block = newBlock(fn, loop.pc);
  const values = new Map<Value, Value>();
  for (const phi of loop.phis) {
    const passed = phi.args[back]!;
    values.set(phi, previous.values.get(passed) ?? passed);
  }
  const translate = (arg: Value): Value => values.get(arg) ?? arg;
  for (const value of loop.values) {
    const args = value.args.map(translate);
    const copy = { ...value, id: newValue(fn, value.op, value.width, args, value.pc).id, args };
    values.set(value, copy);
    block.values.push(copy);
  }
  const { terminator } = loop;
  block.terminator = {
    ...terminator,
    args: terminator.args.map(translate),
    targets: [...terminator.targets],
  };
  block.predecessors = [previous.block];
  fn.blocks.push(block);
  return { block, values };
}

function closeLoop(loop: Block, last: Copy, back: number): void {
  loop.predecessors[back] = last.block;
  for (const phi of loop.phis) {
    const passed = phi.args[back]!;
    phi.args[back] = last.values.get(passed) ?? passed;
  }
}

/**
 * Every copy leaves to one new block, where phis choose the values of the round that left; users
 * outside the loop read those.
 */
function joinExits(fn: IrFunction, loop: Block, exit: Block, copied: readonly Copy[]): void {
  const join = newBlock(fn, exit.pc);
  join.predecessors = copied.map(({ block }) => block);
  join.terminator = { ...loop.terminator, kind: 'jump', args: [], targets: [exit] };
  fn.blocks.push(join);
  const chosen = new Map<Value, Value>();
  const choose = (value: Value): Value => {
    if (!copied[0]!.values.has(value)) return value;
    let phi = chosen.get(value);
    if (!phi) {
      phi = newValue(
        fn,
        'phi',
        64,
        copied.map(({ values }) => values.get(value)!),
        exit.pc,
      );
      join.phis.push(phi);
      chosen.set(value, phi);
    }
    return phi;
  };
  const inside = new Set<Block>(copied.map(({ block }) => block));
  const edge = exit.predecessors.indexOf(loop);
  exit.predecessors[edge] = join;
  for (const phi of exit.phis) phi.args[edge] = choose(phi.args[edge]!);
  for (const block of fn.blocks) {
    if (inside.has(block) || block === join) continue;
    if (block !== exit) replaceArgs(block.phis, choose);
    else
      for (const phi of exit.phis)
        phi.args = phi.args.map((arg, i) => (i === edge ? arg : choose(arg)));
    replaceArgs(block.values, choose);
    block.terminator.args = block.terminator.args.map(choose);
  }
  for (const { block } of copied) {
    block.terminator.targets = block.terminator.targets.map((t) => (t === exit ? join : t));
  }
}

function replaceArgs(values: readonly Value[], choose: (value: Value) => Value): void {
  for (const value of values) if (value.args.length > 0) value.args = value.args.map(choose);
}
