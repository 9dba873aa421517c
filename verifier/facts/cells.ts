/**
 * The state of the value analysis: a number for each register r0..r9 and for each slot of the own
 * frame that is written only directly. Pointers are numbers of which nothing is known.
 */

import * as domain from '../domain/index.ts';

const CELL_WORDS = domain.SCALAR_WORDS;
const REGISTERS_TRACKED = 10;
/** A cell of which nothing is known: what r10 reads as. Then one for immediates. */
const ANY = REGISTERS_TRACKED;
const SCRATCH = REGISTERS_TRACKED + 1;
const FIRST_SLOT = REGISTERS_TRACKED + 2;
const SLOT_COUNT = 64;
const CELLS = FIRST_SLOT + SLOT_COUNT;
const ARGUMENTS = 5;

export class Cells {
  readonly words: Int32Array;
  /** How many low bytes of each slot its cell describes; 0: none. */
  readonly sizes: Uint8Array;

  constructor(words: Int32Array, sizes: Uint8Array) {
    this.words = words;
    this.sizes = sizes;
  }

  readonly scratch = SCRATCH * CELL_WORDS;

  copy(): Cells {
    return new Cells(this.words.slice(), this.sizes.slice());
  }

  register(r: number): number {
    return r * CELL_WORDS;
  }

  /** Cell of a register that is only read; r10 reads as anything. */
  readable(r: number): number {
    if (r < REGISTERS_TRACKED) return r * CELL_WORDS;
    domain.setUnknown(this.words, ANY * CELL_WORDS);
    return ANY * CELL_WORDS;
  }

  slot(index: number): number {
    return (FIRST_SLOT + index) * CELL_WORDS;
  }

  forget(r: number): void {
    domain.setUnknown(this.words, r * CELL_WORDS);
  }

  forgetSlots(): void {
    this.sizes.fill(0);
  }

  /** Index of the slot whose cell says what `size` bytes at `offset` hold, or -1. */
  slotAt(offset: number, size: number): number {
    const index = (-offset - 1) >> 3;
    if (offset >= 0 || (offset & 7) !== 0 || index >= SLOT_COUNT) return -1;
    return this.sizes[index]! >= size ? index : -1;
  }

  /** Something unknown was written to `size` bytes at `offset`. */
  smear(offset: number, size: number): void {
    for (let at = offset & ~7; at < offset + size; at += 8) {
      const index = (-at - 1) >> 3;
      if (index >= 0 && index < SLOT_COUNT) this.sizes[index] = 0;
    }
  }

  /** The number in cell `from` was written to `size` bytes at `offset`. */
  store(offset: number, size: number, from: number): void {
    this.smear(offset, size);
    const index = (-offset - 1) >> 3;
    if (offset >= 0 || (offset & 7) !== 0 || index >= SLOT_COUNT) return;
    const to = this.slot(index);
    domain.copy(this.words, from, this.words, to);
    if (size < 8) domain.shrinkToBytes(this.words, to, size);
    this.sizes[index] = size;
  }

  /** What a callee starts with: r1 to r5, nothing else. */
  argumentsOnly(): Cells {
    const cells = makeCells();
    for (let r = 1; r <= ARGUMENTS; r++) {
      domain.copy(this.words, this.register(r), cells.words, cells.register(r));
    }
    return cells;
  }
}

/** Nothing is known of any register, and no slot is described. */
export function makeCells(): Cells {
  const words = new Int32Array(CELLS * CELL_WORDS);
  for (let r = 0; r < REGISTERS_TRACKED; r++) domain.setUnknown(words, r * CELL_WORDS);
  return new Cells(words, new Uint8Array(SLOT_COUNT));
}

export function forgetCallerSaved(cells: Cells): void {
  for (let r = 0; r <= ARGUMENTS; r++) cells.forget(r);
}

/** Room for two cells while joining cells of two states. */
const PAIR = new Int32Array(2 * CELL_WORDS);

/** Joins `more` into `into`, with widening where thresholds are given; whether it changed. */
export function joinCells(
  into: Cells,
  more: Cells,
  thresholds: domain.Thresholds | undefined,
): boolean {
  let changed = false;
  for (let r = 0; r < REGISTERS_TRACKED; r++) {
    changed = joinCell(into.words, more.words, r * CELL_WORDS, thresholds) || changed;
  }
  for (let index = 0; index < SLOT_COUNT; index++) {
    const size = Math.min(into.sizes[index]!, more.sizes[index]!);
    if (into.sizes[index] !== size) changed = true;
    if (size > 0) changed = joinSlot(into, more, index, size, thresholds) || changed;
    into.sizes[index] = size;
  }
  return changed;
}

/** Cells of a slot describe its `size` low bytes after the join. */
function joinSlot(
  into: Cells,
  more: Cells,
  index: number,
  size: number,
  thresholds: domain.Thresholds | undefined,
): boolean {
  const at = into.slot(index);
  if (into.sizes[index] === size && more.sizes[index] === size) {
    return joinCell(into.words, more.words, at, thresholds);
  }
  const other = more.copy();
  domain.shrinkToBytes(into.words, at, size);
  domain.shrinkToBytes(other.words, at, size);
  joinCell(into.words, other.words, at, thresholds);
  return true;
}

function joinCell(
  into: Int32Array,
  more: Int32Array,
  at: number,
  thresholds: domain.Thresholds | undefined,
): boolean {
  if (domain.includes(into, at, more, at)) return false;
  domain.copy(into, at, PAIR, 0);
  domain.copy(more, at, PAIR, CELL_WORDS);
  if (thresholds === undefined) domain.join(PAIR, 0, 0, CELL_WORDS);
  else domain.widen(PAIR, 0, 0, CELL_WORDS, thresholds);
  domain.copy(PAIR, 0, into, at);
  return true;
}
