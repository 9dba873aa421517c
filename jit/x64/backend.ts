/** The x64 target without its instruction selection. */

import type { Backend } from '../mach/types.ts';
import { branchForms, emit, emitMove, nop, writeBranch, writeFixup } from './emit.ts';
import { emitPrologue, layOutFrame } from './frame.ts';
import { ROWS, rowOf } from './instructions.ts';
import { print, printMove } from './print.ts';
import { REGISTERS } from './registers.ts';

export const X64_BACKEND: Backend = Object.freeze({
  name: 'x64',
  rows: ROWS,
  registers: REGISTERS,
  jump: rowOf('jmp rel32'),
  frame: layOutFrame,
  emitPrologue,
  emit,
  emitMove,
  print,
  printMove,
  branchForms,
  writeBranch,
  writeFixup,
  nop,
});
