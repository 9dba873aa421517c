/**
 * Calls. Arguments that the callee reads go to r1..r5, the run environment to the sixth register.
 * Two instructions are more than a call: a tail call that succeeds ends the function with the
 * result of the program that it called, and a legacy packet load outside the packet ends it with 0.
 */

import type { CallTarget, Instruction, Row } from '../../isa/index.ts';
import { InternalError } from '../../isa/index.ts';
import { type Builder, emit, newInnerBlock, read, write } from './builder.ts';
import { type Block, branch, type Callee, newConstant, returns, type Value } from './ir.ts';
import { leaveMeter, takeMeter } from './meter.ts';
import { hideFrame } from './shown-frame.ts';

/** bpf_tail_call in uapi/linux/bpf.h. */
const TAIL_CALL = 12;

export function translateCall(builder: Builder, instruction: Instruction, row: Row): void {
  if (row.operation === 'helper' && instruction.imm === TAIL_CALL) {
    translateTailCall(builder);
    return;
  }
  const { callee, args } = prepareCall(builder, instruction, row.operation as CallTarget);
  const counts = mayCount(builder, callee);
  if (counts) leaveMeter(builder);
  // r1..r5 hold nothing afterwards that a verified program reads.
  write(builder, 0, emitCall(builder, callee, args));
  if (counts) takeMeter(builder);
}

/** Whether the callee may execute instructions of the program. */
function mayCount({ source }: Builder, callee: Callee): boolean {
  return callee.kind !== 'helper' || source.helperCallsBack(callee.helper);
}

interface PreparedCall {
  readonly callee: Callee;
  readonly args: Value[];
}

function prepareCall(builder: Builder, instruction: Instruction, target: CallTarget): PreparedCall {
  const { source, pc } = builder;
  switch (target) {
    case 'helper': {
      const count = source.helperArguments(instruction.imm);
      const callee = { kind: 'helper', helper: instruction.imm } as const;
      return { callee, args: registers(builder, count) };
    }
    case 'subprogram': {
      const start = pc + 1 + instruction.imm;
      const fact = source.facts.functions.find((each) => each.start === start);
      if (!fact) throw new InternalError('jit/ir', `no function starts at slot ${start}`);
      const args = registers(builder, Math.min(fact.argumentCount, 5));
      return { callee: { kind: 'function', start }, args };
    }
    case 'kfunc': {
      const name = source.kfuncs.get(pc);
      if (name === undefined) throw new InternalError('jit/ir', `unnamed kfunc at slot ${pc}`);
      return {
        callee: { kind: 'kfunc', name },
        args: registers(builder, source.kfuncArguments(name)),
      };
    }
    case 'register': {
      const address = read(builder, instruction.dst);
      return { callee: { kind: 'indirect' }, args: [address, ...registers(builder, 5)] };
    }
    default:
      return target satisfies never;
  }
}

function registers(builder: Builder, count: number): Value[] {
  return Array.from({ length: count }, (_, i) => read(builder, i + 1));
}

function emitCall(builder: Builder, callee: Callee, args: Value[]): Value {
  const value = emit(builder, 'call', 64, [...args, builder.environment]);
  value.callee = callee;
  return value;
}

/**
 * `rf_tail_call(context, map, index)` runs the program found there, leaves its result in the first
 * word of the run environment and yields 1; or it yields 0 (no such program, or too many tail calls
 * in a row), and execution goes on here.
 */
function translateTailCall(builder: Builder): void {
  const { fn, pc, environment } = builder;
  const callee = { kind: 'runtime', symbol: 'rf_tail_call' } as const;
  leaveMeter(builder);
  const ran = emitCall(builder, callee, registers(builder, 3));
  const zero = newConstant(fn, 0, 0, pc);
  const [failed, succeeded] = split(builder, 'eq', [ran, zero]);
  builder.block = succeeded;
  const result = emit(builder, 'load', 64, [environment]);
  result.size = 8;
  result.memory = { region: 'memory', frameOffset: undefined, aligned: true, signed: false };
  hideFrame(builder);
  succeeded.terminator = returns(result, pc);
  builder.block = failed;
  // Its contract leaves r0 unspecified after a failed tail call.
  write(builder, 0, zero);
}

/** Ends the current block with a branch to two blocks of its own: condition holds, or not. */
function split(builder: Builder, condition: 'eq' | 'slt', args: Value[]): [Block, Block] {
  const holds = newInnerBlock(builder);
  const otherwise = newInnerBlock(builder);
  builder.block.terminator = branch(condition, 64, args, [holds, otherwise], builder.pc);
  return [holds, otherwise];
}

/**
 * `rf_load_packet(offset, size)` yields the bytes in host order (RFC 9669 section 5.5
 * wants network order read as a number), or a negative value when they are not in the packet.
 */
export function translatePacketLoad(builder: Builder, instruction: Instruction, row: Row): void {
  const { fn, pc } = builder;
  const base = newConstant(fn, instruction.imm, instruction.imm >> 31, pc);
  const offset =
    row.operation === 'ind'
      ? emit(builder, 'add', 32, [read(builder, instruction.src), base])
      : base;
  const size = newConstant(fn, row.sizeBytes, 0, pc);
  const callee = { kind: 'runtime', symbol: 'rf_load_packet' } as const;
  const value = emitCall(builder, callee, [offset, size]);
  const zero = newConstant(fn, 0, 0, pc);
  const [outside, inside] = split(builder, 'slt', [value, zero]);
  builder.block = outside;
  leaveMeter(builder);
  hideFrame(builder);
  outside.terminator = returns(zero, pc);
  builder.block = inside;
  write(builder, 0, value);
}
