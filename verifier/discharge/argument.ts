/** Arguments of helpers against their contracts: one function per kind of argument. */

import type { MapSpec } from '../../isa/index.ts';
import {
  acceptsMap,
  attachTypeOf,
  helper as helperById,
  type MapTypeRow,
  mapType as mapTypeNamed,
} from '../../platform/index.ts';
import { shapeOf } from '../calls/callback-arguments.ts';
import type { Contract } from '../contract.ts';
import type { Failure } from '../diagnose/failure.ts';
import * as domain from '../domain/index.ts';
import type { Walk } from '../explore/walk.ts';
import type { AccessRequest } from '../obligations/obligation.ts';
import { BPF_F_RDONLY_PROG } from '../regions/map-value.ts';
import { describeOffset, isAligned } from '../regions/region.ts';
import { isLent } from '../regions/trace-buffer.ts';
import { checkAllocated, checkLocalType, checkRefcounted } from '../resources/allocated.ts';
import { checkDeferred } from '../resources/deferred.ts';
import { checkDynptr } from '../resources/dynptr.ts';
import { checkCollection, checkNode, checkNodeInTree } from '../resources/graph.ts';
import { checkIrqFlag } from '../resources/interrupts.ts';
import { checkIterator } from '../resources/iterator.ts';
import { checkExchanged, checkKptr } from '../resources/kptr.ts';
import { checkLock } from '../resources/lock.ts';
import * as kinds from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import { checkAccess } from './access.ts';
import { checkNesting } from './call.ts';
import { formatProblem } from './format-string.ts';
import {
  checkContextOrObject,
  checkKernelObject,
  checkKernelType,
  checkPerCpu,
  checkSocketObject,
  isReadableObject,
} from './kernel-object.ts';
import {
  type Call,
  checkReleased,
  describe,
  isNull,
  requireKind,
  unsupported,
  wrong,
} from './passed.ts';

export function checkArgument(
  walk: Walk,
  pc: number,
  callee: Contract,
  index: number,
): Failure | null {
  const argument = callee.arguments[index]!;
  const register = index + 1;
  const value = walk.state.register(register);
  const call: Call = { walk, pc, callee, index, argument, register, value };
  if (argument.nullable && isNull(walk, value)) {
    walk.needPrecise(register);
    return null;
  }
  return checkKind(call);
}

function checkKind(call: Call): Failure | null {
  switch (call.argument.kind) {
    case 'anything':
      return checkAnything(call);
    case 'context':
      return checkContext(call);
    case 'map':
      return checkMap(call);
    case 'map-key':
      return checkKey(call);
    case 'map-value':
      return checkMapValue(call);
    case 'memory':
      return checkMemory(call);
    case 'size':
    case 'size-or-zero':
      return checkSize(call);
    case 'constant-size':
      return checkConstantSize(call);
    case 'stack':
      return requireKind(call, [kinds.STACK], 'a stack pointer', 'fp');
    case 'ringbuf-record':
      return checkRecord(call);
    case 'socket':
      return checkSocket(call, [kinds.SOCKET]);
    case 'sock-common':
      return checkSocket(call, SOCKETS);
    case 'btf-socket':
      return checkSocketObject(call);
    case 'btf':
      return call.argument.typeName === undefined ? checkExchanged(call) : checkKernelObject(call);
    case 'percpu-btf':
      return checkPerCpu(call);
    case 'kernel-pointer':
      return checkContextOrObject(call);
    case 'kernel-type':
      return checkKernelType(call);
    case 'string':
      return checkString(call);
    case 'callback':
      return checkCallback(call);
    case 'spin-lock':
    case 'resilient-spin-lock':
      return checkLock(call);
    case 'irq-flag':
      return checkIrqFlag(call);
    case 'iterator':
      return checkIterator(call);
    case 'dynptr':
      return checkDynptr(call);
    case 'ignored':
      return null;
    case 'untrusted':
      return call.argument.typeName !== undefined && call.walk.subject.kernel === undefined
        ? unsupported(call, 'it takes kernel objects, whose types are unknown')
        : null;
    case 'number':
      return requireKind(call, [kinds.SCALAR], 'a number', 'scalar');
    case 'arena-pointer':
      return requireKind(call, [kinds.ARENA, kinds.SCALAR], 'a pointer into an arena', 'arena');
    case 'timer':
    case 'workqueue':
    case 'task-work':
      return checkDeferred(call);
    case 'kptr':
      return checkKptr(call);
    case 'local-type':
      return checkLocalType(call);
    case 'allocated':
    case 'percpu-allocated':
      return checkAllocated(call);
    case 'refcounted':
      return checkRefcounted(call);
    case 'list-head':
    case 'rbtree-root':
      return checkCollection(call);
    case 'list-node':
    case 'rbtree-node':
      return checkNode(call);
    case 'node-in-tree':
      return checkNodeInTree(call);
    case 'any-pointer':
      return unsupported(call, `arguments of kind ${call.argument.kind}`);
    default:
      return call.argument.kind satisfies never;
  }
}

