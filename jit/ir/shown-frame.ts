/**
 * Frames that may be read by number: a string on the stack whose address a format or `bpf_strlen`
 * gets, a variable that `bpf_probe_read_kernel` copies. The verifier proves nothing about such
 * addresses, so the loader checks them, and has to know where frames of the program lie: between them
 * on the native stack is what no program may see.
 *
 * Functions of programs that call such readers tell it, if an address in their frame is ever more
 * than the base of a load or store. All of the frame is then kept in memory, for nobody knows which
 * bytes are meant, and begins as zeroes, so that what was never written shows nothing.
 */

import { TABLE } from '../../isa/index.ts';
import type { FunctionFact } from '../../verifier/index.ts';
import { type Builder, emit, type Source } from './builder.ts';
import { newConstant, type Value } from './ir.ts';

const FRAME_POINTER = 10;

/** To be called before anything else is translated. */
export function showFrame(builder: Builder): void {
  const { source, fn, range, frame } = builder;
  if (!source.readsByNumber || range.stackBytes === 0 || !passesFrame(source, range)) return;
  const low = emit(builder, 'add', 64, [frame, constant(builder, -range.stackBytes)]);
  call(builder, 'rf_show_frame', [low, constant(builder, range.stackBytes)]);
  fn.zeroFrame = true;
  fn.escaping = { low: -range.stackBytes, high: 0 };
  builder.showsFrame = true;
}

/** Before returning; a run that is stopped need not. */
export function hideFrame(builder: Builder): void {
  if (builder.showsFrame) call(builder, 'rf_hide_frame', []);
}

/** Whether r10 is copied or stored: only then can an address in the frame be passed on. */
function passesFrame({ instructions, facts }: Source, range: FunctionFact): boolean {
  for (let pc = range.start; pc < range.end; pc++) {
    const { src, op } = instructions[pc]!;
    if (src === FRAME_POINTER && TABLE[op]!.kind !== 'load' && facts.reached(pc)) return true;
  }
  return false;
}

function call(builder: Builder, symbol: string, args: Value[]): void {
  const value = emit(builder, 'call', 64, [...args, builder.environment]);
  value.callee = { kind: 'runtime', symbol };
}

const constant = (builder: Builder, value: number): Value =>
  newConstant(builder.fn, value, value >> 31, builder.pc);
