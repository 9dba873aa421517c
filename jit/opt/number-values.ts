/**
 * Global value numbering: of two equal pure computations, one of which dominates the other, the
 * second becomes the first. Blocks are visited in reverse post order, so that arguments have been
 * numbered before their users (but for phis of loops, which stay apart).
 *
 * Loads take part only where nothing can come between two of them: in the same block, with no
 * store, atomic or call in between, and from memory that is the run's own (stack, context, packet
 * copy). Map values and other shared memory can change at any time, and a program that reads them
 * twice may mean it.
 */

import type { Op, Value } from '../ir/ir.ts';
import { type IrFunction, isFloating, OPS, replace, resolveAll, resolveArgs } from '../ir/ir.ts';
import { dominates, findDominators } from '../ir/order.ts';

const OP_NUMBERS = Object.fromEntries(Object.keys(OPS).map((op, i) => [op, i + 1])) as Record<
  Op,
  number
>;

interface Entry {
  readonly value: Value;
  readonly place: number;
  readonly epoch: number;
}

interface Numbering {
  readonly dominators: Int32Array;
  readonly entries: Map<number, Entry[]>;
  readonly constants: Map<number, Value[]>;
}

export function numberValues(fn: IrFunction): void {
  const numbering: Numbering = {
    dominators: findDominators(fn),
    entries: new Map(),
    constants: new Map(),
  };
  let epoch = 0;
  let changed = false;
  for (const [place, block] of fn.blocks.entries()) {
    epoch++;
    for (const phi of block.phis) shareFloating(numbering, phi.args);
    for (const value of block.values) {
      resolveArgs(value.args);
      shareFloating(numbering, value.args);
      if (value.op === 'store' || value.op === 'atomic' || value.op === 'call') epoch++;
      if (!takesPart(value)) continue;
      const equal = findOrAdd(numbering, value, place, epoch);
      if (equal === undefined) continue;
      replace(value, equal);
      changed = true;
    }
    resolveArgs(block.terminator.args);
    shareFloating(numbering, block.terminator.args);
  }
  if (changed) resolveAll(fn);
}

const OWN_MEMORY: readonly string[] = ['stack', 'context', 'packet', 'packet-meta'];

function takesPart(value: Value): boolean {
  if (value.op === 'load') return OWN_MEMORY.includes(value.memory!.region);
  return OPS[value.op].pure && value.op !== 'argument';
}

/** Equal constants and addresses become one object, so that equality of arguments is identity. */
function shareFloating({ constants }: Numbering, args: Value[]): void {
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (!isFloating(arg)) continue;
    const key = floatingKey(arg);
    const known = constants.get(key);
    const same = known?.find((each) => isSameFloating(each, arg));
    if (same) args[i] = same;
    else if (known) known.push(arg);
    else constants.set(key, [arg]);
  }
}

const floatingKey = (value: Value): number =>
  (Math.imul(value.lo, 0x9e3779b1) ^ Math.imul(value.hi + OP_NUMBERS[value.op], 0x85ebca6b)) | 0;

function isSameFloating(a: Value, b: Value): boolean {
  if (a.op !== b.op || a.lo !== b.lo || a.hi !== b.hi) return false;
  const { symbol } = a;
  const other = b.symbol;
  if (!symbol || !other) return symbol === other;
  if (symbol.kind === 'map-value' && other.kind === 'map-value') {
    return symbol.map === other.map && symbol.valueOffset === other.valueOffset;
  }
  if (symbol.kind === 'map' && other.kind === 'map') return symbol.map === other.map;
  return symbol.kind === 'function' && other.kind === 'function' && symbol.start === other.start;
}

/** An equal value that dominates this one; otherwise `value` is remembered. */
function findOrAdd(
  { entries, dominators }: Numbering,
  value: Value,
  place: number,
  epoch: number,
): Value | undefined {
  const key = keyOf(value);
  const candidates = entries.get(key);
  if (!candidates) {
    entries.set(key, [{ value, place, epoch }]);
    return undefined;
  }
  for (const candidate of candidates) {
    if (!isSame(candidate.value, value)) continue;
    if (value.op === 'load' && candidate.epoch !== epoch) continue;
    if (dominates(dominators, candidate.place, place)) return candidate.value;
  }
  candidates.push({ value, place, epoch });
  return undefined;
}

function keyOf(value: Value): number {
  let key = OP_NUMBERS[value.op] * 131 + value.width + value.size;
  for (const arg of value.args) key = (Math.imul(key, 0x01000193) ^ arg.id) | 0;
  return Math.imul(key, 31) + value.lo + value.disp;
}

function isSame(a: Value, b: Value): boolean {
  if (a.op !== b.op || a.width !== b.width || a.size !== b.size) return false;
  if (a.lo !== b.lo || a.disp !== b.disp || a.condition !== b.condition) return false;
  if (a.memory?.signed !== b.memory?.signed) return false;
  for (let i = 0; i < a.args.length; i++) if (a.args[i] !== b.args[i]) return false;
  return a.args.length === b.args.length;
}
