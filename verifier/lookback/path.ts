/**
 * One path once more, in terms. While the verifier explores it keeps ranges only; when an obligation
 * fails, the instructions that led to it are executed again from a state that was kept on the way,
 * or from the entry: by the same steps on states, which say what each pointer points to, and on
 * terms beside them, which say how the numbers are made of each other. Every branch on the way adds
 * its condition.
 *
 * What the first walk was allowed to assume at an instruction (`Walk.amendments`) is assumed again.
 */

import type { Instruction, Row } from '../../isa/index.ts';
import { globalAt } from '../calls/callee.ts';
import { target } from '../cfg.ts';
import * as domain from '../domain/index.ts';
import { amend } from '../explore/amendment.ts';
import type { Kept } from '../explore/kept.ts';
import { step } from '../explore/step.ts';
import { Walk } from '../explore/walk.ts';
import { Recorder } from '../facts/recorder.ts';
import { constantOffset, highest, lowest } from '../regions/region.ts';
import * as kinds from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import type { MachineState } from '../state/machine.ts';
import { compute } from './compute.ts';
import type { Condition, Term } from './shapes.ts';
import { Symbols, shareBase } from './symbols.ts';

/** Ways of taking one path that are tried. */
const MOST_TRIES = 8;

/** A path from where it starts to an instruction that is about to execute. */
export interface Path {
  readonly symbols: Symbols;
  readonly conditions: readonly Condition[];
  /** What is known before the instruction executes. */
  readonly state: MachineState;
}

/** Entries of the trace from the kept state (or the entry) to the current one, oldest first. */
export function entriesSince(
  walk: Walk,
  start: Kept | undefined,
  most: number,
): number[] | undefined {
  const { trace } = walk;
  const entries: number[] = [];
  for (let at = walk.entry; at >= 0; at = trace.previous(at)) {
    entries.push(at);
    if (entries.length > most) return undefined;
    if (start !== undefined && trace.saved(at) === start.index) return entries.reverse();
  }
  return start === undefined ? entries.reverse() : undefined;
}

/**
 * Executes the entries but for the last one. Undefined: the path cannot be followed, or more than
 * one way of taking it can: a step may lead to one next instruction in two states, of which the path
 * took one, and what comes later often tells which.
 */
export function followPath(
  original: Walk,
  start: Kept | undefined,
  entries: readonly number[],
): Path | undefined {
  let found: Path | undefined;
  const choices: number[] = [];
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const follower = new Follower(original, start, choices);
    let index = 0;
    while (index + 1 < entries.length && follower.step(entries[index]!, entries[index + 1]!))
      index++;
    if (index + 1 === entries.length) {
      if (found !== undefined) return undefined;
      const { symbols, state } = follower;
      found = { symbols, conditions: symbols.conditions, state };
    }
    if (!nextChoice(choices, follower.ways)) return found;
  }
  return undefined;
}

/** The next combination of choices, where each has so many ways; false after the last one. */
function nextChoice(choices: number[], ways: readonly number[]): boolean {
  choices.length = ways.length;
  for (let at = ways.length - 1; at >= 0; at--) {
    const choice = (choices[at] ?? 0) + 1;
    if (choice < ways[at]!) {
      choices[at] = choice;
      choices.length = at + 1;
      return true;
    }
  }
  return false;
}

class Follower {
  readonly symbols = new Symbols();
  readonly #original: Walk;
  readonly #walk: Walk;
  readonly #choices: readonly number[];
  /** In how many states each step that had several led on. */
  readonly ways: number[] = [];

  constructor(original: Walk, start: Kept | undefined, choices: readonly number[]) {
    this.#choices = choices;
    const { subject, reasoning, beginning } = original;
    const recorder = new Recorder(subject.instructions.length, subject.cfg.functions.length);
    const walk = new Walk(subject, recorder, reasoning, beginning);
    if (start !== undefined) walk.state = start.state.compact();
    walk.skipIds(original);
    this.#original = original;
    this.#walk = walk;
    this.symbols.matchFrames(walk.state.frameCount);
  }

  get state(): MachineState {
    return this.#walk.state;
  }

