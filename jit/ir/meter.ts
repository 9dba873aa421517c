/**
 * The meter of metered code: stop a program after a given number of instructions, at the very one
 * where the interpreter would stop, at the price of a subtraction and a jump that is never taken.
 *
 * What is left of the run's budget is a variable of the function, like the budget of `may_goto`, and
 * lies in the run environment (RUN_METER, jit/code.ts) wherever other code counts too.
 *
 * Paying for n instructions at once is exact if nobody can tell which of the n were executed. Hence a
 * payment covers instructions up to the first that leaves a trace (a store outside the stack, an
 * atomic, a call) or may leave the straight line, and that one included. If less than n is left, an
 * interpreter would stop before that instruction too: at another register state and stack, which
 * nobody sees again. Counts are of the source program's slots, whatever the passes make of them.
 *
 * A meter below zero is the message "stopped" to everybody: each function that was called returns,
 * each payment after the call fails again, and a callback that returns 1 ends its helper's loop. So
 * frames of generated code and of C are left in the ordinary way, and nothing has to unwind them.
 * Once below zero it stays there, since nothing is ever paid in.
 */

import type { Instruction } from '../../isa/index.ts';
import { TABLE } from '../../isa/index.ts';
import type { Facts } from '../../verifier/index.ts';
import { RUN_METER } from '../code.ts';
import { type Builder, emit, METER, newInnerBlock, read, write } from './builder.ts';
import {
  type Block,
  branch,
  type Memory,
  newBlock,
  newConstant,
  returns,
  type Value,
} from './ir.ts';
import { openBlock, seal } from './variables.ts';

const ENVIRONMENT: Memory = {
  region: 'memory',
  frameOffset: undefined,
  aligned: true,
  signed: false,
};

/** Ends helpers that call back; a program that was stopped has no result. */
const STOPPED_RESULT = 1;

/** Reads the meter at the function's entry and makes the block to which failed payments lead. */
export function openMeter(builder: Builder): void {
  if (!builder.source.metered) return;
  takeMeter(builder);
  builder.stop = newBlock(builder.fn, builder.range.start);
  openBlock(builder.variables, builder.stop);
}

/** To be called when every payment has been translated. */
export function closeMeter(builder: Builder): void {
  const { stop } = builder;
  if (stop === undefined || stop.predecessors.length === 0) return;
  seal(builder.variables, stop);
  builder.fn.blocks.push(stop);
  builder.block = stop;
  builder.pc = builder.range.start;
  leaveMeter(builder);
  stop.terminator = returns(newConstant(builder.fn, STOPPED_RESULT, 0, stop.pc), stop.pc);
}

/**
 * Pays for the instructions from `pc` on that one payment covers, `end` being where the straight line
 * ends. The result is the slot at which the next payment is due.
 */
export function pay(builder: Builder, end: number): number {
  const { instructions, facts, metered } = builder.source;
  if (!metered) return end;
  let count = 0;
  let next = builder.pc;
  for (let traced = false; next < end && !traced; next++) {
    const instruction = instructions[next]!;
    if (TABLE[instruction.op]!.kind === 'continuation') continue;
    count++;
    traced = leavesTrace(instruction, facts, next);
  }
  const left = emit(builder, 'sub', 64, [read(builder, METER), constant(builder, count)]);
  write(builder, METER, left);
  stopIfNegative(builder, left);
  return next;
}

/** Where no execution gets to but one that was stopped inside a call. */
export function leaveIfStopped(builder: Builder): void {
  if (builder.source.metered) stopIfNegative(builder, read(builder, METER));
}

/** Before code that counts by itself, and before returning. */
export function leaveMeter(builder: Builder): void {
  if (!builder.source.metered) return;
  const value = emit(builder, 'store', 64, [builder.environment, read(builder, METER)]);
  value.disp = RUN_METER;
  value.size = 8;
  value.memory = ENVIRONMENT;
}

/** After code that counted by itself. */
export function takeMeter(builder: Builder): void {
  if (!builder.source.metered) return;
  const value = emit(builder, 'load', 64, [builder.environment]);
  value.disp = RUN_METER;
  value.size = 8;
  value.memory = ENVIRONMENT;
  write(builder, METER, value);
}

function stopIfNegative(builder: Builder, left: Value): void {
  const stop = builder.stop as Block;
  const goesOn = newInnerBlock(builder);
  stop.predecessors.push(builder.block);
  const operands = [left, constant(builder, 0)];
  builder.block.terminator = branch('slt', 64, operands, [stop, goesOn], builder.pc);
  builder.block = goesOn;
}

const constant = (builder: Builder, lo: number): Value =>
  newConstant(builder.fn, lo, 0, builder.pc);

/**
 * Whether somebody could tell that the instruction was executed, or it may end the function. Stacks
 * vanish with the run. Every call counts: its callee may store, and may be stopped itself. A packet
 * load outside the packet returns. Jumps and exits end the straight line anyway.
 */
function leavesTrace({ op }: Instruction, facts: Facts, pc: number): boolean {
  switch (TABLE[op]!.kind) {
    case 'store':
    case 'atomic':
      return facts.access(pc)?.region !== 'stack';
    case 'call':
    case 'packet':
      return true;
    case 'alu':
    case 'load':
    case 'jump':
    case 'goto':
    case 'may_goto':
    case 'exit':
    case 'constant':
    case 'continuation':
    case 'cast':
      return false;
    default:
      return TABLE[op]!.kind satisfies never;
  }
}
