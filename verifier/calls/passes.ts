/**
 * How often may a loop run that was not walked to its end? Each has a limit that the platform
 * enforces while the program runs.
 *
 * Sources: BPF_MAX_LOOPS of uapi/linux/bpf.h's bpf_loop and of may_goto (8 M each, kernel/bpf/
 * bpf_iter.c and verifier.c of Linux 6.18 by observation); BPF_MAX_USER_RINGBUF_SAMPLES.
 */

import { MARK_LEADER } from '../cfg.ts';
import * as domain from '../domain/index.ts';
import type { Kept } from '../explore/kept.ts';
import type { Recorder } from '../facts/recorder.ts';
import { writesOf } from '../liveness.ts';
import * as L from '../state/layout.ts';
import type { Subject } from '../subject.ts';

/** Rounds of one frame's may_goto, and of one bpf_loop. */
export const MOST_LOOPS = 1 << 23;
const MOST_USER_RECORDS = 128 * 1024;

/** Array maps hold all their elements all the time. */
const FIXED_MAPS: ReadonlySet<string> = new Set(['array', 'percpu_array']);

/** Infinity where nothing bounds the passes; the recorder then learns why. */
export function passesAt(subject: Subject, recorder: Recorder, kept: Kept): number {
  if (subject.rows[kept.pc]!.kind === 'may_goto') return MOST_LOOPS;
  const callee = subject.helperAt.get(kept.pc) ?? subject.kfuncAt.get(kept.pc);
  const unbounded = (by: string): number => {
    recorder.unboundedBy ??= by;
    return Number.POSITIVE_INFINITY;
  };
  if (callee === undefined) return unbounded('passes that nothing counts');
  if (callee.name === 'bpf_iter_num_next') return mostNumbers(subject);
  if (callee.arguments.some(({ kind }) => kind === 'iterator')) {
    return unbounded(`elements that ${callee.name} yields`);
  }
  const { state } = kept;
  switch (callee.arguments.find(({ kind }) => kind === 'callback')?.callback) {
    case 'loop': {
      const most = domain.unsignedMax(state.words, state.register(1) + L.NUMBER);
      const done = state.words[state.frameRow(state.frame) + L.FRAME_CALLBACK_DEPTH]!;
      return Math.max(0, Math.min(most, MOST_LOOPS) - done);
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
      return unbounded(`calls that ${callee.name} makes`);
  }
}

/**
 * The longest range that any iterator over numbers of the program runs through, and the pass that
 * finds its end. Only bounds count that are constants of the code: numbers of the walk may be
 * imprecise.
 */
function mostNumbers(subject: Subject): number {
  let most = 0;
  for (const [pc, { name }] of subject.kfuncAt) {
    if (name !== 'bpf_iter_num_new') continue;
    const start = constantBefore(subject, pc, 2);
    const end = constantBefore(subject, pc, 3);
    const isKnown = start !== undefined && end !== undefined;
    most = Math.max(most, isKnown ? Math.max(0, end - start) : MOST_LOOPS);
  }
  return Math.min(most, MOST_LOOPS);
}

/** What `register` holds at `pc` on every path: moved there in the straight code before. */
function constantBefore(subject: Subject, pc: number, register: number): number | undefined {
  const { cfg, rows, instructions } = subject;
  for (let at = pc; (cfg.marks[at]! & MARK_LEADER) === 0 && at > 0; ) {
    at--;
    const row = rows[at]!;
    const insn = instructions[at]!;
    if (row.kind === 'call' || row.kind === 'jump') return undefined;
    if (((writesOf(insn, row) >> register) & 1) === 0) continue;
    return row.operation === 'mov' && row.source === 'imm' ? insn.imm : undefined;
  }
  return undefined;
}
