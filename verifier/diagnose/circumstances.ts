/** What the walk knew when an obligation failed: values of registers, and the branches taken. */

import { target } from '../cfg.ts';
import type { PathStep, ValueNote } from '../diagnostic.ts';
import * as domain from '../domain/index.ts';
import type { Walk } from '../explore/walk.ts';
import { KINDS, SCALAR, UNINITIALISED } from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import type { MachineState } from '../state/machine.ts';
import type { Failure } from './failure.ts';
import type { Circumstances } from './report.ts';
import { spanAt } from './span.ts';

/** Longest path that a diagnostic carries, in steps. */
const MOST_STEPS = 64;

export function circumstancesOf(walk: Walk, failure: Failure, entry: number): Circumstances {
  const values = (failure.registers ?? []).map((register) => noteOf(walk, register));
  return { values, path: pathTo(walk, entry) };
}

function noteOf(walk: Walk, register: number): ValueNote {
  return { name: `r${register}`, proven: describeValue(walk, walk.state.register(register)) };
}

/** A value for people: `0..255`, `packet pointer + 14`, `value of counts, or null`. */
export function describeValue(walk: Walk, value: number): string {
  const { state, subject } = walk;
  const kind = state.kind(value);
  const { words } = state;
  if (kind === UNINITIALISED) return 'nothing: no value was set';
  if (kind === SCALAR) return domain.format(words, value + L.NUMBER);
  const map = subject.maps[words[value + L.TARGET]!];
  const named = KINDS[kind]!.linux.startsWith('map') && map !== undefined;
  const name = named ? `${KINDS[kind]!.name} (${map.name})` : KINDS[kind]!.name;
  const nullable = (words[value + L.FLAGS]! & L.FLAG_NULLABLE) !== 0 ? ', or null' : '';
  return name + offsetText(state, value) + nullable;
}

function offsetText(state: MachineState, value: number): string {
  const { words } = state;
  const fixed = words[value + L.OFFSET]!;
  const constant = fixed === 0 ? '' : fixed > 0 ? ` + ${fixed}` : ` - ${-fixed}`;
  if (domain.isConstantOf(words, value + L.NUMBER, 0, 0)) return constant;
  return `${constant} + (${domain.format(words, value + L.NUMBER)})`;
}

/** The branches and calls from the entry to the failure, oldest first. */
function pathTo(walk: Walk, entry: number): PathStep[] {
  const { trace, subject } = walk;
  const steps: PathStep[] = [];
  let later = entry;
  for (let at = trace.previous(entry); at >= 0; at = trace.previous(at)) {
    const pc = trace.pc(at);
    const row = subject.rows[pc]!;
    if (row.kind === 'jump') {
      const taken = trace.pc(later) === target(pc, subject.instructions[pc]!, row);
      const label = taken ? 'taken' : 'not taken';
      steps.push({ ...spanAt(subject.program, pc, label), taken });
    } else if (row.kind === 'call' && row.operation === 'subprogram') {
      steps.push(spanAt(subject.program, pc, 'called'));
    }
    if (steps.length === MOST_STEPS) break;
    later = at;
  }
  return steps.reverse();
}
