/**
 * May a kept state stand for another one? Then every concrete state of the other is one of the
 * kept state, as far as anything below it depended on it, and what was proven below the kept state
 * holds for the other.
 *
 * Values of the kept state are compared by kind: a dead value (kept states forget those) covers
 * anything, as do bytes of the stack that nothing below reads (stack-use.ts); an imprecise number
 * covers any number (precision.ts argues why); a precise one covers
 * the numbers within it; a pointer covers pointers to the same thing, at the same constant offset,
 * within its variable part, of which at least as much is proven. Ids of the kept state must map to
 * ids of the other: where two values were known equal, they must be so again.
 */

import * as domain from '../domain/index.ts';
import { isPacketKind, MEMORY, SCALAR, UNINITIALISED } from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import type { MachineState } from '../state/machine.ts';
import { spilledBytes } from '../state/stack.ts';
import { readBelow } from './stack-use.ts';

/**
 * `covers`: for pruning against states walked to the end. `joins`: as that, but numbers may differ,
 * and are listed. `within`: every number counts, for states still being walked, whose precision is
 * not known yet. `equals`: nothing that decides has changed, for endless loops.
 */
export type Comparison = 'covers' | 'joins' | 'within' | 'equals';
const isOfFinished = (comparison: Comparison): boolean =>
  comparison === 'covers' || comparison === 'joins';

/** Kept id → other id and the difference of their distances; few, so a linear search. */
class IdMap {
  readonly #pairs: number[] = [];
  #length = 0;
  #unequal = 0;

  clear(): void {
    this.#length = 0;
  }

