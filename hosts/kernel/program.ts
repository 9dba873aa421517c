/**
 * Loads a Program into the running kernel, as libbpf would, and runs it there by BPF_PROG_TEST_RUN.
 * It is the oracle of our tests and the ground of `hosts/kernel`: same bytes, same maps, the real
 * verifier's verdict and the real results.
 */
import { readFileSync } from 'node:fs';
import type { Btf } from '../../btf/index.ts';
import { decode, encode, type Instruction, type Program, TABLE } from '../../isa/index.ts';
import { addon } from '../../loader/index.ts';
import { ATTACH_TYPES, programType } from '../../platform/index.ts';
import { Attribute, COMMAND, KernelError } from './attribute.ts';
import { loadBtf } from './btf.ts';
import { createMap, type KernelMap, linkInnerMaps } from './maps.ts';

/** BPF_F_* of program loading, by the kebab-case names of Program.flags. */
const LOAD_FLAGS: Readonly<Record<string, number>> = {
  'strict-alignment': 1 << 0,
  'any-alignment': 1 << 1,
  'test-rnd-hi32': 1 << 2,
  'test-state-freq': 1 << 3,
  sleepable: 1 << 4,
  'xdp-has-frags': 1 << 5,
  'xdp-dev-bound-only': 1 << 6,
  'test-reg-invariants': 1 << 7,
};
/** enum bpf_attach_type values that a program type needs when the program names none. */
const DEFAULT_ATTACH: Readonly<Record<string, string>> = {
  xdp: 'xdp',
  sk_lookup: 'sk_lookup',
  netfilter: 'netfilter',
};
const LOG_BYTES = 1 << 20;
/** How much longer a packet may come out: the kernel refuses to cut it. */
const PACKET_GROWTH = 1 << 16;
const LOG_LEVEL_STATS = 4;

/** Types whose test run changes the context where it was given; they run once. */
const CONTEXT_IN_PLACE: ReadonlySet<string> = new Set([
  'syscall',
  'raw_tracepoint',
  'raw_tracepoint_writable',
]);
const NOTHING = new Uint8Array();

export interface KernelLoadOptions {
  /** 1 and 2 as the kernel defines them, 4 (default) for statistics only. */
  readonly logLevel?: number;
  readonly kernelBtf?: Btf;
}

export type KernelVerdict =
  | {
      readonly accepted: true;
      readonly program: KernelProgram;
      readonly log: string;
      readonly processed: number | undefined;
      readonly microseconds: number | undefined;
    }
  | { readonly accepted: false; readonly errno: number; readonly log: string };

export interface TestRunInput {
  readonly packet?: Uint8Array;
  readonly context?: Uint8Array;
  readonly repeat?: number;
}

export interface TestRunOutput {
  readonly r0: number;
  readonly packet: Uint8Array;
  readonly context: Uint8Array;
  /** Mean over the repeats. */
  readonly nanosecondsPerRun: number;
}

/** A program in the kernel, with its maps. */
export class KernelProgram {
  readonly descriptor: number;
  readonly type: string;
  readonly maps: readonly KernelMap[];
  #open = true;

  constructor(descriptor: number, type: string, maps: readonly KernelMap[]) {
    this.descriptor = descriptor;
    this.type = type;
    this.maps = maps;
  }

  map(name: string): KernelMap | undefined {
    return this.maps.find((map) => map.spec.name === name);
  }

  /** Throws KernelError, for instance for program types that cannot be run so. */
  testRun({ packet, context: given, repeat = 0 }: TestRunInput): TestRunOutput {
    const outPacket = new Uint8Array(packet ? packet.length + PACKET_GROWTH : 0);
    const context = given?.slice() ?? NOTHING;
    const inPlace = CONTEXT_IN_PLACE.has(this.type);
    const outContext = inPlace ? context : new Uint8Array(context.length);
    const attribute = new Attribute().u32(0, this.descriptor).u32(32, repeat);
    if (packet) {
      attribute.u32(8, packet.length).pointer(16, packet);
      attribute.u32(12, outPacket.length).pointer(24, outPacket);
    }
    if (context.length > 0) {
      attribute.u32(40, context.length).pointer(48, context);
      if (!inPlace) attribute.u32(44, outContext.length).pointer(56, outContext);
    }
    attribute.call(COMMAND.testRun, 'test run');
    return {
      r0: attribute.getU32(4),
      packet: outPacket.subarray(0, attribute.getU32(12)),
      context: inPlace ? context : outContext.subarray(0, attribute.getU32(44)),
      nanosecondsPerRun: attribute.getU32(36),
    };
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    addon().closeDescriptor(this.descriptor);
    for (const map of this.maps) map.close();
  }
}

let refusal: string | null | undefined;

/** Why bpf(2) cannot be used here, or undefined when it can. */
export function kernelRefusal(): string | undefined {
  if (refusal === undefined) {
    const code = new Uint8Array([0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]);
    const descriptor = new Attribute()
      .u32(0, 1)
      .u32(4, 2)
      .pointer(8, code)
      .pointer(16, new TextEncoder().encode('GPL\0'))
      .try(COMMAND.programLoad);
    if (descriptor >= 0) addon().closeDescriptor(descriptor);
    refusal = descriptor >= 0 ? null : `bpf(2) is refused with errno ${-descriptor}`;
  }
  return refusal ?? undefined;
}

/** The running kernel's release, `6.18.44-...`. */
export function kernelRelease(): string {
  return readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();
}

