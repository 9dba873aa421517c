/**
 * What registers and stack bytes hold on one path, as terms: numbers as such, pointers as their
 * offset from what they point into. A place whose term nobody has asked for has none yet; it gets
 * one from what the state knows when it is first read.
 *
 * Stack bytes are remembered one by one, so that halves stored apart are read as a whole, and parts
 * of a whole as parts. What the state itself keeps of a slot is no measure: it remembers one value
 * per slot. Where something may have written a byte, its cell is dropped.
 */

import * as domain from '../domain/index.ts';
import * as kinds from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import type { MachineState } from '../state/machine.ts';
import { byteType } from '../state/stack.ts';
import type { Condition, Part, Term } from './shapes.ts';
import { Terms } from './terms.ts';

/** A number, or a pointer by its offset. */
type Holds = 'number' | 'pointer';

interface Holding {
  readonly term: Term;
  readonly holds: Holds;
}

/** Byte `index` of the term, or of a pointer with this offset. */
interface Cell {
  readonly term: Term;
  readonly index: number;
  readonly holds: Holds;
}

const NONE = -1;
/**
 * Most bytes between a packet's first byte and its end: the length of a packet's linear part is a
 * signed 32-bit number in Linux, and what the hosts of this project pass is less.
 */
const MOST_PACKET = 0x7fff_ffff;

/** Ids are positive. */
const FRAME_ADDRESS = -1;

const cellKey = (frame: number, offset: number): number => frame * 2 ** 20 - offset;

export class Symbols {
  readonly terms = new Terms();
  readonly conditions: Condition[] = [];
  readonly #frames: (Holding | undefined)[][] = [];
  readonly #cells = new Map<number, Cell>();
  readonly #byId = new Map<number, Term>();
  /** The packet's end, as an offset from its first byte. */
  #packetLength: Term = NONE;
  /** Where the packet lies, each frame (by FRAME_ADDRESS - frame), and each map value (by id). */
  #packetStart: Term = NONE;
  readonly #addresses = new Map<number, Term>();

  /** One set of registers for each frame of the state; new ones hold nothing yet. */
  matchFrames(count: number): void {
    while (this.#frames.length < count) this.#frames.push(new Array(L.REGISTERS).fill(undefined));
    while (this.#frames.length > count) {
      this.#frames.pop();
      this.#dropFrame(this.#frames.length);
      this.#addresses.delete(FRAME_ADDRESS - this.#frames.length);
    }
  }

  get packetLength(): Term {
    if (this.#packetLength !== NONE) return this.#packetLength;
    const words = new Int32Array(domain.SCALAR_WORDS);
    domain.setUnsignedRange(words, 0, 0, 0, MOST_PACKET, 0);
    this.#packetLength = this.terms.unknown(words, 0);
    return this.#packetLength;
  }

  /** The packet may be another one, or lie elsewhere: its end is a new offset. */
  forgetPacket(): void {
    this.#packetLength = NONE;
    this.#packetStart = NONE;
  }

  /** What the register of `frame` holds, by what is known of it in `state` if need be. */
  read(state: MachineState, frame: number, register: number): Term {
    const value = state.registerOf(frame, register);
    const holds = holdingOf(state, value);
    const known = this.#frames[frame]![register];
    // What a call invalidates is no pointer any more.
    if (known !== undefined && known.holds === holds) return known.term;
    const term = this.#termOf(state, value);
    this.#frames[frame]![register] = { term, holds };
    return term;
  }

  /** The bits of what the register holds; undefined: an address that nothing is known to share. */
  readBits(state: MachineState, frame: number, register: number): Term | undefined {
    const term = this.read(state, frame, register);
    const value = state.registerOf(frame, register);
    switch (state.kind(value)) {
      case kinds.SCALAR:
        return term;
      case kinds.PACKET:
      case kinds.PACKET_END:
        if (this.#packetStart === NONE) this.#packetStart = this.#anything();
        return this.terms.add(this.#packetStart, term);
      case kinds.STACK:
        return this.terms.add(this.#address(FRAME_ADDRESS - state.words[value + L.TARGET]!), term);
      case kinds.MAP_VALUE: {
        const id = state.words[value + L.ID]!;
        return id === 0 ? undefined : this.terms.add(this.#address(id), term);
      }
      default:
        return undefined;
    }
  }

  /** Where a frame begins, or the map value of an id. */
  #address(key: number): Term {
    let address = this.#addresses.get(key);
    if (address === undefined) this.#addresses.set(key, (address = this.#anything()));
    return address;
  }

  /** The register was written: it holds the term, as the kind that the state says. */
  write(state: MachineState, frame: number, register: number, term: Term): void {
    const holds = holdingOf(state, state.registerOf(frame, register));
    this.#frames[frame]![register] = { term, holds };
  }

  copy(fromFrame: number, from: number, toFrame: number, to: number): void {
    this.#frames[toFrame]![to] = this.#frames[fromFrame]![from];
  }

  forget(frame: number, register: number): void {
    this.#frames[frame]![register] = undefined;
  }

  #termOf(state: MachineState, value: number): Term {
    const { words } = state;
    const kind = words[value + L.KIND]!;
    if (kind === kinds.SCALAR) return this.#numberOf(words, value);
    if (kind === kinds.PACKET_END) return this.packetLength;
    const variable = this.#variableOf(words, value);
    if (kind === kinds.PACKET) this.#noteExtent(words, value, variable);
    return this.terms.combine([[variable, 1n]], BigInt(words[value + L.OFFSET]!));
  }

  /** Numbers with one id are equal but for their distances (transfer/distance.ts). */
  #numberOf(words: Int32Array, value: number): Term {
    const id = words[value + L.ID]!;
    const flags = words[value + L.FLAGS]!;
    const isLow = (flags & L.FLAG_DISTANCE_32) !== 0;
    if (id === 0 || isLow) return this.terms.unknown(words, value + L.NUMBER);
    const isDistant = (flags & L.FLAG_DISTANCE) !== 0;
    let base = this.#byId.get(id);
    if (base === undefined) {
      base = isDistant ? this.#anything() : this.terms.unknown(words, value + L.NUMBER);
      this.#byId.set(id, base);
    }
    const distance = isDistant ? BigInt(words[value + L.OFFSET]!) : 0n;
    const term = this.terms.combine([[base, 1n]], distance);
    this.terms.narrow(term, words, value + L.NUMBER);
    return term;
  }

  #anything(): Term {
    const words = new Int32Array(domain.SCALAR_WORDS);
    domain.setUnknown(words, 0);
    return this.terms.unknown(words, 0);
  }

  /** The variable part: packet pointers with one id share it. */
  #variableOf(words: Int32Array, value: number): Term {
    const id = kinds.isPacketKind(words[value + L.KIND]!) ? words[value + L.ID]! : 0;
    const isConstant = domain.isConstant(words, value + L.NUMBER);
    if (id === 0 || isConstant) return this.terms.unknown(words, value + L.NUMBER);
    let variable = this.#byId.get(id);
    if (variable === undefined) {
      variable = this.terms.unknown(words, value + L.NUMBER);
      this.#byId.set(id, variable);
    }
    return variable;
  }

  /** EXTENT bytes behind the variable part exist. */
  #noteExtent(words: Int32Array, value: number, variable: Term): void {
    const extent = words[value + L.EXTENT]!;
    if (extent === 0) return;
    const end = this.terms.combine([[variable, 1n]], BigInt(extent));
    const condition = domain.CONDITIONS.sle;
    this.conditions.push({ condition, width: 64, a: end, b: this.packetLength, guards: [] });
  }

