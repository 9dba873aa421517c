/**
 * What the allocator asks about the shape of a function: who precedes a block, how often it runs,
 * which number an instruction has. Made once, after the critical edges are split.
 *
 * An edge is critical when its source has several successors and its target several predecessors:
 * moves that belong to that edge alone have no place. An empty block on the edge gives them one; if
 * none turn up, the assembler jumps past it.
 */

import { InternalError } from '../../isa/index.ts';
import type { Backend, MachBlock, MachFunction, MachInst } from './types.ts';

export interface Layout {
  readonly code: MachFunction;
  /** All instructions in layout order; the allocator may exchange commutative operands. */
  readonly instructions: MachInst[];
  /** For each block, the number of its first instruction; one more entry at the end. */
  readonly first: Int32Array;
  /** Block of each instruction. */
  readonly blockOf: Int32Array;
  readonly predecessors: readonly (readonly number[])[];
  /** Estimated executions of each block for one of the function. */
  readonly frequency: Float64Array;
}

/** Guess of how often a loop repeats, and of how rarely a cold block runs. */
const LOOP_FACTOR = 8;
const MAX_LOOP_DEPTH = 6;
const COLD_FREQUENCY = 1 / 64;
/** Blocks visited while loops are measured, for each block: enough for nests 50 deep. */
const LOOP_EFFORT = 50;

export function layOut(source: MachFunction, backend: Backend): Layout {
  const code = splitCriticalEdges(source, backend);
  const { blocks } = code;
  const first = new Int32Array(blocks.length + 1);
  blocks.forEach((block, b) => {
    first[b + 1] = first[b]! + block.instructions.length;
  });
  const instructions: MachInst[] = [];
  const blockOf = new Int32Array(first[blocks.length]!);
  blocks.forEach((block, b) => {
    for (const inst of block.instructions) {
      blockOf[instructions.length] = b;
      instructions.push(inst);
    }
  });
  const predecessors = predecessorsOf(blocks);
  const frequency = frequencies(blocks, predecessors);
  return { code, instructions, first, blockOf, predecessors, frequency };
}

function predecessorsOf(blocks: readonly MachBlock[]): number[][] {
  const predecessors = blocks.map((): number[] => []);
  blocks.forEach((block, b) => {
    for (const successor of block.successors) predecessors[successor]!.push(b);
  });
  if (predecessors[0]!.length > 0) {
    throw new InternalError('register allocation', 'the entry block has a predecessor');
  }
  return predecessors;
}

/**
 * An edge block stands right behind its source; or, so that the path on which the source falls
 * through to the next block stays straight, behind everything, if the edge leads forward elsewhere.
 */
function splitCriticalEdges(source: MachFunction, backend: Backend): MachFunction {
  const { blocks } = source;
  const predecessors = predecessorsOf(blocks);
  const critical = (b: number, s: number) =>
    blocks[b]!.successors.length > 1 && predecessors[s]!.length > 1;
  if (!blocks.some((block, b) => block.successors.some((s) => critical(b, s)))) return source;

  // A block's new index is known when all blocks have been placed: until then, ids. The id of an
  // edge block is above those of the old blocks.
  const order: number[] = [];
  const far: number[] = [];
  const edges: { readonly target: number; readonly arguments: readonly number[] }[] = [];
  const newSuccessors = blocks.map((block) => [...block.successors]);
  blocks.forEach((block, b) => {
    order.push(b);
    block.successors.forEach((s, k) => {
      if (!critical(b, s)) return;
      const id = blocks.length + edges.length;
      edges.push({ target: s, arguments: block.arguments[k] ?? [] });
      newSuccessors[b]![k] = id;
      const falls = block.successors.includes(b + 1);
      (falls && s > b + 1 ? far : order).push(id);
    });
  });
  order.push(...far);
  const place = new Int32Array(order.length);
  order.forEach((id, index) => {
    place[id] = index;
  });
  return { ...source, blocks: order.map((id) => blockWithId(id)) };

  function blockWithId(id: number): MachBlock {
    const edge = edges[id - blocks.length];
    if (edge !== undefined) return edgeBlock(edge.target, edge.arguments);
    const block = blocks[id]!;
    return {
      ...block,
      successors: newSuccessors[id]!.map((s) => place[s]!),
      arguments: block.arguments.map((values, k) =>
        newSuccessors[id]![k]! >= blocks.length ? [] : values,
      ),
    };
  }

  function edgeBlock(target: number, values: readonly number[]): MachBlock {
    return {
      parameters: [],
      instructions: [jumpInst(backend.jump)],
      successors: [place[target]!],
      arguments: [values],
      cold: blocks[target]!.cold,
    };
  }
}

const jumpInst = (op: number): MachInst => ({
  op,
  operands: [],
  memory: null,
  imm: 0,
  immHigh: 0,
  relocation: null,
  callee: -1,
  clobbers: 0,
  pc: -1,
});

/**
 * An edge to an earlier block closes a loop; the loop is what reaches that edge backwards without
 * passing its head. Depth is an estimate for costs only, so irreducible flow may get any answer, and
 * hostile programs, with a loop for every block, are measured only as far as the effort goes.
 */
function frequencies(
  blocks: readonly MachBlock[],
  predecessors: readonly (readonly number[])[],
): Float64Array {
  const depth = new Uint8Array(blocks.length);
  const seen = new Int32Array(blocks.length).fill(-1);
  let effort = LOOP_EFFORT * blocks.length;
  for (let head = 0; head < blocks.length && effort > 0; head++) {
    const work = predecessors[head]!.filter((b) => b >= head);
    if (work.length === 0) continue;
    seen[head] = head;
    depth[head]!++;
    while (work.length > 0) {
      const b = work.pop()!;
      if (seen[b] === head || b < head) continue;
      seen[b] = head;
      depth[b]!++;
      effort--;
      work.push(...predecessors[b]!);
    }
  }
  return Float64Array.from(blocks, (block, b) =>
    block.cold ? COLD_FREQUENCY : LOOP_FACTOR ** Math.min(depth[b]!, MAX_LOOP_DEPTH),
  );
}
