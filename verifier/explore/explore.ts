/**
 * The walk: every path of the program, one instruction at a time, except those that a kept state
 * covers. An instruction whose obligations do not all hold ends its path with a failure; other
 * paths go on, so that one run finds several independent faults.
 */

import type { Kind } from '../../isa/index.ts';
import { passesAt } from '../calls/passes.ts';
import { MARK_CONVERGE, MARK_LOOP_HEAD, MARK_PRUNE } from '../cfg.ts';
import type { Failure } from '../diagnose/failure.ts';
import { discharge } from '../discharge/discharge.ts';
import { LIMITS } from '../limits.ts';
import { LookBack } from '../lookback/look-back.ts';
import { SCALAR } from '../state/kinds.ts';
import { REFERENCE_COUNT } from '../state/layout.ts';
import type { MachineState } from '../state/machine.ts';
import type { Meeting } from './join.ts';
import { finishPath, type Kept, rootOf } from './kept.ts';
import { MergePoints } from './prune.ts';
import { PATH_ENDS, step } from './step.ts';
import { LoopSummaries, type Summary } from './summary.ts';
import type { Walk } from './walk.ts';

/** A failure and the trace entry at which it was found. */
export interface Found {
  readonly failure: Failure;
  readonly entry: number;
}

/** What all walks of one verification have used up together. */
export interface Spent {
  processed: number;
  failures: number;
  exhausted: boolean;
  /** Instructions after which a failed verification stops. */
  lastUseful: number;
}

export interface Exploration {
  readonly peakStates: number;
  /** Most branches that waited at once. */
  readonly mostPending: number;
  /** Most instructions that one execution takes. */
  readonly longest: number;
  /** Executed instructions by slot: where the walk spent its effort. */
  readonly visits: Uint32Array;
  /** Loops that were not walked to their end, but proven at once. */
  readonly summaries: readonly Summary[];
}

/** Whether a path reaches its first instruction, or is already there. */
type From = 'edge' | 'head';

export interface Budget {
  readonly maxProcessed: number;
  readonly maxErrors: number;
  /** Instructions walked before loops may be proven at once (summary.ts). */
  readonly walkedFirst: number;
  readonly meeting: Meeting;
  /** performance.now() after which to stop. */
  readonly deadline: number;
  /** Called with each failure while the walk still has the state that it was found in. */
  readonly report: (found: Found) => void;
  readonly spent: Spent;
}

/**
 * What may lead states apart or together. Calls and ways back count like decisions: what follows them
 * is reached over and over, and worth keeping a state at.
 */
const TRANSFERS: ReadonlySet<Kind> = new Set(['jump', 'goto', 'may_goto', 'call', 'exit']);

/** How often the clock is read, in instructions. */
const CLOCK_INTERVAL = 4096;