/** A function of the program, whose frame still fits. */
function checkCallback(call: Call): Failure | null {
  const { callback } = call.argument;
  const shape = shapeOf(call.callee);
  if (shape === undefined) return unsupported(call, `callbacks of the form ${callback}`);
  const failure = requireKind(call, [kinds.FUNCTION], 'a function of the program', 'func');
  if (failure !== null) return failure;
  const { words } = call.walk.state;
  const isWhole =
    words[call.value + L.OFFSET] === 0 && domain.isConstantOf(words, call.value + L.NUMBER, 0, 0);
  if (!isWhole) return wrong(call, 'the beginning of a function of the program', 'func');
  if (!isDescribed(call) && !call.walk.mayReason('bare-callback')) {
    return wrong(call, 'a function that BTF describes', 'func');
  }
  // How often the callback may run bounds its index; see transfer/callback.
  if (callback === 'loop') call.walk.needPrecise(1);
  if (shape.runs !== 'now') return null;
  const { state } = call.walk;
  return checkNesting(call.walk, call.pc, state.words[call.value + L.TARGET]!);
}

/** Linux wants to see that the function is static, which the program's BTF says. */
function isDescribed({ walk, value }: Call): boolean {
  const { profile, cfg } = walk.subject;
  const entry = walk.state.words[value + L.TARGET]!;
  const span = cfg.functions[cfg.functionOf[entry]!]!;
  return profile.family !== 'linux' || span.typeId !== undefined;
}

const SOCKETS: readonly number[] = [
  kinds.SOCK_COMMON,
  kinds.SOCKET,
  kinds.TCP_SOCKET,
  kinds.XDP_SOCKET,
];

/** Unprivileged programs may not hand out addresses as numbers. */
function checkAnything(call: Call): Failure | null {
  const { state, subject } = call.walk;
  const kind = state.kind(call.value);
  if (call.argument.isZero) return checkZero(call);
  if (!kinds.isPointer(kind) || subject.mayLeakPointers) return null;
  const values = {
    kind: kinds.KINDS[kind]!.name,
    where: 'into helper function',
    R: `R${call.register}`,
  };
  return { code: 'pointer-leak', pc: call.pc, values, registers: [call.register] };
}

/** Flags of which there are none yet. */
function checkZero(call: Call): Failure | null {
  call.walk.needPrecise(call.register);
  return isNull(call.walk, call.value) ? null : wrong(call, '0', 'known zero');
}

function checkContext(call: Call): Failure | null {
  const failure = requireKind(call, [kinds.CONTEXT], 'the context pointer', 'ctx');
  if (failure !== null) return failure;
  const { state } = call.walk;
  const moved = state.words[call.value + L.OFFSET] !== 0;
  const variable = !domain.isConstantOf(state.words, call.value + L.NUMBER, 0, 0);
  if (!moved && !variable) return null;
  const values = { register: call.register, offset: state.words[call.value + L.OFFSET]! };
  return { code: 'context-modified', pc: call.pc, values, registers: [call.register] };
}

