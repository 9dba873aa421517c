/**
 * Loops proven by a summary. Walking a loop costs every pass; ten million of them nobody waits for.
 * So once a loop has run for a while, one state is sought that covers all further passes: the state
 * at the head is generalised by what the last passes changed, and one pass is walked from it, every
 * way through the body. Where each comes back within that state, it is an invariant, by induction
 * over passes; everything that a pass owes was checked in it. Then a ranking argument bounds the
 * number of passes (ranking.ts), and the ways out of the loop are walked from the invariant.
 *
 * An attempt may fail at any point: an obligation that the walk would have proven pass by pass, a
 * state that keeps growing, no ranking. Then all that was walked since is forgotten, the head is not
 * tried again, and the loop is walked. So a summary only ever saves work, except that a proof may
 * need fewer passes than Linux walks; the verdict says so (verify.ts).
 *
 * What must not happen while a body is walked: a way that ends at another state of the same attempt
 * is a pass whose distance nobody computed, so nothing kept since is used for pruning; and a way out
 * of the loop must wait until the invariant is settled. States within the body count only what
 * remains of one pass, so afterwards they are not used for pruning either; the head itself is, with
 * all passes counted.
 */

import * as domain from '../domain/index.ts';
import { LIMITS } from '../limits.ts';
import { SCALAR } from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import type { MachineState } from '../state/machine.ts';
import { generaliseState } from './generalise.ts';
import { type Kept, markInLoop } from './kept.ts';
import { type Loop, loopAt } from './loops.ts';
import type { MergePoints } from './prune.ts';
import { type Pass, rank } from './ranking.ts';
import type { Pending, Walk } from './walk.ts';

/** A loop that was proven by a summary. */
export interface Summary {
  readonly head: number;
  readonly counter: string;
  /** Most passes, beyond those that were walked. */
  readonly passes: number;
  /** Ways through the body. */
  readonly ways: number;
  /** Instructions of the shortest and the longest pass. */
  readonly shortest: number;
  readonly longest: number;
}

/** The head is executed so often before a summary is tried: short loops are cheaper to walk. */
const VISITS_BEFORE = 100;
/** Steps from threshold to threshold; after them, whatever still changes becomes unknown. */
const STEPS_BY_THRESHOLD = 9;
const MOST_STEPS = 12;
/** Instructions that an attempt may walk: these, and a share of those walked before it. */
const LEAST_BUDGET = 600;
const BUDGET_SHARE = 0.25;

/** What became of a pass: its path ends as `by` goes on; or walk on from the head. */
export type PassEnd =
  | { readonly kind: 'ends'; readonly by: Kept }
  | { readonly kind: 'again' }
  | { readonly kind: 'given-up' };

const AGAIN: PassEnd = { kind: 'again' };
const GIVEN_UP: PassEnd = { kind: 'given-up' };

interface Attempt {
  readonly loop: Loop;
  readonly frameCount: number;
  readonly kept: Kept;
  /** Trace entry at the head. */
  readonly entry: number;
  /** The state as it came to the head. */
  readonly original: MachineState;
  readonly thresholds: domain.Thresholds;
  /** The attempt within whose body this one was begun. */
  readonly outer: Attempt | undefined;
  /** Branches that waited when the attempt began, and ways out of outer loops since. */
  base: number;
  /** The nearest state before the head that was compared in every number already. */
  readonly marked: Kept | undefined;
  readonly steps: number;
  readonly processed: number;
  readonly passes: Pass[];
  /** Ways out of the loop, waiting right behind `base`. */
  exits: number;
  phase: 'body' | 'exits';
}

export class LoopSummaries {
  readonly #walk: Walk;
  readonly #merges: MergePoints;
  readonly #finish: (kept: Kept) => void;
  readonly #attempts: Attempt[] = [];
  readonly #refused = new Set<number>();
  /** The innermost attempt whose body is being walked; those begun since walk their ways out. */
  #body: Attempt | undefined = undefined;
  /** By head; a loop within a loop is proven once per proof of the outer one. */
  readonly proven = new Map<number, Summary>();

  /** `finish`: one path below the kept state is done. */
  constructor(walk: Walk, merges: MergePoints, finish: (kept: Kept) => void) {
    this.#walk = walk;
    this.#merges = merges;
    this.#finish = finish;
  }

