/** Programs of raw instructions, for the verifier and the running kernel at once. */
import { readFileSync } from 'node:fs';
import { type Btf, parseBtf } from '../../btf/index.ts';
import type { MapReference, MapSpec, Program } from '../../isa/index.ts';
import { ATTACH_TYPES, attachTypeOf, MAP_TYPES, programType } from '../../platform/index.ts';
import { type Verdict, verify } from '../../verifier/index.ts';
import { type Answer, ask, probeMap, type Target } from './kernel-probe.ts';

/** What a program is loaded as. */
export interface Kind {
  readonly type: string;
  readonly attachType?: string;
  readonly attachTarget?: string;
  readonly sleepable?: boolean;
  readonly license?: 'GPL' | 'none';
}

let kernelTypes: Btf | undefined;

/** The running kernel's types. */
export function kernelBtf(): Btf {
  kernelTypes ??= parseBtf(readFileSync('/sys/kernel/btf/vmlinux'), 'vmlinux');
  return kernelTypes;
}

export const label = ({ type, attachType, attachTarget }: Kind): string =>
  [type, attachType, attachTarget].filter((part) => part !== undefined).join('/');

const PREFIXES: Readonly<Record<string, readonly [string, 'func' | 'typedef']>> = {
  trace_raw_tp: ['btf_trace_', 'typedef'],
  trace_iter: ['bpf_iter_', 'func'],
};

function targetOf(kind: Kind): Target {
  const { type, attachTarget } = kind;
  const attachType = attachTypeOf(kind);
  const [prefix, what] = PREFIXES[attachType ?? ''] ?? ['', 'func'];
  return {
    type,
    id: programType(type)?.id ?? 0,
    ...(attachType && { attachType, attachId: ATTACH_TYPES.indexOf(attachType) }),
    sleepable: kind.sleepable ?? false,
    ...(attachTarget && { btfId: kernelBtf().find(prefix + attachTarget, what) ?? 0 }),
  };
}

const CALL = 0x85;
const KFUNC_SOURCE = 2;

/** The kernel functions that the code calls by number, by name. */
function kfuncCallsOf(code: readonly Buffer[]): Program['kfuncCalls'] {
  const bytes = Buffer.concat(code);
  const calls: { instruction: number; name: string }[] = [];
  for (let at = 0; at < bytes.length; at += 8) {
    if (bytes[at] !== CALL || bytes[at + 1]! >> 4 !== KFUNC_SOURCE) continue;
    calls.push({ instruction: at / 8, name: kernelBtf().nameOf(bytes.readInt32LE(at + 4)) });
  }
  return calls;
}

const CONSTANT = 0x18;
const MAP_SOURCE = 1;
const VALUE_SOURCE = 2;

/** The maps whose descriptors the code holds, as far as they were made by createProbeMap. */
function mapsOf(code: readonly Buffer[]): Pick<Program, 'maps' | 'mapReferences'> {
  const bytes = Buffer.concat(code);
  const maps: MapSpec[] = [];
  const mapReferences: MapReference[] = [];
  for (let at = 0; at < bytes.length; at += 8) {
    const source = bytes[at + 1]! >> 4;
    if (bytes[at] !== CONSTANT || (source !== MAP_SOURCE && source !== VALUE_SOURCE)) continue;
    const map = probeMap(bytes.readInt32LE(at + 4));
    if (map === undefined) continue;
    const type = MAP_TYPES.find(({ id }) => id === map.id)?.name ?? '';
    const valueOffset = source === VALUE_SOURCE ? { valueOffset: 0 } : {};
    mapReferences.push({ instruction: at / 8, map: maps.length, ...valueOffset });
    maps.push({ flags: 0, frozen: false, mapExtra: 0, ...map, name: type, type });
  }
  return { maps, mapReferences };
}

export function programOf(kind: Kind, code: readonly Buffer[]): Program {
  const { type, attachType, attachTarget } = kind;
  return {
    name: 'probe',
    file: 'probe',
    section: 'probe',
    type,
    ...(attachType && { attachType }),
    ...(attachTarget && { attachTarget }),
    license: kind.license === 'none' ? 'Proprietary' : 'GPL',
    flags: kind.sleepable ? ['sleepable'] : [],
    code: new Uint8Array(Buffer.concat(code)),
    ...mapsOf(code),
    kfuncCalls: kfuncCallsOf(code),
    functions: [],
    lines: [],
  };
}

export const askKernel = (kind: Kind, code: readonly Buffer[]): Answer =>
  ask(targetOf(kind), code, kind.license ?? 'GPL');

export const askVerifier = (kind: Kind, code: readonly Buffer[]): Verdict =>
  verify(programOf(kind, code), { kernelBtf });

/** Undefined where kernel and verifier agree; else what each says. */
export function disagreement(kind: Kind, code: readonly Buffer[]): string | undefined {
  const kernel = askKernel(kind, code);
  const verdict = askVerifier(kind, code);
  if (kernel.accepted === verdict.ok) return undefined;
  const ours = verdict.ok ? 'accepted' : verdict.diagnostics[0]?.message;
  return `${label(kind)}: kernel ${kernel.accepted ? 'accepts' : kernel.reason}; here ${ours}`;
}