  /** Executes the instruction of trace entry `at`, after which the path went on at entry `then`. */
  step(at: number, then: number): boolean {
    const walk = this.#walk;
    const { trace, amendments } = this.#original;
    const { subject } = walk;
    const pc = trace.pc(at);
    const amended = amendments.get(at);
    if (amended !== undefined) amend(walk.state, amended);
    const insn = subject.instructions[pc]!;
    const row = subject.rows[pc]!;
    // Each entry stands alone: nothing is compared by these states, so no marks are needed.
    walk.entry = walk.trace.push(pc, walk.state.frame, -1);
    const to = trace.pc(then);
    // Nothing says which way was taken where both lead to the next slot: nothing is learnt then.
    if (row.kind === 'jump' && target(pc, insn, row) === pc + 1) return to === pc + 1;
    const finish = this.#prepare(pc, insn, row, to);
    if (!this.#take(step(walk, pc), to, trace.frame(then))) return false;
    this.symbols.matchFrames(walk.state.frameCount);
    finish();
    return true;
  }

  /** Continues on the way that the path took, by choice where there are several. */
  #take(next: number, to: number, frame: number): boolean {
    const walk = this.#walk;
    const others = walk.pending.filter((way) => way.pc === to && way.state.frame === frame);
    walk.pending.length = 0;
    const ways = others.map(({ state }) => state);
    if (next === to && walk.state.frame === frame) ways.unshift(walk.state);
    let choice = 0;
    if (ways.length > 1) {
      choice = this.#choices[this.ways.length] ?? 0;
      this.ways.push(ways.length);
    }
    const state = ways[choice];
    if (state === undefined) return false;
    walk.state = state;
    return true;
  }

