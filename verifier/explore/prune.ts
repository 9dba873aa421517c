/**
 * What happens at a merge point: the state may be covered by one that was walked to the end, it may
 * repeat one on its own path (an endless loop), or it may be worth keeping.
 */

import { MARK_CONVERGE, MARK_LOOP_HEAD } from '../cfg.ts';
import { LIMITS } from '../limits.ts';
import * as L from '../state/layout.ts';
import { StateRoom } from '../state/machine.ts';
import { type Comparison, compareStates, differsAt, lastWitness, NO_WITNESS } from './compare.ts';
import { joinState, type Meeting } from './join.ts';
import { forgetDead, type Kept, markInLoop, NO_PATH } from './kept.ts';
import type { Loop } from './loops.ts';
import { addPrecise, markPrecise } from './precision.ts';
import { beginRun, hasProgressed, mayRelyOn } from './progress.ts';
import { forgetWrites, inheritReads } from './stack-use.ts';
import type { Walk } from './walk.ts';
import { widenImprecise } from './widen.ts';

/**
 * Keeping a state costs memory and comparisons, so one is kept only after some work since the last:
 * this many instructions and transfers of control. Inside a loop whose states keep changing, much more.
 */
const KEEP_AFTER_INSTRUCTIONS = 8;
const KEEP_AFTER_TRANSFERS = 2;
const KEEP_IN_LOOP_INSTRUCTIONS = 100;
const KEEP_IN_LOOP_TRANSFERS = 20;
/**
 * A kept state that was compared this often per hit without effect is dropped, but not before
 * MISSES_AT_LEAST: within a loop it can only hit in its own pass, and the passes of a long loop all
 * meet at one instruction. With fewer, loops over packets were walked three times as long; with more,
 * comparing took longer than it saved.
 */
const MISSES_PER_HIT = 3;
const MISSES_AT_LEAST = 160;

/**
 * States of earlier passes that every pass is compared with; with all of them it is only when a
 * state is kept. A loop that repeats after n passes is still found after n kept states.
 */
const OPEN_COMPARED = 2;

export type Verdict =
  | { readonly kind: 'continue' }
  | { readonly kind: 'covered'; readonly by: Kept }
  | { readonly kind: 'converged'; readonly by: Kept }
  | { readonly kind: 'endless'; readonly since: Kept };

const CONTINUE: Verdict = { kind: 'continue' };

export class MergePoints {
  readonly #at = new Map<number, Kept[]>();
  readonly #meeting: Meeting;
  /** By instruction. */
  readonly #joins = new Map<number, number>();
  /** Kept states now, and the most at once. */
  count = 0;
  peak = 0;
  readonly #room = new StateRoom();
  /** Finished states from this index on stand for nothing else (summary.ts). */
  prunesBelow = Number.POSITIVE_INFINITY;
  #transfersAtKeep = 0;
  #instructionsAtKeep = 0;

  constructor(meeting: Meeting) {
    this.#meeting = meeting;
  }

  /** Words of all states that were kept. */
  get words(): number {
    return this.#room.words;
  }

  /** Arrives at `pc` after so many instructions and transfers in all. */
  arrive(walk: Walk, pc: number, instructions: number, transfers: number): Verdict {
    const converges = (walk.subject.cfg.marks[pc]! & MARK_CONVERGE) !== 0;
    const work = instructions - this.#instructionsAtKeep;
    const moves = transfers - this.#transfersAtKeep;
    const much = work >= KEEP_IN_LOOP_INSTRUCTIONS || moves >= KEEP_IN_LOOP_TRANSFERS;
    const some = moves >= KEEP_AFTER_TRANSFERS && work >= KEEP_AFTER_INSTRUCTIONS;
    const list = this.#at.get(pc) ?? [];
    if (converges) beginRun(walk, pc);
    const by = this.#findCovering(walk, list);
    if (by !== undefined) return { kind: 'covered', by };
    let isLooping = false;
    let open = 0;
    for (let i = list.length - 1; i >= 0; i--) {
      const kept = list[i]!;
      if (kept.branches === 0) continue;
      // Where each arrival is kept, and a pass may end within any earlier one, all are compared.
      if (++open > OPEN_COMPARED && !much && !converges) break;
      const isPass = converges && hasProgressed(walk, kept);
      const verdict = isPass ? convergesTo(walk, kept) : isEndless(walk, kept);
      if (verdict !== CONTINUE) return verdict;
      if (converges && !isLooping) widenImprecise(kept.state, walk.state);
      isLooping = true;
    }
    const isJoined = this.#meeting === 'joined' && this.#join(walk, pc, list);
    if (isJoined || converges || (isLooping ? much : much || some)) {
      this.#keep(walk, pc, instructions, transfers);
    }
    return CONTINUE;
  }