  /**
   * As `match`, for numbers: those without an id are not known to equal anything, so no two of them
   * may stand where the kept state has equal ones. Where the kept ones are at a distance, the
   * others are at the same: all differ from their counterparts by one `shift`.
   */
  matchNumber(kept: number, other: number, shift: number): boolean {
    return this.match(kept, other === 0 ? --this.#unequal : other, shift);
  }

  /** Whether `kept` may be `other`, given the pairs so far. */
  match(kept: number, other: number, shift = 0): boolean {
    for (let i = 0; i < this.#length; i += 3) {
      if (this.#pairs[i] !== kept) continue;
      return this.#pairs[i + 1] === other && this.#pairs[i + 2] === shift;
    }
    this.#pairs[this.#length] = kept;
    this.#pairs[this.#length + 1] = other;
    this.#pairs[this.#length + 2] = shift;
    this.#length += 3;
    return true;
  }
}

const ids = new IdMap();

/** No value is known in which two states differ. */
export const NO_WITNESS = -1;
let witness = NO_WITNESS;

/**
 * Where the last comparison that failed found a difference: `frame` << 4 | register. States of a
 * loop differ in its counter pass after pass, so looking there first settles most comparisons.
 */
export const lastWitness = (): number => witness;

/** Whether the value that told two states apart does so again; ids are not looked at. */
export function differsAt(
  kept: MachineState,
  other: MachineState,
  comparison: Comparison,
  place: number,
): boolean {
  const frame = place >> 4;
  if (place === NO_WITNESS || frame >= kept.frameCount || frame >= other.frameCount) return false;
  const a = kept.registerOf(frame, place & 15);
  ids.clear();
  return !sameValue(kept, a, other, other.registerOf(frame, place & 15), comparison);
}

const apart: number[] = [];

/**
 * The numbers of `other` that alone keep it from being covered by `kept`, each as where the kept one
 * and where the other one lies; undefined where other things differ, too.
 */
export function numbersApart(
  kept: MachineState,
  other: MachineState,
  uninitialised: 'readable' | 'forbidden',
): readonly number[] | undefined {
  apart.length = 0;
  return compareStates(kept, other, 'joins', uninitialised) ? apart.slice() : undefined;
}

export function compareStates(
  kept: MachineState,
  other: MachineState,
  comparison: Comparison,
  uninitialised: 'readable' | 'forbidden',
): boolean {
  witness = NO_WITNESS;
  if (kept.frameCount !== other.frameCount) return false;
  for (let at = L.RCU_DEPTH; at < L.HEADER_WORDS; at++) {
    // How often a bounded loop was passed tells an endless loop from a bounded one, no more.
    const isCount = at === L.MAY_GOTO_DEPTH || at === L.CALLBACK_DEPTH;
    if (isCount && comparison !== 'equals') continue;
    if (kept.words[at] !== other.words[at]) return false;
  }
  ids.clear();
  if (!sameReferences(kept, other)) return false;
  for (let frame = kept.frameCount - 1; frame >= 0; frame--) {
    if (!sameFrame(kept, other, frame, comparison, uninitialised)) return false;
  }
  return true;
}

function sameReferences(kept: MachineState, other: MachineState): boolean {
  const count = kept.words[L.REFERENCE_COUNT]!;
  if (count !== other.words[L.REFERENCE_COUNT]) return false;
  for (let i = 0; i < count; i++) {
    const a = kept.reference(i);
    const b = other.reference(i);
    if (kept.words[a + L.REF_TYPE] !== other.words[b + L.REF_TYPE]) return false;
    if (kept.words[a + L.REF_TARGET] !== other.words[b + L.REF_TARGET]) return false;
    // A lock has the negated id of what contains it.
    const id = Math.abs(kept.words[a + L.REF_ID]!);
    if (!sameId(id, Math.abs(other.words[b + L.REF_ID]!))) return false;
  }
  return true;
}

/** No id stands for no id only. */
const sameId = (kept: number, other: number): boolean =>
  kept === 0 ? other === 0 : ids.match(kept, other);

function sameFrame(
  kept: MachineState,
  other: MachineState,
  frame: number,
  comparison: Comparison,
  uninitialised: 'readable' | 'forbidden',
): boolean {
  const a = kept.frameRow(frame);
  const b = other.frameRow(frame);
  for (let word = L.FRAME_CALL_SITE; word < L.FRAME_COMPARED_WORDS; word++) {
    // After fewer passes more are left, which cover those that are left after more.
    const isCount = word === L.FRAME_CALLBACK_DEPTH && comparison !== 'equals';
    if (isCount && kept.words[a + word]! < other.words[b + word]!) continue;
    if (kept.words[a + word] !== other.words[b + word]) return false;
  }
  for (let r = 0; r < L.FRAME_POINTER; r++) {
    const value = kept.registerOf(frame, r);
    if (sameValue(kept, value, other, other.registerOf(frame, r), comparison)) continue;
    witness = (frame << 4) | r;
    return false;
  }
  return sameStack(kept, other, frame, comparison, uninitialised);
}

function sameValue(
  kept: MachineState,
  a: number,
  other: MachineState,
  b: number,
  comparison: Comparison,
): boolean {
  const v = kept.words;
  const w = other.words;
  const kind = v[a + L.KIND]!;
  if (kind === UNINITIALISED) return true;
  if (kind !== w[b + L.KIND]) return false;
  return kind === SCALAR ? sameNumber(v, a, w, b, comparison) : samePointer(v, a, w, b, comparison);
}

function sameNumber(
  v: Int32Array,
  a: number,
  w: Int32Array,
  b: number,
  comparison: Comparison,
): boolean {
  if (comparison === 'equals') return domain.equals(v, a + L.NUMBER, w, b + L.NUMBER);
  if (isOfFinished(comparison) && (v[a + L.FLAGS]! & L.FLAG_PRECISE) === 0) return true;
  const isSame = domain.includes(v, a + L.NUMBER, w, b + L.NUMBER) && sameLink(v, a, w, b);
  if (!isSame && comparison === 'joins') apart.push(a, b);
  return isSame || comparison === 'joins';
}

const sameLink = (v: Int32Array, a: number, w: Int32Array, b: number): boolean =>
  v[a + L.ID] === 0 || ids.matchNumber(v[a + L.ID]!, w[b + L.ID]!, shiftOf(v, a, w, b));

/** Difference of the distances, NaN (equal to none) where only one is modulo 2^32. */
function shiftOf(v: Int32Array, a: number, w: Int32Array, b: number): number {
  const differ = (v[a + L.FLAGS]! ^ w[b + L.FLAGS]!) & L.FLAG_DISTANCE_32;
  return differ === 0 ? v[a + L.OFFSET]! - w[b + L.OFFSET]! : Number.NaN;
}

function samePointer(
  v: Int32Array,
  a: number,
  w: Int32Array,
  b: number,
  comparison: Comparison,
): boolean {
  if (
    ((v[a + L.FLAGS]! ^ w[b + L.FLAGS]!) & ~L.FLAG_PRECISE) !== 0 ||
    v[a + L.TARGET] !== w[b + L.TARGET] ||
    v[a + L.OFFSET] !== w[b + L.OFFSET] ||
    !sameDetail(v, a, w, b)
  ) {
    return false;
  }
  const packet = isPacketKind(v[a + L.KIND]!);
  const extent = v[a + L.EXTENT]! - w[b + L.EXTENT]!;
  if (packet && comparison !== 'equals' ? extent > 0 : extent !== 0) return false;
  if (comparison === 'equals') {
    if (!domain.equals(v, a + L.NUMBER, w, b + L.NUMBER)) return false;
  } else if (!domain.includes(v, a + L.NUMBER, w, b + L.NUMBER)) return false;
  return sameIdentity(v, a, w, b);
}

/** DETAIL of memory is the id of the dynptr that it belongs to. */
const sameDetail = (v: Int32Array, a: number, w: Int32Array, b: number): boolean =>
  v[a + L.KIND] === MEMORY
    ? sameId(v[a + L.DETAIL]!, w[b + L.DETAIL]!)
    : v[a + L.DETAIL] === w[b + L.DETAIL];

function sameIdentity(v: Int32Array, a: number, w: Int32Array, b: number): boolean {
  const id = v[a + L.ID]!;
  if (id !== 0 && !ids.match(id, w[b + L.ID]!)) return false;
  const reference = v[a + L.REFERENCE]!;
  if (reference === 0) return w[b + L.REFERENCE] === 0;
  return w[b + L.REFERENCE] !== 0 && ids.match(reference, w[b + L.REFERENCE]!);
}

function sameStack(
  kept: MachineState,
  other: MachineState,
  frame: number,
  comparison: Comparison,
  uninitialised: 'readable' | 'forbidden',
): boolean {
  const slots = kept.slots(frame);
  const present = other.slots(frame);
  for (let index = 0; index < slots; index++) {
    const a = kept.slot(frame, index);
    const types = kept.words[a]!;
    if (types === 0) continue;
    const b = index < present ? other.slot(frame, index) : -1;
    const otherTypes = b < 0 ? 0 : other.words[b]!;
    const isObject = (types & 0xf) >= L.BYTE_DYNPTR || (otherTypes & 0xf) >= L.BYTE_DYNPTR;
    const bytes = !isOfFinished(comparison) || isObject ? ALL_BYTES : readBelow(kept, a);
    if (bytes === 0) continue;
    if (!sameBytes(kept, a, other, b, types, otherTypes, bytes, uninitialised)) return false;
    const spilled = spilledBytes(types);
    if (spilled === 0 || (bytes & ((1 << spilled) - 1)) === 0) continue;
    if (spilledBytes(otherTypes) !== spilled) return false;
    if (!sameValue(kept, a + L.SLOT_VALUE, other, b + L.SLOT_VALUE, comparison)) return false;
  }
  return true;
}

const ALL_BYTES = 0xff;

/** Types of the `bytes` that count, apart from spilled ones. */
function sameBytes(
  kept: MachineState,
  a: number,
  other: MachineState,
  b: number,
  types: number,
  otherTypes: number,
  bytes: number,
  uninitialised: 'readable' | 'forbidden',
): boolean {
  if (types === otherTypes) {
    return (types & 0xf) < L.BYTE_DYNPTR || sameSpecial(kept, a, other, b);
  }
  for (let shift = 0; shift < 32; shift += 4) {
    if (((bytes >> (shift >> 2)) & 1) === 0) continue;
    const type = (types >>> shift) & 0xf;
    const found = (otherTypes >>> shift) & 0xf;
    if (type === found || type === L.BYTE_INVALID || type === L.BYTE_SPILL) continue;
    if (type !== L.BYTE_MISC) return false;
    if (found === L.BYTE_ZERO) continue;
    if (found === L.BYTE_INVALID && uninitialised === 'readable') continue;
    const isNumber = found === L.BYTE_SPILL && other.kind(b + L.SLOT_VALUE) === SCALAR;
    if (!isNumber) return false;
  }
  return true;
}

/** Slots of dynptrs and iterators: the same object in the same state. */
function sameSpecial(kept: MachineState, a: number, other: MachineState, b: number): boolean {
  const v = kept.words;
  const w = other.words;
  const x = a + L.SLOT_VALUE;
  const y = b + L.SLOT_VALUE;
  return (
    v[x + L.KIND] === w[y + L.KIND] &&
    v[x + L.FLAGS] === w[y + L.FLAGS] &&
    v[x + L.DETAIL] === w[y + L.DETAIL] &&
    v[x + L.EXTENT] === w[y + L.EXTENT] &&
    v[x + L.TARGET] === w[y + L.TARGET] &&
    sameIdentity(v, x, w, y)
  );
}
