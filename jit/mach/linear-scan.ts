/**
 * Linear-scan register allocation with lifetime holes and splitting (Wimmer and Mössenböck 2005; on
 * SSA form: Wimmer and Franz 2010).
 *
 * Intervals are visited by start. Each takes a register that is free for all of it; else one that is
 * free for a while, and is split there; else the register whose holder waits longest for its next
 * use, if that is later than its own; else it goes to memory until it must be in a register. An
 * interval may be split only in the gap before an instruction or at the start of a block, so the
 * split-off part is at least one gap later than its parent's start and the walk ends.
 */

import { InternalError } from '../../isa/index.ts';
import { IntervalHeap } from './interval-heap.ts';
import {
  EARLY,
  type FixedRanges,
  groupOf,
  Interval,
  type Intervals,
  MEMORY,
  POSITIONS,
} from './intervals.ts';
import type { Layout } from './layout.ts';
import type { Backend } from './types.ts';

const NEVER = 0x7fffffff;
/** Executions of the prologue and epilogue: a save and a restore. */
const SAVE_COST = 2;
/** What a value that wants to share a register with another is worth, against a fixed wish. */
const GROUP_WEIGHT = 1.5;
/** What a wish of another value of the group is worth. */
const RELATIVE_WEIGHT = 0.5;
/** Blocks that are looked at for a better place to split. */
const SPLIT_EFFORT = 32;
/** Intervals that may wait in a hole for the same register; each is compared with every other. */
const MAX_INACTIVE = 128;

/** Gives every interval, splitting where needed, a home. */
export function scan(layout: Layout, intervals: Intervals, backend: Backend): void {
  new LinearScan(layout, intervals, backend).run();
}

class LinearScan {
  readonly #layout: Layout;
  readonly #intervals: Intervals;
  /** Allocatable registers, in the order of preference. */
  readonly #order: readonly number[];
  readonly #calleeSaved: number;
  readonly #queue: IntervalHeap = new IntervalHeap();
  /** Intervals that hold their register now: at most one for each register. */
  #active: Interval[] = [];
  /** Intervals in a hole, latest return first, so that the next to return is at the end. */
  #inactive: Interval[] = [];
  /** For each register, index of the first fixed range that ends after the position. */
  readonly #fixedCursor: Int32Array;
  readonly #freeUntil: Int32Array;
  readonly #nextUse: Int32Array;
  readonly #score: Float64Array;
  /** Register last given to a group of values that want to share; -1: none yet. */
  readonly #groupRegister: Int32Array;
  #usedMask = 0;

  constructor(layout: Layout, intervals: Intervals, backend: Backend) {
    const { callerSaved, calleeSaved, names } = backend.registers;
    this.#layout = layout;
    this.#intervals = intervals;
    this.#order = [...callerSaved, ...calleeSaved];
    this.#calleeSaved = calleeSaved.reduce((mask, r) => mask | (1 << r), 0);
    this.#fixedCursor = new Int32Array(names.length);
    this.#freeUntil = new Int32Array(names.length);
    this.#nextUse = new Int32Array(names.length);
    this.#score = new Float64Array(names.length);
    this.#groupRegister = new Int32Array(intervals.values.length).fill(-1);
  }

