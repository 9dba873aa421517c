/**
 * From variables that are assigned many times (BPF registers, stack slots) to values that are
 * assigned once: the on-the-fly SSA construction of Braun et al. (2013, "Simple and Efficient
 * Construction of Static Single Assignment Form").
 *
 * A read in a block that does not assign the variable asks the predecessors. A block whose
 * predecessors are not all filled yet is *unsealed*: it answers with a phi whose arguments are
 * filled in when it is sealed. The trivial phis this leaves behind (all arguments equal, or itself)
 * are removed by `removeTrivialPhis`, which needs no use lists.
 */

import type { Value } from './ir.ts';
import { type Block, type IrFunction, newConstant, newValue, replace, resolve } from './ir.ts';

export interface Variables {
  readonly fn: IrFunction;
  readonly count: number;
  /** By block id, then variable. */
  readonly definitions: (Value | undefined)[][];
  readonly sealed: boolean[];
  /** Phis that wait for their block to be sealed. */
  readonly waiting: { readonly variable: number; readonly phi: Value }[][];
  /** What a variable holds that was never assigned: verified programs do not depend on it. */
  readonly undefinedValue: Value;
}

export function newVariables(fn: IrFunction, count: number): Variables {
  return {
    fn,
    count,
    definitions: [],
    sealed: [],
    waiting: [],
    undefinedValue: newConstant(fn, 0, 0, fn.start),
  };
}

/** Must be called once for every block before it is read or written. */
export function openBlock(variables: Variables, block: Block): void {
  variables.definitions[block.id] = new Array<Value | undefined>(variables.count).fill(undefined);
  variables.sealed[block.id] = false;
  variables.waiting[block.id] = [];
}

export function assign(variables: Variables, block: Block, variable: number, value: Value): void {
  variables.definitions[block.id]![variable] = value;
}

/**
 * The value of `variable` at the end of `block` as filled so far. The walk up a chain of single
 * predecessors is a loop, so that a long chain of blocks cannot exhaust the stack; a merge stores
 * its phi before it looks further, which ends the walk in cycles.
 */
export function lookUp(variables: Variables, block: Block, variable: number): Value {
  const passed: Block[] = [];
  const pending: { readonly phi: Value; readonly block: Block }[] = [];
  const result = find(variables, block, variable, passed, pending);
  for (let i = 0; i < pending.length; i++) {
    const { phi, block: merge } = pending[i]!;
    for (const predecessor of merge.predecessors) {
      phi.args.push(find(variables, predecessor, variable, [], pending));
    }
  }
  return result;
}

function find(
  variables: Variables,
  start: Block,
  variable: number,
  passed: Block[],
  pending: { readonly phi: Value; readonly block: Block }[],
): Value {
  let block = start;
  let found = variables.definitions[block.id]![variable];
  while (found === undefined) {
    passed.push(block);
    if (!variables.sealed[block.id]) {
      found = newPhi(variables.fn, block);
      variables.waiting[block.id]!.push({ variable, phi: found });
    } else if (block.predecessors.length === 0) {
      found = variables.undefinedValue;
    } else if (block.predecessors.length > 1) {
      found = newPhi(variables.fn, block);
      pending.push({ phi: found, block });
    } else {
      block = block.predecessors[0]!;
      found = variables.definitions[block.id]![variable];
    }
  }
  for (const each of passed) variables.definitions[each.id]![variable] = found;
  return resolve(found);
}

function newPhi(fn: IrFunction, block: Block): Value {
  const phi = newValue(fn, 'phi', 64, [], block.pc);
  phi.args = [];
  block.phis.push(phi);
  return phi;
}

/** To be called when all predecessors of `block` are known and filled. */
export function seal(variables: Variables, block: Block): void {
  if (variables.sealed[block.id]) return;
  variables.sealed[block.id] = true;
  for (const { variable, phi } of variables.waiting[block.id]!) {
    for (const predecessor of block.predecessors) {
      phi.args.push(lookUp(variables, predecessor, variable));
    }
  }
  variables.waiting[block.id] = [];
}

/**
 * Replaces every phi whose arguments are one value (besides itself) by that value. Removing one can
 * make another trivial, so rounds repeat until nothing changes. A phi of nothing but itself belongs
 * to a value that is never used; it becomes 0.
 */
export function removeTrivialPhis(fn: IrFunction): void {
  let changed = true;
  while (changed) {
    changed = false;
    for (const block of fn.blocks) {
      if (block.phis.length === 0) continue;
      let kept = 0;
      for (const phi of block.phis) {
        const sole = soleArgument(phi);
        if (sole === undefined) {
          block.phis[kept++] = phi;
          continue;
        }
        replace(phi, sole === phi ? newConstant(fn, 0, 0, phi.pc) : sole);
        changed = true;
      }
      block.phis.length = kept;
    }
  }
}

/** The one value that `phi` merges, `phi` itself where there is none, undefined for several. */
function soleArgument(phi: Value): Value | undefined {
  let sole = phi;
  for (let i = 0; i < phi.args.length; i++) {
    const arg = resolve(phi.args[i]!);
    phi.args[i] = arg;
    if (arg === phi || arg === sole) continue;
    if (sole !== phi && !sameConstant(arg, sole)) return undefined;
    sole = arg;
  }
  return sole;
}

function sameConstant(a: Value, b: Value): boolean {
  return a.op === 'const' && b.op === 'const' && a.lo === b.lo && a.hi === b.hi;
}
