/**
 * From homes to moves: after the scan every value is somewhere at every position, and this file adds
 * the moves that carry it from one place to the next.
 *
 * - In the gap before an instruction: from a stretch of the value's life to the one that begins
 *   there, into the registers of fixed uses, and into registers that are about to be overwritten.
 * - After an instruction: from fixed definitions to their homes, and into spill slots.
 * - On every edge: from where values are at its source to where its target expects them, and from
 *   arguments to parameters. They stand before the source's jump if that is the source's only edge,
 *   else at the start of the target, whose only edge it then is.
 *
 * A value is assigned once, so its slot, once written, is right for ever. It is written right after
 * the definition, unless the definition runs more often than the splits that need the slot: then
 * each move to memory writes it.
 */

import { InternalError } from '../../isa/index.ts';
import {
  AFTER,
  EARLY,
  type Interval,
  type Intervals,
  LATE,
  MEMORY,
  POSITIONS,
  reusedOperand,
} from './intervals.ts';
import type { Layout } from './layout.ts';
import type { LiveIn } from './liveness.ts';
import { ParallelMove } from './parallel-move.ts';
import type { Allocation, MachInst, Move } from './types.ts';
import {
  argumentOf,
  constraintOf,
  FIXED,
  isDefinition,
  REMATERIALISE,
  REUSE,
  SLOT_BASE,
  vregOf,
} from './types.ts';

export function resolve(layout: Layout, liveIn: LiveIn, intervals: Intervals): Allocation {
  return new Resolver(layout, intervals).run(liveIn);
}

class Resolver {
  readonly #layout: Layout;
  readonly #intervals: Intervals;
  /** Spill slot of each value; -1: none. */
  readonly #slots: Int32Array;
  #slotCount = 0;
  /** 1: the slot is written by the definition, and moves into it are left out. */
  readonly #stored: Uint8Array;
  readonly #before: (Move[] | undefined)[];
  readonly #after: (Move[] | undefined)[];
  readonly #registers: Int8Array;
  readonly #dropped: Uint8Array;
  readonly #firstOperand: Int32Array;
  /** Stretches of the values that were split, in order. */
  readonly #parts: Map<number, readonly Interval[]> = new Map();
  readonly #parallel: ParallelMove = new ParallelMove();
  /** Stretches that begin in the gap of an instruction, after an earlier one: linked by instruction. */
  readonly #arrivals: Map<number, Interval[]> = new Map();

  constructor(layout: Layout, intervals: Intervals) {
    const count = layout.instructions.length;
    this.#layout = layout;
    this.#intervals = intervals;
    this.#slots = new Int32Array(intervals.values.length).fill(-1);
    this.#stored = new Uint8Array(intervals.values.length);
    this.#before = new Array<Move[] | undefined>(count).fill(undefined);
    this.#after = new Array<Move[] | undefined>(count).fill(undefined);
    this.#dropped = new Uint8Array(count);
    this.#firstOperand = new Int32Array(count + 1);
    layout.instructions.forEach(({ operands }, i) => {
      this.#firstOperand[i + 1] = this.#firstOperand[i]! + operands.length;
    });
    this.#registers = new Int8Array(this.#firstOperand[count]!).fill(-1);
  }

  run(liveIn: LiveIn): Allocation {
    this.#assignSlots();
    this.#findArrivals();
    const { code, first } = this.#layout;
    code.blocks.forEach((_, b) => {
      this.#edgesInto(b, liveIn);
      this.#storeParameters(b);
      for (let i = first[b]!; i < first[b + 1]!; i++) this.#instruction(i);
      this.#edgeOutOf(b, liveIn);
    });
    return {
      code: this.#rebuilt(),
      firstInstruction: first,
      firstOperand: this.#firstOperand,
      registers: this.#registers,
      dropped: this.#dropped,
      before: this.#before,
      after: this.#after,
      slotCount: this.#slotCount,
      used: this.#used(),
    };
  }

  // ---- slots ----------------------------------------------------------------------------------

