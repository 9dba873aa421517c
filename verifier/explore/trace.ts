/**
 * The trace of a walk: one entry per executed instruction, each pointing at the entry before it on
 * its path. Branches make it a tree. Three questions are answered from it: which earlier values a
 * decision depended on (precision.ts), which branches led to a failure (diagnose/), and how many
 * instructions a path took.
 *
 * Entries are words in one growing array: a walk of a million instructions makes a million.
 */

const WHERE = 0;
const PREVIOUS = 1;
const STACK = 2;
const LINKS = 3;
const SAVED = 4;
const ENTRY_WORDS = 5;
const PC_BITS = 24;
const PC_MASK = (1 << PC_BITS) - 1;
const NONE = -1;
const CALLBACK_RETURN = -2;
const INITIAL_ENTRIES = 512;

/** A stack slot of a frame, packed: `frame` << 16 | slot. */
export const packSlot = (frame: number, slot: number): number => (frame << 16) | slot;
export const slotFrame = (packed: number): number => packed >>> 16;
export const slotNumber = (packed: number): number => packed & 0xffff;

export class Trace {
  #words = new Int32Array(INITIAL_ENTRIES * ENTRY_WORDS);
  #count = 0;
  /** Groups of values that shared an id when a branch refined them all. */
  readonly #links: (readonly number[])[] = [];

  get count(): number {
    return this.#count;
  }

  /** Adds an entry and returns its index. */
  push(pc: number, frame: number, previous: number): number {
    const index = this.#count++;
    let at = index * ENTRY_WORDS;
    if (at + ENTRY_WORDS > this.#words.length) this.#grow();
    const words = this.#words;
    words[at++] = pc | (frame << PC_BITS);
    words[at++] = previous;
    words[at++] = NONE;
    words[at++] = NONE;
    words[at] = NONE;
    return index;
  }

  #grow(): void {
    const wider = new Int32Array(this.#words.length * 2);
    wider.set(this.#words);
    this.#words = wider;
  }

  pc(entry: number): number {
    return this.#words[entry * ENTRY_WORDS + WHERE]! & PC_MASK;
  }

  /** Index of the frame that executed the entry. */
  frame(entry: number): number {
    return this.#words[entry * ENTRY_WORDS + WHERE]! >>> PC_BITS;
  }

  /** The entry before on the same path, or -1. */
  previous(entry: number): number {
    return this.#words[entry * ENTRY_WORDS + PREVIOUS]!;
  }

  /** The slot whose value the entry filled a register from, or spilled one to (packSlot), or -1. */
  stack(entry: number): number {
    return this.#words[entry * ENTRY_WORDS + STACK]!;
  }

  setStack(entry: number, packed: number): void {
    this.#words[entry * ENTRY_WORDS + STACK] = packed;
  }

  /** The entry is an exit that returns to a helper, which may call again. */
  markCallbackReturn(entry: number): void {
    this.#words[entry * ENTRY_WORDS + STACK] = CALLBACK_RETURN;
  }

  isCallbackReturn(entry: number): boolean {
    return this.#words[entry * ENTRY_WORDS + STACK] === CALLBACK_RETURN;
  }

  /** Values (see Links in precision.ts) that the entry's branch refined together. */
  links(entry: number): readonly number[] {
    const index = this.#words[entry * ENTRY_WORDS + LINKS]!;
    return index < 0 ? NO_LINKS : this.#links[index]!;
  }

  hasLinks(entry: number): boolean {
    return this.#words[entry * ENTRY_WORDS + LINKS]! >= 0;
  }

  setLinks(entry: number, values: readonly number[]): void {
    this.#words[entry * ENTRY_WORDS + LINKS] = this.#links.length;
    this.#links.push(values);
  }

  /** Index of the state kept just before the entry executed, or -1. */
  saved(entry: number): number {
    return this.#words[entry * ENTRY_WORDS + SAVED]!;
  }

  setSaved(entry: number, state: number): void {
    this.#words[entry * ENTRY_WORDS + SAVED] = state;
  }
}

const NO_LINKS: readonly number[] = Object.freeze([]);