function checkMap(call: Call): Failure | null {
  const failure = requireKind(call, [kinds.MAP], 'a map', 'map_ptr');
  if (failure !== null) return failure;
  const { walk, callee } = call;
  const index = walk.state.words[call.value + L.TARGET]!;
  const map = walk.subject.maps[index]!;
  const type = walk.subject.mapTypes[index];
  if (type !== undefined && mayUse(call, type)) return checkMapChange(call, map);
  const values = {
    name: callee.name,
    helper: callee.id ?? -1,
    map: map.name,
    type: map.type,
    id: type?.id ?? -1,
  };
  return { code: 'map-type-mismatch', pc: call.pc, values, registers: [call.register] };
}

/** Helpers that change which elements a map has. */
const CHANGES: ReadonlySet<string> = new Set([
  'bpf_map_update_elem',
  'bpf_map_delete_elem',
  'bpf_map_push_elem',
  'bpf_map_pop_elem',
]);

/** Maps that programs may only read keep their elements. */
function checkMapChange({ callee, pc, register }: Call, map: MapSpec): Failure | null {
  if ((map.flags & BPF_F_RDONLY_PROG) === 0 || !CHANGES.has(callee.name)) return null;
  const values = { map: map.name, verb: 'written', extent: map.valueSize, offset: 0, size: 0 };
  return { code: 'map-read-only', pc, values, registers: [register] };
}

/** Kernel functions that take maps take them of every type, as far as this is concerned. */
function mayUse({ callee, walk }: Call, type: MapTypeRow): boolean {
  const { program } = walk.subject;
  const helper = callee.id === undefined ? undefined : helperById(callee.id);
  return helper === undefined || acceptsMap(helper, type, program.type, attachTypeOf(program));
}

/** The map in an earlier argument. */
function mapOfCall(call: Call) {
  const at = call.callee.arguments.findIndex((argument) => argument.kind === 'map');
  const { state, subject } = call.walk;
  return subject.maps[state.words[state.register(at + 1) + L.TARGET]!];
}

/** Bytes; in maps of sockets, a socket. */
function checkMapValue(call: Call): Failure | null {
  const map = mapOfCall(call);
  const storesSocket = mapTypeNamed(map?.type ?? '')?.updateTakes === 'socket';
  return storesSocket ? checkSocketObject(call) : checkBytes(call, map?.valueSize ?? 0);
}

function checkKey(call: Call): Failure | null {
  const map = mapOfCall(call);
  if (map !== undefined && map.keySize > 0) return checkBytes(call, map.keySize);
  return { code: 'map-key-missing', pc: call.pc, values: { map: map?.name ?? '?' } };
}

const BYTES: ReadonlySet<number> = new Set([
  kinds.STACK,
  kinds.PACKET,
  kinds.PACKET_META,
  kinds.MAP_VALUE,
  kinds.MAP_KEY,
  kinds.MEMORY,
]);

/** `size` bytes behind the register, readable or writable as the contract says. */
function checkBytes(call: Call, size: number): Failure | null {
  const failure = checkHoldsBytes(call, size);
  if (failure !== null) return failure;
  const access = call.argument.access ?? 'read';
  // Even no bytes at all lie somewhere: the pointer must not have left what it points into.
  const request = (verb: 'read' | 'write'): AccessRequest => {
    return { pc: call.pc, register: call.register, offset: 0, size, verb, by: 'helper' };
  };
  const read = access === 'write' ? null : checkAccess(call.walk, request('read'));
  return read ?? (access === 'read' ? null : checkAccess(call.walk, request('write')));
}