  get #top(): Attempt | undefined {
    return this.#attempts[this.#attempts.length - 1];
  }

  get isActive(): boolean {
    return this.#attempts.length > 0;
  }

  /** Whether the walk, about to execute `pc`, has left the loop whose body is being walked. */
  hasLeft(pc: number): boolean {
    const body = this.#body;
    if (body === undefined) return false;
    const depth = this.#walk.state.frameCount;
    return depth < body.frameCount || (depth === body.frameCount && !body.loop.pcs.has(pc));
  }

  /** Lets the current path wait until the loop that it left is settled. */
  defer(pc: number): void {
    const body = this.#body!;
    const { state, entry, parent, distance, pending, pool } = this.#walk;
    const copy = pool.take(state);
    const exit: Pending = { state: copy, pc, entry, parent, distance, kind: 'exit' };
    pending.splice(body.base + body.exits, 0, exit);
    body.exits++;
    for (let i = this.#attempts.length - 1; this.#attempts[i] !== body; i--) {
      this.#attempts[i]!.base++;
    }
  }

  /** Whether the head at `pc` ends a pass of the loop whose body is being walked. */
  isPassEnd(pc: number): boolean {
    const body = this.#body;
    return body?.loop.head === pc && this.#walk.state.frameCount === body.frameCount;
  }

  /** A pass ended: the path ends with it, or the body is walked again from a larger state. */
  endPass(): PassEnd {
    const body = this.#body!;
    const walk = this.#walk;
    if (!this.#merges.isWithin(walk, body.kept)) return this.#enlarge(body) ? AGAIN : GIVEN_UP;
    const length = distanceTo(body.kept, walk);
    body.passes.push({ entry: walk.entry, length, state: walk.state.compact() });
    if (body.passes.length > LIMITS.passWays.value) return GIVEN_UP;
    markInLoop(walk.parent);
    return { kind: 'ends', by: body.kept };
  }

  /** Whether the head at `pc` was executed often enough, in a loop that is still open. */
  wants(pc: number, visits: number): boolean {
    return (
      visits >= VISITS_BEFORE && !this.#refused.has(pc) && this.#merges.openAt(pc) !== undefined
    );
  }

  /**
   * Begins an attempt at the head `pc`, which the current state has just reached. The state is not
   * generalised yet: what the loop changes, its first pass shows.
   */
  begin(pc: number, processed: number): boolean {
    const walk = this.#walk;
    const loop = loopAt(walk.subject, pc);
    if (loop === undefined) {
      this.#refused.add(pc);
      return false;
    }
    const original = walk.state.compact();
    const thresholds = thresholdsOf(walk, loop);
    const kept = this.#merges.keepHead(walk, pc, loop);
    this.#push({
      loop,
      frameCount: walk.state.frameCount,
      kept,
      entry: walk.entry,
      original,
      thresholds,
      outer: this.#body,
      base: walk.pending.length,
      marked: nearestInLoop(kept.parent),
      steps: 0,
      processed,
      passes: [],
      exits: 0,
      phase: 'body',
    });
    return true;
  }

  #push(attempt: Attempt): void {
    this.#attempts.push(attempt);
    this.#enterBody(attempt);
  }

  /** Within a body, states kept since the outermost one began stand for nothing else. */
  #enterBody(body: Attempt | undefined): void {
    this.#body = body;
    let outermost = body;
    while (outermost?.outer !== undefined) outermost = outermost.outer;
    this.#merges.prunesBelow = outermost?.kept.index ?? Number.POSITIVE_INFINITY;
  }

  /** Whether the body that is walked takes longer than summaries are worth. */
  isOverdue(processed: number): boolean {
    const body = this.#body;
    if (body === undefined) return false;
    // An attempt in vain shall not cost much beside what was walked before it.
    const share = LEAST_BUDGET + body.processed * BUDGET_SHARE;
    return processed - body.processed > Math.min(share, LIMITS.passInstructions.value);
  }

  /** The pass did not end within the state it began with: tries a larger one. */
  #enlarge(top: Attempt): boolean {
    const walk = this.#walk;
    const by = top.steps < STEPS_BY_THRESHOLD ? 'step' : 'all';
    const larger = top.kept.state.compact();
    if (top.steps >= MOST_STEPS) return false;
    if (!generaliseState(larger, walk.state, { thresholds: top.thresholds, by })) return false;
    this.#forget(top);
    walk.state.copyFrom(larger);
    const kept = this.#merges.keepHead(walk, top.loop.head, top.loop);
    this.#push({ ...top, kept, steps: top.steps + 1, passes: [], exits: 0 });
    return true;
  }

  /** The body takes too many steps or ways. */
  giveUpBody(): number {
    return this.#giveUp(this.#body!);
  }

  /**
   * Something failed: the last attempt may be why. Where that is not its first failure, all attempts
   * at its loop are taken back.
   */
  giveUpLast(): number {
    const { head } = this.#top!.loop;
    const isFirst = !this.#refused.has(head);
    const first = this.#attempts.find(({ loop }) => loop.head === head)!;
    return this.#giveUp(isFirst ? this.#top! : first);
  }

  /** Back to the head, as if the attempt had not been; it is not repeated. Yields the head. */
  #giveUp(attempt: Attempt): number {
    this.#forget(attempt);
    this.#refused.add(attempt.loop.head);
    return attempt.loop.head;
  }

  #forget(top: Attempt): void {
    const walk = this.#walk;
    for (let last: Attempt | undefined; last !== top; ) {
      last = this.#attempts.pop()!;
      this.proven.delete(last.loop.head);
    }
    this.#enterBody(top.outer);
    while (walk.pending.length > top.base) walk.pool.give(walk.pending.pop()!.state);
    this.#merges.forgetFrom(walk, top.kept.index);
    walk.kept.length = top.kept.index;
    walk.trace.setSaved(top.entry, -1);
    walk.state.copyFrom(top.original);
    walk.entry = top.entry;
    walk.parent = top.kept.parent;
    for (let at = walk.parent; at !== undefined && at !== top.marked; at = at.parent) {
      at.inLoop = false;
    }
    walk.distance = top.kept.distance;
  }

  /**
   * A path ended. Settles the loop whose body was walked to the end: false when nothing bounds its
   * passes. Attempts whose ways out were walked, too, are done.
   */
  settle(): boolean {
    const waiting = this.#walk.pending.length;
    for (let top = this.#top; top !== undefined; top = this.#top) {
      if (waiting > top.base + (top.phase === 'body' ? top.exits : 0)) return true;
      if (top.phase === 'exits') this.#attempts.pop();
      else if (!this.#settleBody(top)) return false;
      if (waiting > top.base) return true;
    }
    return true;
  }

  #settleBody(top: Attempt): boolean {
    const { kept, passes } = top;
    top.phase = 'exits';
    const lengths = passes.map(({ length }) => length);
    const longest = Math.max(0, ...lengths);
    const ranking = passes.length === 0 ? NO_PASS : rank(this.#walk, kept, passes);
    if (ranking === undefined || ranking.passes * longest > LIMITS.worstCase.value) return false;
    kept.summary = { loop: top.loop, passes: ranking.passes, cost: ranking.passes * longest };
    this.#enterBody(top.outer);
    this.#merges.forgetFrom(this.#walk, kept.index + 1);
    this.proven.set(top.loop.head, {
      head: top.loop.head,
      ...ranking,
      ways: passes.length,
      shortest: Math.min(longest, ...lengths),
      longest,
    });
    this.#finish(kept);
    return true;
  }
}

