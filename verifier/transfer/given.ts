/** Objects of the program's own types as results of calls. */

import type { SpecialField } from '../../btf/index.ts';
import { type Contract, hasFlag } from '../contract.ts';
import type { Walk } from '../explore/walk.ts';
import { type Allocation, setAllocation } from '../resources/allocated.ts';
import { type Content, setNode } from '../resources/graph.ts';
import { setExchanged } from '../resources/kptr.ts';
import * as L from '../state/layout.ts';

/** What such a result depends on, read before the arguments are lost. */
export interface Given {
  readonly allocation: Allocation | undefined;
  readonly content: Content | undefined;
  /** The field whose pointer the call exchanges. */
  readonly exchanged: SpecialField | undefined;
}

/** Puts the result into r0; false where the call returns something else. */
export function setGiven(walk: Walk, callee: Contract, given: Given): boolean {
  const { state } = walk;
  const r0 = state.register(0);
  if (given.exchanged !== undefined) {
    setExchanged(walk, r0, given.exchanged);
    return true;
  }
  if (given.allocation !== undefined) {
    setAllocation(walk, r0, callee, given.allocation);
    return true;
  }
  const { kind } = callee.returns;
  if (given.content === undefined || (kind !== 'list-node' && kind !== 'rbtree-node')) return false;
  setNode(walk, state, r0, given.content, nodeFlags(walk, callee, given.content));
  return true;
}

function nodeFlags(walk: Walk, callee: Contract, { typeId }: Content): number {
  const nullable = hasFlag(callee, 'ret-null') ? L.FLAG_NULLABLE : 0;
  if (!callee.returns.nonOwning) return nullable;
  const counted = walk.subject.types.ofType(typeId).some(({ kind }) => kind === 'refcount');
  return nullable | L.FLAG_BORROWED | (counted ? L.FLAG_RCU : 0);
}
