/**
 * Whether a function is well-formed: the contract that every pass may rely on and must keep. Run
 * after every pass in tests and when fuzzing; a failure is our own fault and names the pass.
 */

import { InternalError } from '../../isa/index.ts';
import { type Block, type IrFunction, isFloating, OPS, type Value } from './ir.ts';
import { dominates, findDominators, placesOf } from './order.ts';
import { print } from './print.ts';

/** Throws an InternalError that names `pass` and holds the dump, unless `fn` is well-formed. */
export function check(fn: IrFunction, pass: string): void {
  const complaint = findFault(fn);
  if (complaint !== undefined) throw new InternalError(`jit/${pass}`, complaint, print(fn));
}

interface Place {
  readonly block: number;
  readonly index: number;
}

/** The first broken rule, in words. */
export function findFault(fn: IrFunction): string | undefined {
  const defined = new Map<Value, Place>();
  const places = placesOf(fn);
  for (const [place, block] of fn.blocks.entries()) {
    const fault = findEdgeFault(fn, block, places) ?? recordDefinitions(block, place, defined);
    if (fault) return `block ${block.id}: ${fault}`;
  }
  const dominators = findDominators(fn);
  for (const [place, block] of fn.blocks.entries()) {
    const fault = findUseFault(block, place, defined, dominators, places);
    if (fault) return `block ${block.id}: ${fault}`;
  }
  return undefined;
}

const TARGET_COUNTS = { jump: 1, branch: 2, return: 0, trap: 0 } as const;
const TERMINATOR_ARGS = { jump: 0, branch: 2, return: 1, trap: 0 } as const;

function findEdgeFault(fn: IrFunction, block: Block, places: Int32Array): string | undefined {
  const { kind, targets, args } = block.terminator;
  if (targets.length !== TARGET_COUNTS[kind]) return `${kind} with ${targets.length} targets`;
  if (args.length !== TERMINATOR_ARGS[kind]) return `${kind} with ${args.length} arguments`;
  if (kind === 'branch' && targets[0] === targets[1]) return 'both targets are the same block';
  if (block === fn.blocks[0] && block.predecessors.length > 0) return 'the entry is a target';
  for (const target of targets) {
    if (places[target.id] === -1) return `target ${target.id} is not in the function`;
    if (!target.predecessors.includes(block)) return `target ${target.id} does not know the edge`;
  }
  for (const predecessor of block.predecessors) {
    if (places[predecessor.id] === -1) return `predecessor ${predecessor.id} is gone`;
    if (!predecessor.terminator.targets.includes(block)) {
      return `predecessor ${predecessor.id} does not lead here`;
    }
  }
  return undefined;
}

function recordDefinitions(
  block: Block,
  place: number,
  defined: Map<Value, Place>,
): string | undefined {
  for (const phi of block.phis) {
    if (phi.op !== 'phi') return `v${phi.id} among the phis is a ${phi.op}`;
    if (phi.args.length !== block.predecessors.length) return `phi v${phi.id} lacks an argument`;
    defined.set(phi, { block: place, index: -1 });
  }
  for (const [index, value] of block.values.entries()) {
    if (value.op === 'phi' || isFloating(value)) return `v${value.id} (${value.op}) is misplaced`;
    if (defined.has(value)) return `v${value.id} occurs twice`;
    const { arity } = OPS[value.op];
    if (arity !== 'any' && arity !== value.args.length) return `v${value.id} has a wrong arity`;
    defined.set(value, { block: place, index });
  }
  return undefined;
}

function findUseFault(
  block: Block,
  place: number,
  defined: ReadonlyMap<Value, Place>,
  dominators: Int32Array,
  places: Int32Array,
): string | undefined {
  const available = (arg: Value, at: number, index: number): boolean => {
    if (isFloating(arg)) return true;
    const definition = defined.get(arg);
    if (!definition) return false;
    if (definition.block === at) return definition.index < index;
    return dominates(dominators, definition.block, at);
  };
  for (const phi of block.phis) {
    for (const [i, arg] of phi.args.entries()) {
      const predecessor = places[block.predecessors[i]!.id]!;
      if (!available(arg, predecessor, Number.POSITIVE_INFINITY)) {
        return `phi v${phi.id} uses v${arg.id}, which does not reach it`;
      }
    }
  }
  for (const [index, value] of block.values.entries()) {
    for (const arg of value.args) {
      if (!available(arg, place, index)) {
        return `v${value.id} uses v${arg.id} (${arg.op}), which is not available`;
      }
    }
  }
  for (const arg of block.terminator.args) {
    if (!available(arg, place, Number.POSITIVE_INFINITY)) {
      return `the terminator uses v${arg.id} (${arg.op}), which is not available`;
    }
  }
  return undefined;
}
