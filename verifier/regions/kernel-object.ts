/**
 * Kernel objects, read by plain loads: each hits one member of the structure, at a constant offset.
 * What is read through a pointer that is not proven valid may fault; the machine then yields 0, and
 * so nothing here depends on what the memory holds. Next to nothing is written: that needs a helper.
 */

import { WRITABLE_MEMBERS } from '../../platform/index.ts';
import type { Failure } from '../diagnose/failure.ts';
import type { Walk } from '../explore/walk.ts';
import { isTrusted, loadedFlags, mayFault, NO_TYPE, setKernelPointer } from '../kernel/pointer.ts';
import type { KernelTypes } from '../kernel/types.ts';
import type { Member } from '../kernel/walk.ts';
import type { AccessRequest } from '../obligations/obligation.ts';
import * as L from '../state/layout.ts';
import { checkAlignment, constantOffset, loadUnknown, type Region } from './region.ts';

export const KERNEL_OBJECT_REGION: Region = { check, load, store };

/** The member that the access hits; undefined where its offset is no constant from 0 on. */
function memberOf(walk: Walk, value: number, request: AccessRequest): Member | undefined {
  const { state, subject } = walk;
  const offset = constantOffset(state, value, request);
  if (offset === undefined || offset < 0) return undefined;
  const types = subject.kernel as KernelTypes;
  return types.field(state.words[value + L.TARGET]!, offset, request.size);
}

function check(walk: Walk, value: number, request: AccessRequest): Failure | null {
  const { state, subject } = walk;
  const flags = state.words[value + L.FLAGS]!;
  const typeId = state.words[value + L.TARGET]!;
  const name = typeId === NO_TYPE ? 'memory' : (subject.kernel?.nameOf(typeId) ?? '');
  const fail = (problem: string): Failure => ({
    code: 'kernel-object-access',
    pc: request.pc,
    values: { verb: request.verb, type: name, problem, register: request.register },
    registers: [request.register],
  });
  if (!subject.isGplCompatible && typeId !== NO_TYPE) {
    const values = { type: name, license: subject.program.license };
    return { code: 'kernel-object-licence', pc: request.pc, values };
  }
  if (request.verb === 'write') {
    return mayWrite(walk, value, request) ? null : fail('only read is supported');
  }
  if (typeId === NO_TYPE) {
    return (flags & L.FLAG_UNTRUSTED) !== 0 ? null : fail('its type is not known');
  }
  if ((flags & L.FLAG_USER) !== 0) return fail('it lies in user memory: use bpf_probe_read_user');
  if ((flags & L.FLAG_PERCPU) !== 0) return fail('it is per CPU: use bpf_per_cpu_ptr');
  const member = memberOf(walk, value, request);
  if (member === undefined) return fail('the offset must be a constant within the structure');
  if (member.kind === 'refused') return fail(member.reason);
  return checkAlignment(walk, value, request, 'kernel object');
}

function load(walk: Walk, value: number, request: AccessRequest, to: number): void {
  const { state, subject } = walk;
  const offset = constantOffset(state, value, request);
  const region = mayFault(state, value) ? 'btf-faulting' : 'btf';
  walk.noteAccess(request, region, offset, undefined, false);
  const isTyped = state.words[value + L.TARGET] !== NO_TYPE;
  const member = isTyped ? memberOf(walk, value, request) : undefined;
  if (member?.kind === 'pointer') {
    const flags = loadedFlags(walk, subject.kernel as KernelTypes, value, member);
    setKernelPointer(walk, to, member.typeId, flags);
  } else if (member?.kind === 'opaque') {
    setKernelPointer(walk, to, NO_TYPE, L.FLAG_UNTRUSTED | L.FLAG_READ_ONLY);
  } else loadUnknown(state, to, request.size);
}

function store(walk: Walk, value: number, request: AccessRequest): void {
  walk.noteAccess(request, 'btf', constantOffset(walk.state, value, request), undefined, false);
}

/** The bytes belong to a member that this program type may write, of an object that is valid. */
function mayWrite(walk: Walk, value: number, request: AccessRequest): boolean {
  const { state, subject } = walk;
  const types = subject.kernel as KernelTypes;
  const offset = constantOffset(state, value, request);
  if (offset === undefined || !isTrusted(state, value)) return false;
  const typeId = state.words[value + L.TARGET]!;
  const name = types.nameOf(typeId);
  return WRITABLE_MEMBERS.some(({ structs, member, programTypes }) => {
    if (!structs.includes(name) || !programTypes.includes(subject.type.name)) return false;
    // Aliases of a structure have it as their only member.
    const place = types.placeOf(types.struct(structs[0]!) ?? 0, member);
    return (
      place !== undefined &&
      offset >= place.offset &&
      offset + request.size <= place.offset + place.sizeBytes
    );
  });
}
