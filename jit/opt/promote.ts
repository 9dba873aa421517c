/**
 * Stack slots become SSA values. BPF has ten registers, so compilers spill; the machine has more,
 * and values that stay out of memory can be folded and shared.
 *
 * A slot is a maximal set of overlapping accesses of at most 8 bytes together. It is promoted when
 * all its accesses are loads and stores at constant offsets in the own frame and no address of its
 * bytes is passed on or computed (fact `escaping`). Accesses to a part of a slot become shifts and
 * masks. Bytes that were never written read as zero, as in a zeroed frame; other programs do not
 * depend on them.
 */

import type { Block, Op } from '../ir/ir.ts';
import { type IrFunction, newConstant, newValue, resolveAll, type Value } from '../ir/ir.ts';
import {
  assign,
  lookUp,
  newVariables,
  openBlock,
  removeTrivialPhis,
  seal,
  type Variables,
} from '../ir/variables.ts';
import { framePlace, reconcileEscapes } from './frame-places.ts';

const MAX_SLOT_BYTES = 8;

/** Frame bytes [low, high), offsets from r10. */
interface Slot {
  readonly low: number;
  readonly high: number;
  readonly variable: number;
}

export function promoteStack(fn: IrFunction): void {
  if (fn.frameBytes === 0) return;
  const escapes = reconcileEscapes(fn);
  if (escapes === 'unknown') return;
  const slots = findSlots(fn, escapes);
  if (slots.count > 0) rewrite(fn, slots);
  shrinkFrame(fn, escapes);
}

interface Range {
  readonly low: number;
  readonly high: number;
}

interface Slots {
  readonly count: number;
  /** By -offset: the slot that holds the byte at that offset. */
  readonly byByte: readonly (Slot | undefined)[];
}

/** Bytes that belong together, as runs: a run is broken where no access crosses the boundary. */
function findSlots(fn: IrFunction, escapes: Range | undefined): Slots {
  const size = fn.frameBytes;
  const touched = new Uint8Array(size + 1);
  const joined = new Uint8Array(size + 1); // the byte at low + i continues the one before it
  const pinned = new Uint8Array(size + 1);
  const visit = (value: Value): void => {
    const offset = framePlace(value);
    if (offset === undefined) return;
    for (let i = 0; i < value.size; i++) {
      const at = offset + i + size;
      touched[at] = 1;
      if (i > 0) joined[at] = 1;
      if (value.op === 'atomic') pinned[at] = 1;
    }
  };
  for (const block of fn.blocks) block.values.forEach(visit);
  if (escapes) pinned.fill(1, Math.max(0, escapes.low + size), escapes.high + size);
  return cutIntoSlots(size, touched, joined, pinned);
}

function cutIntoSlots(
  size: number,
  touched: Uint8Array,
  joined: Uint8Array,
  pinned: Uint8Array,
): Slots {
  const byByte = new Array<Slot | undefined>(size).fill(undefined);
  let count = 0;
  for (let start = 0; start < size; ) {
    let end = start + 1;
    while (end < size && joined[end] === 1) end++;
    const isFree = touched[start] === 1 && pinned.subarray(start, end).indexOf(1) < 0;
    if (isFree && end - start <= MAX_SLOT_BYTES) {
      byByte.fill({ low: start - size, high: end - size, variable: count++ }, start, end);
    }
    start = end;
  }
  return { count, byByte };
}

function rewrite(fn: IrFunction, slots: Slots): void {
  const variables = newVariables(fn, slots.count);
  const missing = new Int32Array(fn.blockCount);
  for (const block of fn.blocks) {
    openBlock(variables, block);
    missing[block.id] = block.predecessors.length;
  }
  seal(variables, fn.blocks[0]!);
  for (const block of fn.blocks) {
    rewriteBlock(fn, block, slots, variables);
    for (const target of block.terminator.targets) {
      if (--missing[target.id]! === 0) seal(variables, target);
    }
  }
  removeTrivialPhis(fn);
  resolveAll(fn);
}

