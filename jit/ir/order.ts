/**
 * Order and dominance: reverse post order of the blocks, and the immediate dominators by the
 * algorithm of Cooper, Harvey and Kennedy (2001, "A Simple, Fast Dominance Algorithm").
 */

import type { Block, IrFunction } from './ir.ts';

/**
 * Puts the blocks into reverse post order and drops those that the entry no longer reaches,
 * together with the phi arguments that came from them. A branch's second target (not taken) is
 * visited last, so that it follows its branch where it can.
 */
export function orderBlocks(fn: IrFunction): void {
  const seen = new Uint8Array(fn.blockCount);
  const postOrder: Block[] = [];
  const path: Block[] = [fn.blocks[0]!];
  const next: number[] = [0];
  seen[fn.blocks[0]!.id] = 1;
  while (path.length > 0) {
    const top = path.length - 1;
    const block = path[top]!;
    const target = block.terminator.targets[next[top]!++];
    if (target === undefined) {
      postOrder.push(block);
      path.pop();
      next.pop();
    } else if (seen[target.id] === 0) {
      seen[target.id] = 1;
      path.push(target);
      next.push(0);
    }
  }
  const dropped = fn.blocks.length !== postOrder.length;
  fn.blocks = postOrder.reverse();
  if (!dropped) return;
  for (const block of fn.blocks) {
    for (let i = block.predecessors.length - 1; i >= 0; i--) {
      if (seen[block.predecessors[i]!.id] === 0) removePredecessor(block, i);
    }
  }
}

function removePredecessor(block: Block, index: number): void {
  block.predecessors.splice(index, 1);
  for (const phi of block.phis) phi.args.splice(index, 1);
}

/** Forgets the edge `from` → `to`; the caller changes the terminator. */
export function removeEdge(from: Block, to: Block): void {
  removePredecessor(to, to.predecessors.indexOf(from));
}

/** Immediate dominator of each block by its place in `fn.blocks`; the entry is its own. */
export function findDominators(fn: IrFunction): Int32Array {
  const places = placesOf(fn);
  const dominators = new Int32Array(fn.blocks.length).fill(-1);
  dominators[0] = 0;
  let changed = true;
  while (changed) {
    changed = false;
    for (let place = 1; place < fn.blocks.length; place++) {
      let dominator = -1;
      for (const predecessor of fn.blocks[place]!.predecessors) {
        const other = places[predecessor.id]!;
        if (dominators[other] === -1) continue;
        dominator = dominator === -1 ? other : meet(dominators, dominator, other);
      }
      if (dominators[place] !== dominator) {
        dominators[place] = dominator;
        changed = true;
      }
    }
  }
  return dominators;
}

function meet(dominators: Int32Array, first: number, second: number): number {
  let a = first;
  let b = second;
  while (a !== b) {
    while (a > b) a = dominators[a]!;
    while (b > a) b = dominators[b]!;
  }
  return a;
}

/** Block id → its place in `fn.blocks`. */
export function placesOf(fn: IrFunction): Int32Array {
  const places = new Int32Array(fn.blockCount).fill(-1);
  for (let place = 0; place < fn.blocks.length; place++) places[fn.blocks[place]!.id] = place;
  return places;
}

/** Whether place `above` dominates place `below`. */
export function dominates(dominators: Int32Array, above: number, below: number): boolean {
  let place = below;
  while (place > above) place = dominators[place]!;
  return place === above;
}
