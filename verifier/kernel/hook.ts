/**
 * What a BTF-typed program is attached to: a function, tracepoint, iterator or lsm hook of the
 * kernel, found by name in its types. Its prototype says what the program finds behind r1: one
 * 8-byte word per argument, then, where the program runs at the end, the result.
 *
 * Rules: Documentation/bpf/prog_lsm.rst, bpf_iterators.rst, btf.rst; what Linux 6.18 refuses.
 */

import type { Btf, BtfParameter, BtfPrototype } from '../../btf/index.ts';
import type { Program } from '../../isa/index.ts';
import {
  ITERATORS,
  NULLABLE_TRACEPOINT_ARGUMENTS,
  type ReturnRule,
  returnRule,
  UNTRUSTED_LSM_HOOKS,
} from '../../platform/index.ts';
import * as L from '../state/layout.ts';
import { attachProblem } from './attach.ts';
import type { KernelTypes } from './types.ts';
import { pointerTag } from './walk.ts';

/** What a word of the context holds. */
export type HookArgument =
  | { readonly kind: 'number'; readonly range?: { readonly min: number; readonly max: number } }
  | { readonly kind: 'object'; readonly typeId: number; readonly flags: number }
  /** Bytes of a size that is checked when the program is attached. */
  | { readonly kind: 'bytes'; readonly flags: number }
  | { readonly kind: 'refused'; readonly reason: string };

export interface Hook {
  readonly name: string;
  /** By 8-byte word of the context. */
  readonly arguments: readonly HookArgument[];
  readonly returns: ReturnRule;
}

export interface HookProblem {
  readonly code: 'attach-target' | 'program-type-unsupported';
  readonly reason: string;
}

const NUMBER: HookArgument = Object.freeze({ kind: 'number' });
/** bpf(2) passes at most this many arguments on. */
const MOST_ARGUMENTS = 12;

/** The hook, or why the program cannot be attached to it. */
export function findHook(program: Program, types: KernelTypes): Hook | HookProblem {
  const target = program.attachTarget;
  if (target === undefined || target === '') {
    return { code: 'attach-target', reason: 'the program does not say what it is attached to' };
  }
  const name = FUNCTION_NAMES[program.attachType ?? '']?.(target);
  if (name === undefined) {
    const reason = `attach type '${program.attachType ?? 'none'}' has no kernel function`;
    return { code: 'attach-target', reason };
  }
  if (program.attachType === 'trace_iter' && ITERATORS[target] === undefined) {
    return { code: 'attach-target', reason: `there is no iterator over '${target}'` };
  }
  const prototype = prototypeOf(program, types, name);
  if (prototype === undefined && program.type === 'lsm') {
    return { code: 'attach-target', reason: `there is no hook '${target}'` };
  }
  if (prototype === undefined) {
    const reason = `the kernel types have no '${name}' (those of its module can be given behind the kernel’s)`;
    return { code: 'program-type-unsupported', reason };
  }
  const reason = attachProblem(program, types.btf, target, prototype);
  if (reason !== undefined) return { code: 'attach-target', reason };
  return {
    name: target,
    arguments: argumentsOf(program, types.btf, target, prototype),
    returns: resultRule(program, prototype),
  };
}

/** Under which name BTF lists the target. */
const FUNCTION_NAMES: Readonly<Record<string, (target: string) => string>> = {
  trace_raw_tp: (target) => `btf_trace_${target}`,
  trace_fentry: (target) => target,
  trace_fexit: (target) => target,
  modify_return: (target) => target,
  trace_iter: (target) => `bpf_iter_${target}`,
  lsm_mac: (target) => `bpf_lsm_${target}`,
  lsm_cgroup: (target) => `bpf_lsm_${target}`,
};

/** Tracepoints are typedefs of pointers to functions, everything else is a function. */
function prototypeOf(program: Program, types: KernelTypes, name: string): BtfPrototype | undefined {
  if (program.attachType !== 'trace_raw_tp') return types.prototype(name);
  const id = types.btf.find(name, 'typedef');
  const pointer = id === undefined ? undefined : types.btf.resolved(id);
  if (pointer?.kind !== 'ptr') return undefined;
  const prototype = types.btf.resolved(pointer.typeId);
  return prototype.kind === 'func_proto' ? prototype : undefined;
}

