/**
 * Several narrow loads that are put together to one number become one load. Where alignment is
 * unknown, compilers for BPF read packets byte by byte; every machine we target reads unaligned
 * words at once.
 *
 * The leaves of a tree of `or` are loads, each shifted to its place. If they cover 2, 4 or 8
 * adjacent bytes, in the order of addresses, the root is a load; in the opposite order, a byte swap
 * of one. All stand in one block with no effect between them, and nobody else uses them, so each
 * byte is still read once.
 */

import { type Block, type IrFunction, newValue, type Size, type Value } from '../ir/ir.ts';

export function combineLoads(fn: IrFunction): void {
  const uses = new Int32Array(fn.valueCount);
  for (const block of fn.blocks) {
    for (const phi of block.phis) for (const arg of phi.args) uses[arg.id]!++;
    for (const value of block.values) for (const arg of value.args) uses[arg.id]!++;
    for (const arg of block.terminator.args) uses[arg.id]!++;
  }
  const epochs = new Int32Array(fn.valueCount);
  let epoch = 0;
  for (const block of fn.blocks) {
    epoch++;
    let roots = 0;
    for (const value of block.values) {
      if (value.op === 'store' || value.op === 'atomic' || value.op === 'call') epoch++;
      epochs[value.id] = epoch;
      if (value.op === 'or') roots++;
    }
    if (roots > 0) combineInBlock(fn, block, uses, epochs);
  }
}

/** From the last value back, so that the root of a tree comes before its inner nodes. */
function combineInBlock(fn: IrFunction, block: Block, uses: Int32Array, epochs: Int32Array): void {
  const inserted = new Map<Value, Value>();
  for (let i = block.values.length - 1; i >= 0; i--) {
    const root = block.values[i]!;
    if (root.op !== 'or') continue;
    const leaves: Leaf[] = [];
    if (!collect(root, 0, root, leaves, uses, epochs)) continue;
    const word = asWord(leaves);
    if (!word) continue;
    inserted.set(root, becomeWord(fn, root, word));
  }
  if (inserted.size === 0) return;
  block.values = block.values.flatMap((value) => {
    const load = inserted.get(value);
    return load && load !== value ? [load, value] : [value];
  });
}

/** A load and the bit at which its lowest byte lands. */
interface Leaf {
  readonly load: Value;
  readonly shift: number;
}

const MAX_LEAVES = 8;

function collect(
  node: Value,
  shift: number,
  root: Value,
  leaves: Leaf[],
  uses: Int32Array,
  epochs: Int32Array,
): boolean {
  if (node !== root && (uses[node.id] !== 1 || node.op === 'const')) return false;
  if (node.op === 'or') {
    const [a, b] = node.args as [Value, Value];
    return (
      collect(a, shift, root, leaves, uses, epochs) && collect(b, shift, root, leaves, uses, epochs)
    );
  }
  if (node.op === 'shl' && node.args[1]!.op === 'const') {
    const count = node.args[1]!.lo & (node.width - 1);
    return collect(node.args[0]!, shift + count, root, leaves, uses, epochs);
  }
  const fits = node.op === 'load' && shift + 8 * node.size <= root.width;
  if (!fits || node.memory!.signed || leaves.length === MAX_LEAVES) return false;
  if (epochs[node.id] !== epochs[root.id]) return false;
  leaves.push({ load: node, shift });
  return true;
}

interface Word {
  /** The load at the lowest address. */
  readonly first: Value;
  readonly size: Size;
  readonly order: 'little' | 'big';
}

function asWord(leaves: Leaf[]): Word | undefined {
  if (leaves.length < 2) return undefined;
  leaves.sort((a, b) => a.load.disp - b.load.disp);
  const first = leaves[0]!.load;
  const total = leaves.reduce((sum, { load }) => sum + load.size, 0);
  if (total !== 2 && total !== 4 && total !== 8) return undefined;
  let little = true;
  let big = true;
  let offset = 0;
  for (const { load, shift } of leaves) {
    if (load.args[0] !== first.args[0] || load.disp !== first.disp + offset) return undefined;
    if (load.memory!.region !== first.memory!.region) return undefined;
    little &&= shift === 8 * offset;
    // A load of several bytes is in the order of the machine, which is little-endian.
    big &&= load.size === 1 && shift === 8 * (total - 1 - offset);
    offset += load.size;
  }
  if (!little && !big) return undefined;
  return { first, size: total, order: little ? 'little' : 'big' };
}

/** The root becomes the load, or the swap of a new load, which is returned to be put before it. */
function becomeWord(fn: IrFunction, root: Value, { first, size, order }: Word): Value {
  const load = order === 'little' ? root : newValue(fn, 'load', 64, [first.args[0]!], root.pc);
  load.op = 'load';
  load.width = 64;
  load.args = [first.args[0]!];
  load.disp = first.disp;
  load.size = size;
  load.memory = { ...first.memory!, aligned: false };
  if (load === root) return load;
  root.op = 'bswap';
  root.width = 64;
  root.args = [load];
  root.size = size;
  return load;
}
