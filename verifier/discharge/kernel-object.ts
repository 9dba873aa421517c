/**
 * Kernel objects as arguments: the type must be the one that the callee wants, or contain it at the
 * offset that is passed, and the pointer must be as trustworthy as the callee asks.
 *
 * Helpers take pointers that nobody vouches for (they check themselves, as they always did), but
 * none that may be null, is known to be untrusted, or points into user or per-CPU memory. Kernel
 * functions say by flags what they want: trusted, or at least protected by RCU.
 */

import { hasFlag } from '../contract.ts';
import type { Failure } from '../diagnose/failure.ts';
import * as domain from '../domain/index.ts';
import { isTrusted } from '../kernel/pointer.ts';
import type { KernelTypes } from '../kernel/types.ts';
import { isLent } from '../regions/trace-buffer.ts';
import * as kinds from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import { checkAccess } from './access.ts';
import { type Call, checkReleased, requireKind, unsupported, wrong } from './passed.ts';

/** The kernel structure behind each kind of socket, and behind maps. */
const STRUCTURES: Readonly<Record<number, string>> = {
  [kinds.MAP]: 'bpf_map',
  [kinds.SOCKET]: 'sock',
  [kinds.SOCK_COMMON]: 'sock_common',
  [kinds.TCP_SOCKET]: 'tcp_sock',
};

const SOCKETS: readonly number[] = [
  kinds.SOCK_COMMON,
  kinds.SOCKET,
  kinds.TCP_SOCKET,
  kinds.XDP_SOCKET,
];

const NO_HELPER = L.FLAG_UNTRUSTED | L.FLAG_USER | L.FLAG_PERCPU;

/** An object of the argument's type. */
export function checkKernelObject(call: Call): Failure | null {
  const types = call.walk.subject.kernel;
  if (types === undefined)
    return unsupported(call, 'it takes kernel objects, whose types are unknown');
  const wanted = types.struct(call.argument.typeName ?? '');
  if (wanted === undefined) {
    return unsupported(call, `the kernel types have no struct ${call.argument.typeName}`);
  }
  if (call.callee.flags !== undefined && !isObjectKind(call)) {
    return call.argument.releases === true
      ? wrong(call, 'a referenced object', 'ptr_')
      : checkPlainBytes(call, types, wanted);
  }
  const failure = checkObject(call, types, wanted) ?? checkTrust(call);
  if (failure !== null || !call.argument.releases) return failure;
  return checkReleased(call);
}

/** An object that helpers may read like memory: trusted, and for reading only. */
export function isReadableObject({ walk, callee, argument, value }: Call): boolean {
  const { state } = walk;
  // Keys and values of maps are memory that Linux does not say that it only reads.
  const isMemory = argument.kind === 'memory';
  const readsOnly = isMemory && (argument.access ?? 'read') === 'read';
  const isPlainlyTrusted = state.words[value + L.FLAGS] === L.FLAG_TRUSTED;
  const isObject = state.kind(value) === kinds.BTF_OBJECT;
  return callee.flags === undefined && readsOnly && isObject && isPlainlyTrusted;
}

/**
 * Bytes in place of an object: kernel functions take them for structures without pointers, and may
 * write them (transfer/callee).
 */
function checkPlainBytes(call: Call, types: KernelTypes, wanted: number): Failure | null {
  const { walk, pc, register, value } = call;
  const size = types.btf.sizeOf(wanted) ?? 0;
  const { state } = walk;
  const isBytes = PLAIN_BYTES.has(state.kind(value)) || isLent(state, value);
  const nullable = (state.words[value + L.FLAGS]! & L.FLAG_NULLABLE) !== 0;
  if (!isBytes || nullable || !types.isPlain(wanted)) {
    return wrong(call, `a pointer to struct ${types.nameOf(wanted)}`, 'ptr_');
  }
  const request = { pc, register, offset: 0, size, by: 'helper' } as const;
  return (
    checkAccess(walk, { ...request, verb: 'read' }) ??
    checkAccess(walk, { ...request, verb: 'write' })
  );
}

const PLAIN_BYTES: ReadonlySet<number> = new Set([
  kinds.STACK,
  kinds.MAP_VALUE,
  kinds.MEMORY,
  kinds.PACKET,
  kinds.PACKET_META,
]);

const isObjectKind = ({ walk, value }: Call): boolean =>
  walk.state.kind(value) === kinds.BTF_OBJECT || walk.state.kind(value) in STRUCTURES;

function checkObject(call: Call, types: KernelTypes, wanted: number): Failure | null {
  const { state } = call.walk;
  const { words } = state;
  const kind = state.kind(call.value);
  const expected = `a pointer to struct ${types.nameOf(wanted)}`;
  const fail = () => wrong(call, expected, `ptr_${types.nameOf(wanted)}`);
  const isKfunc = call.callee.flags !== undefined;
  const socket = isKfunc ? types.struct(STRUCTURES[kind] ?? '') : undefined;
  if (kind !== kinds.BTF_OBJECT && socket === undefined) return fail();
  const nullable = (words[call.value + L.FLAGS]! & L.FLAG_NULLABLE) !== 0;
  if (nullable && (!call.argument.nullable || call.argument.releases)) return fail();
  if (!domain.isConstant(words, call.value + L.NUMBER)) return fail();
  const moved = domain.signedMin(words, call.value + L.NUMBER);
  const offset = words[call.value + L.OFFSET]! + moved;
  const type = socket ?? words[call.value + L.TARGET]!;
  const isExact = call.argument.releases === true || types.isUnfinished(type, wanted);
  const how = isExact ? 'exact' : 'nested';
  return offset >= 0 && types.contains(type, offset, wanted, how) ? null : fail();
}

