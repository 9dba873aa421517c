/**
 * An obligation failed: did the path that led there say more than the state remembers?
 *
 * Ranges forget how numbers depend on each other, which compilers rely on: they check `n - 1` and
 * use `n`, check a sum and use its parts, ask twice in different words. So before a failure is
 * believed, the path is followed once more in terms (path.ts), and everything that its branches say
 * is solved for (solve.ts). Three things may come of it:
 *   - the branches contradict each other: no run takes the path, and it ends here;
 *   - the registers that the instruction reads are narrowed until its obligations hold;
 *   - an offset and a size, bounded together, make one access that may be made.
 *
 * Why the walk may go on with that. The proof holds for concrete runs of this one path, from the
 * state in which it was followed. States kept on the way may later stand for others, whose paths
 * said something else; so they never do (`Kept.isAlone`). The state that the path was followed from
 * is taken at its word: of it, and of all before it, every number counts (`Kept.inLoop`). States kept
 * after the instruction are states like all others: what was proven below them rests on them alone.
 *
 * Programs of unprivileged loaders are also walked as a processor guesses, which heeds no branch:
 * of those nothing is believed that only branches say.
 *
 * What a path means where passes of a loop were left out by induction, nobody knows: it is followed
 * from the last state that a pass may have ended within, at most.
 */

import { MARK_CONVERGE } from '../cfg.ts';
import type { Failure } from '../diagnose/failure.ts';
import { type Amendment, amendmentOf } from '../explore/amendment.ts';
import { type Kept, markInLoop } from '../explore/kept.ts';
import type { BeyondLinux } from '../explore/reasoning.ts';
import type { Walk } from '../explore/walk.ts';
import { LIMITS } from '../limits.ts';
import { Claims } from './claims.ts';
import { entriesSince, followPath } from './path.ts';
import { readRegisters } from './registers.ts';
import type { Effort } from './solve.ts';

/** What looking back showed. */
export type Outcome = 'nothing' | 'impossible' | 'holds';

/** Failures that no number on the path could have prevented. */
const HOPELESS: ReadonlySet<Failure['code']> = new Set([
  'too-complex',
  'infinite-loop',
  'frame-pointer-write',
  'shift-too-far',
  'division-by-zero',
]);

/** Follows paths back within one budget for the whole walk. */
export class LookBack {
  readonly #walk: Walk;
  /** Instructions followed so far. */
  #followed = 0;
  /** Where the last path that proved something was followed from; null: none did. */
  #proven: Kept | undefined | null = null;
  readonly #effort: Effort = { left: LIMITS.narrowed.value };

  constructor(walk: Walk) {
    this.#walk = walk;
  }

  /**
   * Whether the instruction at `pc` may execute after all, or is never reached on this path.
   * `check` discharges its obligations in the walk's state.
   */
  explain(pc: number, failure: Failure, check: () => Failure | null): Outcome {
    if (HOPELESS.has(failure.code) || heedsGuesses(this.#walk)) return 'nothing';
    for (const start of this.#starts()) {
      const entries = entriesSince(this.#walk, start, LIMITS.lookedBackPath.value);
      if (entries === undefined) continue;
      this.#followed += entries.length;
      if (this.#followed > LIMITS.lookedBack.value || this.#effort.left < 0) return 'nothing';
      const outcome = this.#from(start, entries, pc, check);
      if (outcome === 'nothing') continue;
      this.#proven = start;
      return outcome;
    }
    return 'nothing';
  }

  /** A loop needs the same relation pass after pass: what proved it last is tried early. */
  #starts(): readonly (Kept | undefined)[] {
    const chain = chainOf(this.#walk);
    const starts = sparse(chain);
    const last = this.#proven;
    if (last === null || !chain.includes(last)) return starts;
    return [...new Set([chain[0], last, ...starts])];
  }

  #from(
    start: Kept | undefined,
    entries: readonly number[],
    pc: number,
    check: () => Failure | null,
  ): Outcome {
    const walk = this.#walk;
    const path = followPath(walk, start, entries);
    if (path === undefined) return 'nothing';
    const registers = readRegisters(walk, pc);
    const claims = new Claims(walk, path, registers, this.#effort);
    if (!claims.solve()) return this.#believe('impossible-path', start) ? 'impossible' : 'nothing';
    const before = registers.map((register) => amendmentOf(walk.state, register));
    for (const [rule, claim] of [
      ['path-range', () => claims.narrow()],
      ['joint-bound', () => claims.joinSizes(pc)],
    ] as const) {
      if (!claim() || check() !== null) continue;
      if (!this.#believe(rule, start)) break;
      walk.amendments.set(
        walk.entry,
        registers.map((register) => amendmentOf(walk.state, register)),
      );
      return 'holds';
    }
    restore(walk, before);
    return 'nothing';
  }

  /** Whether the rule may be used; then states on the way stand for nothing else. */
  #believe(rule: BeyondLinux, start: Kept | undefined): boolean {
    const walk = this.#walk;
    if (!walk.mayReason(rule)) return false;
    walk.relyOn(rule);
    for (let at = walk.parent; at !== undefined && at !== start; at = at.parent) at.isAlone = true;
    markInLoop(start);
    return true;
  }
}

const heedsGuesses = ({ subject }: Walk): boolean =>
  subject.profile.family === 'linux' && subject.privilege !== 'full';

function restore(walk: Walk, before: readonly Amendment[]): void {
  const { state } = walk;
  for (const { register, value } of before) state.words.set(value, state.register(register));
}

/** States that the path may be followed from, nearest first. Undefined stands for the entry. */
function chainOf(walk: Walk): (Kept | undefined)[] {
  const chain: (Kept | undefined)[] = [];
  for (let at = walk.parent; at !== undefined && at.index >= 0; at = at.parent) {
    chain.push(at);
    if (isReturnedTo(walk, at)) return chain;
  }
  return [...chain, undefined];
}

/**
 * Whatever lies between is lost for pruning, so the nearest comes first, then every fourth power of
 * states, then the furthest: a path is followed few times.
 */
function sparse<T>(chain: readonly T[]): T[] {
  const last = chain.length - 1;
  return chain.filter((_, index) => index === last || STARTS.has(index));
}

const STARTS: ReadonlySet<number> = new Set([0, 3, 15, 63]);

/** A pass of a loop may have ended within the state, or may yet do so. */
const isReturnedTo = (walk: Walk, kept: Kept): boolean =>
  kept.summary !== undefined || (walk.subject.cfg.marks[kept.pc]! & MARK_CONVERGE) !== 0;