  store(frame: number, offset: number, size: number, term: Term, holds: Holds): void {
    for (let index = 0; index < size; index++) {
      this.#cells.set(cellKey(frame, offset + index), { term, index, holds });
    }
  }

  /** Bytes [low, high) of a frame may hold anything. */
  dropCells(frame: number, low: number, high: number): void {
    for (let offset = low; offset < high; offset++) this.#cells.delete(cellKey(frame, offset));
  }

  #dropFrame(frame: number): void {
    for (const key of this.#cells.keys()) {
      if (frameOf(key) >= frame) this.#cells.delete(key);
    }
  }

  /**
   * Something may have written memory. The state forgets a spilled value when any byte of its slot
   * is overwritten; of bytes that it does not track, anything may have been.
   */
  keepSpilledCells(state: MachineState): void {
    for (const key of this.#cells.keys()) {
      const frame = frameOf(key);
      if (byteType(state, frame, frame * 2 ** 20 - key) !== L.BYTE_SPILL) this.#cells.delete(key);
    }
  }

  /** The number, zero-extended, or the pointer in `size` bytes; undefined: not remembered. */
  load(frame: number, offset: number, size: number, holds: Holds): Term | undefined {
    const cells: Cell[] = [];
    for (let at = offset; at < offset + size; at++) {
      const cell = this.#cells.get(cellKey(frame, at));
      if (cell === undefined || cell.holds !== holds) return undefined;
      cells.push(cell);
    }
    if (holds === 'number') return this.#assembled(cells);
    const { term } = cells[0]!;
    const isWhole = size === 8 && cells.every((cell, index) => isByte(cell, term, index));
    return isWhole ? term : undefined;
  }

  /** The bytes one after the other: runs of one term, shifted to their places, and summed up. */
  #assembled(cells: readonly Cell[]): Term {
    const parts: Part[] = [];
    for (let start = 0; start < cells.length; ) {
      const { term, index } = cells[start]!;
      let end = start + 1;
      while (end < cells.length && isByte(cells[end]!, term, index + end - start)) end++;
      parts.push([this.#bytes(term, index, end - start), 1n << BigInt(8 * start)]);
      start = end;
    }
    return this.terms.combine(parts);
  }

  #bytes(term: Term, from: number, count: number): Term {
    const { terms } = this;
    const amount = terms.constant(BigInt(8 * from));
    const shifted = from === 0 ? term : terms.operation('rsh', term, amount);
    return terms.zeroExtend(shifted, 8 * count);
  }
}

const holdingOf = (state: MachineState, value: number): Holds =>
  state.kind(value) === kinds.SCALAR ? 'number' : 'pointer';

const frameOf = (key: number): number => Math.floor(key / 2 ** 20);

const isByte = (cell: Cell, term: Term, index: number): boolean =>
  cell.term === term && cell.index === index;

/** Both pointers have offsets from one place: a packet's start, a frame, or one look-up's value. */
export function shareBase(state: MachineState, a: number, b: number): boolean {
  const { words } = state;
  const [first, second] = [state.kind(a), state.kind(b)];
  if (isWithinPacket(first)) return isWithinPacket(second);
  if (first !== second) return false;
  if (words[a + L.TARGET] !== words[b + L.TARGET]) return false;
  if (first === kinds.MAP_VALUE)
    return words[a + L.ID] !== 0 && words[a + L.ID] === words[b + L.ID];
  return first === kinds.STACK;
}

const isWithinPacket = (kind: number): boolean =>
  kind === kinds.PACKET || kind === kinds.PACKET_END;
