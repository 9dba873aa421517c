/**
 * When each virtual register, and each physical one that an instruction names, is in use.
 *
 * Instruction i has four positions:
 *   4i     before: the gap in which the allocator moves values for this instruction; sources are
 *          where they were here
 *   4i + 1 early: uses are read, `defineReuse` and `defineEarly` begin to be written
 *   4i + 2 late: definitions are written, clobbers strike
 *   4i + 3 after: what was defined in a fixed register has been moved to where it lives
 * A range [from, to) holds the value at each position from `from` up to `to` - 1. A fixed use and the
 * use that a definition reuses are copied in the gap, so they need the value at 4i only, in any
 * place; the register that is the copy's destination is held from 4i + 1.
 */

import type { Layout } from './layout.ts';
import type { LiveIn } from './liveness.ts';
import type { Backend, MachInst } from './types.ts';
import {
  argumentOf,
  constraintOf,
  defineReuse,
  FIXED,
  isDefinition,
  isShifted,
  REUSE,
  vregOf,
} from './types.ts';

export const POSITIONS = 4;
export const EARLY = 1;
export const LATE = 2;
export const AFTER = 3;

/** Where an interval lives besides in a register: see `home`. */
export const UNASSIGNED = -1;
/** In its spill slot, or nowhere if it can be computed again. */
export const MEMORY = -2;

/** Holes of one value that the allocator uses; only generated programs have more. */
const MAX_RANGES = 48;

/**
 * The life of one value, or after splitting a stretch of it. `ranges` are pairs from, to; `uses` are
 * positions * 2 + 1 if the value must be in a register there, + 0 if it is merely read. Both are
 * ascending (descending until `finish`).
 */
export class Interval {
  readonly vreg: number;
  ranges: number[] = [];
  uses: number[] = [];
  /** A physical register, UNASSIGNED or MEMORY. */
  home: number = UNASSIGNED;
  /** The stretch that follows. */
  next: Interval | undefined = undefined;
  /** Index of the first range that ends after the allocator's position. */
  cursor = 0;

  constructor(vreg: number) {
    this.vreg = vreg;
  }

  get start(): number {
    return this.ranges[0]!;
  }

  get end(): number {
    return this.ranges[this.ranges.length - 1]!;
  }

  /** Building runs backwards: each range lies before, or touches, the last one added. */
  addRange(from: number, to: number): void {
    const ranges = this.ranges;
    const last = ranges.length;
    // While building, pairs are stored to, from.
    if (last > 0 && ranges[last - 1]! <= to) {
      if (from < ranges[last - 1]!) ranges[last - 1] = from;
      if (to > ranges[last - 2]!) ranges[last - 2] = to;
      return;
    }
    ranges.push(to, from);
  }

  /** The definition: what was assumed live from the block's start begins only here. */
  shorten(from: number, atLeastTo: number): void {
    const last = this.ranges.length;
    if (last === 0) this.ranges.push(atLeastTo, from);
    else this.ranges[last - 1] = from;
  }

  /** With very many holes the holes are given up: that costs registers, but bounds the work. */
  finish(): void {
    this.ranges.reverse();
    if (this.ranges.length > 2 * MAX_RANGES) this.ranges = [this.start, this.end];
    this.uses.reverse();
  }

  covers(position: number): boolean {
    const ranges = this.ranges;
    for (let i = 0; i < ranges.length; i += 2) {
      if (position < ranges[i]!) return false;
      if (position < ranges[i + 1]!) return true;
    }
    return false;
  }
}

/** When a physical register is taken by instructions: triples from, to, owner (-1: nobody). */
export type FixedRanges = number[];

export interface Intervals {
  /** By virtual register; undefined where it is never defined. */
  readonly values: readonly (Interval | undefined)[];
  readonly fixed: readonly FixedRanges[];
  /** Instruction that computes a rematerialisable value again; -1: it must be spilled. */
  readonly recipe: Int32Array;
  readonly hints: Hints;
}

/** Wishes that would save a move: registers by value, and groups of values that want to share. */
export interface Hints {
  /** For each value: triples register, weight, next; a linked list. */
  readonly heads: Int32Array;
  /** The same for each group, by its root: the wishes of all its values. */
  readonly groupHeads: Int32Array;
  readonly entries: number[];
  /** Union-find: values that flow into each other. */
  readonly groups: Int32Array;
}

