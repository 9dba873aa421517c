/**
 * How often may a loop run that was not walked to its end? Each has a limit that the platform
 * enforces while the program runs.
 *
 * Sources: BPF_MAX_LOOPS of uapi/linux/bpf.h's bpf_loop and of may_goto (8 M each, kernel/bpf/
 * bpf_iter.c and verifier.c of Linux 6.18 by observation); BPF_MAX_USER_RINGBUF_SAMPLES.
 */

import * as domain from '../domain/index.ts';
import type { Kept } from '../explore/kept.ts';
import type { Recorder } from '../facts/recorder.ts';
import * as L from '../state/layout.ts';
import type { Subject } from '../subject.ts';
import { callbackIndex } from '../transfer/callback.ts';

/** Rounds of one frame's may_goto, and of one bpf_loop. */
export const MOST_LOOPS = 1 << 23;
const MOST_USER_RECORDS = 128 * 1024;

/** Array maps hold all their elements all the time. */
const FIXED_MAPS: ReadonlySet<string> = new Set(['array', 'percpu_array']);

/** Infinity where nothing bounds the passes; the recorder then learns why. */
export function passesAt(subject: Subject, recorder: Recorder, kept: Kept): number {
  if (subject.rows[kept.pc]!.kind === 'may_goto') return MOST_LOOPS;
  const helper = subject.helperAt.get(kept.pc);
  const index = helper === undefined ? -1 : callbackIndex(helper);
  const unbounded = (by: string): number => {
    recorder.unboundedBy ??= by;
    return Number.POSITIVE_INFINITY;
  };
  if (helper === undefined || index < 0) return unbounded('iterations over a set of the platform');
  const { state } = kept;
  switch (helper.arguments[index]!.callback) {
    case 'loop': {
      const most = domain.unsignedMax(state.words, state.register(1) + L.NUMBER);
      return Math.min(most, MOST_LOOPS);
    }
    case 'for-each-map': {
      const map = subject.maps[state.words[state.register(1) + L.TARGET]!]!;
      if (FIXED_MAPS.has(map.type)) return map.maxEntries;
      return unbounded(`elements of map '${map.name}', which may change during the iteration`);
    }
    case 'user-ringbuf':
      return MOST_USER_RECORDS;
    case 'find-vma':
      return 1;
    default:
      return unbounded(`calls that ${helper.name} makes`);
  }
}
