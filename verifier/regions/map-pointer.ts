/**
 * A map itself, read as the kernel's structure that it is: tracing programs look at `max_entries`
 * and its neighbours through the pointer that they pass to helpers. Which structure a map of each
 * type begins with, the map type's row says; what lies in it, the kernel's BTF. What is read is not
 * proven valid, so pointers found there are followed by loads that may fault.
 */

import type { Failure } from '../diagnose/failure.ts';
import type { Walk } from '../explore/walk.ts';
import { NO_TYPE, setKernelPointer } from '../kernel/pointer.ts';
import type { Member } from '../kernel/walk.ts';
import type { AccessRequest } from '../obligations/obligation.ts';
import * as L from '../state/layout.ts';
import { checkAlignment, constantOffset, loadUnknown, type Region } from './region.ts';

export const MAP_POINTER_REGION: Region = { check, load, store };

/** Name of the structure that the map is. */
const structOf = (walk: Walk, value: number): string | undefined =>
  walk.subject.mapTypes[walk.state.words[value + L.TARGET]!]?.kernelStruct;

/** The member that the access hits; undefined where the structure, or the offset, is not known. */
function memberOf(walk: Walk, value: number, request: AccessRequest): Member | undefined {
  const { kernel } = walk.subject;
  const typeId = kernel?.struct(structOf(walk, value) ?? '');
  const offset = constantOffset(walk.state, value, request);
  if (kernel === undefined || typeId === undefined || offset === undefined) return undefined;
  return offset < 0 ? undefined : kernel.field(typeId, offset, request.size);
}

function check(walk: Walk, value: number, request: AccessRequest): Failure | null {
  const { subject, state } = walk;
  const name = structOf(walk, value) ?? 'bpf_map';
  const registers = [request.register];
  const fail = (problem: string): Failure => ({
    code: 'kernel-object-access',
    pc: request.pc,
    values: { verb: request.verb, type: name, problem, register: request.register },
    registers,
  });
  if (request.verb === 'write') return fail(`only read from ${name} is supported`);
  if (!subject.mayLeakPointers) return fail('it is open to CAP_PERFMON only');
  if (subject.kernel?.struct(name) === undefined) {
    const { type } = subject.maps[state.words[value + L.TARGET]!]!;
    return { code: 'map-pointer-unsupported', pc: request.pc, values: { type } };
  }
  const member = memberOf(walk, value, request);
  if (member === undefined) return fail('the offset must be a constant within the structure');
  if (member.kind === 'refused') return fail(member.reason);
  return checkAlignment(walk, value, request, 'map pointer');
}

function load(walk: Walk, value: number, request: AccessRequest, to: number): void {
  const offset = constantOffset(walk.state, value, request);
  walk.noteAccess(request, 'map', offset, undefined, false);
  const member = memberOf(walk, value, request);
  switch (member?.kind) {
    case 'pointer':
      setKernelPointer(walk, to, member.typeId, 0);
      return;
    case 'opaque':
      setKernelPointer(walk, to, NO_TYPE, L.FLAG_UNTRUSTED | L.FLAG_READ_ONLY);
      return;
    default:
      loadUnknown(walk.state, to, request.size);
  }
}

/** Refused by `check`. */
function store(): void {}
