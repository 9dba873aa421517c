/**
 * The path to a failure, walked once more. While the verifier explores it keeps only which
 * instructions a path took; explanations also want what was known on the way. So, for a path that
 * failed, the same instructions are executed again from the entry, and the states before the last
 * ones are kept.
 *
 * Only explanations depend on it: where the second walk cannot follow the first (a state that was
 * widened in between, a path too long), states are missing and less is said.
 */

import { discharge } from '../discharge/discharge.ts';
import { amend } from '../explore/amendment.ts';
import { step } from '../explore/step.ts';
import { Walk } from '../explore/walk.ts';
import { Recorder } from '../facts/recorder.ts';
import type { MachineState } from '../state/machine.ts';
import type { Subject } from '../subject.ts';

/** Longest path that is walked again, in instructions: some milliseconds. */
const MOST_REPLAYED = 50_000;
/** States kept, counted from the failure back: some megabytes. */
const MOST_KEPT = 2_000;

export class History {
  readonly subject: Subject;
  /** Slots of the path, the failing instruction last. */
  readonly pcs: Int32Array;
  readonly frames: Int32Array;
  /** The stack slot that each step filled from or spilled to; see Trace.stack. */
  readonly stacks: Int32Array;
  readonly #entries: Int32Array;
  readonly #states: (MachineState | undefined)[] = [];

  constructor(walk: Walk, entry: number) {
    const { trace } = walk;
    let length = 0;
    for (let at = entry; at >= 0; at = trace.previous(at)) length++;
    this.subject = walk.subject;
    this.pcs = new Int32Array(length);
    this.frames = new Int32Array(length);
    this.stacks = new Int32Array(length);
    this.#entries = new Int32Array(length);
    let index = length - 1;
    for (let at = entry; at >= 0; at = trace.previous(at), index--) {
      this.pcs[index] = trace.pc(at);
      this.frames[index] = trace.frame(at);
      this.stacks[index] = trace.stack(at);
      this.#entries[index] = at;
    }
    const isWhole = length > 0 && this.pcs[0] === 0;
    if (isWhole && length <= MOST_REPLAYED) this.#replay(walk);
    this.#states[length - 1] = walk.state;
  }

  /** Index of the failing step. */
  get last(): number {
    return this.pcs.length - 1;
  }

  /** What was known before the step, where that is remembered. */
  state(index: number): MachineState | undefined {
    return this.#states[index];
  }

  row(index: number) {
    return this.subject.rows[this.pcs[index]!]!;
  }

  instruction(index: number) {
    return this.subject.instructions[this.pcs[index]!]!;
  }

  #replay(original: Walk): void {
    const { subject } = this;
    const recorder = new Recorder(subject.instructions.length, subject.cfg.functions.length);
    const walk = new Walk(subject, recorder, original.reasoning, original.beginning);
    const { length } = this.pcs;
    for (let index = 0; index + 1 < length; index++) {
      if (length - index <= MOST_KEPT) this.#states[index] = walk.state.compact();
      const pc = this.pcs[index]!;
      // Each entry stands alone: nothing is compared by these states, so no marks are needed.
      walk.entry = walk.trace.push(pc, walk.state.frame, -1);
      amend(walk.state, original.amendments.get(this.#entries[index]!) ?? []);
      if (!holds(walk, pc)) return;
      const to = step(walk, pc);
      if (!this.#follow(walk, to, index + 1)) return;
    }
  }

  /** Continues on the way that the path took; false when the step did not lead there. */
  #follow(walk: Walk, to: number, index: number): boolean {
    const pc = this.pcs[index]!;
    const frame = this.frames[index]!;
    if (to !== pc || walk.state.frame !== frame) {
      const other = walk.pending.find((way) => way.pc === pc && way.state.frame === frame);
      if (other === undefined) return false;
      walk.state = other.state;
    }
    walk.pending.length = 0;
    return true;
  }
}

/**
 * Whether the instruction may execute. It did on the path; where both ways of a branch lead to the
 * same slot, the second walk may have taken the other one.
 */
const holds = (walk: Walk, pc: number): boolean =>
  walk.subject.obligations[pc]!.every((owed) => discharge(walk, pc, owed) === null);
