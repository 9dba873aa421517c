/**
 * Timers and work queues of the reference engine: what waits in which map, and which of them is next.
 * loader/native/map_deferred.c says what the calls must do; here they do it without threads.
 */

import { type Deferred, EINVAL, type ReferenceMap } from './maps.ts';
import type { Run } from './run.ts';

const EBUSY = -16n;
const EDEADLK = -35n;
/** CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME; all of them read the run's one clock. */
const CLOCKS: ReadonlySet<bigint> = new Set([0n, 1n, 7n]);
/** BPF_F_TIMER_ABS, BPF_F_TIMER_CPU_PIN. */
const ABSOLUTE = 1n;
const TIMER_FLAGS = 3n;

let turns = 0;

export function initDeferred(
  map: ReferenceMap,
  field: bigint,
  kind: Deferred['kind'],
  flags: bigint,
): bigint {
  if (kind === 'timer' ? !CLOCKS.has(flags) : flags !== 0n) return EINVAL;
  const element = map.elementAt(field);
  if (element === undefined) return EINVAL;
  if (map.deferred.has(field)) return EBUSY;
  map.deferred.set(field, {
    kind,
    map,
    element,
    clock: flags,
    callback: undefined,
    due: undefined,
    turn: 0,
    running: false,
  });
  return 0n;
}

/** What the field of some map's value stands for. */
export function deferredAt(run: Run, field: bigint): Deferred | undefined {
  for (const object of run.allocator.objects.values()) {
    const found = isMap(object) ? object.deferred.get(field) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

const isMap = (object: unknown): object is ReferenceMap =>
  typeof object === 'object' && object !== null && 'deferred' in object;

export function startDeferred(run: Run, field: bigint, wait: bigint, flags: bigint): bigint {
  const deferred = deferredAt(run, field);
  if (deferred?.callback === undefined) return EINVAL;
  if (flags & ~(deferred.kind === 'timer' ? TIMER_FLAGS : 0n)) return EINVAL;
  const now = run.clock;
  let distance = wait;
  if (flags & ABSOLUTE) distance = wait > now ? wait - now : 0n;
  if (distance === 0n && run.inDeferred) distance = 1n;
  deferred.due = now + distance;
  deferred.turn = turns++;
  return 0n;
}

export function cancelDeferred(run: Run, field: bigint): bigint {
  const deferred = deferredAt(run, field);
  if (deferred === undefined) return EINVAL;
  if (deferred.running) return EDEADLK;
  const wasArmed = deferred.due !== undefined;
  deferred.due = undefined;
  return wasArmed ? 1n : 0n;
}

/** The first one that is due by then, disarmed. */
export function takeDue(maps: readonly ReferenceMap[], until: bigint): Deferred | undefined {
  let first: Deferred | undefined;
  for (const map of maps.flatMap((each) => [each, ...each.innerMaps()]))
    for (const each of map.deferred.values()) {
      if (each.due === undefined || each.due > until) continue;
      const before = first === undefined ? -1n : each.due - first.due!;
      if (before < 0n || (before === 0n && each.turn < first!.turn)) first = each;
    }
  return first;
}
