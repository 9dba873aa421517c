/**
 * Values of maps, reached by look-up or by address. Other programs and processors may write them at
 * any time, so nothing is learnt from a store and every load yields anything; only the contents of
 * frozen maps are constants.
 */

import type { SpecialField } from '../../btf/index.ts';
import type { MapSpec } from '../../isa/index.ts';
import type { Failure } from '../diagnose/failure.ts';
import type { Walk } from '../explore/walk.ts';
import type { AccessRequest } from '../obligations/obligation.ts';
import { isPointerField, loadPointer } from '../resources/kptr.ts';
import { fieldWithin } from '../resources/special-field.ts';
import * as L from '../state/layout.ts';
import {
  boundsValues,
  checkAlignment,
  checkExtent,
  constantOffset,
  highest,
  isAligned,
  loadUnknown,
  lowest,
  type Region,
} from './region.ts';

export const MAP_VALUE_REGION: Region = { check, load, store };

/** BPF_F_* of map creation (uapi linux/bpf.h). */
export const BPF_F_RDONLY_PROG = 1 << 7;
export const BPF_F_WRONLY_PROG = 1 << 8;

function check(walk: Walk, value: number, request: AccessRequest): Failure | null {
  const { state } = walk;
  const map = mapOf(walk, value);
  const extent = map.valueSize;
  const more = { map: map.name };
  const failure = checkExtent(walk, value, request, extent, 'map-value-out-of-bounds', more);
  if (failure !== null) return failure;
  const forbidden = request.verb === 'write' ? BPF_F_RDONLY_PROG : BPF_F_WRONLY_PROG;
  const readOnly = (state.words[value + L.FLAGS]! & L.FLAG_READ_ONLY) !== 0;
  if ((map.flags & forbidden) !== 0 || (readOnly && request.verb === 'write')) {
    const values = { ...boundsValues(walk, value, request, extent), ...more };
    const verb = request.verb === 'write' ? 'written' : 'read';
    return { code: 'map-read-only', pc: request.pc, values: { ...values, verb } };
  }
  return (
    checkSpecial(walk, value, request, map) ??
    checkAlignment(walk, value, request, `value of map '${map.name}'`)
  );
}

/**
 * Special fields are the kernel's. Only a kernel pointer may be loaded as such, whole; and stored,
 * where the map owns nothing by it (checked with the value, see discharge/access).
 */
function checkSpecial(
  walk: Walk,
  value: number,
  request: AccessRequest,
  map: MapSpec,
): Failure | null {
  const { state, subject } = walk;
  const fields = subject.types.ofMap(state.words[value + L.TARGET]!);
  if (fields.length === 0) return null;
  const low = lowest(state, value, request);
  const field = fieldWithin(fields, low, highest(state, value, request));
  if (field === undefined) return null;
  const whole = constantOffset(state, value, request) === field.offset && request.size === 8;
  if (isPointerField(field) && whole && request.by === 'instruction') {
    const immediate = subject.instructions[request.pc]!.imm;
    const isStored = request.verb === 'write' && subject.rows[request.pc]!.source === 'imm';
    if (!isStored || (immediate === 0 && field.kind === 'kptr-untrusted')) return null;
    return { code: 'kptr-store', pc: request.pc, values: {}, registers: [request.register] };
  }
  const values = { ...boundsValues(walk, value, request, map.valueSize), map: map.name };
  const more = { object: field.kind, linux: field.kind };
  return { code: 'map-special-field', pc: request.pc, values: { ...values, ...more } };
}

/** The kernel pointer that a proven load reads. */
function pointerAt(walk: Walk, value: number, request: AccessRequest): SpecialField | undefined {
  const fields = walk.subject.types.ofMap(walk.state.words[value + L.TARGET]!);
  const offset = constantOffset(walk.state, value, request);
  return fields.find((field) => field.offset === offset && isPointerField(field));
}

const mapOf = (walk: Walk, value: number): MapSpec =>
  walk.subject.maps[walk.state.words[value + L.TARGET]!]!;

function record(walk: Walk, value: number, request: AccessRequest): number | undefined {
  const offset = constantOffset(walk.state, value, request);
  const map = walk.state.words[value + L.TARGET]!;
  const aligned = isAligned(walk.state, value, request);
  walk.noteAccess(request, 'map-value', offset, map, aligned);
  return offset;
}

function load(walk: Walk, value: number, request: AccessRequest, to: number): void {
  const { state } = walk;
  const offset = record(walk, value, request);
  const pointer = pointerAt(walk, value, request);
  if (pointer !== undefined) {
    loadPointer(walk, pointer, to);
    return;
  }
  const map = mapOf(walk, value);
  const address = state.words[value + L.DETAIL]! === DIRECT ? offset : undefined;
  if (map.frozen && address !== undefined && isFrozenConstant(map)) {
    loadConstant(walk, map, address, request.size, to);
    return;
  }
  loadUnknown(state, to, request.size);
}

/** DETAIL of a pointer made by `constant_map_value`: it points into the value at key 0. */
export const DIRECT = 1;

/** The program cannot write it, and nobody else any more. */
const isFrozenConstant = (map: MapSpec): boolean => (map.flags & BPF_F_RDONLY_PROG) !== 0;

/** Little-endian bytes of the frozen value; what `initial` does not cover is zero. */
function loadConstant(walk: Walk, map: MapSpec, at: number, size: number, to: number): void {
  let lo = 0;
  let hi = 0;
  for (let i = 0; i < size; i++) {
    const byte = map.initial?.[at + i] ?? 0;
    if (i < 4) lo |= byte << (i * 8);
    else hi |= byte << ((i - 4) * 8);
  }
  walk.state.setConstant(to, lo, hi);
}

function store(walk: Walk, value: number, request: AccessRequest): void {
  record(walk, value, request);
}