export class Explorer {
  readonly #walk: Walk;
  readonly #budget: Budget;
  readonly #merges: MergePoints;
  readonly #seen = new Set<string>();
  readonly #visits: Uint32Array;
  readonly #summaries: LoopSummaries;
  readonly #passesAt = (kept: Kept): number => {
    if (kept.summary !== undefined) return kept.summary.passes;
    const { subject, recorder } = this.#walk;
    return passesAt(subject, recorder, kept);
  };
  readonly #spent: Spent;
  readonly #lookBack: LookBack;
  #transfers = 0;
  #mostPending = 0;

  constructor(walk: Walk, budget: Budget) {
    this.#walk = walk;
    this.#budget = budget;
    this.#spent = budget.spent;
    this.#merges = new MergePoints(budget.meeting);
    this.#lookBack = new LookBack(walk);
    const finish = (kept: Kept) => finishPath(kept, 0, undefined, this.#passesAt);
    this.#summaries = new LoopSummaries(walk, this.#merges, finish);
    this.#visits = new Uint32Array(walk.subject.instructions.length);
  }

  explore(start: number): Exploration {
    const walk = this.#walk;
    const root = rootOf(walk.state, start);
    walk.parent = root;
    let pc = start;
    let from: From = 'edge';
    for (;;) {
      this.#walkPath(pc, from);
      if (this.#isDone()) break;
      from = this.#summaries.settle() ? 'edge' : 'head';
      if (from === 'head') {
        pc = this.#summaries.giveUpBody();
        continue;
      }
      const pending = walk.pending.pop();
      if (pending === undefined) break;
      if (pending.kind === 'fork') walk.recorder.forked(walk.trace.pc(pending.entry));
      walk.pool.give(walk.state);
      walk.state = pending.state;
      walk.entry = pending.entry;
      walk.parent = pending.parent;
      walk.distance = pending.distance;
      pc = pending.pc;
    }
    return {
      peakStates: this.#merges.peak,
      mostPending: this.#mostPending,
      longest: Math.max(root.longest, 0),
      visits: this.#visits,
      summaries: [...this.#summaries.proven.values()],
    };
  }

  #walkPath(start: number, from: From): void {
    const walk = this.#walk;
    const summaries = this.#summaries;
    const { rows, cfg } = walk.subject;
    let pc = start;
    let isArrival = from === 'edge';
    while (pc !== PATH_ENDS && !this.#isDone()) {
      if (summaries.hasLeft(pc)) {
        summaries.defer(pc);
        return;
      }
      let failure: Failure | null = null;
      let retreats = false;
      if (isArrival) {
        walk.entry = walk.trace.push(pc, walk.state.frame, walk.entry);
        const arrival = (cfg.marks[pc]! & MARK_PRUNE) === 0 ? 'goes-on' : this.#arrive(pc);
        if (arrival === 'ends') return;
        retreats = arrival === 'retreats';
        failure = typeof arrival === 'string' ? null : arrival;
      }
      isArrival = true;
      if (!retreats) failure ??= this.#count(pc) ?? this.#check(pc);
      if (failure !== null) {
        retreats = summaries.isActive && failure.code !== 'too-complex';
        if (!retreats && this.#explain(pc, failure) === 'ends') return;
      }
      if (retreats) {
        pc = failure === null ? summaries.giveUpBody() : summaries.giveUpLast();
        isArrival = false;
        continue;
      }
      if (TRANSFERS.has(rows[pc]!.kind)) this.#transfers++;
      const to = step(walk, pc);
      walk.recorder.passed(pc, to);
      walk.distance++;
      pc = to;
    }
    this.#end(undefined);
  }

  /** A failure that the path itself refutes is none (lookback/); else the path ends. */
  #explain(pc: number, failure: Failure): 'goes-on' | 'ends' {
    const outcome = this.#isNew(failure)
      ? this.#lookBack.explain(pc, failure, () => this.#check(pc))
      : 'nothing';
    if (outcome === 'holds') return 'goes-on';
    if (outcome === 'nothing') this.#fail(failure);
    else this.#end(undefined);
    return 'ends';
  }

  /**
   * Nothing more is sought. Past a failure other independent ones may follow, but what failed often
   * keeps states from being covered, so that effort is bounded by what was spent so far.
   */
  #isDone(): boolean {
    const { exhausted, failures, processed, lastUseful } = this.#spent;
    return exhausted || failures >= this.#budget.maxErrors || processed > lastUseful;
  }

  /** At a merge point: the path may end there, go on from a larger state, or be in vain. */
  #arrive(pc: number): Failure | 'ends' | 'goes-on' | 'retreats' {
    const walk = this.#walk;
    const summaries = this.#summaries;
    if (summaries.isOverdue(this.#spent.processed)) return 'retreats';
    if (summaries.isPassEnd(pc)) {
      const end = summaries.endPass();
      if (end.kind === 'ends') this.#end(end.by);
      return end.kind === 'again' ? 'goes-on' : end.kind === 'ends' ? 'ends' : 'retreats';
    }
    const atOnce = this.#spent.processed >= this.#budget.walkedFirst && this.#isPlainHead(pc);
    if (atOnce && summaries.wants(pc, this.#visits[pc]!)) {
      if (summaries.begin(pc, this.#spent.processed)) return 'goes-on';
    }
    const verdict = this.#merges.arrive(walk, pc, this.#spent.processed, this.#transfers);
    if (verdict.kind === 'covered' || verdict.kind === 'converged') {
      this.#end(verdict.by);
      return 'ends';
    }
    if (verdict.kind !== 'endless') return 'goes-on';
    const places = [{ pc: verdict.since.pc, label: 'the same state was here before' }];
    return { code: 'infinite-loop', pc, values: {}, places };
  }

  /** The head of a loop that nothing but the program bounds. */
  #isPlainHead(pc: number): boolean {
    const marks = this.#walk.subject.cfg.marks[pc]!;
    return (marks & (MARK_LOOP_HEAD | MARK_CONVERGE)) === MARK_LOOP_HEAD;
  }

  /** Counts an instruction against the budget. States grow in number at merge points only. */
  #count(pc: number): Failure | null {
    this.#visits[pc]!++;
    const processed = ++this.#spent.processed;
    const { maxProcessed, deadline } = this.#budget;
    if (processed > maxProcessed) {
      return tooComplex(pc, 'instructions processed', maxProcessed, 'instructions');
    }
    if (processed % CLOCK_INTERVAL === 0 && performance.now() > deadline) {
      const { value, unit } = LIMITS.milliseconds;
      return tooComplex(pc, 'time', value, unit);
    }
    const isMerge = (this.#walk.subject.cfg.marks[pc]! & MARK_PRUNE) !== 0;
    return isMerge ? this.#countStates(pc) : null;
  }

  #countStates(pc: number): Failure | null {
    const { pendingStates, references, savedBytes } = LIMITS;
    const pending = this.#walk.pending.length;
    if (pending > this.#mostPending) this.#mostPending = pending;
    if (pending > pendingStates.value) {
      return tooComplex(pc, 'branches waiting', pendingStates.value, pendingStates.unit);
    }
    const held = this.#walk.state.words[REFERENCE_COUNT]!;
    if (held > references.value) {
      return tooComplex(pc, 'references held', references.value, references.unit);
    }
    if (this.#merges.words * 4 > savedBytes.value) {
      return tooComplex(pc, 'memory for states', savedBytes.value, savedBytes.unit);
    }
    return null;
  }

  #check(pc: number): Failure | null {
    const numbers = this.#walk.subject.numbersSuffice[pc]!;
    if (numbers >= 0 && areNumbers(this.#walk.state, numbers)) return null;
    const owed = this.#walk.subject.obligations[pc]!;
    for (let i = 0; i < owed.length; i++) {
      const failure = discharge(this.#walk, pc, owed[i]!);
      if (failure !== null) return failure;
    }
    return null;
  }

  /** The path ends, or goes on as other paths did from the kept state `by`. */
  #end(by: Kept | undefined): void {
    const { parent, distance } = this.#walk;
    finishPath(parent, distance, by, this.#passesAt);
  }

  /** Nothing that has failed before is worth an explanation; one as Linux tells all (verify.ts). */
  #isNew(failure: Failure): boolean {
    const isFirst = this.#spent.failures === 0;
    return this.#walk.reasoning === 'linux' ? isFirst : !this.#seen.has(keyOf(failure));
  }

  #fail(failure: Failure): void {
    const key = keyOf(failure);
    if (failure.code === 'too-complex') this.#spent.exhausted = true;
    if (!this.#seen.has(key)) {
      this.#seen.add(key);
      this.#spent.failures++;
      this.#spent.lastUseful = 2 * this.#spent.processed + LIMITS.afterFailure.value;
      this.#budget.report({ failure, entry: this.#walk.entry });
    }
    this.#end(undefined);
  }
}

const keyOf = ({ pc, code }: Failure): string => `${pc}:${code}`;

/** Whether all registers in the mask hold numbers. */
function areNumbers(state: MachineState, mask: number): boolean {
  for (let left = mask; left !== 0; left &= left - 1) {
    const register = 31 - Math.clz32(left & -left);
    if (state.kind(state.register(register)) !== SCALAR) return false;
  }
  return true;
}

function tooComplex(pc: number, reason: string, most: number, unit: string): Failure {
  return { code: 'too-complex', pc, values: { reason, most, unit, count: most + 1 } };
}
