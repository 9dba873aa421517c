/**
 * The loop of a head: the slots from which control can come back to it without leaving. Found only
 * for loops that are worth it (summary.ts), so the graph is searched when asked.
 *
 * A natural loop: its head dominates every way back, so nothing enters it but through the head. A
 * head without such a way (irreducible flow) has none.
 */

import type { Row } from '../../isa/index.ts';
import { successors } from '../cfg.ts';
import type { Subject } from '../subject.ts';

export interface Loop {
  readonly head: number;
  readonly pcs: ReadonlySet<number>;
}

export function loopAt(subject: Subject, head: number): Loop | undefined {
  const { cfg, instructions, rows } = subject;
  const span = cfg.functions[cfg.functionOf[head]!]!;
  const before = predecessors(subject, span.start, span.end);
  const around = new Set<number>([head]);
  const forward = [span.start];
  while (forward.length > 0) {
    const pc = forward.pop()!;
    if (around.has(pc)) continue;
    around.add(pc);
    forward.push(...successors(pc, instructions[pc]!, rows[pc]!));
  }
  const latches = (before.get(head) ?? []).filter((pc) => pc === head || !around.has(pc));
  if (latches.length === 0) return undefined;
  const pcs = new Set<number>([head]);
  const backward = [...latches];
  while (backward.length > 0) {
    const pc = backward.pop()!;
    if (pcs.has(pc)) continue;
    pcs.add(pc);
    backward.push(...(before.get(pc) ?? []));
  }
  return { head, pcs };
}

function predecessors({ instructions, rows }: Subject, start: number, end: number) {
  const before = new Map<number, number[]>();
  for (let pc = start; pc < end; pc++) {
    const row: Row = rows[pc]!;
    if (row.kind === 'continuation') continue;
    for (const to of successors(pc, instructions[pc]!, row)) {
      const known = before.get(to);
      if (known === undefined) before.set(to, [pc]);
      else known.push(pc);
    }
  }
  return before;
}
