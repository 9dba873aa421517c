/**
 * What a global function asks of its arguments. It is verified on its own, once, for any arguments
 * of these types; a call of it is checked against them, and learns nothing of what it does.
 *
 * The types come from BTF: numbers are numbers; a pointer to the program type's context structure is
 * the context; any other pointer is to memory of its type's size, or null. Declaration tags
 * (`__arg_ctx`, `__arg_nonnull`, `__arg_trusted`, ... of bpf_helpers.h) say more.
 * Source: Documentation/bpf/libbpf/program_types and bpf_helpers.h; checked against Linux 6.18 by
 * test/verifier/calls.
 */

import { type Btf, type BtfType, essentialName } from '../../btf/index.ts';
import {
  type ContextLayout,
  has,
  type KfuncArgument,
  type Profile,
  type ProgramTypeRow,
} from '../../platform/index.ts';
import type { FunctionSpan } from '../cfg.ts';
import type { Contract } from '../contract.ts';
import type { KernelTypes } from '../kernel/types.ts';
import type { Effects } from './effects.ts';

/** The contract of a global function, and where it begins. */
export interface Prototype extends Contract {
  readonly entry: number;
  /** It may end the program from within. */
  readonly throws: boolean;
  /** Why Linux takes no such function: reported where it is called. */
  readonly refusal: { readonly reason: string; readonly linux: string } | undefined;
}

/** What prototypes depend on besides the function. */
export interface Setting {
  readonly btf: Btf | undefined;
  readonly type: ProgramTypeRow;
  readonly layout: ContextLayout | undefined;
  readonly profile: Profile;
  readonly kernel: () => KernelTypes | undefined;
}

class Refusal extends Error {
  readonly linux: string;
  constructor(reason: string, linux: string) {
    super(reason);
    this.linux = linux;
  }
}

/** Registers that pass arguments. */
const MOST_ARGUMENTS = 5;

export function prototypeOf(setting: Setting, span: FunctionSpan, effects: Effects): Prototype {
  const row = {
    name: span.name,
    entry: span.start,
    returns: { kind: 'scalar' },
    packetAccess: true,
    ...effects,
  } as const;
  try {
    return { ...row, arguments: argumentsOf(setting, span), refusal: undefined };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { ...row, arguments: [], refusal: { reason: error.message, linux: error.linux } };
  }
}

function argumentsOf(setting: Setting, span: FunctionSpan): KfuncArgument[] {
  const { btf } = setting;
  const { name } = span;
  const func = btf?.typeOf(span.typeId ?? 0, 'func');
  const proto = func && btf?.typeOf(func.typeId, 'func_proto');
  if (btf === undefined || func === undefined || proto === undefined) {
    throw new Refusal('its BTF describes no function', 'Global functions need valid BTF');
  }
  const { parameters } = proto;
  if (parameters.length > MOST_ARGUMENTS) {
    throw new Refusal(
      `it has ${parameters.length} parameters; ${MOST_ARGUMENTS} can be passed`,
      `Global function ${name}() with ${parameters.length} > 5 args. Buggy compiler.`,
    );
  }
  if (!isNumber(btf.resolved(proto.returnTypeId))) {
    throw new Refusal(
      'it does not return a number',
      `Global function ${name}() doesn't return scalar. Only those are supported.`,
    );
  }
  return parameters.map(({ typeId }, index) => {
    const tags = tagsOf(setting, func.id, index);
    return argumentOf(setting, btf, typeId, index, tags, name);
  });
}

const isNumber = ({ kind }: BtfType): boolean =>
  kind === 'int' || kind === 'enum' || kind === 'enum64';

const TAG_PREFIX = 'arg:';
type Tag = 'ctx' | 'trusted' | 'untrusted' | 'nonnull' | 'nullable' | 'arena';
const TAGS: readonly string[] = ['ctx', 'trusted', 'untrusted', 'nonnull', 'nullable', 'arena'];

/** Older kernels ignore the tags. */
function tagsOf(setting: Setting, functionId: number, index: number): ReadonlySet<Tag> {
  const { btf, profile } = setting;
  if (profile.family === 'linux' && !profile.features.has('global-function-tags')) return new Set();
  const tags = btf!
    .declarationTags(functionId, index)
    .filter(({ name }) => name.startsWith(TAG_PREFIX))
    .map(({ name }) => name.slice(TAG_PREFIX.length));
  const unknown = tags.find((tag) => !TAGS.includes(tag));
  if (unknown !== undefined) {
    throw new Refusal(
      `argument ${index + 1} has the unknown tag '${unknown}'`,
      `arg#${index} has unsupported set of tags`,
    );
  }
  return new Set(tags as Tag[]);
}

