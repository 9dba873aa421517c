/**
 * From the IR to x64 instructions, block by block and backwards: when a value's turn comes, all its
 * users have been selected, so it is known whether anybody still wants it in a register. A user may
 * cover what it uses (an address, a load, a comparison) with one instruction and then never asks
 * for it; what nobody asks for is not emitted.
 */

import { type Block, type IrFunction, isFloating, type Value } from '../ir/ir.ts';
import { placesOf } from '../ir/order.ts';
import type { MachBlock, MachFunction, MachInst } from '../mach/types.ts';
import { entry } from './build.ts';
import { selectTerminator } from './select-branch.ts';
import { isImmediate, isWanted, registerOf, type Selection } from './select-state.ts';
import { selectValue } from './select-value.ts';

/** What selection of one function needs. */
export interface SelectSource {
  readonly fn: IrFunction;
  /** Number of the function that starts at a slot. */
  readonly functionNumbers: ReadonlyMap<number, number>;
  /** Which of r1..r5 the function that starts at a slot reads. */
  readonly argumentMasks: ReadonlyMap<number, number>;
}

export function select(source: SelectSource): MachFunction {
  const { fn, functionNumbers, argumentMasks } = source;
  const s: Selection = {
    fn,
    functionNumbers,
    argumentMasks,
    registers: new Int32Array(fn.valueCount),
    uses: countUses(fn),
    epochs: new Int32Array(fn.valueCount),
    endEpochs: new Int32Array(fn.blockCount),
    pool: [],
    poolNumbers: new Map(),
    registerCount: 1,
    out: [],
    block: fn.blocks[0]!,
    pc: fn.start,
  };
  countEffects(s);
  const places = placesOf(fn);
  const blocks = new Array<MachBlock>(fn.blocks.length);
  for (let place = fn.blocks.length - 1; place >= 0; place--) {
    blocks[place] = selectBlock(s, fn.blocks[place]!, places);
  }
  const areas =
    fn.frameBytes === 0 ? [] : [{ sizeBytes: fn.frameBytes, alignBytes: 8, zeroed: fn.zeroFrame }];
  return { name: fn.name, blocks, vregCount: s.registerCount, areas, pool: s.pool };
}

function selectBlock(s: Selection, block: Block, places: Int32Array): MachBlock {
  s.block = block;
  s.out = [];
  const { terminator } = block;
  s.pc = terminator.pc;
  const edges = terminator.targets.map((target) => edgeArguments(s, block, target));
  const late = lateSteps(s, block);
  selectTerminator(s, terminator, late);
  const reversed = s.out.reverse();
  for (let i = block.values.length - 1; i >= 0; i--) {
    const value = block.values[i]!;
    if (
      late.includes(value) ||
      value.op === 'argument' ||
      !(isWanted(s, value) || hasEffect(value))
    )
      continue;
    s.out = [];
    s.pc = value.pc;
    selectValue(s, value);
    for (let k = s.out.length - 1; k >= 0; k--) reversed.push(s.out[k]!);
  }
  if (block === s.fn.blocks[0]) reversed.push(selectEntry(s, block));
  return {
    parameters: block.phis.map((phi) => registerOf(s, phi)),
    instructions: reversed.reverse(),
    successors: terminator.targets.map((target) => places[target.id]!),
    arguments: edges,
    cold: terminator.kind === 'trap',
  };
}

/**
 * Loop counters that are compared before their step counts: `cmp i, n; lea i, [i + 1]; jb`. Done in
 * this order, old and new counter need not exist at the same time and can share a register.
 */
function lateSteps(s: Selection, { terminator, values }: Block): readonly Value[] {
  if (terminator.kind !== 'branch') return [];
  return values.filter(
    (value) =>
      value.op === 'add' &&
      value.width === 64 &&
      s.uses[value.id] === 1 &&
      isWanted(s, value) &&
      isImmediate(value.args[1]!, 64) &&
      !isFloating(value.args[0]!) &&
      terminator.args.includes(value.args[0]!),
  );
}

/** Arguments are made before the comparison: nothing may come between it and its branch. */
function edgeArguments(s: Selection, block: Block, target: Block): number[] {
  const index = target.predecessors.indexOf(block);
  return target.phis.map((phi) => registerOf(s, phi.args[index]!));
}

function selectEntry(s: Selection, block: Block): MachInst {
  const parameters = [-1, -1, -1, -1, -1, -1];
  for (const value of block.values) {
    if (value.op === 'argument' && isWanted(s, value)) {
      parameters[value.lo] = registerOf(s, value);
    }
  }
  return entry(parameters, s.fn.start);
}

function countUses(fn: IrFunction): Int32Array {
  const uses = new Int32Array(fn.valueCount);
  const count = (args: readonly Value[]) => {
    for (const arg of args) uses[arg.id]!++;
  };
  for (const block of fn.blocks) {
    for (const phi of block.phis) count(phi.args);
    for (const value of block.values) count(value.args);
    count(block.terminator.args);
  }
  return uses;
}

const hasEffect = ({ op }: Value): boolean => op === 'store' || op === 'atomic' || op === 'call';

function countEffects(s: Selection): void {
  let epoch = 0;
  for (const block of s.fn.blocks) {
    epoch++;
    for (const value of block.values) {
      s.epochs[value.id] = epoch;
      if (hasEffect(value)) epoch++;
    }
    s.endEpochs[block.id] = epoch;
  }
}
