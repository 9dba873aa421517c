/**
 * What the walk knew when an obligation failed: values of registers, the branches taken, and the
 * explanation that the code of the failure has.
 */

import type { ValueNote } from '../diagnostic.ts';
import * as domain from '../domain/index.ts';
import type { Walk } from '../explore/walk.ts';
import { KINDS, SCALAR, UNINITIALISED } from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import type { MachineState } from '../state/machine.ts';
import { EXPLANATIONS } from './explain/index.ts';
import type { Failure } from './failure.ts';
import { History } from './history.ts';
import { sourceName } from './naming.ts';
import { numberText } from './number-text.ts';
import { pathOf } from './path.ts';
import type { Circumstances } from './report.ts';

export function circumstancesOf(walk: Walk, failure: Failure, entry: number): Circumstances {
  const history = new History(walk, entry);
  const explanation = EXPLANATIONS[failure.code]?.({ failure, walk, history }) ?? {};
  const values =
    explanation.notes ??
    (failure.registers ?? []).map((register) => noteOf(history, walk, register));
  return { explanation, values, path: pathOf(history) };
}

function noteOf(history: History, walk: Walk, register: number): ValueNote {
  const name = sourceName(history, history.last, register);
  return {
    name: name === undefined ? `r${register}` : `${name} (r${register})`,
    proven: describeValue(walk, walk.state.register(register)),
  };
}

/** A value for people: `0..255`, `a packet pointer + 14`, `a map value pointer (counts), or NULL`. */
function describeValue(walk: Walk, value: number): string {
  const { state, subject } = walk;
  const kind = state.kind(value);
  const { words } = state;
  if (kind === UNINITIALISED) return 'without a value';
  if (kind === SCALAR) return numberText(words, value + L.NUMBER);
  const map = subject.maps[words[value + L.TARGET]!];
  const isNamed = KINDS[kind]!.linux.startsWith('map') && map !== undefined;
  const name = isNamed ? `${KINDS[kind]!.name} (${map.name})` : KINDS[kind]!.name;
  const nullable = (words[value + L.FLAGS]! & L.FLAG_NULLABLE) !== 0 ? ', or NULL' : '';
  return `a ${name}${offsetText(state, value)}${nullable}`;
}

function offsetText(state: MachineState, value: number): string {
  const { words } = state;
  const fixed = words[value + L.OFFSET]!;
  const constant = fixed === 0 ? '' : fixed > 0 ? ` + ${fixed}` : ` - ${-fixed}`;
  if (domain.isConstantOf(words, value + L.NUMBER, 0, 0)) return constant;
  return `${constant} + (${numberText(words, value + L.NUMBER)})`;
}
