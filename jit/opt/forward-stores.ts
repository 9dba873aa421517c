/**
 * A load from the own stack frame that reads exactly what a store before it in the same block wrote
 * becomes that value. This serves bytes that had to stay in memory because a call reads them, such
 * as the key of a look-up. The frame belongs to this run alone; only its own stores through an
 * unknown address, and calls, can come between.
 */

import { type Block, type IrFunction, resolveAll, type Value } from '../ir/ir.ts';
import { framePlace } from './frame-places.ts';

export function forwardStores(fn: IrFunction): void {
  if (fn.frameBytes === 0) return;
  let changed = false;
  for (const block of fn.blocks) if (forwardInBlock(block)) changed = true;
  if (changed) resolveAll(fn);
}

/** What is known to lie in the frame: the store by offset. */
type Known = Map<number, Value>;

function forwardInBlock(block: Block): boolean {
  const known: Known = new Map();
  let changed = false;
  for (const value of block.values) {
    switch (value.op) {
      case 'store':
        noteStore(known, value);
        break;
      case 'atomic':
        if (mayTouchFrame(value)) known.clear();
        break;
      case 'call':
        known.clear();
        break;
      case 'load':
        if (forward(known, value)) changed = true;
        break;
      default:
    }
  }
  return changed;
}

/** Proven accesses to other regions do not reach the frame. */
function mayTouchFrame(value: Value): boolean {
  const region = value.memory?.region;
  return region === undefined || region === 'stack' || region === 'mixed';
}

function noteStore(known: Known, store: Value): void {
  const offset = framePlace(store);
  if (offset === undefined) {
    if (mayTouchFrame(store)) known.clear();
    return;
  }
  for (const [other, { size }] of known) {
    if (other < offset + store.size && offset < other + size) known.delete(other);
  }
  known.set(offset, store);
}

/** The load becomes the extension of what was stored. */
function forward(known: Known, load: Value): boolean {
  const offset = framePlace(load);
  const store = offset === undefined ? undefined : known.get(offset);
  if (store === undefined || store.size !== load.size) return false;
  const signed = load.memory?.signed ?? false;
  load.op = load.size === 8 ? 'copy' : signed ? 'sext' : 'zext';
  load.args = [store.args[1]!];
  load.disp = 0;
  load.memory = undefined;
  return true;
}