  run(): void {
    for (const interval of this.#intervals.values) {
      if (interval === undefined) continue;
      // Wherever it is wanted it must be moved anyway, and computing it costs no more.
      if (this.#intervals.recipe[interval.vreg]! >= 0 && isOnlyMoved(interval)) {
        this.#toMemory(interval);
      } else {
        this.#queue.push(interval);
      }
    }
    for (let current = this.#queue.pop(); current; current = this.#queue.pop()) {
      this.#advance(current.start);
      if (!this.#takeFree(current)) this.#takeBlocked(current);
    }
  }

  // ---- the sweep ------------------------------------------------------------------------------

  #advance(position: number): void {
    const moved: Interval[] = [];
    this.#active = this.#active.filter((interval) => {
      if (interval.ranges[interval.cursor + 1]! > position) return true;
      moved.push(interval);
      return false;
    });
    for (let last = this.#inactive.at(-1); last && returnOf(last) <= position; ) {
      moved.push(last);
      this.#inactive.pop();
      last = this.#inactive.at(-1);
    }
    for (const interval of moved) {
      const { ranges } = interval;
      while (interval.cursor < ranges.length && ranges[interval.cursor + 1]! <= position) {
        interval.cursor += 2;
      }
      if (interval.cursor >= ranges.length) continue;
      if (returnOf(interval) <= position) this.#active.push(interval);
      else this.#rest(interval, position);
    }
    for (const r of this.#order) {
      const ranges = this.#intervals.fixed[r]!;
      while (
        this.#fixedCursor[r]! < ranges.length &&
        ranges[this.#fixedCursor[r]! + 1]! <= position
      ) {
        this.#fixedCursor[r]! += 3;
      }
    }
  }

  /**
   * Puts an interval that entered a hole among the inactive ones. If there are too many, what comes
   * after the hole becomes an interval of its own, free to choose again.
   */
  #rest(interval: Interval, position: number): void {
    const inactive = this.#inactive;
    if (inactive.length >= MAX_INACTIVE) {
      this.#queue.push(this.#split(interval, position));
      return;
    }
    let low = 0;
    let high = inactive.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (returnOf(inactive[middle]!) > returnOf(interval)) low = middle + 1;
      else high = middle;
    }
    inactive.splice(low, 0, interval);
  }

  /** Calls `visit` with each inactive interval that meets `current`, and where they first meet. */
  #meeting(current: Interval, visit: (other: Interval, at: number) => void): void {
    const end = current.end;
    for (let i = this.#inactive.length - 1; i >= 0; i--) {
      const other = this.#inactive[i]!;
      if (returnOf(other) >= end) return;
      const at = intersection(other, current);
      if (at !== NEVER) visit(other, at);
    }
  }

  #assign(interval: Interval, register: number): void {
    interval.home = register;
    interval.cursor = 0;
    this.#usedMask |= 1 << register;
    this.#active.push(interval);
    const { groups } = this.#intervals.hints;
    this.#groupRegister[groupOf(groups, interval.vreg)] = register;
  }

  // ---- a free register ------------------------------------------------------------------------

  #takeFree(current: Interval): boolean {
    const freeUntil = this.#freeUntil;
    for (const r of this.#order) freeUntil[r] = this.#fixedConflict(r, current);
    for (const other of this.#active) freeUntil[other.home] = 0;
    this.#meeting(current, (other, at) => {
      if (at < freeUntil[other.home]!) freeUntil[other.home] = at;
    });
    const register = this.#bestFree(current);
    if (register < 0) return false;
    if (freeUntil[register]! < current.end) {
      const to = this.#splitPoint(
        lastUseBefore(current, freeUntil[register]!),
        freeUntil[register]!,
      );
      if (to <= current.start) return false;
      this.#queue.push(this.#split(current, to));
    }
    this.#assign(current, register);
    return true;
  }

  /** The register to take, or -1 if none is free long enough to be of use. */
  #bestFree(current: Interval): number {
    const end = current.end;
    this.#rate(current);
    let best = -1;
    let partial = -1;
    for (const r of this.#order) {
      const until = this.#freeUntil[r]!;
      if (until >= end) {
        if (best < 0 || this.#score[r]! > this.#score[best]!) best = r;
      } else if (until > current.start) {
        if (partial < 0 || until > this.#freeUntil[partial]!) partial = r;
      }
    }
    if (best >= 0) return this.#avoidSaving(current, best, partial);
    if (partial < 0) return -1;
    const first = firstRequired(current);
    return first < this.#freeUntil[partial]! ? partial : -1;
  }

  /**
   * A register that the function must save costs a push and a pop in every run. If some other is
   * free until a rare block, spilling there is cheaper; computing a constant again always is.
   */
  #avoidSaving(current: Interval, best: number, partial: number): number {
    const fresh = (1 << best) & this.#calleeSaved & ~this.#usedMask;
    if (fresh === 0 || partial < 0) return best;
    if (((1 << partial) & this.#calleeSaved & ~this.#usedMask) !== 0) return best;
    const until = this.#freeUntil[partial]!;
    const cheap =
      this.#intervals.recipe[current.vreg]! >= 0 || this.#frequencyAt(until) < 1 / SAVE_COST;
    return cheap && firstRequired(current) < until ? partial : best;
  }

  /** Fills `score`: how many moves each register would save. */
  #rate(current: Interval): void {
    const score = this.#score;
    score.fill(0);
    for (const r of this.#order) {
      if (((1 << r) & this.#calleeSaved & ~this.#usedMask) !== 0) score[r] = -SAVE_COST;
    }
    const { heads, groupHeads, entries, groups } = this.#intervals.hints;
    for (let at = heads[current.vreg]!; at >= 0; at = entries[at + 2]!) {
      score[entries[at]!]! += entries[at + 1]!;
    }
    const group = groupOf(groups, current.vreg);
    for (let at = groupHeads[group]!; at >= 0; at = entries[at + 2]!) {
      score[entries[at]!]! += RELATIVE_WEIGHT * entries[at + 1]!;
    }
    const shared = this.#groupRegister[group]!;
    if (shared >= 0) score[shared]! += GROUP_WEIGHT * this.#frequencyAt(current.start);
  }

  /** Where an instruction's own claim on register r first meets `current`. */
  #fixedConflict(r: number, current: Interval): number {
    const fixed = this.#intervals.fixed[r]!;
    const { ranges, vreg } = current;
    let i = this.#fixedCursor[r]!;
    let k = 0;
    while (i < fixed.length && k < ranges.length) {
      if (fixed[i + 1]! <= ranges[k]!) i = firstEndingAfter(fixed, i, ranges[k]!);
      else if (ranges[k + 1]! <= fixed[i]!) k += 2;
      // A value that already is where an instruction wants to read it is in nobody's way.
      else if (fixed[i + 2] === vreg) i += 3;
      else return Math.max(fixed[i]!, ranges[k]!);
    }
    return NEVER;
  }

  // ---- no free register -----------------------------------------------------------------------

  #takeBlocked(current: Interval): void {
    const required = firstRequired(current);
    if (required === NEVER) {
      this.#toMemory(current);
      return;
    }
    this.#findNextUses(current);
    let register = -1;
    for (const r of this.#order) {
      if (register < 0 || this.#nextUse[r]! > this.#nextUse[register]!) register = r;
    }
    if (this.#nextUse[register]! <= required) {
      this.#spillUntil(current, required);
      return;
    }
    const blocked = this.#fixedConflict(register, current);
    if (blocked < current.end) {
      const to = this.#splitPoint(lastUseBefore(current, blocked), blocked);
      if (to <= current.start) {
        this.#spillUntil(current, required);
        return;
      }
      this.#queue.push(this.#split(current, to));
    }
    this.#evict(register, current);
    this.#assign(current, register);
  }

  /** For each register, when its holders are next used, as far as they can be put out of it. */
  #findNextUses(current: Interval): void {
    const nextUse = this.#nextUse;
    for (const r of this.#order) nextUse[r] = this.#fixedConflict(r, current);
    const gap = this.#gapUpTo(current.start);
    for (const other of this.#active) {
      const at = other.start < gap ? useFrom(other, gap) : 0;
      if (at < nextUse[other.home]!) nextUse[other.home] = at;
    }
    this.#meeting(current, (other) => {
      const at = useFrom(other, current.start);
      if (at < nextUse[other.home]!) nextUse[other.home] = at;
    });
  }

  #evict(register: number, current: Interval): void {
    const gap = this.#gapUpTo(current.start);
    for (const other of this.#active) {
      if (other.home === register) this.#spillFrom(other, gap);
    }
    this.#active = this.#active.filter((other) => other.home !== register);
    const displaced = new Set<Interval>();
    this.#meeting(current, (other) => {
      if (other.home === register) displaced.add(other);
    });
    if (displaced.size === 0) return;
    this.#inactive = this.#inactive.filter((other) => !displaced.has(other));
    // They are in a hole now: what follows the hole is free to choose again.
    for (const other of displaced) this.#queue.push(this.#split(other, current.start));
  }

  /** `other` leaves its register at `gap` or, if that is cheaper, some time since its last use. */
  #spillFrom(other: Interval, gap: number): void {
    const rest = this.#split(other, this.#splitPoint(lastUseBefore(other, gap), gap));
    const required = firstRequired(rest);
    if (required === NEVER) this.#toMemory(rest);
    else this.#spillUntil(rest, required);
  }

  /** `interval` waits in memory until shortly before `required`. */
  #spillUntil(interval: Interval, required: number): void {
    const to = this.#splitPoint(interval.start + 1, required);
    if (to <= interval.start) {
      const place = `v${interval.vreg} at instruction ${Math.floor(required / POSITIONS)}`;
      throw new InternalError('register allocation', `no register for ${place}`);
    }
    this.#queue.push(this.#split(interval, to));
    this.#toMemory(interval);
  }

  #toMemory(interval: Interval): void {
    interval.home = MEMORY;
  }

  // ---- splitting ------------------------------------------------------------------------------

  /** Cuts `interval` at `at`; returns what comes after. */
  #split(interval: Interval, at: number): Interval {
    const rest = new Interval(interval.vreg);
    const { ranges, uses } = interval;
    let k = 0;
    while (ranges[k + 1]! <= at) k += 2;
    if (ranges[k]! < at) {
      rest.ranges = [at, ...ranges.slice(k + 1)];
      ranges.length = k + 1;
      ranges.push(at);
    } else {
      rest.ranges = ranges.slice(k);
      ranges.length = k;
    }
    let u = 0;
    while (u < uses.length && uses[u]! >> 1 < at) u++;
    rest.uses = uses.slice(u);
    uses.length = u;
    rest.next = interval.next;
    interval.next = rest;
    return rest;
  }

  /**
   * The best place to split that is not after `latest` and, if there is one, not before `earliest`:
   * the start of the rarest block between the two, else the last gap.
   */
  #splitPoint(earliest: number, latest: number): number {
    const { blockOf, first, frequency } = this.#layout;
    const gap = this.#gapUpTo(latest);
    const last = blockOf[instructionAt(gap)]!;
    let best = gap;
    let cost = frequency[last]!;
    const stop = Math.max(0, last - SPLIT_EFFORT);
    for (let b = last; b >= stop && first[b]! * POSITIONS >= earliest; b--) {
      // At a block's start the move is on the edges into it: as rare as the rarer of both sides.
      if (frequency[b]! >= cost) continue;
      cost = frequency[b]!;
      best = Math.min(gap, (b === last ? first[b]! : first[b + 1]!) * POSITIONS);
    }
    return best;
  }

  /** The last position not after `position` where a split is allowed. */
  #gapUpTo(position: number): number {
    const i = instructionAt(position);
    if (position - i * POSITIONS >= EARLY) return i * POSITIONS + EARLY;
    const { blockOf, first } = this.#layout;
    if (i === blockOf.length || first[blockOf[i]!] === i) return position;
    return (i - 1) * POSITIONS + EARLY;
  }

  #frequencyAt(position: number): number {
    const { blockOf, frequency } = this.#layout;
    return frequency[blockOf[Math.min(instructionAt(position), blockOf.length - 1)]!]!;
  }
}

