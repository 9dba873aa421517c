/**
 * What a path, once solved, lets the state claim of the registers that an instruction reads.
 *
 * A number is met with the range of its term, a pointer's variable part with that of its offset less
 * the constant part. Of a packet pointer, bytes exist as far as the packet's length less the offset
 * is known to reach.
 *
 * An access of `size` bytes at `offset`, both varying, touches nothing outside of [min offset,
 * max (offset + size)). Where the sum is bounded better than its parts are, a helper's argument may
 * be taken for a pointer to the first of these bytes, with a size up to all of them: the obligation
 * then holds for more than the call can touch, and the effects of the call cover more than it does.
 * (In a packet, whose length differs from run to run, each access must end within it by itself.)
 * After the call neither register exists.
 */

import * as domain from '../domain/index.ts';
import type { Walk } from '../explore/walk.ts';
import { LIMITS } from '../limits.ts';
import * as kinds from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import type { Path } from './path.ts';
import type { Term } from './shapes.ts';
import { type Effort, Solver } from './solve.ts';

/** A pointer and the size of what is behind it, in two arguments. */
interface Sized {
  readonly pointer: number;
  readonly size: number;
  /** The offset of the first byte behind the accessed ones. */
  readonly end: Term;
  /** In a packet: bytes between those and the packet's end. */
  readonly left: Term | undefined;
}

export class Claims {
  readonly #walk: Walk;
  readonly #path: Path;
  readonly #solver: Solver;
  readonly #terms = new Map<number, Term>();
  /** The packet's length less a pointer's variable part. */
  readonly #behind = new Map<number, Term>();
  readonly #sized: Sized[];

  constructor(walk: Walk, path: Path, registers: readonly number[], effort: Effort) {
    this.#walk = walk;
    this.#path = path;
    const { symbols, state } = path;
    const { terms } = symbols;
    for (const register of registers) {
      const term = symbols.read(state, state.frame, register);
      this.#terms.set(register, term);
      if (this.#kind(register) !== kinds.PACKET) continue;
      const constant = this.#constant(register);
      const behind = terms.combine(
        [
          [symbols.packetLength, 1n],
          [term, -1n],
        ],
        constant,
      );
      this.#behind.set(register, behind);
    }
    this.#sized = this.#sizedOf(walk.trace.pc(walk.entry));
    const ends = this.#sized.flatMap(({ end, left }) => (left === undefined ? [end] : [end, left]));
    const sought = [...this.#terms.values(), ...this.#behind.values(), ...ends];
    this.#solver = new Solver(terms, path.conditions, sought, effort);
  }

  #kind(register: number): number {
    const { state } = this.#walk;
    return state.kind(state.register(register));
  }

  /** The constant part of the pointer's offset. */
  #constant(register: number): bigint {
    const { state } = this.#walk;
    return BigInt(state.words[state.register(register) + L.OFFSET]!);
  }