function rewriteBlock(fn: IrFunction, block: Block, slots: Slots, variables: Variables): void {
  const before = block.values;
  block.values = [];
  for (const value of before) {
    const offset = framePlace(value);
    const slot = offset === undefined ? undefined : slots.byByte[offset + fn.frameBytes];
    if (offset === undefined || slot === undefined) block.values.push(value);
    else if (value.op === 'load') rewriteLoad(fn, block, value, offset, slot, variables);
    else rewriteStore(fn, block, value, offset, slot, variables);
  }
}

/** The load itself becomes the extension of what the slot holds. */
function rewriteLoad(
  fn: IrFunction,
  block: Block,
  value: Value,
  offset: number,
  slot: Slot,
  variables: Variables,
): void {
  const held = lookUp(variables, block, slot.variable);
  const shift = 8 * (offset - slot.low);
  const low =
    shift === 0 ? held : append(fn, block, value, 'shr', held, constant(fn, value, shift));
  const signed = value.memory?.signed ?? false;
  value.op = value.size === 8 ? 'copy' : signed ? 'sext' : 'zext';
  value.args = [low];
  value.disp = 0;
  value.memory = undefined;
  if (value.op !== 'copy') block.values.push(value);
}

function rewriteStore(
  fn: IrFunction,
  block: Block,
  value: Value,
  offset: number,
  slot: Slot,
  variables: Variables,
): void {
  const stored = value.args[1]!;
  const isWhole = value.size === slot.high - slot.low;
  assign(
    variables,
    block,
    slot.variable,
    isWhole ? stored : insert(fn, block, value, offset, slot, variables),
  );
}

/** (held & ~mask) | (stored << shift), where mask covers the bytes stored. */
function insert(
  fn: IrFunction,
  block: Block,
  value: Value,
  offset: number,
  slot: Slot,
  variables: Variables,
): Value {
  const held = lookUp(variables, block, slot.variable);
  const shift = 8 * (offset - slot.low);
  const mask = constant(fn, value, 0);
  [mask.lo, mask.hi] = keptBits(shift, 8 * value.size);
  const kept = append(fn, block, value, 'and', held, mask);
  const part = newValue(fn, 'zext', 64, [value.args[1]!], value.pc);
  part.size = value.size;
  block.values.push(part);
  const moved =
    shift === 0 ? part : append(fn, block, value, 'shl', part, constant(fn, value, shift));
  return append(fn, block, value, 'or', kept, moved);
}

/** Words of ~(ones(bits) << shift); bits < 64. */
function keptBits(shift: number, bits: number): [number, number] {
  const word = (from: number): number => {
    const low = Math.max(0, shift - from);
    const high = Math.min(32, shift + bits - from);
    if (high <= low) return -1;
    const ones = high - low === 32 ? -1 : (1 << (high - low)) - 1;
    return ~(ones << low);
  };
  return [word(0), word(32)];
}

const constant = (fn: IrFunction, like: Value, lo: number): Value =>
  newConstant(fn, lo, 0, like.pc);

function append(fn: IrFunction, block: Block, like: Value, op: Op, a: Value, b: Value): Value {
  const value = newValue(fn, op, 64, [a, b], like.pc);
  block.values.push(value);
  return value;
}

/** The frame need only reach down to what is still in memory. */
function shrinkFrame(fn: IrFunction, escapes: Range | undefined): void {
  let low = escapes ? escapes.low : 0;
  for (const block of fn.blocks) {
    for (const value of block.values) low = Math.min(low, framePlace(value) ?? 0);
  }
  const bytes = Math.ceil(-low / 8) * 8;
  if (bytes < fn.frameBytes) fn.citations.push(`frame of ${fn.frameBytes} bytes needs ${bytes}`);
  fn.frameBytes = Math.min(fn.frameBytes, bytes);
}