/** The register points to something that has bytes. */
function checkHoldsBytes(call: Call, size: number): Failure | null {
  const { state } = call.walk;
  const kind = state.kind(call.value);
  const nullable = (state.words[call.value + L.FLAGS]! & L.FLAG_NULLABLE) !== 0;
  const packet = kinds.isPacketKind(kind);
  const barred = packet && !allowsPacket(call);
  const isBytes = BYTES.has(kind) || isReadableObject(call) || isLent(state, call.value);
  if (!isBytes || barred || (nullable && !call.argument.nullable)) {
    return wrong(call, `a pointer to ${size} bytes`, 'fp, pkt, pkt_meta, map_key, map_value, mem');
  }
  return null;
}

/** Kernel functions take packet pointers wherever they take memory. */
function allowsPacket({ callee, walk }: Call): boolean {
  if (callee.flags !== undefined) return true;
  return walk.subject.type.packetArguments ?? callee.packetAccess ?? false;
}

/** Memory of a stated size, or with its size in the next argument (checked there). */
function checkMemory(call: Call): Failure | null {
  const { sizeBytes = 0, alignBytes = 1, inMapValue } = call.argument;
  if (inMapValue) {
    const elsewhere = requireKind(call, [kinds.MAP_VALUE], 'memory in a map value', 'map_value');
    if (elsewhere !== null) return elsewhere;
  }
  // Without a size of its own, the argument that follows checks it.
  const failure = sizeBytes === 0 ? checkHoldsBytes(call, 0) : checkBytes(call, sizeBytes);
  return failure ?? (alignBytes > 1 ? checkAligned(call, alignBytes) : null);
}

/** Numbers that the callee writes as a whole lie at multiples of their size. */
function checkAligned(call: Call, size: number): Failure | null {
  const { state } = call.walk;
  const { pc, register, value } = call;
  const request: AccessRequest = { pc, register, offset: 0, size, verb: 'write', by: 'helper' };
  if (isAligned(state, value, request)) return null;
  const kind = kinds.KINDS[state.kind(value)]!.name;
  const values = { size, proven: describeOffset(state, value, request), kind };
  return { code: 'misaligned', pc, values, registers: [register] };
}

/** The size of the memory in the argument before: bounded, and all of it accessible. */
function checkSize(call: Call): Failure | null {
  const { walk, argument } = call;
  const { state } = walk;
  if (state.kind(call.value) !== kinds.SCALAR) return wrong(call, 'a size', 'scalar');
  const words = state.words;
  const number = call.value + L.NUMBER;
  if (domain.signedMin(words, number) < 0) return wrongSize(call, 'helper-size-negative');
  if (argument.kind === 'size' && domain.unsignedMin(words, number) === 0) {
    return wrongSize(call, 'helper-size-zero');
  }
  const most = domain.unsignedMax(words, number);
  const { multipleOf = 1 } = argument;
  if (domain.isConstant(words, number) && most % multipleOf !== 0) {
    return wrong(call, `a multiple of ${multipleOf}`, 'scalar');
  }
  if (most >= MOST_SIZE) return wrongSize(call, 'helper-size-unbounded');
  walk.needPrecise(call.register);
  return checkSizedMemory(call, most);
}

function wrongSize(call: Call, code: Failure['code']): Failure {
  const { words } = call.walk.state;
  const number = call.value + L.NUMBER;
  const values = {
    name: call.callee.name,
    argument: call.register,
    proven: domain.format(words, number),
    most: domain.unsignedMax(words, number),
  };
  return { code, pc: call.pc, values, registers: [call.register] };
}

/** BPF_MAX_VAR_SIZ of Linux: sizes beyond it are taken for missing bounds. */
const MOST_SIZE = 1 << 29;

function checkSizedMemory({ walk, callee, pc, ...size }: Call, most: number): Failure | null {
  const index = size.index - 1;
  const argument = callee.arguments[index]!;
  const register = index + 1;
  const value = walk.state.register(register);
  // Helpers take null for no bytes, kernel functions for any number of them.
  const takesNull = argument.nullable && (most === 0 || callee.flags !== undefined);
  if (takesNull && isNull(walk, value)) return null;
  const call: Call = { walk, pc, callee, index, argument, register, value };
  return checkWhatMayStay(call, size.register, most) ?? checkBytes(call, most);
}