  #sizedOf(pc: number): Sized[] {
    const { subject } = this.#walk;
    const callee = subject.helperAt.get(pc) ?? subject.kfuncAt.get(pc);
    const { terms, packetLength } = this.#path.symbols;
    return (callee?.arguments ?? []).flatMap(({ kind }, index): Sized[] => {
      if (kind !== 'size' && kind !== 'size-or-zero') return [];
      const [pointer, size] = [index, index + 1];
      const at = this.#terms.get(pointer);
      const count = this.#terms.get(size);
      if (at === undefined || count === undefined || !BYTES.has(this.#kind(pointer))) return [];
      const end = terms.add(at, count);
      const isPacket = this.#kind(pointer) === kinds.PACKET;
      const left = isPacket ? terms.subtract(packetLength, end) : undefined;
      return [{ pointer, size, end, left }];
    });
  }

  /** False: no run takes the path. */
  solve(): boolean {
    return this.#solver.solve();
  }

  /** Narrows the registers in the walk's state; whether anything is known better. */
  narrow(): boolean {
    let isNarrower = false;
    for (const [register, term] of this.#terms) {
      isNarrower = this.#narrowNumber(register, term) || isNarrower;
      isNarrower = this.#extend(register) || isNarrower;
    }
    return isNarrower;
  }

  #narrowNumber(register: number, term: Term): boolean {
    const { state } = this.#walk;
    const { terms } = this.#path.symbols;
    const isNumber = this.#kind(register) === kinds.SCALAR;
    const number = new Int32Array(3 * domain.SCALAR_WORDS);
    const [range, known, before] = [0, domain.SCALAR_WORDS, 2 * domain.SCALAR_WORDS];
    domain.copy(terms.words, terms.range(term), number, range);
    if (!isNumber) {
      const constant = Number(this.#constant(register));
      domain.setConstant(number, known, constant, constant >> 31);
      domain.alu('sub', 64, number, range, range, known);
    }
    const at = state.register(register) + L.NUMBER;
    domain.copy(state.words, at, number, known);
    domain.copy(number, known, number, before);
    // Disjoint ranges would be a contradiction that the solver did not see: nothing is claimed.
    if (!domain.meet(number, known, known, range)) return false;
    domain.copy(number, known, state.words, at);
    return !domain.equals(number, known, number, before);
  }

  /** Bytes of the packet behind the pointer's variable part. */
  #extend(register: number): boolean {
    const behind = this.#behind.get(register);
    if (behind === undefined) return false;
    const { state } = this.#walk;
    const { terms } = this.#path.symbols;
    const bytes = domain.signedMin(terms.words, terms.range(behind));
    const extent = Math.min(bytes, LIMITS.packetOffset.value);
    const at = state.register(register) + L.EXTENT;
    if (extent <= state.words[at]!) return false;
    state.words[at] = extent;
    return true;
  }

  /** Takes each pointer with a size for the run of bytes that both may touch together. */
  joinSizes(pc: number): boolean {
    const { subject } = this.#walk;
    if (subject.rows[pc]!.kind !== 'call') return false;
    let isNarrower = false;
    for (const sized of this.#sized) isNarrower = this.#joinSize(sized) || isNarrower;
    return isNarrower;
  }

  #joinSize({ pointer, size, end, left }: Sized): boolean {
    const { state } = this.#walk;
    const { words } = state;
    const { terms } = this.#path.symbols;
    const [to, count] = [state.register(pointer), state.register(size) + L.NUMBER];
    const first = domain.signedMin(words, to + L.NUMBER);
    const last = domain.signedMax(terms.words, terms.range(end));
    const bytes = last - words[to + L.OFFSET]! - first;
    const isWhole = [first, bytes].every((number) => Math.abs(number) < MOST_BYTES);
    if (!isWhole || bytes <= 0) return false;
    // Neither is so large that their sum wraps: then the sum's bound is one of whole numbers.
    const isExact = Number.isFinite(domain.signedMax(words, to + L.NUMBER));
    if (!isExact || !Number.isFinite(domain.unsignedMax(words, count))) return false;
    const least = domain.unsignedMin(words, count);
    if (least > bytes) return false;
    // Not the size, which is often less, but all bytes that may be meant by it.
    domain.setUnsignedRange(words, count, least, 0, bytes, 0);
    domain.setConstant(words, to + L.NUMBER, first, first >> 31);
    if (left === undefined) return true;
    const isInPacket = domain.signedMin(terms.words, terms.range(left)) >= 0;
    const extent = words[to + L.OFFSET]! + bytes;
    if (!isInPacket || first < 0 || extent > LIMITS.packetOffset.value) return false;
    words[to + L.EXTENT] = Math.max(words[to + L.EXTENT]!, extent);
    return true;
  }
}

/** Sizes and offsets beyond it are taken for missing bounds (BPF_MAX_VAR_SIZ of Linux). */
const MOST_BYTES = 1 << 29;

/** Kinds of memory whose extent does not depend on the access. */
const BYTES: ReadonlySet<number> = new Set([
  kinds.STACK,
  kinds.PACKET,
  kinds.MAP_VALUE,
  kinds.MAP_KEY,
  kinds.MEMORY,
]);
