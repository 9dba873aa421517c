/** What a test tells of its last run, read from where native code left it. */

import type { Instance } from './addon.ts';
import {
  bigAt,
  NANOSECONDS,
  OUT_BYTES,
  OUT_OFFSET,
  REDIRECT,
  REDIRECT_KEY,
  RESULT,
  TAIL_CALLS,
  TRACE_BYTES,
  u64At,
} from './exchange.ts';
import { type ExtensionMap, typesOfMap } from './map.ts';
import { changesBetween, contentOf, type MapContent } from './map-changes.ts';
import type { Plan } from './plan.ts';
import type { Redirect, TestReport } from './run-types.ts';

const REDIRECT_KINDS = [
  'redirect',
  'redirect-map',
  'clone-redirect',
  'redirect-peer',
  'redirect-neigh',
] as const;

/** Map types whose entries cannot be listed. */
const WITHOUT_ENTRIES: ReadonlySet<string> = new Set([
  ...['queue', 'stack', 'bloom_filter', 'ringbuf', 'user_ringbuf', 'perf_event_array', 'arena'],
  ...['prog_array', 'array_of_maps', 'hash_of_maps'],
]);

/** What maps held before a run. */
export type Contents = readonly (readonly [ExtensionMap, MapContent])[];

/** What all maps hold that have entries to tell. */
export const contentsOf = (maps: readonly ExtensionMap[]): Contents =>
  maps
    .filter(({ type }) => !WITHOUT_ENTRIES.has(type))
    .map((map) => [map, contentOf(map.entries())]);

/** Where to read. */
export interface Exchange {
  readonly instance: Instance;
  readonly words: Uint32Array;
  readonly bytes: Uint8Array;
  readonly plan: Plan;
}

export function reportOf(exchange: Exchange, runs: number, before: Contents): TestReport {
  const { instance, words, bytes, plan } = exchange;
  const slice = (at: number, length: number) => bytes.slice(at, at + length);
  const isMemory = plan.kind === 'memory';
  const low = words[RESULT]!;
  return {
    r0: plan.returnBits === 32 ? BigInt(low) : bigAt(words, RESULT),
    action: plan.actions[low] ?? plan.actions[low | 0],
    packet: plan.packet ? slice(words[OUT_OFFSET]!, words[OUT_BYTES]!) : undefined,
    context: isMemory ? undefined : slice(instance.contextAt, plan.contextBytes),
    memory: isMemory ? slice(instance.contextAt, plan.contextBytes) : undefined,
    trace: new TextDecoder().decode(slice(instance.traceAt, words[TRACE_BYTES]!)),
    redirect: redirectOf(exchange),
    tailCalls: words[TAIL_CALLS]!,
    changes: changesSince(before),
    runs,
    nanosecondsPerRun: u64At(words, NANOSECONDS) / runs,
  };
}

const changesSince = (before: Contents): TestReport['changes'] =>
  Object.fromEntries(
    before
      .map(([map, content]) => {
        const now = contentOf(map.entries());
        return [map.name, changesBetween(content, now, typesOfMap(map))] as const;
      })
      .filter(([, changes]) => changes.length > 0),
  );

function redirectOf({ words, bytes }: Exchange): Redirect | undefined {
  const kind = REDIRECT_KINDS[words[REDIRECT]! - 1];
  if (kind === undefined) return undefined;
  const keyAt = (REDIRECT_KEY + 1) * 4;
  const keyBytes = words[REDIRECT_KEY]!;
  return {
    kind,
    ifindex: words[REDIRECT + 1]!,
    flags: bigAt(words, REDIRECT + 2),
    key: u64At(words, REDIRECT + 4),
    ...(keyBytes === 0 ? {} : { keyBytes: bytes.slice(keyAt, keyAt + keyBytes) }),
  };
}
