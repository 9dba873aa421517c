/**
 * What a program's context needs at run time, derived from the platform tables: how its bytes come
 * about, how many they are, and which slots of the pointer header hold what.
 */

import { UnsupportedError } from '../isa/index.ts';
import {
  type ContextField,
  type ContextLayout,
  type ContextValues,
  encodeContext,
  type FieldKind,
  layoutOf,
  type ProgramType,
  type ProgramTypeRow,
  partsOf,
  programType as typeNamed,
} from '../platform/index.ts';

/** The numbers of enum rf_context_kind in loader/native/run.h. */
const CONTEXT_KINDS = { bytes: 0, memory: 1, xdp: 2, skb: 3 } as const;
export type ContextKind = keyof typeof CONTEXT_KINDS;

/** RF_SLOT_NONE of loader/native/run.h. */
const NO_SLOT = 0xff;
/** Context bytes where a program type bounds them no further (tracepoint records, syscall buffers). */
const DEFAULT_CONTEXT_BYTES = 4096;

export interface Plan {
  readonly kind: ContextKind;
  readonly contextBytes: number;
  /** Whether a run takes a packet. */
  readonly packet: boolean;
  /** The packet starts with its Ethernet header when the program sees it. */
  readonly linkLayer: boolean;
  readonly returnBits: 32 | 64;
  readonly actions: Readonly<Record<number, string>>;
  /** Of the context, as far as it has names. */
  readonly fields: readonly ContextField[];
  /** As loader/native/api_program.c reads it. */
  readonly words: Uint32Array;
}

export interface PlanInput {
  readonly type: string;
  /** The embedder's definition of that type. */
  readonly programType?: ProgramType<unknown> | undefined;
  readonly contextSize: number | undefined;
  readonly returnBits: 32 | 64;
  /** Where a socket buffer's data starts; default: as BPF_PROG_TEST_RUN does for the type. */
  readonly linkOffset: 'mac' | 'network' | undefined;
}

/** Program types that see the packet from its Ethernet header on (net/bpf/test_run.c). */
const LINK_LAYER_TYPES: ReadonlySet<string> = new Set(['sched_cls', 'sched_act', 'flow_dissector']);

/** Kinds of field that point at zeroed memory of the run: sockets, flow keys, option values. */
const OBJECT_KINDS: ReadonlySet<FieldKind> = new Set<FieldKind>([
  'socket',
  'sock-common',
  'flow-keys',
  'memory',
  'memory-end',
]);

/** Throws Error naming why programs of a type cannot run outside a kernel. */
export function planContext(input: PlanInput): Plan {
  const row = input.programType ? partsOf(input.programType).row : typeNamed(input.type);
  if (row === undefined) throw new RangeError(`there is no program type ${input.type}`);
  const layout = layoutOf(row);
  refuseKernelPointers(row, layout);
  const kind = kindOf(row);
  const contextBytes =
    kind === 'memory'
      ? (input.contextSize ?? 0)
      : (layout?.sizeBytes ?? row.contextBytes ?? DEFAULT_CONTEXT_BYTES);
  const slot = (field: FieldKind) =>
    layout?.fields.find(({ kind: each }) => each === field)?.pointerSlot ?? NO_SLOT;
  const link = input.linkOffset ?? (LINK_LAYER_TYPES.has(row.name) ? 'mac' : 'network');
  const packetSlot = slot('packet');
  return {
    kind,
    contextBytes,
    packet: kind === 'skb' || packetSlot !== NO_SLOT,
    linkLayer: link === 'mac',
    returnBits: input.returnBits,
    actions: row.actions ?? {},
    fields: layout?.fields ?? [],
    words: Uint32Array.of(
      CONTEXT_KINDS[kind],
      contextBytes,
      packetSlot,
      slot('packet-end'),
      slot('packet-meta'),
      link === 'mac' ? 1 : 0,
      objectSlots(layout),
      row.id,
      input.returnBits,
      row.packet === 'read-write' ? 1 : 0,
    ),
  };
}

/** The bytes of a context that may be given as numbers by field name. Throws TypeError. */
export function contextBytesOf(plan: Plan, context: unknown): Uint8Array | undefined {
  if (context === undefined || context instanceof Uint8Array) return context;
  if (typeof context !== 'object' || context === null)
    throw new TypeError(`a context is bytes or numbers by field name, not ${String(context)}`);
  return encodeContext(plan.fields, plan.contextBytes, context as ContextValues);
}

/** `data` of a given struct xdp_md is where the metadata ends, as for BPF_PROG_TEST_RUN. */
export function metadataOf(plan: Plan, context: Uint8Array | undefined): number {
  if (plan.kind !== 'xdp' || context === undefined || context.length < 4) return 0;
  return new DataView(context.buffer, context.byteOffset).getUint32(0, true);
}

function kindOf(row: ProgramTypeRow): ContextKind {
  if (row.name === 'memory') return 'memory';
  const struct = row.context?.split('/')[0];
  if (struct === 'xdp_md') return 'xdp';
  if (struct === '__sk_buff') return 'skb';
  return 'bytes';
}

/** Their proof says that these pointers lead to live kernel objects; here nothing does. */
function refuseKernelPointers(row: ProgramTypeRow, layout: ContextLayout | undefined): void {
  const rule = row.contextRule;
  const typed = rule === 'btf-arguments' || rule === 'btf-struct';
  if (typed || layout?.fields.some(({ kind }) => kind === 'btf'))
    throw new UnsupportedError(
      `${row.name} programs follow kernel pointers: they can be verified here, but only a kernel can run them`,
    );
}

function objectSlots(layout: ContextLayout | undefined): number {
  let mask = 0;
  for (const { kind, pointerSlot } of layout?.fields ?? [])
    if (pointerSlot !== undefined && OBJECT_KINDS.has(kind)) mask |= 1 << pointerSlot;
  return mask;
}