  /** Terms of the operands, before the step; yields what to note when it was made. */
  #prepare(pc: number, insn: Instruction, row: Row, to: number): () => void {
    const { frame } = this.#walk.state;
    switch (row.kind) {
      case 'alu':
        return this.#prepareAlu(frame, insn, row);
      case 'load':
        return this.#prepareLoad(frame, insn, row);
      case 'store':
        this.#store(frame, insn, row);
        return nothing;
      case 'atomic':
        return this.#prepareAtomic(frame, insn, row);
      case 'jump':
        this.#branch(frame, insn, row, to === target(pc, insn, row));
        return nothing;
      case 'call':
        return this.#prepareCall(pc, frame);
      case 'exit':
        return this.#prepareExit(frame);
      case 'constant':
      case 'cast':
        return () => this.symbols.forget(frame, insn.dst);
      case 'packet':
        return () => this.#forgetCallerSaved(this.state.frame);
      case 'goto':
      case 'may_goto':
      case 'continuation':
        return nothing;
      default:
        return row.kind satisfies never;
    }
  }

  #operand(frame: number, insn: Instruction, row: Row): Term {
    const { symbols } = this;
    if (row.source !== 'reg') return symbols.terms.constant(BigInt(insn.imm));
    return symbols.read(this.state, frame, insn.src);
  }

  #kind(register: number): number {
    return this.state.kind(this.state.register(register));
  }

  #prepareAlu(frame: number, insn: Instruction, row: Row): () => void {
    const { symbols } = this;
    const a = row.dst === 'update' ? this.#kind(insn.dst) : kinds.SCALAR;
    const b = row.source === 'reg' ? this.#kind(insn.src) : kinds.SCALAR;
    const result = this.#resultOf(frame, insn, row, a, b);
    const expected = resultKind(row, a, b);
    return () => {
      const { state } = this;
      const value = state.register(insn.dst);
      const isNumber = state.kind(value) === kinds.SCALAR;
      if (result === undefined || (expected === kinds.SCALAR) !== isNumber) {
        symbols.forget(frame, insn.dst);
        return;
      }
      symbols.write(state, frame, insn.dst, result);
      if (isNumber) symbols.terms.narrow(result, state.words, value + L.NUMBER);
    };
  }

  /** The term of what the instruction computes; undefined: of an address that nothing is known of. */
  #resultOf(frame: number, insn: Instruction, row: Row, a: number, b: number): Term | undefined {
    const { symbols, state } = this;
    if (resultKind(row, a, b) === kinds.SCALAR && (a !== kinds.SCALAR || b !== kinds.SCALAR)) {
      const bits = (register: number) => symbols.readBits(state, frame, register);
      const source = row.source === 'reg' ? bits(insn.src) : this.#operand(frame, insn, row);
      const dst = row.dst === 'update' ? bits(insn.dst) : source;
      if (source === undefined || dst === undefined) return undefined;
      return compute(symbols.terms, row, dst, source);
    }
    const source = this.#operand(frame, insn, row);
    const dst = row.dst === 'update' ? symbols.read(state, frame, insn.dst) : source;
    return compute(symbols.terms, row, dst, source);
  }

  #prepareLoad(frame: number, insn: Instruction, row: Row): () => void {
    const { symbols } = this;
    const at = this.#stackBytes(insn.src, insn.off, row.sizeBytes);
    const load = (holds: 'number' | 'pointer') =>
      at === undefined || at.offset === undefined
        ? undefined
        : symbols.load(at.frame, at.offset, row.sizeBytes, holds);
    const number = load('number');
    const pointer = load('pointer');
    return () => {
      const value = this.state.register(insn.dst);
      const isNumber = this.#kind(insn.dst) === kinds.SCALAR;
      const loaded = isNumber ? number : pointer;
      symbols.forget(frame, insn.dst);
      if (loaded === undefined) return;
      const { terms } = symbols;
      const term = row.signed ? terms.signExtend(loaded, row.sizeBytes * 8) : loaded;
      symbols.write(this.state, frame, insn.dst, term);
      if (isNumber) terms.narrow(term, this.state.words, value + L.NUMBER);
    };
  }

  /** The stack bytes that an access may touch; at a constant offset, exactly those. */
  #stackBytes(register: number, off: number, size: number) {
    const { state } = this;
    const value = state.register(register);
    if (state.kind(value) !== kinds.STACK) return undefined;
    const request = {
      pc: 0,
      register,
      offset: off,
      size,
      verb: 'read',
      by: 'instruction',
    } as const;
    return {
      frame: state.words[value + L.TARGET]!,
      offset: constantOffset(state, value, request),
      low: lowest(state, value, request),
      high: highest(state, value, request),
    };
  }

  #store(frame: number, insn: Instruction, row: Row): void {
    const { symbols, state } = this;
    const at = this.#stackBytes(insn.dst, insn.off, row.sizeBytes);
    if (at === undefined) {
      // Some memory that helpers hand out may be a buffer on the stack.
      if (!NEVER_STACK.has(this.#kind(insn.dst))) symbols.keepSpilledCells(state);
      return;
    }
    symbols.dropCells(at.frame, at.low, at.high);
    if (at.offset === undefined) return;
    const isNumber = row.source !== 'reg' || this.#kind(insn.src) === kinds.SCALAR;
    if (!isNumber && row.sizeBytes !== 8) return;
    const term = this.#operand(frame, insn, row);
    symbols.store(at.frame, at.offset, row.sizeBytes, term, isNumber ? 'number' : 'pointer');
  }

  #prepareAtomic(frame: number, insn: Instruction, row: Row): () => void {
    const { symbols } = this;
    const isLoad = row.operation === 'load_acquire';
    const at = isLoad ? undefined : this.#stackBytes(insn.dst, insn.off, row.sizeBytes);
    if (at !== undefined) symbols.dropCells(at.frame, at.low, at.high);
    else if (!isLoad) symbols.keepSpilledCells(this.state);
    return () => {
      if (isLoad) symbols.forget(frame, insn.dst);
      else symbols.forget(frame, row.operation === 'cmpxchg' ? 0 : insn.src);
    };
  }

  /** The condition that holds on the way that the path took. */
  #branch(frame: number, insn: Instruction, row: Row, taken: boolean): void {
    const { symbols, state } = this;
    const conditionIfTaken = domain.conditionOf(row);
    const condition = taken ? conditionIfTaken : domain.negate(conditionIfTaken);
    const width = row.width as 32 | 64;
    const a = this.#kind(insn.dst);
    const b = row.source === 'reg' ? this.#kind(insn.src) : kinds.SCALAR;
    const isPlain = a === kinds.SCALAR && b === kinds.SCALAR;
    const onOffsets = isPlain ? undefined : SIGNED_ORDER[condition];
    if (!isPlain) {
      if (width !== 64 || row.source !== 'reg' || onOffsets === undefined) return;
      if (!shareBase(state, state.register(insn.dst), state.register(insn.src))) return;
    }
    const x = symbols.read(state, frame, insn.dst);
    const y = this.#operand(frame, insn, row);
    const offsets = a === kinds.STACK ? [x, y].map((term) => this.#aboveFrame(term)) : [x, y];
    const guards = isPlain ? [] : offsets.filter((term) => term !== symbols.packetLength);
    symbols.conditions.push({ condition: onOffsets ?? condition, width, a: x, b: y, guards });
  }

  /** The offset from a place below the frame, above which addresses do not wrap either. */
  #aboveFrame(offset: Term): Term {
    return this.symbols.terms.combine([[offset, 1n]], BELOW_FRAME);
  }

  #prepareCall(pc: number, frame: number): () => void {
    const { symbols } = this;
    const walk = this.#walk;
    const { helperAt, kfuncAt } = walk.subject;
    const helper = helperAt.get(pc);
    const callee = helper ?? kfuncAt.get(pc) ?? globalAt(walk, pc);
    if (callee === undefined) {
      // Arguments are the caller's registers.
      return () => {
        for (let r = 1; r <= LAST_ARGUMENT; r++) symbols.copy(frame, r, frame + 1, r);
        this.#forgetCallerSaved(frame);
      };
    }
    const leaves = callee.returns.kind === 'never';
    const keeps = helper !== undefined && helper.changesPacket !== true && !leaves;
    const isHarmless = keeps && helper.name !== 'bpf_dynptr_write';
    return () => {
      symbols.keepSpilledCells(this.state);
      if (!isHarmless) symbols.forgetPacket();
      if (this.state.frame <= frame) this.#forgetCallerSaved(this.state.frame);
    };
  }

  #prepareExit(frame: number): () => void {
    const { symbols, state } = this;
    const how = state.words[state.frameRow(frame) + L.FRAME_CALLBACK]!;
    if (frame === 0) return nothing;
    if (how !== 0) return () => symbols.keepSpilledCells(this.state);
    const result = symbols.read(state, frame, 0);
    return () => {
      this.#forgetCallerSaved(frame - 1);
      symbols.write(this.state, frame - 1, 0, result);
    };
  }

  #forgetCallerSaved(frame: number): void {
    for (let r = 0; r <= LAST_ARGUMENT; r++) this.symbols.forget(frame, r);
  }
}

