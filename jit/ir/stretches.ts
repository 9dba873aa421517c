/**
 * The control flow of one BPF function as far as the facts leave it: straight-line stretches of
 * slots, in reverse post order, without the edges that no execution takes.
 */

import type { Instruction } from '../../isa/index.ts';
import { InternalError, TABLE } from '../../isa/index.ts';
import type { Facts, FunctionFact } from '../../verifier/index.ts';

/** Slots [start, end) that execute together. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
  /** First slots of the stretches that may follow: for a conditional, taken first. */
  readonly successors: readonly number[];
  /** Edges that lead here; the function's entry counts as one. */
  entries: number;
}

/** Whether and where control may go from the instruction at `pc`. */
interface Exits {
  readonly ends: boolean;
  readonly successors: readonly number[];
}

const STRAIGHT: Exits = { ends: false, successors: [] };

function exitsOf(instructions: readonly Instruction[], facts: Facts, pc: number): Exits {
  const { op, off } = instructions[pc]!;
  const kind = TABLE[op]!.kind;
  if (kind === 'exit') return { ends: true, successors: [] };
  if (kind === 'goto') return { ends: true, successors: [pc + 1 + off] };
  if (kind !== 'jump' && kind !== 'may_goto') return STRAIGHT;
  const successors: number[] = [];
  const taken = pc + 1 + off;
  // The budget of may_goto is the run's, not the program's: both ways stay open.
  const conditional = kind === 'jump';
  if (!conditional || facts.mayJump(pc)) successors.push(taken);
  if ((!conditional || facts.mayFallThrough(pc)) && !successors.includes(pc + 1)) {
    successors.push(pc + 1);
  }
  return { ends: true, successors };
}

/** The stretches of a function that some execution reaches, in reverse post order. */
export function findStretches(
  instructions: readonly Instruction[],
  facts: Facts,
  range: FunctionFact,
): Stretch[] {
  const leaders = findLeaders(instructions, facts, range);
  const stretches = new Map<number, Stretch>();
  const postOrder: Stretch[] = [];
  const entry = stretchAt(instructions, facts, range, leaders, range.start);
  entry.entries = 1;
  stretches.set(range.start, entry);
  const path: { readonly stretch: Stretch; next: number }[] = [{ stretch: entry, next: 0 }];
  while (path.length > 0) {
    const top = path[path.length - 1]!;
    const successor = top.stretch.successors[top.next++];
    if (successor === undefined) {
      postOrder.push(top.stretch);
      path.pop();
      continue;
    }
    let stretch = stretches.get(successor);
    if (!stretch) {
      stretch = stretchAt(instructions, facts, range, leaders, successor);
      stretches.set(successor, stretch);
      path.push({ stretch, next: 0 });
    }
    stretch.entries++;
  }
  return postOrder.reverse();
}

function findLeaders(
  instructions: readonly Instruction[],
  facts: Facts,
  range: FunctionFact,
): Uint8Array {
  const leaders = new Uint8Array(range.end - range.start + 1);
  for (let pc = range.start; pc < range.end; pc++) {
    if (!facts.reached(pc)) continue;
    for (const successor of exitsOf(instructions, facts, pc).successors) {
      if (successor < range.start || successor >= range.end) {
        throw new InternalError('jit/ir', `slot ${pc} leaves function ${range.name}`);
      }
      leaders[successor - range.start] = 1;
    }
  }
  return leaders;
}

function stretchAt(
  instructions: readonly Instruction[],
  facts: Facts,
  range: FunctionFact,
  leaders: Uint8Array,
  start: number,
): Stretch {
  let pc = start;
  for (;;) {
    // Nothing gets here: the stretch ends, and the builder closes it with a trap.
    if (!facts.reached(pc)) return { start, end: pc, successors: [], entries: 0 };
    const exits = exitsOf(instructions, facts, pc);
    if (exits.ends) return { start, end: pc + 1, successors: exits.successors, entries: 0 };
    pc += TABLE[instructions[pc]!.op]!.kind === 'constant' ? 2 : 1;
    if (pc >= range.end) {
      throw new InternalError('jit/ir', `control falls out of function ${range.name}`);
    }
    if (leaders[pc - range.start] === 1) return { start, end: pc, successors: [pc], entries: 0 };
  }
}