/** Hooks that return nothing leave the result of lsm programs free, or demand "carry on". */
function resultRule(program: Program, prototype: BtfPrototype): ReturnRule {
  if (program.type !== 'lsm' || prototype.returnTypeId !== 0) return returnRule(program);
  return program.attachType === 'lsm_cgroup' ? { min: 1, max: 1 } : 'any';
}

const SEES_RESULT: ReadonlySet<string> = new Set([
  'trace_fexit',
  'modify_return',
  'lsm_mac',
  'lsm_cgroup',
]);

function argumentsOf(
  program: Program,
  btf: Btf,
  target: string,
  prototype: BtfPrototype,
): HookArgument[] {
  const isTracepoint = program.attachType === 'trace_raw_tp';
  // A tracepoint's first argument is the kernel's own.
  const parameters = isTracepoint ? prototype.parameters.slice(1) : prototype.parameters;
  const typed = parameters.slice(0, MOST_ARGUMENTS).flatMap((parameter, index) => {
    const argument = argumentAt(program, btf, target, parameter, index);
    return new Array<HookArgument>(wordsOf(btf, parameter.typeId)).fill(argument);
  });
  if (!SEES_RESULT.has(program.attachType ?? '')) return typed;
  const result = typeArgument(btf, prototype.returnTypeId, { flags: 0 });
  const rule = returnRule(program);
  const isRanged = program.attachType === 'lsm_mac' && rule !== 'any';
  return [
    ...typed,
    isRanged && result.kind === 'number' ? { kind: 'number', range: rule } : result,
  ];
}

/** A structure passed by value may fill two words. */
const wordsOf = (btf: Btf, typeId: number): number =>
  Math.max(1, Math.ceil((btf.sizeOf(typeId) ?? 0) / 8));

function argumentAt(
  program: Program,
  btf: Btf,
  target: string,
  parameter: BtfParameter,
  index: number,
): HookArgument {
  const suffix = parameter.name.endsWith('__nullable') ? L.FLAG_NULLABLE : 0;
  switch (program.attachType) {
    case 'trace_iter': {
      const row = ITERATORS[target]?.find(({ name }) => name === parameter.name);
      if (row === undefined) return typeArgument(btf, parameter.typeId, { flags: L.FLAG_TRUSTED });
      const flags =
        (row.nullable ? L.FLAG_NULLABLE : 0) |
        (row.trusted ? L.FLAG_TRUSTED : 0) |
        (row.readOnly ? L.FLAG_READ_ONLY : 0);
      if (row.kind === 'bytes') return { kind: 'bytes', flags };
      return typeArgument(btf, parameter.typeId, { flags });
    }
    case 'trace_raw_tp': {
      const mayBeNull = NULLABLE_TRACEPOINT_ARGUMENTS[target]?.includes(index) ?? false;
      const flags = L.FLAG_TRUSTED | suffix | (mayBeNull ? L.FLAG_NULLABLE : 0);
      return typeArgument(btf, parameter.typeId, { flags });
    }
    case 'lsm_mac':
    case 'lsm_cgroup': {
      const trust = UNTRUSTED_LSM_HOOKS.has(target) ? 0 : L.FLAG_TRUSTED;
      return typeArgument(btf, parameter.typeId, { flags: trust | suffix });
    }
    default:
      return typeArgument(btf, parameter.typeId, { flags: suffix });
  }
}

/** What a program gets that loads an argument of the type; `flags` are those of a pointer. */
function typeArgument(
  btf: Btf,
  typeId: number,
  { flags }: { readonly flags: number },
): HookArgument {
  const type = btf.resolved(typeId);
  switch (type.kind) {
    case 'int':
    case 'enum':
    case 'enum64':
    case 'struct':
    case 'union':
      return NUMBER;
    case 'ptr':
      break;
    default:
      return { kind: 'refused', reason: `has type ${type.kind}. Only pointer access is allowed` };
  }
  const pointee = btf.resolved(type.typeId);
  if (pointee.kind === 'void' || pointee.kind === 'int') return NUMBER;
  if (pointee.kind !== 'struct' && pointee.kind !== 'union') {
    return { kind: 'refused', reason: `type ${pointee.kind.toUpperCase()} is not a struct` };
  }
  const tag = pointerTag(btf, type.typeId);
  const tagged = tag === 'user' ? L.FLAG_USER : tag === 'percpu' ? L.FLAG_PERCPU : 0;
  return { kind: 'object', typeId: pointee.id, flags: flags | tagged };
}
