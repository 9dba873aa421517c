/**
 * What changes while a program is walked: the current state, the trace, branches waiting, fresh
 * ids, and what was learnt for the facts. One object is passed to every rule, so that rules need no
 * allocation.
 */

import type { Recorder } from '../facts/recorder.ts';
import type { Region } from '../facts.ts';
import type { AccessRequest } from '../obligations/obligation.ts';
import { SCALAR } from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import { emptyState, type MachineState, StatePool } from '../state/machine.ts';
import { slotIndex } from '../state/stack.ts';
import type { Subject } from '../subject.ts';
import type { Amendment } from './amendment.ts';
import type { Kept } from './kept.ts';
import { type Backtrackable, isTraced, markPrecise, Wanted } from './precision.ts';
import type { BeyondLinux, Reasoning } from './reasoning.ts';
import { packSlot, Trace } from './trace.ts';

/** A way not walked yet. */
export interface Pending {
  readonly state: MachineState;
  readonly pc: number;
  /** Trace entry of the branch. */
  readonly entry: number;
  readonly parent: Kept | undefined;
  /** Instructions from `parent` to here. */
  readonly distance: number;
  /** What waits: the other way of a branch, or a way out of a loop (summary.ts). */
  readonly kind: 'fork' | 'exit';
}

/** Where a walk starts, and with what in the registers of its only frame. */
export interface Beginning {
  readonly entry: number;
  readonly set: (walk: Walk) => void;
}

/** What is verified apart from the walk that meets it (calls/roots.ts). */
export interface Apart {
  /** Most instructions that the global function executes; walks it when it was not. */
  longestOf(beginning: Beginning, caller: Walk): number;
  /** Whether the walk of the global function has begun, and not ended. */
  isWalking(entry: number): boolean;
  /** Leaves a function that runs outside of the program to be walked; once for each key. */
  walkLater(key: string, beginning: Beginning): void;
}

/** For a walk that repeats another one: everything apart was seen to. */
const NOTHING: Apart = {
  longestOf: () => 0,
  isWalking: () => false,
  walkLater: () => undefined,
};

export class Walk implements Backtrackable {
  readonly subject: Subject;
  readonly trace = new Trace();
  readonly recorder: Recorder;
  readonly reasoning: Reasoning;
  /** Rules beyond Linux's reasoning that would have told something, or that a proof relies on. */
  readonly withheld = new Set<BeyondLinux>();
  /** What instructions may take their registers for, proven by look-back; by trace entry. */
  readonly amendments = new Map<number, readonly Amendment[]>();
  /** What is allowed here and a mistake nevertheless, by slot. */
  readonly warnings = new Map<number, string>();
  /** How the arithmetic at a slot is masked, where it is (discharge/masking.ts). */
  readonly masks = new Map<number, string>();
  readonly wanted = new Wanted();
  readonly pool = new StatePool();
  readonly pending: Pending[] = [];
  /** States kept at merge points, by index. */
  readonly kept: (Kept | undefined)[] = [];
  state: MachineState;
  /** Trace entry of the executing instruction. */
  entry = -1;
  /** The last state kept on this path, and the instructions since. */
  parent: Kept | undefined = undefined;
  distance = 0;
  readonly beginning: Beginning;
  readonly apart: Apart;
  /** Frames of the callers, where the walk is of a function of its own. */
  readonly framesBelow: number;
  #lastId = 0;

  constructor(
    subject: Subject,
    recorder: Recorder,
    reasoning: Reasoning,
    beginning: Beginning,
    apart: Apart = NOTHING,
    framesBelow = 0,
  ) {
    this.subject = subject;
    this.recorder = recorder;
    this.reasoning = reasoning;
    this.beginning = beginning;
    this.apart = apart;
    this.framesBelow = framesBelow;
    this.state = emptyState(beginning.entry);
    beginning.set(this);
  }

  get instructions() {
    return this.subject.instructions;
  }

  get rows() {
    return this.subject.rows;
  }

  get traced() {
    return this.subject.traced;
  }

  keptState(index: number): MachineState | undefined {
    return this.kept[index]?.state;
  }

  /** An id that no value has yet. */
  freshId(): number {
    return ++this.#lastId;
  }

  /** Takes over a state of the other walk: ids that it has given are not given again. */
  skipIds(other: Walk): void {
    this.#lastId = other.#lastId;
  }

  /** Whether `rule`, which Linux does not have, may be used; what is withheld is remembered. */
  mayReason(rule: BeyondLinux): boolean {
    if (this.reasoning === 'full') return true;
    this.withheld.add(rule);
    return false;
  }

  /** A proof rests on `rule`. */
  relyOn(rule: BeyondLinux): void {
    this.withheld.add(rule);
  }

  /** The value of `register` decides something now. */
  needPrecise(register: number): void {
    const { state } = this;
    const value = state.register(register);
    if (state.kind(value) !== SCALAR || isTraced(state, value)) return;
    this.wanted.addRegister(state.frame, register);
    markPrecise(this, this.entry, this.wanted);
    state.words[value + L.FLAGS]! |= L.FLAG_TRACED;
  }

  /** As `needPrecise`, for any register or stack slot of any frame. */
  needPreciseValue(link: number): void {
    this.wanted.add(link);
    markPrecise(this, this.entry, this.wanted);
  }

  /** The executing instruction filled from, or spilled to, the slot at `offset` of `frame`. */
  noteStack(frame: number, offset: number): void {
    this.trace.setStack(this.entry, packSlot(frame, slotIndex(offset)));
  }

  /** The executing instruction accesses memory; what helpers do is not of interest. */
  noteAccess(
    request: AccessRequest,
    region: Region,
    offset: number | undefined,
    target: number | undefined,
    aligned: boolean,
  ): void {
    if (request.by === 'helper') return;
    const { functionOf, functions } = this.subject.cfg;
    const owner = functions[functionOf[request.pc]!]!.index;
    this.recorder.access(request.pc, owner, region, offset, request.size, target, aligned);
  }

  /**
   * Leaves a copy of the state to be walked from `pc`, and returns it. `executed`: whether the
   * executing instruction counts on that way.
   */
  fork(pc: number, executed: 0 | 1 = 1): MachineState {
    const state = this.pool.take(this.state);
    const { entry, parent } = this;
    if (parent !== undefined) parent.branches++;
    this.pending.push({
      state,
      pc,
      entry,
      parent,
      distance: this.distance + executed,
      kind: 'fork',
    });
    return state;
  }

  /** Takes the last fork back: its way is impossible. */
  unfork(): void {
    const fork = this.pending.pop()!;
    if (fork.parent !== undefined) fork.parent.branches--;
    this.pool.give(fork.state);
  }

  /** Continues with the last fork in place of the current state; returns its slot. */
  resumeFork(): number {
    const fork = this.pending.pop()!;
    if (fork.parent !== undefined) fork.parent.branches--;
    this.pool.give(this.state);
    this.state = fork.state;
    return fork.pc;
  }
}