const instructionAt = (position: number): number => Math.floor(position / POSITIONS);

/** Index of the first of the triples from index `i` on that ends after `position`. */
function firstEndingAfter(fixed: FixedRanges, i: number, position: number): number {
  let low = i / 3;
  let high = fixed.length / 3;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (fixed[3 * middle + 1]! <= position) low = middle + 1;
    else high = middle;
  }
  return 3 * low;
}

/** When an inactive interval wants its register back. */
const returnOf = (interval: Interval): number => interval.ranges[interval.cursor]!;

/** First position at which both are live; NEVER if there is none. */
function intersection(a: Interval, b: Interval): number {
  let i = a.cursor;
  let k = 0;
  while (i < a.ranges.length && k < b.ranges.length) {
    if (a.ranges[i + 1]! <= b.ranges[k]!) i += 2;
    else if (b.ranges[k + 1]! <= a.ranges[i]!) k += 2;
    else return Math.max(a.ranges[i]!, b.ranges[k]!);
  }
  return NEVER;
}

function firstRequired(interval: Interval): number {
  for (const use of interval.uses) if ((use & 1) !== 0) return use >> 1;
  return NEVER;
}

/** Whether no instruction but its definition needs it in a register of its own. */
function isOnlyMoved(interval: Interval): boolean {
  return interval.uses.reduce((required, use) => required + (use & 1), 0) === 1;
}

/** First use of any kind at or after `position`. */
function useFrom(interval: Interval, position: number): number {
  for (const use of interval.uses) if (use >> 1 >= position) return use >> 1;
  return NEVER;
}

/** One position past the last use before `position`, or past the start. */
function lastUseBefore(interval: Interval, position: number): number {
  let last = interval.start;
  for (const use of interval.uses) {
    if (use >> 1 >= position) break;
    last = Math.max(last, use >> 1);
  }
  return last + 1;
}