function checkTrust(call: Call): Failure | null {
  const { callee, value } = call;
  const { state } = call.walk;
  const flags = state.words[value + L.FLAGS]!;
  if (callee.flags === undefined) {
    const refused = (flags & NO_HELPER) !== 0;
    return refused ? wrong(call, 'a pointer that is not untrusted', 'ptr_, trusted_ptr_') : null;
  }
  const isRcu = (flags & L.FLAG_RCU) !== 0;
  if ((flags & (NO_HELPER & ~L.FLAG_NULLABLE)) !== 0 && !isRcu) {
    return wrong(call, 'a valid kernel pointer', 'ptr_');
  }
  if (isTrusted(state, value) || isTrustedOrNull(call)) return null;
  if (hasFlag(callee, 'rcu'))
    return isRcu ? null : wrong(call, 'a pointer protected by RCU', 'rcu');
  const demands = hasFlag(callee, 'trusted-args') || call.argument.releases === true;
  return demands ? wrong(call, 'a trusted or referenced pointer', 'trusted') : null;
}

/** Nullable arguments may be trusted or null. */
function isTrustedOrNull(call: Call): boolean {
  const flags = call.walk.state.words[call.value + L.FLAGS]!;
  const wanted = L.FLAG_TRUSTED | L.FLAG_NULLABLE;
  return call.argument.nullable === true && (flags & wanted) === wanted;
}

/** A socket of ours, or any kernel object that begins with a struct sock_common. */
export function checkSocketObject(call: Call): Failure | null {
  const { state, subject } = call.walk;
  if (state.kind(call.value) !== kinds.BTF_OBJECT) {
    const failure = requireKind(call, SOCKETS, 'a socket', 'sock_common');
    return failure !== null || !call.argument.releases ? failure : checkReleased(call);
  }
  const types = subject.kernel as KernelTypes;
  const wanted = types.struct('sock_common');
  const failure =
    wanted === undefined
      ? wrong(call, 'a socket', 'sock_common')
      : checkObject(call, types, wanted);
  // Objects under RCU alone are no sockets to helpers.
  const isRcu = (state.words[call.value + L.FLAGS]! & L.FLAG_RCU) !== 0;
  const barred = isRcu ? wrong(call, 'a socket that is not only RCU-protected', 'ptr_') : null;
  const other = failure ?? barred ?? checkTrust(call);
  return other !== null || !call.argument.releases ? other : checkReleased(call);
}

/** A variable that every processor has its own of. */
export function checkPerCpu(call: Call): Failure | null {
  const { state } = call.walk;
  const { words } = state;
  const flags = words[call.value + L.FLAGS]!;
  const kind = state.kind(call.value);
  // Objects of the program must be read from a map value, where RCU keeps them alive.
  const isShared = kind === kinds.ALLOCATED && (flags & L.FLAG_RCU) !== 0;
  const isPerCpu = (kind === kinds.BTF_OBJECT || isShared) && (flags & L.FLAG_PERCPU) !== 0;
  const isWhole =
    words[call.value + L.OFFSET] === 0 && domain.isConstantOf(words, call.value + L.NUMBER, 0, 0);
  const spoiled = (flags & (L.FLAG_UNTRUSTED | L.FLAG_NULLABLE)) !== 0;
  if (isPerCpu && isWhole && !spoiled) return null;
  return wrong(call, 'a pointer to a per-CPU variable', 'percpu_ptr_');
}

/** The program's context, where that stands for the kernel's structure, or the structure itself. */
export function checkContextOrObject(call: Call): Failure | null {
  const { state, subject } = call.walk;
  if (state.kind(call.value) !== kinds.CONTEXT) return checkKernelObject(call);
  const { words } = state;
  const isWhole =
    words[call.value + L.OFFSET] === 0 && domain.isConstantOf(words, call.value + L.NUMBER, 0, 0);
  if (isWhole && subject.type.kernelContext === call.argument.typeName) return null;
  return wrong(call, `the context, or a struct ${call.argument.typeName}`, 'ctx');
}

/** The number of a structure of the kernel, or 0 for bytes. */
export function checkKernelType(call: Call): Failure | null {
  const { state, subject } = call.walk;
  const { words } = state;
  const fail = () => wrong(call, 'the type number of a kernel structure', 'known constant');
  const number = call.value + L.NUMBER;
  if (state.kind(call.value) !== kinds.SCALAR || !domain.isConstant(words, number)) return fail();
  call.walk.needPrecise(call.register);
  const id = domain.signedMin(words, number);
  if (id === 0) return null;
  const btf = subject.kernel?.btf;
  const isStruct = btf?.has(id) === true && ['struct', 'union'].includes(btf.kindOf(id));
  return isStruct ? null : fail();
}