/** Sends `program` with its maps to the running kernel. Throws KernelError when a map is refused. */
export function loadIntoKernel(program: Program, options: KernelLoadOptions = {}): KernelVerdict {
  const btf = program.btf ? loadBtf(program.btf) : undefined;
  const maps: KernelMap[] = [];
  try {
    for (const spec of program.maps) maps.push(createMap(spec, btf));
    linkInnerMaps(maps);
    const log = new Uint8Array(LOG_BYTES);
    const attribute = loadAttribute(program, linkedCode(program, maps, options), log, options);
    if (btf) describeFunctions(attribute, program, btf.descriptor);
    const descriptor = attribute.try(COMMAND.programLoad);
    const text = new TextDecoder().decode(log.subarray(0, Math.max(0, log.indexOf(0))));
    if (descriptor < 0) {
      for (const map of maps) map.close();
      return { accepted: false, errno: -descriptor, log: text };
    }
    return {
      accepted: true,
      program: new KernelProgram(descriptor, program.type, maps),
      log: text,
      processed: numberAfter(text, /processed (\d+) insns/),
      microseconds: numberAfter(text, /verification time (\d+) usec/),
    };
  } catch (error) {
    for (const map of maps) map.close();
    throw error;
  } finally {
    btf?.close();
  }
}

function numberAfter(text: string, pattern: RegExp): number | undefined {
  const digits = pattern.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function loadAttribute(
  program: Program,
  code: Uint8Array,
  log: Uint8Array,
  options: KernelLoadOptions,
): Attribute {
  const flags = program.flags.reduce((bits, name) => bits | (LOAD_FLAGS[name] ?? 0), 0);
  const attach = program.attachType ?? DEFAULT_ATTACH[program.type];
  const attribute = new Attribute()
    .u32(0, programTypeId(program))
    .u32(4, code.length / 8)
    .pointer(8, code)
    .pointer(16, new TextEncoder().encode(`${program.license}\0`))
    .u32(24, options.logLevel ?? LOG_LEVEL_STATS)
    .u32(28, log.length)
    .pointer(32, log)
    .u32(44, flags)
    .text(48, program.name)
    .u32(68, attach === undefined ? 0 : Math.max(0, ATTACH_TYPES.indexOf(attach)));
  const target = attachTypeId(program, options.kernelBtf);
  if (target !== undefined) attribute.u32(108, target);
  return attribute;
}

function programTypeId(program: Program): number {
  const row = programType(program.type);
  if (!row) throw new RangeError(`program ${program.name} has the unknown type '${program.type}'`);
  return row.id;
}

/** Prefixes under which the kernel's BTF lists what a program can be attached to. */
function attachTypeId(program: Program, btf: Btf | undefined): number | undefined {
  if (!btf || program.attachTarget === undefined) return undefined;
  switch (program.attachType) {
    case 'trace_raw_tp':
      return btf.find(`btf_trace_${program.attachTarget}`, 'typedef');
    case 'lsm_mac':
    case 'lsm_cgroup':
      return btf.find(`bpf_lsm_${program.attachTarget}`, 'func');
    case 'trace_iter':
      return btf.find(`bpf_iter_${program.attachTarget}`, 'func');
    case 'trace_fentry':
    case 'trace_fexit':
    case 'modify_return':
      return btf.find(program.attachTarget, 'func');
    default:
      return undefined;
  }
}

const MAP_DESCRIPTOR = 1;
const MAP_VALUE = 2;

/** The program's code with map descriptors and kfunc ids in place. */
function linkedCode(
  program: Program,
  maps: readonly KernelMap[],
  options: KernelLoadOptions,
): Uint8Array {
  const { instructions, errors } = decode(program.code);
  if (errors.length > 0) return program.code;
  const code: Instruction[] = [...instructions];
  const patch = (pc: number, change: Partial<Instruction>) => {
    const old = code[pc];
    if (old) code[pc] = { ...old, ...change };
  };
  for (const { instruction, map, valueOffset } of program.mapReferences) {
    const target = maps[map];
    if (!target)
      throw new RangeError(`program ${program.name} refers to map ${map}, which it does not have`);
    const name = valueOffset === undefined ? 'constant_map' : 'constant_map_value';
    const row = TABLE.find((candidate) => candidate.name === name);
    patch(instruction, {
      op: row?.index ?? 0,
      src: valueOffset === undefined ? MAP_DESCRIPTOR : MAP_VALUE,
      imm: target.descriptor,
      immHigh: valueOffset ?? 0,
    });
  }
  for (const { instruction, name } of program.kfuncCalls) {
    patch(instruction, { imm: options.kernelBtf?.find(name, 'func') ?? 0, off: 0 });
  }
  return encode(code);
}

/** Function info: with it the kernel knows the program's global functions and callbacks' types. */
function describeFunctions(attribute: Attribute, program: Program, descriptor: number): void {
  attribute.u32(72, descriptor);
  if (program.functions.length === 0) return;
  const records = Uint32Array.from(
    program.functions.flatMap(({ instruction, typeId }) => [instruction, typeId]),
  );
  attribute
    .u32(76, 8)
    .pointer(80, new Uint8Array(records.buffer))
    .u32(88, program.functions.length);
}

/** Runs `use` with the loaded program and closes it afterwards; throws when the kernel refuses it. */
export function withKernelProgram<T>(
  program: Program,
  use: (loaded: KernelProgram) => T,
  options: KernelLoadOptions = {},
): T {
  const verdict = loadIntoKernel(program, options);
  if (!verdict.accepted) {
    throw new KernelError(`load of ${program.name}\n${verdict.log.slice(-2000)}`, verdict.errno);
  }
  try {
    return use(verdict.program);
  } finally {
    verdict.program.close();
  }
}