  /**
   * A finished state that covers the current one. Oldest first: passes of a loop finish from the last
   * one backwards, so the oldest that is finished is the one that was just walked.
   */
  #findCovering(walk: Walk, list: Kept[]): Kept | undefined {
    for (let i = 0; i < list.length; i++) {
      const kept = list[i]!;
      if (kept.branches > 0 || kept.isAlone || kept.index >= this.prunesBelow) continue;
      if (agrees(walk, kept, kept.inLoop ? 'within' : 'covers') && mayRelyOn(walk, kept)) {
        kept.hits++;
        if (kept.inLoop) markInLoop(walk.parent);
        else {
          propagate(walk, kept);
          inheritReads(walk.state, walk.parent, kept);
        }
        return kept;
      }
      kept.misses++;
      if (kept.misses > kept.hits * MISSES_PER_HIT + MISSES_AT_LEAST) this.#drop(walk, list, i--);
    }
    return undefined;
  }

  /** Not at heads of loops: what the passes have in common does not end them. */
  #join(walk: Walk, pc: number, list: readonly Kept[]): boolean {
    if ((walk.subject.cfg.marks[pc]! & (MARK_LOOP_HEAD | MARK_CONVERGE)) !== 0) return false;
    const finished = list.filter(
      ({ branches, isAlone, index }) => branches === 0 && !isAlone && index < this.prunesBelow,
    );
    const before = this.#joins.get(pc) ?? 0;
    if (!joinState(walk.state, finished, reads(walk), before)) return false;
    this.#joins.set(pc, before + 1);
    return true;
  }

  /** The last state kept at `pc` that is still being walked. */
  openAt(pc: number): Kept | undefined {
    return this.#at.get(pc)?.findLast((kept) => kept.branches > 0);
  }

  /** Keeps the current state as the head of a loop whose body is about to be walked. */
  keepHead(walk: Walk, pc: number, loop: Loop): Kept {
    this.#keep(walk, pc, this.#instructionsAtKeep, this.#transfersAtKeep);
    const kept = walk.kept[walk.kept.length - 1]!;
    kept.summary = { loop, passes: 0, cost: 0 };
    // One more than the path that is walked: held until the ways out may be walked.
    kept.branches++;
    return kept;
  }

  isWithin(walk: Walk, kept: Kept): boolean {
    return agrees(walk, kept, 'within');
  }

  /** Forgets all states from `index` on. */
  forgetFrom(walk: Walk, index: number): void {
    for (let i = index; i < walk.kept.length; i++) {
      const kept = walk.kept[i];
      const list = kept === undefined ? undefined : this.#at.get(kept.pc);
      const at = kept === undefined ? -1 : (list?.lastIndexOf(kept) ?? -1);
      if (at < 0) continue;
      list!.splice(at, 1);
      this.count--;
    }
  }

  #keep(walk: Walk, pc: number, instructions: number, transfers: number): void {
    walk.state.forEachValue((value) => {
      walk.state.words[value + L.FLAGS]! &= ~L.FLAG_TRACED;
    });
    const state = this.#room.copyOf(walk.state);
    forgetDead(walk.subject, state, pc);
    forgetWrites(walk.state);
    const index = walk.kept.length;
    const { parent, distance } = walk;
    const kept: Kept = {
      index,
      pc,
      state,
      parent,
      distance,
      branches: 1,
      longest: NO_PATH,
      hits: 0,
      misses: 0,
      inLoop: false,
      isAlone: false,
      witness: NO_WITNESS,
      passes: undefined,
      summary: undefined,
    };
    walk.kept.push(kept);
    walk.trace.setSaved(walk.entry, index);
    walk.parent = kept;
    walk.distance = 0;
    let list = this.#at.get(pc);
    if (list === undefined) this.#at.set(pc, (list = []));
    list.push(kept);
    if (list.length > LIMITS.savedPerInstruction.value) this.#drop(walk, list, 0);
    this.count++;
    if (this.count > this.peak) this.peak = this.count;
    this.#transfersAtKeep = transfers;
    this.#instructionsAtKeep = instructions;
  }

  /** Forgets a kept state for pruning; one still being walked stays for its marks and its length. */
  #drop(walk: Walk, list: Kept[], at: number): void {
    const kept = list[at]!;
    list.splice(at, 1);
    this.count--;
    const isNeeded = kept.branches > 0 || kept.summary !== undefined;
    if (!isNeeded) walk.kept[kept.index] = undefined;
  }
}

const reads = (walk: Walk) => (walk.subject.mayReadUninitialised ? 'readable' : 'forbidden');

/** The comparison, begun where the last one failed. */
function agrees(walk: Walk, kept: Kept, comparison: Comparison): boolean {
  if (differsAt(kept.state, walk.state, comparison, kept.witness)) return false;
  const same = compareStates(kept.state, walk.state, comparison, reads(walk));
  if (!same) kept.witness = lastWitness();
  return same;
}

/** Ways out of a loop wait below other paths, so an unfinished state need not be on this path. */
function isAbove(kept: Kept, walk: Walk): boolean {
  for (let at = walk.parent; at !== undefined; at = at.parent) if (at === kept) return true;
  return false;
}

/** A state on the same path with nothing changed since: the loop decides nothing. */
function isEndless(walk: Walk, kept: Kept): Verdict {
  // Of a generalised state nothing follows when it repeats.
  if (kept.summary !== undefined) return CONTINUE;
  if (!agrees(walk, kept, 'equals') || !isAbove(kept, walk)) return CONTINUE;
  return { kind: 'endless', since: kept };
}

/**
 * A pass of a bounded loop that ends within the state it began with: by induction every further pass
 * does. The kept state is still being walked, and so are all between; see Kept.inLoop.
 */
function convergesTo(walk: Walk, kept: Kept): Verdict {
  if (!agrees(walk, kept, 'within') || !isAbove(kept, walk)) return CONTINUE;
  markInLoop(walk.parent);
  return { kind: 'converged', by: kept };
}

/** What decided below the kept state decides for this path as well. */
function propagate(walk: Walk, kept: Kept): void {
  addPrecise(kept.state, walk.state, walk.wanted);
  if (!walk.wanted.isEmpty()) markPrecise(walk, walk.entry, walk.wanted);
}