  /** Values whose lives, holes included, do not overlap share a slot. */
  #assignSlots(): void {
    const { values, recipe } = this.#intervals;
    const spilled = values.filter(
      (v): v is Interval => v !== undefined && recipe[v.vreg]! < 0 && hasMemory(v),
    );
    spilled.sort((a, b) => a.start - b.start);
    const freeFrom: number[] = [];
    for (const interval of spilled) {
      let slot = freeFrom.findIndex((end) => end <= interval.start);
      if (slot < 0) slot = freeFrom.length;
      freeFrom[slot] = lastOf(interval).end;
      this.#slots[interval.vreg] = SLOT_BASE + slot;
      this.#stored[interval.vreg] = this.#storesAtDefinition(interval) ? 1 : 0;
    }
    this.#slotCount = freeFrom.length;
  }

  #storesAtDefinition(value: Interval): boolean {
    if (value.home === MEMORY) return true;
    let moves = 0;
    for (let part = value; part.next; part = part.next) {
      if (part.home !== MEMORY && part.next.home === MEMORY)
        moves += this.#frequency(part.next.start);
    }
    return this.#frequency(value.start) <= moves;
  }

  #frequency(position: number): number {
    const { blockOf, frequency } = this.#layout;
    const i = Math.min(Math.floor(position / POSITIONS), blockOf.length - 1);
    return frequency[blockOf[i]!]!;
  }

  // ---- places ---------------------------------------------------------------------------------

  /** Register, slot, or recipe of v at `position`. */
  #placeAt(v: number, position: number): number {
    const whole = this.#intervals.values[v];
    const part = whole?.next === undefined ? whole : this.#partAt(whole, position);
    if (part && position < part.end && position >= part.start) return this.#placeOf(part);
    const place = `v${v} at instruction ${Math.floor(position / POSITIONS)}`;
    throw new InternalError('register allocation', `${place} is nowhere`);
  }

  /** The last stretch that begins at or before `position`. */
  #partAt(whole: Interval, position: number): Interval {
    let parts = this.#parts.get(whole.vreg);
    if (parts === undefined) {
      parts = stretchesOf(whole);
      this.#parts.set(whole.vreg, parts);
    }
    let low = 0;
    let high = parts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (parts[middle]!.start <= position) low = middle;
      else high = middle;
    }
    return parts[low]!;
  }

  #placeOf(part: Interval): number {
    if (part.home !== MEMORY) return part.home;
    const recipe = this.#intervals.recipe[part.vreg]!;
    return recipe >= 0 ? REMATERIALISE + recipe : this.#slots[part.vreg]!;
  }

  #registerAt(v: number, position: number): number {
    const place = this.#placeAt(v, position);
    if (place < SLOT_BASE) return place;
    throw new InternalError(
      'register allocation',
      `v${v} is in memory where instruction ${Math.floor(position / POSITIONS)} wants a register`,
    );
  }

  /** A move of v, unless its destination needs none. */
  #move(from: number, to: number, v: number): void {
    if (to >= REMATERIALISE || from === to) return;
    if (to >= SLOT_BASE && to === this.#slots[v] && this.#stored[v] === 1) return;
    this.#parallel.add(from, to, v);
  }

  // ---- instructions ---------------------------------------------------------------------------

  #findArrivals(): void {
    const { first, blockOf } = this.#layout;
    for (const value of this.#intervals.values) {
      for (let part = value; part?.next; part = part.next) {
        const { next } = part;
        // Without contact there is a hole, and the edges that lead out of it bring the value.
        if (next.start !== part.end) continue;
        const i = Math.floor(next.start / POSITIONS);
        if (next.start === i * POSITIONS && first[blockOf[i]!] === i) continue;
        const list = this.#arrivals.get(i);
        if (list === undefined) this.#arrivals.set(i, [next]);
        else list.push(next);
      }
    }
  }

  #instruction(i: number): void {
    const inst = this.#layout.instructions[i]!;
    const at = i * POSITIONS;
    for (const part of this.#arrivals.get(i) ?? []) {
      this.#move(this.#placeAt(part.vreg, at), this.#placeOf(part), part.vreg);
    }
    if (this.#isDropped(inst, i)) {
      this.#dropped[i] = 1;
      this.#flush(this.#before, i);
      return;
    }
    this.#operands(inst, i);
    this.#flush(this.#before, i);
    this.#results(inst, at);
    this.#flush(this.#after, i);
  }

  /** A recipe whose value is in no register even here. */
  #isDropped(inst: MachInst, i: number): boolean {
    const result = inst.operands[0];
    if (inst.operands.length !== 1 || !isDefinition(result!)) return false;
    const v = vregOf(result!);
    if (this.#intervals.recipe[v] !== i) return false;
    return this.#placeAt(v, i * POSITIONS + LATE) === REMATERIALISE + i;
  }

  #operands(inst: MachInst, i: number): void {
    const at = i * POSITIONS;
    const base = this.#firstOperand[i]!;
    const reused = reusedOperand(inst.operands);
    inst.operands.forEach((operand, k) => {
      const v = vregOf(operand);
      const constraint = constraintOf(operand);
      let register: number;
      if (constraint === FIXED) {
        register = argumentOf(operand);
        if (!isDefinition(operand)) this.#move(this.#placeAt(v, at), register, v);
      } else if (isDefinition(operand)) {
        register = this.#registerAt(v, at + LATE);
        if (constraint === REUSE) {
          const source = vregOf(inst.operands[argumentOf(operand)]!);
          this.#parallel.add(this.#placeAt(source, at), register, source);
        }
      } else if (k === reused) {
        const result = inst.operands.find((o) => isDefinition(o) && constraintOf(o) === REUSE)!;
        register = this.#registerAt(vregOf(result), at + LATE);
      } else {
        register = this.#registerAt(v, at + EARLY);
      }
      this.#registers[base + k] = register;
    });
  }

  #results(inst: MachInst, at: number): void {
    for (const operand of inst.operands) {
      if (!isDefinition(operand)) continue;
      const v = vregOf(operand);
      const fixed = constraintOf(operand) === FIXED;
      const place = fixed ? this.#placeAt(v, at + AFTER) : this.#registerAt(v, at + LATE);
      const from = fixed ? argumentOf(operand) : place;
      if (from !== place && place < REMATERIALISE) this.#parallel.add(from, place, v);
      this.#store(from, place, v);
    }
  }

  /** Writes the slot of a value that was just defined in `from` and lives in `place`. */
  #store(from: number, place: number, v: number): void {
    const slot = this.#slots[v]!;
    if (slot >= 0 && this.#stored[v] === 1 && place !== slot) this.#parallel.add(from, slot, v);
  }

  #storeParameters(b: number): void {
    const { code, first } = this.#layout;
    const start = first[b]! * POSITIONS;
    for (const v of code.blocks[b]!.parameters) {
      const place = this.#placeAt(v, start);
      this.#store(place, place, v);
    }
    this.#flush(this.#before, first[b]!);
  }

  #flush(list: (Move[] | undefined)[], i: number): void {
    if (this.#parallel.size > 0) this.#parallel.sequence((list[i] ??= []));
  }

  // ---- edges ----------------------------------------------------------------------------------

  #edgesInto(b: number, liveIn: LiveIn): void {
    const predecessors = this.#layout.predecessors[b]!;
    if (predecessors.length !== 1) return;
    const p = predecessors[0]!;
    if (this.#layout.code.blocks[p]!.successors.length === 1) return;
    this.#edge(p, b, liveIn);
    this.#flush(this.#before, this.#layout.first[b]!);
  }

  #edgeOutOf(b: number, liveIn: LiveIn): void {
    const { code, first } = this.#layout;
    const { successors } = code.blocks[b]!;
    if (successors.length !== 1) return;
    this.#edge(b, successors[0]!, liveIn);
    this.#flush(this.#before, first[b + 1]! - 1);
  }

  #edge(p: number, s: number, liveIn: LiveIn): void {
    const { code, first } = this.#layout;
    const leave = first[p + 1]! * POSITIONS - 1;
    const enter = first[s]! * POSITIONS;
    for (const v of liveIn[s]!) {
      if (this.#intervals.values[v]!.next === undefined) continue;
      this.#move(this.#placeAt(v, leave), this.#placeAt(v, enter), v);
    }
    const source = code.blocks[p]!;
    const values = source.arguments[source.successors.indexOf(s)]!;
    code.blocks[s]!.parameters.forEach((parameter, n) => {
      const from = this.#placeAt(values[n]!, leave);
      const to = this.#placeAt(parameter, enter);
      if (from !== to) this.#parallel.add(from, to, parameter);
    });
  }

  // ---- the answer -----------------------------------------------------------------------------

  /** The function with the instructions as the allocator turned them. */
  #rebuilt() {
    const { code, first, instructions } = this.#layout;
    const blocks = code.blocks.map((block, b) => ({
      ...block,
      instructions: instructions.slice(first[b], first[b + 1]),
    }));
    return { ...code, blocks };
  }

  #used(): number {
    let used = 0;
    for (const register of this.#registers) if (register >= 0) used |= 1 << register;
    for (const value of this.#intervals.values) {
      for (let part = value; part; part = part.next) if (part.home >= 0) used |= 1 << part.home;
    }
    for (const inst of this.#layout.instructions) used |= inst.clobbers;
    return used;
  }
}

function stretchesOf(value: Interval): Interval[] {
  const parts: Interval[] = [];
  for (let part: Interval | undefined = value; part; part = part.next) parts.push(part);
  return parts;
}

function hasMemory(value: Interval): boolean {
  for (let part: Interval | undefined = value; part; part = part.next) {
    if (part.home === MEMORY) return true;
  }
  return false;
}

function lastOf(value: Interval): Interval {
  let part = value;
  while (part.next) part = part.next;
  return part;
}
