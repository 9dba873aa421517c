/**
 * Why a walk was not finished: where it spent its steps, how many different states meet at the
 * loop that did not converge, and which variables make them differ.
 */

import { MARK_LOOP_HEAD } from '../../cfg.ts';
import type { Span, ValueNote } from '../../diagnostic.ts';
import * as domain from '../../domain/index.ts';
import type { Walk } from '../../explore/walk.ts';
import { SCALAR } from '../../state/kinds.ts';
import * as L from '../../state/layout.ts';
import type { MachineState } from '../../state/machine.ts';
import { lineageOf } from '../lineage.ts';
import { sourceName } from '../naming.ts';
import { type Case, type Explanation, lineOf, place, whereText } from './case.ts';

/** Lines of the table of hot spots. */
const MOST_SPOTS = 4;
/** States of one place that are compared with each other. */
const COMPARED = 64;

const count = (n: number): string => n.toLocaleString('en-US');

export function explainLimit(c: Case): Explanation {
  const spots = hotSpots(c);
  const loop = crowdedLoop(c.walk);
  const secondary: Span[] = spots
    .filter(({ pc }) => pc !== c.failure.pc)
    .map(({ pc, visits }) => place(c, pc, `walked ${count(visits)} times`));
  const notes: ValueNote[] = spots.map(({ pc, visits, share }) => ({
    name: whereText(c, pc),
    proven: `walked ${count(visits)} times, ${share} % of the effort`,
  }));
  const { profile } = c.walk.subject;
  const linux = `BPF program is too large. Processed ${profile.maxProcessed + 1} insn`;
  const base: Explanation = { label: 'the walk was given up here', secondary, notes, linux };
  if (loop === undefined) return base;
  const where = whereText(c, loop.pc);
  const differing = differences(c, loop);
  const culprits = differing.filter(({ isCounter }) => !isCounter).map(({ name }) => name);
  const names = (culprits.length > 0 ? culprits : differing.map(({ name }) => name)).slice(0, 3);
  const reason =
    names.length === 0
      ? `states of the loop at ${where} stay different`
      : `passes of the loop at ${where} stay different in '${names.join("', '")}'`;
  const target = names.length === 0 ? 'what a pass changes' : `'${names.join("', '")}'`;
  return {
    ...base,
    message: `not the length of the program (${count(c.walk.subject.instructions.length)} instructions) but its paths are too many: ${reason}; the walk was given up after ${count(Number(c.failure.values.most))} ${c.failure.values.unit}`,
    help: `make ${target} independent of the pass (decide after the loop, not in it), use bpf_loop (Linux 5.17), or lower the bound of the loop`,
  };
}

interface HotSpot {
  readonly pc: number;
  readonly visits: number;
  /** Per cent of all steps. */
  readonly share: number;
}

/** The source lines (without line info: instructions) that were walked most, hottest first. */
function hotSpots(c: Case): HotSpot[] {
  const { trace } = c.walk;
  const byPc = new Map<number, number>();
  for (let entry = 0; entry < trace.count; entry++) {
    const pc = trace.pc(entry);
    byPc.set(pc, (byPc.get(pc) ?? 0) + 1);
  }
  const byLine = new Map<string, { pc: number; steps: number; visits: number }>();
  for (const [pc, visits] of byPc) {
    const line = lineOf(c, pc);
    const key = line === undefined ? String(pc) : `${line.file}:${line.line}`;
    const known = byLine.get(key);
    const isHotter = known === undefined || visits > known.visits;
    const steps = (known?.steps ?? 0) + visits;
    byLine.set(key, { ...(isHotter ? { pc, visits } : known), steps });
  }
  const all = Math.max(1, trace.count);
  return [...byLine.values()]
    .sort((a, b) => b.steps - a.steps)
    .slice(0, MOST_SPOTS)
    .map(({ pc, visits, steps }) => ({ pc, visits, share: Math.round((steps * 100) / all) }));
}

interface CrowdedLoop {
  readonly pc: number;
  readonly states: readonly MachineState[];
}

/** The loop head at which most states are kept. */
function crowdedLoop(walk: Walk): CrowdedLoop | undefined {
  const byPc = new Map<number, MachineState[]>();
  for (const kept of walk.kept) {
    if (kept === undefined || (walk.subject.cfg.marks[kept.pc]! & MARK_LOOP_HEAD) === 0) continue;
    const states = byPc.get(kept.pc);
    if (states === undefined) byPc.set(kept.pc, [kept.state]);
    else states.push(kept.state);
  }
  const [first] = [...byPc].sort((a, b) => b[1].length - a[1].length);
  return first === undefined ? undefined : { pc: first[0], states: first[1] };
}

interface Difference {
  readonly name: string;
  /** It only counts passes. */
  readonly isCounter: boolean;
}

/** Registers that decisions depend on and that differ between states of the loop. */
function differences(c: Case, loop: CrowdedLoop): Difference[] {
  const states = loop.states.slice(-COMPARED);
  const first = states[0]!;
  const index = c.history.pcs.lastIndexOf(loop.pc);
  if (index < 0) return [];
  const found: Difference[] = [];
  for (let r = 0; r < L.FRAME_POINTER; r++) {
    const values = states.filter(({ frame }) => frame === first.frame);
    const isPrecise = values.some((state) => isPreciseNumber(state, r));
    if (!isPrecise || !values.some((state) => !sameNumber(first, state, r))) continue;
    const name = sourceName(c.history, index, r) ?? `r${r}`;
    found.push({ name, isCounter: isCounter(c, index, r) });
  }
  return found;
}

const isPreciseNumber = (state: MachineState, r: number): boolean => {
  const value = state.register(r);
  return state.kind(value) === SCALAR && (state.words[value + L.FLAGS]! & L.FLAG_PRECISE) !== 0;
};

function sameNumber(a: MachineState, b: MachineState, r: number): boolean {
  const [x, y] = [a.register(r), b.register(r)];
  if (a.kind(x) !== SCALAR || b.kind(y) !== SCALAR) return true;
  return domain.equals(a.words, x + L.NUMBER, b.words, y + L.NUMBER);
}

/** The last change added a constant. */
function isCounter(c: Case, index: number, register: number): boolean {
  const newest = lineageOf(c.history, index, register).steps.find(
    ({ making }) => making === 'change',
  );
  if (newest === undefined) return false;
  const row = c.history.row(newest.index);
  return row.operation === 'add' && row.source === 'imm';
}