const LAST_ARGUMENT = 5;
const nothing = (): void => undefined;

/** Memory that is no frame of the program, whatever helpers were given. */
const NEVER_STACK: ReadonlySet<number> = new Set([
  kinds.MAP_VALUE,
  kinds.PACKET,
  kinds.PACKET_META,
  kinds.CONTEXT,
]);

/** Bytes below any frame's own that are still the stack's, or at least no lower than null. */
const BELOW_FRAME = 4096n;

const { eq, ne, lt, le, gt, ge, slt, sle, sgt, sge } = domain.CONDITIONS;

/** Addresses are compared unsigned, as offsets that do not wrap are when compared signed. */
const SIGNED_ORDER: Readonly<Partial<Record<domain.Condition, domain.Condition>>> = {
  [eq]: eq,
  [ne]: ne,
  [lt]: slt,
  [le]: sle,
  [gt]: sgt,
  [ge]: sge,
};

/**
 * The kind that arithmetic on these yields: pointers stay such in whole moves, and where a number is
 * added or subtracted.
 */
function resultKind(row: Row, a: number, b: number): number {
  if (row.width === 32) return kinds.SCALAR;
  if (row.dst !== 'update') return row.operation === 'mov' ? b : kinds.SCALAR;
  if (row.operation === 'add' && a === kinds.SCALAR) return b;
  if (row.operation !== 'add' && row.operation !== 'sub') return kinds.SCALAR;
  return b === kinds.SCALAR ? a : kinds.SCALAR;
}
