/**
 * From BPF instructions to the IR, function by function. Registers become SSA values; what was
 * proven is used here, where facts are known by slot, and each use is cited: constants, edges that
 * no execution takes, divisors that are never zero, extensions that change nothing, and accesses
 * whose place in the frame or context is known.
 */

import type { FunctionFact } from '../../verifier/index.ts';
import {
  BUDGET,
  type Builder,
  cite,
  emit,
  goTo,
  MAY_GOTO_BUDGET,
  type Source,
  type Target,
  VARIABLE_COUNT,
} from './builder.ts';
import {
  type Block,
  type IrFunction,
  newBlock,
  newConstant,
  newFunction,
  newValue,
  resolveAll,
} from './ir.ts';
import { closeMeter, leaveIfStopped, openMeter, pay } from './meter.ts';
import { showFrame } from './shown-frame.ts';
import { findStretches, type Stretch } from './stretches.ts';
import { translate } from './translate.ts';
import { assign, newVariables, openBlock, removeTrivialPhis, seal } from './variables.ts';

export function buildFunction(source: Source, range: FunctionFact): IrFunction {
  const fn = newFunction(range.name, range.start);
  fn.frameBytes = range.stackBytes;
  fn.zeroFrame = range.readsUninitialised;
  fn.escaping = range.escaping;
  const stretches = findStretches(source.instructions, source.facts, range);
  const entry = newBlock(fn, range.start);
  const targets = new Map<number, Target>();
  for (const { start, entries } of stretches) {
    targets.set(start, { block: newBlock(fn, start), missing: entries });
  }
  const builder: Builder = {
    source,
    fn,
    range,
    variables: newVariables(fn, VARIABLE_COUNT),
    targets,
    environment: newValue(fn, 'argument', 64, [], range.start),
    frame: newValue(fn, 'frame', 64, [], range.start),
    block: entry,
    pc: range.start,
    stop: undefined,
    showsFrame: false,
  };
  openEntry(builder, entry);
  for (const { block } of targets.values()) openBlock(builder.variables, block);
  goTo(builder, range.start);
  for (const stretch of stretches) fillStretch(builder, stretch);
  closeMeter(builder);
  removeTrivialPhis(fn);
  resolveAll(fn);
  return fn;
}

/**
 * The entry block holds the arguments and nothing else, so that a loop back to the first
 * instruction has a block to return to.
 */
function openEntry(builder: Builder, entry: Block): void {
  const { fn, variables, environment, range } = builder;
  fn.blocks.push(entry);
  openBlock(variables, entry);
  seal(variables, entry);
  for (let i = 0; i < Math.min(range.argumentCount, 5); i++) {
    const argument = emit(builder, 'argument', 64, []);
    argument.lo = i;
    assign(variables, entry, i + 1, argument);
  }
  const budget = newConstant(builder.fn, MAY_GOTO_BUDGET, 0, range.start);
  assign(variables, entry, BUDGET, budget);
  environment.lo = 5;
  entry.values.push(environment);
  openMeter(builder);
  showFrame(builder);
}

function fillStretch(builder: Builder, stretch: Stretch): void {
  const { source, fn, targets } = builder;
  const { block } = targets.get(stretch.start)!;
  builder.block = block;
  fn.blocks.push(block);
  let paid = stretch.start;
  for (let pc = stretch.start; pc < stretch.end; pc++) {
    builder.pc = pc;
    if (pc === paid) paid = pay(builder, stretch.end);
    translate(builder, source.instructions[pc]!, stretch);
  }
  // A new block ends in a trap until the translation of an ending instruction replaces it.
  if (builder.block.terminator.kind !== 'trap') return;
  const [next] = stretch.successors;
  if (next !== undefined) {
    goTo(builder, next);
    return;
  }
  cite(builder, 'no execution gets here', stretch.end);
  leaveIfStopped(builder);
}
