/**
 * How deep the stack gets, and whether that is allowed: the frames of a call chain share one stack.
 *
 * Linux adds up the frames along every chain of named functions, dead code included, from the
 * program's entry and from each function that runs later (check_max_stack_depth, observed on 6.18):
 *
 * - a function's frame counts rounded up, to 16 bytes where programs are compiled, 32 before 6.9;
 * - a chain has at most 8 frames and 512 bytes;
 * - where a function below the entry makes tail calls, the frames above it take less than 256 bytes,
 *   since tail calls do not return and their targets may call again, 33 times over;
 * - program types that guard against recursion get frames of 64 bytes and more from a stack of
 *   their own (from 6.13), unless the program makes tail calls or the function also runs later.
 *
 * Chains are not enumerated: the graph has no cycle, so the deepest way to each function follows
 * from the deepest ways to its callers.
 */

import { has } from '../../platform/index.ts';
import { namesFunction, target } from '../cfg.ts';
import type { Failure } from '../diagnose/failure.ts';
import type { Recorder } from '../facts/recorder.ts';
import * as L from '../state/layout.ts';
import type { Subject } from '../subject.ts';

/** BPF_PRIV_STACK_MIN_SIZE. */
const PRIVATE_FROM = 64;
const TAIL_CALL_MOST = 256;
const SLOT_BYTES = 8;

export interface StackDepth {
  /** Deepest combined stack over all call chains. */
  readonly bytes: number;
  readonly failure: Failure | undefined;
}

interface Edge {
  readonly pc: number;
  readonly callee: number;
}

interface Graph {
  readonly subject: Subject;
  /** Calls in each function, by function index. */
  readonly edges: readonly (readonly Edge[])[];
  /** Own frame of each function, as it counts. */
  readonly frames: readonly number[];
  readonly tailCalls: ReadonlySet<number>;
}

export function stackDepth(subject: Subject, recorder: Recorder): StackDepth {
  const { functions, functionOf } = subject.cfg;
  const tailCalls = new Set<number>();
  for (const [pc, { returns }] of subject.helperAt) {
    if (returns.kind === 'never') tailCalls.add(functionOf[pc]!);
  }
  const edges = edgesOf(subject, recorder);
  const own = functions.map(({ index }) => -recorder.stackDepth[index]!);
  const { onException } = subject;
  const apart = onException === undefined ? [] : [onException];
  const later = [...recorder.later, ...apart].map((entry) => functionOf[entry]!);
  const frames = own.map((bytes) => Math.ceil(bytes / rounding(subject)) * rounding(subject));
  let bytes = edges[0]!.length === 0 ? Math.ceil(own[0]! / SLOT_BYTES) * SLOT_BYTES : 0;
  const shared = new Set<number>();
  for (const root of [...later, 0]) {
    const isPrivate = root === 0 && hasPrivateStack(subject) && tailCalls.size === 0;
    const counted = isPrivate
      ? frames.map((size, index) => (size < PRIVATE_FROM || shared.has(index) ? size : 0))
      : frames;
    const deepest = walkChains({ subject, edges, frames: counted, tailCalls }, root);
    if (deepest.failure !== undefined) return { bytes, failure: deepest.failure };
    if (root !== 0) for (const index of deepest.reached) shared.add(index);
    if (edges[root]!.length > 0) bytes = Math.max(bytes, deepest.bytes);
  }
  return { bytes, failure: undefined };
}

const rounding = ({ profile }: Subject): number =>
  profile.family === 'linux' && !has(profile, '6.9') ? 32 : 16;

/** Program types whose entry refuses to run again while it runs (bpf_enable_priv_stack). */
const GUARDED: ReadonlySet<string> = new Set([
  'kprobe',
  'tracepoint',
  'perf_event',
  'raw_tracepoint',
]);

function hasPrivateStack({ profile, program }: Subject): boolean {
  if (!profile.features.has('private-stack')) return false;
  if (program.type === 'tracing') return program.attachType !== 'trace_iter';
  return GUARDED.has(program.type);
}

