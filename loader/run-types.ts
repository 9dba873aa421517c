/** What runs of an extension take and tell, and what other threads are told of it: plain data. */

import type { MapSpec } from '../isa/index.ts';
import type { ContextValues } from '../platform/index.ts';
import type { MapChange } from './map-changes.ts';
import type { Plan } from './plan.ts';
import type { SealReport } from './seal.ts';

interface InputWithoutContext {
  /** From its Ethernet header on. */
  readonly packet?: Uint8Array;
  /** `memory` programs: exactly `contextSize` bytes; what the program writes comes back in it. */
  readonly memory?: Uint8Array;
  /** XDP: this many bytes at the start of `packet` are metadata. */
  readonly metaBytes?: number;
  /** What the run is about: the keys of local storage. */
  readonly identity?: Identity;
}

interface ContextOption<Context> {
  /**
   * Numbers by field name (`{ ingress_ifindex: 3 }`), or the bytes of the context structure; fields
   * that follow from the packet are overwritten. Types that `defineProgramType` made name their own.
   */
  readonly context?: Uint8Array | Context;
}

/** What a run is given, whatever its type. */
export interface AnyInput extends InputWithoutContext {
  readonly context?: unknown;
}

/** What a run is given. A context must be, where its type has fields that programs only read. */
export type RunInput<Context = ContextValues> = InputWithoutContext &
  (Record<never, never> extends Context
    ? ContextOption<Context>
    : Required<ContextOption<Context>>);

/** The caller's numbers for objects; local storage of that number is the object's. */
export interface Identity {
  /** The socket of the context. Default 1. */
  readonly socket?: number | bigint;
  /** The current task. Default: the process's `pid` of the environment, or the thread's own number. */
  readonly task?: number | bigint;
  /** The control group, whose number programs see too. Default 1, the root group's. */
  readonly cgroup?: number | bigint;
  /** Default 1. */
  readonly inode?: number | bigint;
}

/** What would have happened to the packet. */
export interface Redirect {
  /** The helper that decided: `bpf_redirect`, `bpf_redirect_map`, … */
  readonly kind:
    | 'redirect'
    | 'redirect-map'
    | 'clone-redirect'
    | 'redirect-peer'
    | 'redirect-neigh';
  /** Index of the network device; 0 where a map's entry names it. */
  readonly ifindex: number;
  readonly flags: bigint;
  /** Of the map's entry, for `redirect-map`. */
  readonly key: number;
  /** Of a map of sockets that is searched by keys of any size: the key's first 64 bytes. */
  readonly keyBytes?: Uint8Array;
}

/** What `test` saw of the last of its runs. */
export interface TestReport {
  /** Truncated to 32 bits where the program type returns 32. */
  readonly r0: bigint;
  /** Name of that result, where the program type has names: `XDP_PASS`. */
  readonly action: string | undefined;
  /** The packet afterwards, metadata included; undefined for program types without one. */
  readonly packet: Uint8Array | undefined;
  /** Bytes of the context structure afterwards; undefined for `memory` programs. */
  readonly context: Uint8Array | undefined;
  /** `memory` programs: the buffer afterwards. */
  readonly memory: Uint8Array | undefined;
  /** What `bpf_trace_printk` and its like wrote, a line each, at most 64 KiB. */
  readonly trace: string;
  readonly redirect: Redirect | undefined;
  /** How often another program took over, at most 33. */
  readonly tailCalls: number;
  /** By map, where `observe: 'maps'` asked for it: what the runs changed. */
  readonly changes: Readonly<Record<string, readonly MapChange[]>>;
  readonly runs: number;
  /** Mean time in native code. */
  readonly nanosecondsPerRun: number;
}

export interface TestOptions {
  /** Runs; default 1. */
  readonly repeat?: number;
  /** Compare all maps before and after; takes time for every entry that there is. */
  readonly observe?: 'maps';
}

/** What became of a run that counts its instructions. */
export interface MeteredRun {
  /** `stopped`: the limit was reached before the program's end, and it has no result. */
  readonly outcome: 'exit' | 'stopped';
  /** Low 32 bits; 0 when stopped. */
  readonly r0: number;
  /** Instructions, those of programs that took over included; a 64-bit constant counts one. */
  readonly executed: number;
}

/** What `share` yields; survives a structured clone. */
export interface SharedExtension {
  readonly id: number;
  /** @internal */
  readonly description: ExtensionDescription;
}

/** All that an extension is apart from native references: plain data. */
export interface ExtensionDescription {
  readonly name: string;
  readonly type: string;
  readonly worstCaseInstructions: number | null;
  readonly metered: boolean;
  /** Of the defined type: its number, and whether it has helpers in JavaScript. */
  readonly definition: { readonly id: number; readonly hosted: boolean } | undefined;
  readonly plan: Plan;
  readonly maps: readonly MapSpec[];
  readonly btf: Uint8Array | undefined;
  readonly seal: SealReport;
}