/**
 * Fewer bytes than the most may be written, and what was on the stack stays behind the others: it
 * must be the program's own where the program may not see the kernel's.
 */
function checkWhatMayStay(call: Call, sizeRegister: number, most: number): Failure | null {
  const { walk, argument } = call;
  const { state, subject } = walk;
  const isVaried = !domain.isConstant(state.words, state.register(sizeRegister) + L.NUMBER);
  const isAtRisk = subject.masksArithmetic && argument.access === 'write' && isVaried;
  if (!isAtRisk || state.kind(call.value) !== kinds.STACK) return null;
  return checkBytes({ ...call, argument: { ...argument, access: 'read' } }, most);
}

function checkConstantSize(call: Call): Failure | null {
  const { state } = call.walk;
  const isKnown =
    state.kind(call.value) === kinds.SCALAR &&
    domain.isConstant(state.words, call.value + L.NUMBER);
  if (isKnown) {
    call.walk.needPrecise(call.register);
    const before = call.callee.arguments[call.index - 1];
    const isSize = before?.kind === 'memory' && before.sizeBytes === undefined;
    const size = domain.signedMin(state.words, call.value + L.NUMBER);
    return isSize ? checkSizedMemory(call, size) : null;
  }
  const values = { name: call.callee.name, argument: call.register, proven: describe(call) };
  return { code: 'helper-constant-needed', pc: call.pc, values, registers: [call.register] };
}

function checkRecord(call: Call): Failure | null {
  const { state } = call.walk;
  const failure = requireKind(call, [kinds.MEMORY], 'a ring-buffer record', 'ringbuf_mem');
  if (failure !== null) return failure;
  if ((state.words[call.value + L.FLAGS]! & L.FLAG_RECORD) === 0) {
    return wrong(call, 'a ring-buffer record', 'ringbuf_mem');
  }
  return checkReleased(call);
}

function checkSocket(call: Call, accepted: readonly number[]): Failure | null {
  const failure = requireKind(call, accepted, 'a socket', 'sock_common');
  if (failure !== null || !call.argument.releases) return failure;
  return checkReleased(call);
}

/** A NUL-terminated string in a read-only map, at a constant offset. */
function checkString(call: Call): Failure | null {
  const { state, subject } = call.walk;
  const failure = requireKind(call, [kinds.MAP_VALUE], 'a constant string', 'map_value');
  if (failure !== null) return failure;
  const map = subject.maps[state.words[call.value + L.TARGET]!]!;
  const words = state.words;
  const isConstant = domain.isConstant(words, call.value + L.NUMBER);
  const offset = words[call.value + L.OFFSET]! + domain.signedMin(words, call.value + L.NUMBER);
  const bytes = map.initial?.subarray(Math.max(offset, 0), map.valueSize);
  // What is not given is zero.
  const terminated = bytes === undefined || bytes.includes(0) || bytes.length < map.valueSize;
  const isFixed = map.frozen && isConstant && offset >= 0 && offset < map.valueSize;
  if (!isFixed || !terminated) {
    return wrong(call, 'a constant string in a read-only map', 'map_value');
  }
  return call.argument.format ? checkFormat(call, bytes ?? new Uint8Array()) : null;
}

/** The last argument is the size of the numbers, and checked (and precise) as such. */
function checkFormat(call: Call, bytes: Uint8Array): Failure | null {
  const { state } = call.walk;
  const register = call.callee.arguments.length;
  const size = domain.unsignedMin(state.words, state.register(register) + L.NUMBER);
  const end = bytes.indexOf(0);
  const format = Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString('latin1');
  const problem = formatProblem(format, Math.floor(size / 8));
  if (problem === undefined) return null;
  const values = { name: call.callee.name, problem };
  return { code: 'format-string', pc: call.pc, values, registers: [call.register] };
}
