/**
 * Look-ups in array maps without a call. Where it is proven which map a look-up is for, and the map
 * is a plain array, its values lie side by side at a stride that the loader and this compiler agree
 * on (VALUE_ALIGN_BYTES), and the look-up is a comparison and an address.
 *
 * The key is loaded once, as the helper would. An index below the number of entries gives an address
 * inside the map's storage, anything else null; both sides are pure, so the choice is a selection,
 * and the program's own null check then tests the index directly.
 */

import type { Source } from '../ir/builder.ts';
import {
  type Block,
  type IrFunction,
  newConstant,
  newValue,
  type Op,
  type Value,
} from '../ir/ir.ts';

/** bpf_map_lookup_elem in uapi/linux/bpf.h. */
const MAP_LOOKUP_ELEM = 1;

/** Values of array maps are this far apart, rounded up (loader/native/map_array.c). */
const VALUE_ALIGN_BYTES = 8;

export function inlineLookups(fn: IrFunction, source: Source): void {
  for (const block of fn.blocks) {
    if (!block.values.some((value) => arrayOf(value, source) !== undefined)) continue;
    const before = block.values;
    block.values = [];
    for (const value of before) {
      const map = arrayOf(value, source);
      if (map === undefined) block.values.push(value);
      else inlineLookup(fn, block, value, map, source);
    }
  }
}

/** Index of the array map that the call looks into: its address is a constant, or proven to be. */
function arrayOf(value: Value, source: Source): number | undefined {
  const { callee } = value;
  if (callee?.kind !== 'helper' || callee.helper !== MAP_LOOKUP_ELEM) return undefined;
  const { symbol } = value.args[0]!;
  const map = symbol?.kind === 'map' ? symbol.map : source.facts.call(value.pc)?.map;
  return map !== undefined && source.program.maps[map]?.type === 'array' ? map : undefined;
}

function inlineLookup(
  fn: IrFunction,
  block: Block,
  call: Value,
  map: number,
  source: Source,
): void {
  const { pc } = call;
  const { maxEntries, valueSize, name } = source.program.maps[map]!;
  const stride = Math.ceil(valueSize / VALUE_ALIGN_BYTES) * VALUE_ALIGN_BYTES;
  const append = (op: Op, args: Value[]): Value => {
    const value = newValue(fn, op, 64, args, pc);
    block.values.push(value);
    return value;
  };
  const key = append('load', [call.args[1]!]);
  key.size = 4;
  key.memory = { region: 'mixed', frameOffset: undefined, aligned: false, signed: false };
  const storage = newValue(fn, 'address', 64, [], pc);
  storage.symbol = { kind: 'map-value', map, valueOffset: 0 };
  const offset = append('mul', [key, newConstant(fn, stride, 0, pc)]);
  const element = append('add', [storage, offset]);
  // The call itself becomes the choice, so that its users need no change.
  call.op = 'select';
  call.width = 64;
  call.args = [key, newConstant(fn, maxEntries, 0, pc), element, newConstant(fn, 0, 0, pc)];
  call.condition = 'lt';
  call.callee = undefined;
  block.values.push(call);
  fn.citations.push(`${pc}: the look-up is for array ${name}: no call`);
}
