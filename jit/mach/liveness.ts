/**
 * Which virtual registers are live into each block.
 *
 * In SSA form a value is live into a block if some use can be reached from the block's start without
 * passing the definition; so each use is walked backwards to the definition, and a walk stops where
 * an earlier walk for the same value went. The work is proportional to the answer, which matters for
 * programs of a million instructions, where bit sets for every block would not fit in memory.
 */

import { InternalError } from '../../isa/index.ts';
import type { Layout } from './layout.ts';
import { isDefinition, vregOf } from './types.ts';

/** Live-in values of each block, in no particular order. */
export type LiveIn = readonly (readonly number[])[];

export function findLiveIn(layout: Layout): LiveIn {
  const { code } = layout;
  const definedIn = definingBlocks(layout);
  const uses = usesByValue(layout, definedIn);
  const liveIn = code.blocks.map((): number[] => []);
  const work: number[] = [];
  for (let v = 0; v < code.vregCount; v++) {
    const home = definedIn[v]!;
    for (let u = uses.heads[v]!; u >= 0; u = uses.next[u]!) {
      work.push(uses.block[u]!);
      while (work.length > 0) {
        const b = work.pop()!;
        const live = liveIn[b]!;
        // Values come in order, so one that was walked already is at the end of the list.
        if (b === home || live.at(-1) === v) continue;
        live.push(v);
        const predecessors = layout.predecessors[b]!;
        if (predecessors.length === 0) {
          throw new InternalError('register allocation', `v${v} is used before it is defined`);
        }
        for (const p of predecessors) work.push(p);
      }
    }
  }
  return liveIn;
}

/** Block that defines each value; -1: none. */
function definingBlocks({ code }: Layout): Int32Array {
  const definedIn = new Int32Array(code.vregCount).fill(-1);
  const defineIn = (v: number, b: number) => {
    if (definedIn[v] !== -1) {
      throw new InternalError('register allocation', `v${v} is defined twice`);
    }
    definedIn[v] = b;
  };
  code.blocks.forEach((block, b) => {
    for (const v of block.parameters) defineIn(v, b);
    for (const inst of block.instructions) {
      for (const operand of inst.operands) if (isDefinition(operand)) defineIn(vregOf(operand), b);
    }
  });
  return definedIn;
}

/** The blocks that use each value other than their own, as linked lists. */
function usesByValue({ code }: Layout, definedIn: Int32Array) {
  const heads = new Int32Array(code.vregCount).fill(-1);
  const next: number[] = [];
  const block: number[] = [];
  const add = (v: number, b: number) => {
    const last = heads[v]!;
    if (definedIn[v] === b || (last >= 0 && block[last] === b)) return;
    if (definedIn[v] === -1) {
      throw new InternalError('register allocation', `v${v} is used and never defined`);
    }
    block.push(b);
    heads[v] = next.push(last) - 1;
  };
  code.blocks.forEach(({ instructions, arguments: values }, b) => {
    for (const { operands } of instructions) {
      for (const operand of operands) if (!isDefinition(operand)) add(vregOf(operand), b);
    }
    for (const list of values) for (const v of list) add(v, b);
  });
  return { heads, next, block };
}
