/**
 * What the walk observes for the facts. Only observations that pruning compares exactly may be kept
 * from a walk (kinds of pointers, their targets and constant offsets): a state that was left out in
 * favour of another agrees with it in those. Numbers may differ where they were imprecise, so
 * nothing about numbers is recorded here; see values.ts.
 */

import type { AccessFact, CallFact, Region } from '../facts.ts';

/** Below any offset of a frame. */
const MOST_STACK = 1 << 20;

const REACHED = 1;
const JUMPED = 2;
const FELL_THROUGH = 4;

interface MutableAccess {
  region: Region;
  offset: number | undefined;
  sizeBytes: number;
  frame: number | undefined;
  map: number | undefined;
  field: number | undefined;
  aligned: boolean;
}

/** A kernel object that may fault on one path is read with care on all. */
function joinRegions(a: Region, b: Region): Region {
  if (a === b) return a;
  const isObject = (region: Region) => region === 'btf' || region === 'btf-faulting';
  return isObject(a) && isObject(b) ? 'btf-faulting' : 'mixed';
}

type Mutable<T> = { -readonly [key in keyof T]: T[key] };

export class Recorder {
  readonly #accesses = new Map<number, MutableAccess>();
  readonly #calls = new Map<number, Mutable<CallFact>>();
  readonly #ways: Uint8Array;
  readonly #kinds: Uint8Array;
  /** Lowest byte of the own frame that each function touched, by function index. */
  readonly stackDepth: Int32Array;

  /** What bounds the run where no number does. */
  unboundedBy: string | undefined;
  /** By entry slot: the functions that each function called in the walk. */
  readonly callees = new Map<number, Set<number>>();
  /** Entry slots of functions that the program leaves to run later. */
  readonly later = new Set<number>();

  readonly indirectLow: Int32Array;
  readonly indirectHigh: Int32Array;

  constructor(instructionCount: number, functionCount: number) {
    this.#ways = new Uint8Array(instructionCount);
    this.#kinds = new Uint8Array(instructionCount);
    this.indirectLow = new Int32Array(functionCount);
    this.indirectHigh = new Int32Array(functionCount).fill(-MOST_STACK);
    this.stackDepth = new Int32Array(functionCount);
  }

  /** An access at `pc` was proven; several paths are merged to what they agree on. */
  access(
    pc: number,
    owner: number,
    region: Region,
    offset: number | undefined,
    sizeBytes: number,
    target: number | undefined,
    aligned: boolean,
  ): void {
    const known = this.#accesses.get(pc);
    const frame = region === 'stack' ? target : undefined;
    const map = region === 'map-value' ? target : undefined;
    const field = region === 'context' ? target : undefined;
    if (known === undefined) {
      this.#accesses.set(pc, { region, offset, sizeBytes, frame, map, field, aligned });
      return;
    }
    const isSame = known.region === region && known.offset === offset && known.frame === frame;
    if (!isSame) {
      // The compiler cannot tell which slot this is: to it, all of them are accessed by address.
      this.#indirectAccess(owner, known.region, known.frame, known.offset, sizeBytes);
      this.#indirectAccess(owner, region, frame, offset, sizeBytes);
    }
    known.region = joinRegions(known.region, region);
    if (known.offset !== offset) known.offset = undefined;
    if (known.frame !== frame) known.frame = undefined;
    if (known.map !== map) known.map = undefined;
    if (known.field !== field) known.field = undefined;
    known.aligned &&= aligned;
  }

  #indirectAccess(
    owner: number,
    region: Region,
    frame: number | undefined,
    offset: number | undefined,
    sizeBytes: number,
  ): void {
    // Accesses to other frames, and at varying offsets, were recorded as indirect when made.
    if (region !== 'stack' || frame !== 0 || offset === undefined) return;
    this.indirect(owner, offset, offset + sizeBytes);
  }

  accessAt(pc: number): AccessFact | undefined {
    return this.#accesses.get(pc);
  }

  /**
   * The instruction at `pc` accesses memory through a pointer of `kind`. Yields the kind that it
   * was first seen with.
   */
  pointerKind(pc: number, kind: number): number {
    if (this.#kinds[pc] === 0) this.#kinds[pc] = kind;
    return this.#kinds[pc]!;
  }

  /** The walk executed `pc`, and went on at `to`. */
  passed(pc: number, to: number): void {
    this.#ways[pc]! |= REACHED | (to === pc + 1 ? FELL_THROUGH : JUMPED);
  }

  reached(pc: number): boolean {
    return (this.#ways[pc]! & REACHED) !== 0;
  }

  /** A fork at `pc` waits to be walked from its target. */
  forked(pc: number): void {
    this.#ways[pc]! |= REACHED | JUMPED;
  }

  mayJump(pc: number): boolean {
    return (this.#ways[pc]! & JUMPED) !== 0;
  }

  mayFallThrough(pc: number): boolean {
    return (this.#ways[pc]! & FELL_THROUGH) !== 0;
  }

  /**
   * The call at `pc` was made with this map and callback, -1 for none, and looks up this key, which
   * was made precise; several paths are merged to what they agree on.
   */
  call(pc: number, map: number, callback: number, key: number | undefined): void {
    const known = this.#calls.get(pc);
    if (known === undefined) {
      this.#calls.set(pc, {
        map: map < 0 ? undefined : map,
        callback: callback < 0 ? undefined : callback,
        constantKey: key,
      });
      return;
    }
    if (known.map !== map) known.map = undefined;
    if (known.callback !== callback) known.callback = undefined;
    if (known.constantKey !== key) known.constantKey = undefined;
  }

  callAt(pc: number): CallFact | undefined {
    return this.#calls.get(pc);
  }

  /** The function at `caller` called the one at `callee`, however it did. */
  called(caller: number, callee: number): void {
    let callees = this.callees.get(caller);
    if (callees === undefined) this.callees.set(caller, (callees = new Set()));
    callees.add(callee);
  }

  /** Bytes [low, high) of a function's frame were used other than by a direct access. */
  indirect(functionIndex: number, low: number, high: number): void {
    if (low < this.indirectLow[functionIndex]!) this.indirectLow[functionIndex] = low;
    if (high > this.indirectHigh[functionIndex]!) this.indirectHigh[functionIndex] = high;
  }

  /** Those bytes as one range, or undefined where there are none. */
  indirectRange(functionIndex: number): { low: number; high: number } | undefined {
    const low = this.indirectLow[functionIndex]!;
    return low === 0 ? undefined : { low, high: this.indirectHigh[functionIndex]! };
  }

  stack(functionIndex: number, offset: number): void {
    if (offset < this.stackDepth[functionIndex]!) this.stackDepth[functionIndex] = offset;
  }
}
