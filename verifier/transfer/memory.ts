/** Loads, stores and atomics, given that the access is proven. */

import type { Instruction, Row } from '../../isa/index.ts';
import { fetchedInto } from '../discharge/atomic.ts';
import * as domain from '../domain/index.ts';
import type { Walk } from '../explore/walk.ts';
import type { AccessRequest } from '../obligations/obligation.ts';
import { REGIONS } from '../regions/table.ts';
import { isPointer } from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import { linkNumber } from './alu.ts';

/** The access obligation of the slot; loads and stores have exactly one of their verb. */
function requestAt(walk: Walk, pc: number, verb: AccessRequest['verb']): AccessRequest {
  for (const owed of walk.subject.obligations[pc]!) {
    if (owed.rule === 'access' && owed.request.verb === verb) return owed.request;
  }
  throw new RangeError(`instruction ${pc} accesses no memory`);
}

export function transferLoad(walk: Walk, pc: number, insn: Instruction, row: Row): void {
  const { state } = walk;
  const request = requestAt(walk, pc, 'read');
  const pointer = state.register(request.register);
  const region = REGIONS[state.kind(pointer)]!;
  const dst = state.register(insn.dst);
  region.load(walk, pointer, request, dst);
  if (!row.signed) return;
  // The loaded value is zero-extended; a known sign bit extends exactly.
  if (isPointer(state.kind(dst))) state.setUnknown(dst);
  state.clearPointer(dst);
  domain.signExtendBytes(state.words, dst + L.NUMBER, row.sizeBytes);
}

export function transferStore(walk: Walk, pc: number, insn: Instruction, row: Row): void {
  const { state } = walk;
  const request = requestAt(walk, pc, 'write');
  const pointer = state.register(request.register);
  const region = REGIONS[state.kind(pointer)]!;
  if (row.source === 'reg') {
    const src = state.register(insn.src);
    linkNumber(walk, src);
    region.store(walk, pointer, request, src);
    return;
  }
  state.setConstant(L.SCRATCH_VALUE, insn.imm, insn.imm >> 31);
  region.store(walk, pointer, request, L.SCRATCH_VALUE);
}

/** Read-modify-write: memory then holds some number; fetching forms yield what it held before. */
export function transferAtomic(walk: Walk, pc: number, insn: Instruction, row: Row): void {
  const { state } = walk;
  switch (row.operation) {
    case 'load_acquire':
      transferLoad(walk, pc, insn, row);
      return;
    case 'store_release':
      transferStore(walk, pc, insn, row);
      return;
    default:
  }
  const request = requestAt(walk, pc, 'write');
  const pointer = state.register(request.register);
  const region = REGIONS[state.kind(pointer)]!;
  // What memory held goes into a register of its own: no pointer is both address and operand.
  const result = fetchedInto(insn, row);
  if (result >= 0) region.load(walk, pointer, requestAt(walk, pc, 'read'), state.register(result));
  region.store(walk, pointer, request, -1);
}