function argumentOf(
  setting: Setting,
  btf: Btf,
  typeId: number,
  index: number,
  tags: ReadonlySet<Tag>,
  name: string,
): KfuncArgument {
  const type = btf.resolved(typeId);
  if (type.kind === 'ptr') return pointerOf(setting, btf, type.typeId, index, tags);
  if (tags.size > 0) {
    throw new Refusal(
      `argument ${index + 1} is tagged as a pointer, and is none`,
      `arg#${index} has pointer tag, but is not a pointer type`,
    );
  }
  if (isNumber(type)) return { kind: 'number' };
  throw new Refusal(
    `argument ${index + 1} is neither a number nor a pointer`,
    `Arg#${index} type ${type.kind.toUpperCase()} in ${name}() is not supported yet.`,
  );
}

function pointerOf(
  setting: Setting,
  btf: Btf,
  pointee: number,
  index: number,
  tags: ReadonlySet<Tag>,
): KfuncArgument {
  const only = (...allowed: readonly Tag[]): void => {
    if ([...tags].every((tag) => allowed.includes(tag))) return;
    throw new Refusal(
      `the tags of argument ${index + 1} contradict each other`,
      `arg#${index} has invalid combination of tags`,
    );
  };
  if (tags.has('ctx') || isContext(setting, btf, pointee)) {
    only('ctx');
    return { kind: 'context' };
  }
  const type = btf.resolved(pointee);
  if (type.kind === 'struct' && type.name === 'bpf_dynptr') {
    only();
    return { kind: 'dynptr', dynptr: 'any' };
  }
  if (tags.has('trusted')) {
    only('trusted', 'untrusted', 'nullable');
    const typeName = kernelStruct(setting, type, index);
    return { kind: 'btf', typeName, nullable: tags.has('nullable') };
  }
  if (tags.has('untrusted')) {
    only('untrusted');
    if (type.kind === 'void' || isNumber(type)) return { kind: 'untrusted' };
    return { kind: 'untrusted', typeName: kernelStruct(setting, type, index) };
  }
  if (tags.has('arena')) {
    only('arena');
    return { kind: 'arena-pointer' };
  }
  only('nonnull');
  const sizeBytes = has(setting.profile, MEMORY_SINCE) ? btf.sizeOf(pointee) : undefined;
  if (sizeBytes === undefined) {
    throw new Refusal(
      `the size of what argument ${index + 1} points to is unknown`,
      `arg#${index} reference type('${type.kind.toUpperCase()} ${type.name}') size cannot be determined: -22`,
    );
  }
  const nullable = !tags.has('nonnull');
  return { kind: 'memory', sizeBytes, access: 'read-write', nullable };
}

/** Name of the kernel's structure that the program's stands for. */
function kernelStruct(setting: Setting, type: BtfType, index: number): string {
  const name = essentialName(type.name);
  const kernel = setting.kernel();
  if (kernel === undefined || kernel.struct(name) !== undefined) return name;
  throw new Refusal(
    `the kernel has no structure '${name}', as argument ${index + 1} is said to point to`,
    `arg#${index} reference type('${type.kind.toUpperCase()} ${type.name}') has no matches`,
  );
}

/** Pointers to memory as arguments of global functions came with Linux 5.12. */
const MEMORY_SINCE = '5.12';

/** Structures behind r1 of program types without a layout of their own. */
const RAW_CONTEXTS: Readonly<Record<string, string>> = {
  kprobe: 'pt_regs',
  perf_event: 'bpf_perf_event_data',
  raw_tracepoint: 'bpf_raw_tracepoint_args',
  raw_tracepoint_writable: 'bpf_raw_tracepoint_args',
  netfilter: 'bpf_nf_ctx',
};
/** The typedef that stands for the registers of any architecture. */
const REGISTERS_TYPEDEF = 'bpf_user_pt_regs_t';

function isContext({ type, layout }: Setting, btf: Btf, pointee: number): boolean {
  if (type.name === 'kprobe' && passesTypedef(btf, pointee, REGISTERS_TYPEDEF)) return true;
  const struct = layout?.struct ?? RAW_CONTEXTS[type.name];
  const found = btf.resolved(pointee);
  return struct !== undefined && found.kind === 'struct' && found.name === struct;
}

/** Whether the type is given through the typedef of that name. */
function passesTypedef(btf: Btf, id: number, name: string): boolean {
  for (let at = id; at !== 0; ) {
    const type = btf.type(at);
    switch (type.kind) {
      case 'typedef':
        if (type.name === name) return true;
        at = type.typeId;
        break;
      case 'const':
      case 'volatile':
      case 'restrict':
      case 'type_tag':
        at = type.typeId;
        break;
      default:
        return false;
    }
  }
  return false;
}
