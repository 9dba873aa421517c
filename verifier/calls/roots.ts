/**
 * What is walked on its own, besides the program's entry: global functions, for any arguments that
 * their prototypes allow; and functions that run later, outside of the program (timers and their
 * like). Each is walked once, when the first call or registration of it is met.
 *
 * A global function is walked before its caller goes on, so that the caller's worst case can count
 * it; what runs later counts for nothing in the run that registered it. What catches exceptions runs
 * at most once, at the end of the run that threw.
 */

import { Explorer, type Found, type Spent } from '../explore/explore.ts';
import type { Meeting } from '../explore/join.ts';
import type { Reasoning } from '../explore/reasoning.ts';
import type { Summary } from '../explore/summary.ts';
import { type Apart, type Beginning, Walk } from '../explore/walk.ts';
import type { Recorder } from '../facts/recorder.ts';
import type { Subject } from '../subject.ts';
import { exceptionBeginning } from './exceptions.ts';

interface Walked {
  readonly walk: Walk;
  readonly longest: number;
}

export interface Limits {
  readonly maxProcessed: number;
  readonly walkedFirst: number;
  readonly meeting: Meeting;
  readonly maxErrors: number;
  readonly deadline: number;
  readonly report: (walk: Walk, found: Found) => void;
}

export class Roots implements Apart {
  readonly #subject: Subject;
  readonly #recorder: Recorder;
  readonly #reasoning: Reasoning;
  readonly #limits: Limits;
  /** Longest run of each global function, by entry. */
  readonly #longest = new Map<number, number>();
  readonly #walking = new Set<number>();
  readonly #later: Beginning[] = [];
  readonly #known = new Set<string>();
  readonly spent: Spent = {
    processed: 0,
    failures: 0,
    exhausted: false,
    lastUseful: Number.POSITIVE_INFINITY,
  };
  peakStates = 0;
  mostPending = 0;
  readonly summaries: Summary[] = [];

  constructor(subject: Subject, recorder: Recorder, reasoning: Reasoning, limits: Limits) {
    this.#subject = subject;
    this.#recorder = recorder;
    this.#reasoning = reasoning;
    this.#limits = limits;
  }

  /** Walks the program from its entry, and everything that this brings about. */
  run(beginning: Beginning): Walked {
    const main = this.#walk(beginning, undefined);
    const { onException } = this.#subject;
    const caught =
      onException === undefined ? 0 : this.#after(main, exceptionBeginning(onException));
    for (let next = this.#later.shift(); next !== undefined; next = this.#later.shift()) {
      this.#after(main, next);
    }
    return { walk: main.walk, longest: main.longest + caught };
  }

  /** Walks what runs once the program's own frames are gone; the longest run of it. */
  #after(main: Walked, beginning: Beginning): number {
    if (this.#isOver()) return 0;
    const { walk, longest } = this.#walk(beginning, undefined);
    for (const rule of walk.withheld) main.walk.withheld.add(rule);
    return longest;
  }

  longestOf(beginning: Beginning, caller: Walk): number {
    const { entry } = beginning;
    let longest = this.#longest.get(entry);
    if (longest === undefined) {
      if (this.#isOver()) return 0;
      this.#walking.add(entry);
      longest = this.#walk(beginning, caller).longest;
      this.#walking.delete(entry);
      this.#longest.set(entry, longest);
    }
    return longest;
  }

  isWalking(entry: number): boolean {
    return this.#walking.has(entry);
  }

  walkLater(key: string, beginning: Beginning): void {
    if (this.#known.has(key)) return;
    this.#known.add(key);
    this.#later.push(beginning);
  }

  #isOver(): boolean {
    return this.spent.exhausted || this.spent.failures >= this.#limits.maxErrors;
  }

  #walk(beginning: Beginning, caller: Walk | undefined): Walked {
    const below = caller === undefined ? 0 : caller.framesBelow + caller.state.frameCount;
    const subject = this.#subject;
    const walk = new Walk(subject, this.#recorder, this.#reasoning, beginning, this, below);
    const { maxProcessed, maxErrors, walkedFirst, meeting, deadline, report } = this.#limits;
    const explorer = new Explorer(walk, {
      maxProcessed,
      walkedFirst,
      meeting,
      maxErrors,
      deadline,
      report: (found) => report(walk, found),
      spent: this.spent,
    });
    const { longest, peakStates, mostPending, summaries } = explorer.explore(beginning.entry);
    this.summaries.push(...summaries);
    this.peakStates += peakStates;
    this.mostPending = Math.max(this.mostPending, mostPending);
    for (const rule of walk.withheld) caller?.withheld.add(rule);
    return { walk, longest };
  }
}
