/** Objects that the program allocated: plain memory of its own type, but for its special fields. */

import type { Failure } from '../diagnose/failure.ts';
import type { Walk } from '../explore/walk.ts';
import { fieldAt } from '../kernel/walk.ts';
import type { AccessRequest } from '../obligations/obligation.ts';
import { fieldWithin } from '../resources/special-field.ts';
import * as L from '../state/layout.ts';
import { constantOffset, loadUnknown, type Region } from './region.ts';

export const ALLOCATED_REGION: Region = { check, load, store };

function check(walk: Walk, value: number, request: AccessRequest): Failure | null {
  const { state, subject } = walk;
  const typeId = state.words[value + L.TARGET]!;
  const flags = state.words[value + L.FLAGS]!;
  const btf = subject.types.btf!;
  const name = btf.nameOf(typeId);
  const fail = (problem: string): Failure => ({
    code: 'kernel-object-access',
    pc: request.pc,
    values: { verb: request.verb, type: name, problem, register: request.register },
    registers: [request.register],
  });
  const offset = constantOffset(state, value, request);
  if (offset === undefined || offset < 0) {
    return fail('the offset must be a constant within the structure');
  }
  if ((flags & L.FLAG_PERCPU) !== 0) return fail('it is per CPU: use bpf_per_cpu_ptr');
  const special = fieldWithin(subject.types.ofType(typeId), offset, offset + request.size);
  if (special !== undefined) return fail(`direct access to its ${special.kind} is disallowed`);
  if (request.verb === 'write' && (flags & L.FLAG_ALLOCATED) === 0) {
    return fail('only read is supported');
  }
  if (isGone(state.words, value)) return fail('nothing keeps it alive any more');
  const member = fieldAt(btf, typeId, offset, request.size);
  return member.kind === 'refused' ? fail(member.reason) : null;
}

/**
 * What RCU protected is neither owned nor borrowed once the section has ended. The machine would
 * yield 0 where a load of it faults, but Linux does not know what to make of such a pointer.
 */
const isGone = (words: Int32Array, value: number): boolean =>
  (words[value + L.FLAGS]! & L.FLAG_ALLOCATED) !== 0 &&
  (words[value + L.FLAGS]! & (L.FLAG_BORROWED | L.FLAG_RCU)) === 0 &&
  words[value + L.REFERENCE] === 0;

function load(walk: Walk, value: number, request: AccessRequest, to: number): void {
  record(walk, value, request);
  loadUnknown(walk.state, to, request.size);
}

function store(walk: Walk, value: number, request: AccessRequest): void {
  record(walk, value, request);
}

function record(walk: Walk, value: number, request: AccessRequest): void {
  const { state } = walk;
  const mayFault = (state.words[value + L.FLAGS]! & L.FLAG_UNTRUSTED) !== 0;
  const offset = constantOffset(state, value, request);
  walk.noteAccess(request, mayFault ? 'btf-faulting' : 'btf', offset, undefined, false);
}
