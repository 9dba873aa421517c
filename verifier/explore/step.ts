/** One instruction, given that its obligations hold: the next slot, or the end of the path. */

import type { Instruction } from '../../isa/index.ts';
import { calleeOf, globalAt } from '../calls/callee.ts';
import { countGlobalCall } from '../calls/global.ts';
import { next, target } from '../cfg.ts';
import * as domain from '../domain/index.ts';
import { DIRECT } from '../regions/map-value.ts';
import * as kinds from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import { transferAlu } from '../transfer/alu.ts';
import { transferJump } from '../transfer/branch.ts';
import { enterFunction, forkReturn, leaveFunction } from '../transfer/call.ts';
import { callOut } from '../transfer/callee.ts';
import { loadSymbol } from '../transfer/kernel-object.ts';
import { transferAtomic, transferLoad, transferStore } from '../transfer/memory.ts';
import { countPass } from './progress.ts';
import type { Walk } from './walk.ts';

/** The path ends here. */
export const PATH_ENDS = -1;

export function step(walk: Walk, pc: number): number {
  const { subject } = walk;
  const insn = subject.instructions[pc]!;
  const row = subject.rows[pc]!;
  switch (row.kind) {
    case 'alu':
      transferAlu(walk, pc, insn, row);
      return pc + 1;
    case 'load':
      transferLoad(walk, pc, insn, row);
      return pc + 1;
    case 'store':
      transferStore(walk, pc, insn, row);
      return pc + 1;
    case 'atomic':
      transferAtomic(walk, pc, insn, row);
      return pc + 1;
    case 'jump':
      return transferJump(walk, pc, insn, row);
    case 'goto':
      return target(pc, insn, row);
    case 'may_goto':
      walk.fork(target(pc, insn, row));
      countPass(walk.state);
      return pc + 1;
    case 'call':
      return call(walk, pc);
    case 'exit':
      return walk.state.frame === 0 ? PATH_ENDS : leaveFunction(walk);
    case 'constant':
      loadConstant(walk, pc);
      return next(pc, row);
    case 'packet':
      if (walk.state.frame > 0) forkReturn(walk, 'zero');
      loadPacket(walk, row.sizeBytes);
      return pc + 1;
    case 'cast':
      castAddress(walk, insn);
      return pc + 1;
    case 'continuation':
      return pc + 1;
    default:
      return row.kind satisfies never;
  }
}

function call(walk: Walk, pc: number): number {
  const { helperAt, kfuncAt } = walk.subject;
  const callee = helperAt.get(pc) ?? kfuncAt.get(pc);
  if (callee === undefined) return callFunction(walk, pc);
  if (kfuncAt.has(pc) && callee.returns.kind === 'never') return PATH_ENDS;
  if (callee.returns.kind === 'never' && walk.state.frame > 0) forkReturn(walk, 'anything');
  callOut(walk, pc, callee);
  return pc + 1;
}

/** A function of the program: one that is verified on its own is stepped over. */
function callFunction(walk: Walk, pc: number): number {
  const entry = calleeOf(walk, pc);
  const prototype = globalAt(walk, pc);
  if (prototype === undefined) return enterFunction(walk, pc, entry);
  countGlobalCall(walk, prototype);
  callOut(walk, pc, prototype);
  return pc + 1;
}

/** Immediate of the cast that makes a pointer of an arena's address, as far as programs see it. */
const INTO_ARENA = 1;

/** Whatever it was, it points into the arena now; the other way round it is a number. */
function castAddress({ state }: Walk, insn: Instruction): void {
  const dst = state.register(insn.dst);
  if (insn.imm === INTO_ARENA) state.setPointer(dst, kinds.ARENA, 0);
  else state.setUnknown(dst);
}

function loadConstant(walk: Walk, pc: number): void {
  const { state, subject } = walk;
  const insn = subject.instructions[pc]!;
  const row = subject.rows[pc]!;
  const dst = state.register(insn.dst);
  const map = subject.mapAt.get(pc);
  if (map?.valueOffset !== undefined && subject.maps[map.map]!.type === 'arena') {
    // The address that a process sees: a number until it is cast.
    state.setUnknown(dst);
  } else if (map !== undefined) {
    const direct = map.valueOffset !== undefined;
    state.setPointer(dst, direct ? kinds.MAP_VALUE : kinds.MAP, map.map);
    state.words[dst + L.OFFSET] = map.valueOffset ?? 0;
    if (direct) state.words[dst + L.DETAIL] = DIRECT;
  } else if (row.operation === 'function') {
    state.setPointer(dst, kinds.FUNCTION, target(pc, insn, row));
  } else if (row.operation === 'kernel_symbol') loadSymbol(walk, dst, insn.imm);
  else state.setConstant(dst, insn.imm, insn.immHigh);
}

/** ld_abs and ld_ind leave a number in r0 and destroy r1 to r5. */
function loadPacket(walk: Walk, sizeBytes: number): void {
  const { state } = walk;
  for (let r = 1; r <= 5; r++) state.setUninitialised(state.register(r));
  const r0 = state.register(0);
  state.clearPointer(r0);
  const known = walk.mayReason('legacy-load') ? sizeBytes : 8;
  domain.setBytes(state.words, r0 + L.NUMBER, known);
}