export function groupOf(groups: Int32Array, v: number): number {
  let root = v;
  while (groups[root] !== root) root = groups[root]!;
  while (groups[v] !== root) {
    const parent = groups[v]!;
    groups[v] = root;
    v = parent;
  }
  return root;
}

export function buildIntervals(layout: Layout, liveIn: LiveIn, backend: Backend): Intervals {
  return new Builder(layout, backend).build(liveIn);
}

class Builder {
  readonly #layout: Layout;
  readonly #backend: Backend;
  readonly #values: (Interval | undefined)[];
  readonly #fixed: FixedRanges[];
  readonly #recipe: Int32Array;
  readonly #hints: Hints;

  constructor(layout: Layout, backend: Backend) {
    const count = layout.code.vregCount;
    this.#layout = layout;
    this.#backend = backend;
    this.#values = new Array<Interval | undefined>(count).fill(undefined);
    this.#fixed = backend.registers.names.map(() => []);
    this.#recipe = new Int32Array(count).fill(-1);
    this.#hints = {
      heads: new Int32Array(count).fill(-1),
      groupHeads: new Int32Array(count).fill(-1),
      entries: [],
      groups: Int32Array.from({ length: count }, (_, v) => v),
    };
  }

  build(liveIn: LiveIn): Intervals {
    const { code } = this.#layout;
    for (let b = code.blocks.length - 1; b >= 0; b--) this.#block(b, liveIn);
    for (const interval of this.#values) interval?.finish();
    for (const ranges of this.#fixed) reverseTriples(ranges);
    this.#shareWishes();
    return {
      values: this.#values,
      fixed: this.#fixed,
      recipe: this.#recipe,
      hints: this.#hints,
    };
  }

  #block(b: number, liveIn: LiveIn): void {
    const { code, first, instructions } = this.#layout;
    const block = code.blocks[b]!;
    const from = first[b]! * POSITIONS;
    const to = first[b + 1]! * POSITIONS;
    block.successors.forEach((s, k) => {
      for (const v of liveIn[s]!) this.#of(v).addRange(from, to);
      const parameters = code.blocks[s]!.parameters;
      block.arguments[k]!.forEach((v, n) => {
        this.#of(v).addRange(from, to);
        addUse(this.#of(v), (to - 1) * 2);
        this.#unite(parameters[n]!, v);
      });
    });
    for (let i = first[b + 1]! - 1; i >= first[b]!; i--) {
      const inst = this.#orient(instructions[i]!, i);
      instructions[i] = inst;
      this.#clobbers(inst, i);
      this.#definitions(inst, i);
      this.#uses(inst, i, from);
    }
    for (const v of block.parameters) this.#of(v).shorten(from, from + 1);
  }

  /**
   * Of two sources in any order, the one that dies should be the one whose register is overwritten;
   * if both die, the one whose place the result will take in the next round of a loop.
   */
  #orient(inst: MachInst, i: number): MachInst {
    if (!this.#backend.rows[inst.op]!.commutative || inst.memory !== null) return inst;
    const [result, left, right] = inst.operands as [number, number, number];
    const after = i * POSITIONS + POSITIONS;
    const leftLives = this.#isLive(vregOf(left), after);
    const rightLives = this.#isLive(vregOf(right), after);
    if (rightLives || (!leftLives && !this.#related(result, right))) return inst;
    return { ...inst, operands: [defineReuse(vregOf(result), 1), right, left] };
  }

  #related(a: number, b: number): boolean {
    const { groups } = this.#hints;
    return groupOf(groups, vregOf(a)) === groupOf(groups, vregOf(b));
  }

  /** Asked while ranges are built backwards: what is known so far begins at `after` or later. */
  #isLive(v: number, after: number): boolean {
    const ranges = this.#values[v]?.ranges;
    if (ranges === undefined || ranges.length === 0) return false;
    return ranges[ranges.length - 1]! <= after && ranges[ranges.length - 2]! > after;
  }

  #clobbers(inst: MachInst, i: number): void {
    let mask = inst.clobbers;
    for (const operand of inst.operands) {
      if (isDefinition(operand) && constraintOf(operand) === FIXED) {
        mask |= 1 << argumentOf(operand);
      }
    }
    const from = i * POSITIONS + LATE;
    for (let r = 0; mask !== 0; r++, mask >>>= 1) {
      if ((mask & 1) !== 0) this.#fixed[r]!.push(-1, from + 1, from);
    }
  }

  #definitions(inst: MachInst, i: number): void {
    const at = i * POSITIONS;
    const row = this.#backend.rows[inst.op]!;
    for (const operand of inst.operands) {
      if (!isDefinition(operand)) continue;
      const v = vregOf(operand);
      const interval = this.#of(v);
      const constraint = constraintOf(operand);
      if (constraint === FIXED) {
        interval.shorten(at + AFTER, at + POSITIONS);
        this.#wish(v, argumentOf(operand), i);
        continue;
      }
      const early = constraint === REUSE || isShifted(operand);
      const from = at + (early ? EARLY : LATE);
      interval.shorten(from, at + AFTER);
      interval.uses.push(from * 2 + 1);
      if (constraint === REUSE) this.#unite(v, vregOf(inst.operands[argumentOf(operand)]!));
      else if (row.copy && inst.memory === null) this.#unite(v, vregOf(inst.operands[1]!));
      if (row.rematerialisable && inst.operands.length === 1) this.#recipe[v] = i;
    }
  }

  #uses(inst: MachInst, i: number, blockStart: number): void {
    const at = i * POSITIONS;
    const { operands } = inst;
    const reused = reusedOperand(operands);
    for (let k = 0; k < operands.length; k++) {
      const operand = operands[k]!;
      if (isDefinition(operand)) continue;
      const v = vregOf(operand);
      const interval = this.#of(v);
      if (constraintOf(operand) === FIXED) {
        const register = argumentOf(operand);
        interval.addRange(blockStart, at + EARLY);
        addUse(interval, at * 2);
        this.#fixed[register]!.push(v, at + LATE, at + EARLY);
        this.#wish(v, register, i);
      } else if (k === reused) {
        interval.addRange(blockStart, at + EARLY);
        addUse(interval, at * 2);
      } else {
        interval.addRange(blockStart, at + (isShifted(operand) ? AFTER : LATE));
        addUse(interval, (at + EARLY) * 2 + 1);
      }
    }
  }

  #of(v: number): Interval {
    return (this.#values[v] ??= new Interval(v));
  }

  #wish(v: number, register: number, i: number): void {
    const { heads, entries } = this.#hints;
    const weight = this.#layout.frequency[this.#layout.blockOf[i]!]!;
    entries.push(register, weight, heads[v]!);
    heads[v] = entries.length - 3;
  }

  #shareWishes(): void {
    const { heads, groupHeads, entries, groups } = this.#hints;
    for (let v = 0; v < heads.length; v++) {
      for (let at = heads[v]!; at >= 0; at = entries[at + 2]!) {
        const group = groupOf(groups, v);
        entries.push(entries[at]!, entries[at + 1]!, groupHeads[group]!);
        groupHeads[group] = entries.length - 3;
      }
    }
  }

  #unite(a: number, b: number): void {
    const { groups } = this.#hints;
    groups[groupOf(groups, a)] = groupOf(groups, b);
  }
}

/** Index of the use whose register is overwritten; -1: none. At most one definition reuses. */
export function reusedOperand(operands: readonly number[]): number {
  for (const operand of operands) {
    if (isDefinition(operand) && constraintOf(operand) === REUSE) return argumentOf(operand);
  }
  return -1;
}

/**
 * Uses are kept descending while building. Within one instruction they may come in either order: a
 * value can be both a plain and a fixed operand.
 */
function addUse(interval: Interval, use: number): void {
  const { uses } = interval;
  let at = uses.length;
  while (at > 0 && uses[at - 1]! < use) at--;
  if (uses[at - 1] !== use) uses.splice(at, 0, use);
}

function reverseTriples(ranges: FixedRanges): void {
  // Stored owner, to, from; the reverse of the whole list is from, to, owner.
  ranges.reverse();
}