/** Calls by name, addresses taken of functions that helpers call at once, and calls that happened. */
function edgesOf(subject: Subject, recorder: Recorder): Edge[][] {
  const { cfg, instructions, rows } = subject;
  const edges = cfg.functions.map((): Edge[] => []);
  rows.forEach((row, pc) => {
    if (!namesFunction(row)) return;
    const entry = target(pc, instructions[pc]!, row);
    if (row.kind === 'constant' && recorder.later.has(entry)) return;
    edges[cfg.functionOf[pc]!]!.push({ pc, callee: cfg.functionOf[entry]! });
  });
  for (const [caller, callees] of recorder.callees) {
    const list = edges[cfg.functionOf[caller]!]!;
    for (const entry of callees) {
      const callee = cfg.functionOf[entry]!;
      if (!list.some((edge) => edge.callee === callee)) list.push({ pc: caller, callee });
    }
  }
  return edges;
}

interface Chains {
  readonly bytes: number;
  readonly reached: readonly number[];
  readonly failure: Failure | undefined;
}

/** The deepest ways from `root` to everything below it. */
function walkChains(graph: Graph, root: number): Chains {
  const { subject, edges, frames, tailCalls } = graph;
  const order = inCallOrder(graph, root);
  if (!Array.isArray(order)) return { bytes: 0, reached: [], failure: order };
  const above = new Map<number, number>([[root, 0]]);
  const level = new Map<number, number>([[root, 1]]);
  /** The last call of the deepest way. */
  const calledAt = new Map<number, number>();
  const most = subject.profile.stackBytes;
  const mostFrames = Math.min(subject.profile.maxCallDepth, L.MAX_FRAMES);
  let bytes = 0;
  for (const index of order) {
    const before = above.get(index)!;
    const depth = before + frames[index]!;
    const callers = level.get(index)!;
    const pc = calledAt.get(index) ?? subject.cfg.functions[index]!.start;
    const fail = (code: Failure['code'], values: Failure['values']): Chains => ({
      bytes,
      reached: order,
      failure: { code, pc, values },
    });
    if (index !== 0 && tailCalls.has(index) && before >= TAIL_CALL_MOST) {
      return fail('tail-call-stack', { bytes: before, most: TAIL_CALL_MOST });
    }
    if (depth > most) return fail('stack-too-deep', { bytes: depth, most, frames: callers });
    if (callers > mostFrames) return fail('call-too-deep', { depth: callers, most: mostFrames });
    bytes = Math.max(bytes, depth);
    for (const { callee, pc: at } of edges[index]!) {
      if (depth > (above.get(callee) ?? -1)) {
        above.set(callee, depth);
        calledAt.set(callee, at);
      }
      level.set(callee, Math.max(level.get(callee) ?? 0, callers + 1));
    }
  }
  return { bytes, reached: order, failure: undefined };
}

/** Everything below `root`, each function behind all its callers; or the call that closes a cycle. */
function inCallOrder({ subject, edges }: Graph, root: number): number[] | Failure {
  const finished: number[] = [];
  const state = new Map<number, 'open' | 'done'>([[root, 'open']]);
  const stack = [{ index: root, next: 0 }];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const edge = edges[top.index]![top.next++];
    if (edge === undefined) {
      state.set(top.index, 'done');
      finished.push(top.index);
      stack.pop();
      continue;
    }
    const known = state.get(edge.callee);
    if (known === 'open') return recursion(subject, edge, top.index);
    if (known === 'done') continue;
    state.set(edge.callee, 'open');
    stack.push({ index: edge.callee, next: 0 });
  }
  return finished.reverse();
}

function recursion({ cfg }: Subject, { pc, callee }: Edge, caller: number): Failure {
  const names = { caller: cfg.functions[caller]!.name, callee: cfg.functions[callee]!.name };
  return { code: 'recursion', pc, values: { function: names.callee, ...names } };
}
