/** The words in which kfunc rows are written. */

import type { KernelVersion, KfuncArgument, KfuncFlag, KfuncReturn, KfuncRow } from '../types.ts';

export const NUMBER: KfuncArgument = { kind: 'number' };
export const IGNORED: KfuncArgument = { kind: 'ignored' };
export const DYNPTR: KfuncArgument = { kind: 'dynptr', dynptr: 'any' };
export const MEMORY: KfuncArgument = { kind: 'memory' };
export const MEMORY_OUT: KfuncArgument = { kind: 'memory', access: 'write' };
export const MEMORY_INOUT: KfuncArgument = { kind: 'memory', access: 'read-write' };
export const SIZE: KfuncArgument = { kind: 'size-or-zero' };
export const STRING: KfuncArgument = { kind: 'string' };

/** A trusted (or, where the row says 'rcu', RCU-protected) kernel object. */
export const object = (typeName: string): KfuncArgument => ({ kind: 'btf', typeName });
export const objectOrNull = (typeName: string): KfuncArgument => ({
  kind: 'btf',
  typeName,
  nullable: true,
});
/** The reference passed here is given up. */
export const released = (typeName: string): KfuncArgument => ({
  kind: 'btf',
  typeName,
  releases: true,
});
/** The program's context, or a trusted pointer to what stands behind it in the kernel. */
export const contextOf = (typeName: string): KfuncArgument => ({
  kind: 'kernel-pointer',
  typeName,
});
/** Memory of fixed size behind a pointer to a number or plain structure. */
export const plain = (sizeBytes: number): KfuncArgument => ({
  kind: 'memory',
  access: 'read-write',
  sizeBytes,
});
/** An iterator on the stack: `struct bpf_iter_${name}`. */
export const iterator = (typeName: string, sizeBytes: number): KfuncArgument => ({
  kind: 'iterator',
  typeName,
  sizeBytes,
});

export const SCALAR: KfuncReturn = { kind: 'scalar' };
export const VOID: KfuncReturn = { kind: 'void' };
export const BOOLEAN: KfuncReturn = { kind: 'scalar', range: { min: 0, max: 1 } };
/** `acquire` and `ret-null` say the rest. */
export const found = (typeName: string): KfuncReturn => ({
  kind: 'btf',
  typeName,
  nullable: true,
  acquires: true,
  trust: 'trusted',
});
/** Valid as long as the iterator stays where it is, or RCU is held. */
export const visited = (typeName: string, trust: 'trusted' | 'rcu' = 'rcu'): KfuncReturn => ({
  kind: 'btf',
  typeName,
  nullable: true,
  trust,
});

export type Options = Partial<Omit<KfuncRow, 'name' | 'since' | 'arguments' | 'returns'>>;

/** Kernel function `bpf_${name}`. */
export function row(
  name: string,
  since: KernelVersion,
  args: readonly KfuncArgument[],
  returns: KfuncReturn,
  options: Options = {},
): KfuncRow {
  return {
    name: `bpf_${name}`,
    since,
    flags: [],
    programTypes: 'all',
    ...options,
    arguments: args,
    returns,
  };
}

/** The program types that may allocate objects and hold references to kernel objects. */
export const OBJECT_HOLDERS = [
  'sched_cls',
  'xdp',
  'tracing',
  'lsm',
  'syscall',
  'perf_event',
  'tracepoint',
  'cgroup_skb',
  'cgroup_sock',
  'cgroup_device',
  'cgroup_sock_addr',
  'cgroup_sysctl',
  'cgroup_sockopt',
  'sock_ops',
];
/** The program types of the kernel's tracing hook. */
export const TRACERS = ['tracing', 'perf_event', 'tracepoint'];

/** Rows that share options. */
export function sharing(
  options: Options,
): (
  name: string,
  since: KernelVersion,
  args: readonly KfuncArgument[],
  returns: KfuncReturn,
  ...flags: readonly KfuncFlag[]
) => KfuncRow {
  return (name, since, args, returns, ...flags) =>
    row(name, since, args, returns, { ...options, flags: [...(options.flags ?? []), ...flags] });
}