/** Every way leaves the loop: it does not come back. */
const NO_PASS = { passes: 0, counter: '' };

function nearestInLoop(kept: Kept | undefined): Kept | undefined {
  let at = kept;
  while (at !== undefined && !at.inLoop) at = at.parent;
  return at;
}

/** Instructions from the kept state to here. */
function distanceTo(kept: Kept, walk: Walk): number {
  let distance = walk.distance;
  for (let at = walk.parent; at !== undefined && at !== kept; at = at.parent) {
    distance += at.distance + (at.summary?.cost ?? 0);
  }
  return distance;
}

/** Numbers that the loop compares with, and their neighbours: where its counter will stop. */
function thresholdsOf(walk: Walk, loop: Loop): domain.Thresholds {
  const { subject, state } = walk;
  const values = new Set<number>();
  const add = (value: number) => {
    if (!Number.isSafeInteger(value)) return;
    for (const near of [value - 1, value, value + 1]) values.add(near);
  };
  for (const pc of loop.pcs) {
    const row = subject.rows[pc]!;
    const insn = subject.instructions[pc]!;
    if (row.kind !== 'jump') continue;
    if (row.source === 'imm') add(insn.imm);
    else for (const r of [insn.dst, insn.src]) addBounds(state, r, add);
  }
  return domain.makeFewThresholds([...values]);
}

function addBounds(state: MachineState, register: number, add: (value: number) => void): void {
  const value = state.register(register);
  if (state.kind(value) !== SCALAR) return;
  add(domain.unsignedMin(state.words, value + L.NUMBER));
  add(domain.unsignedMax(state.words, value + L.NUMBER));
}
