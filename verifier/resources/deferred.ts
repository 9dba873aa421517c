/**
 * Timers, work queues and task work: fields of map values through which a program has a callback
 * run later. The map that contains the field is passed along, and must be that map.
 */

import type { SpecialKind } from '../../btf/index.ts';
import type { Failure } from '../diagnose/failure.ts';
import { type Call, wrong } from '../discharge/passed.ts';
import * as kinds from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import { checkUsable, fieldAt, fieldsBehind, offsetOf } from './special-field.ts';

const FIELDS: Readonly<Record<string, readonly [SpecialKind, string]>> = {
  timer: ['timer', 'bpf_timer'],
  workqueue: ['workqueue', 'bpf_wq'],
  'task-work': ['task-work', 'bpf_task_work'],
};

export function checkDeferred(call: Call): Failure | null {
  const { walk, value, callee, argument, pc, register } = call;
  const { state } = walk;
  const [kind, structure] = FIELDS[argument.kind]!;
  const nullable = (state.words[value + L.FLAGS]! & L.FLAG_NULLABLE) !== 0;
  if (state.kind(value) !== kinds.MAP_VALUE || nullable) {
    return wrong(call, `a ${structure} in a map value`, 'map_value');
  }
  const unusable = checkUsable(call);
  if (unusable !== null) return unusable;
  if (fieldAt(walk, value, kind) === undefined) {
    const found = fieldsBehind(walk, value).find((field) => field.kind === kind);
    const offset = offsetOf(walk, value) ?? 'variable';
    const values = { name: callee.name, structure, offset, at: found?.offset ?? -1 };
    return { code: 'field-missing', pc, values, registers: [register] };
  }
  const index = callee.arguments.findIndex((other) => other.kind === 'map');
  if (index < 0) return null;
  const map = state.register(index + 1);
  const isSame =
    state.kind(map) === kinds.MAP && state.words[map + L.TARGET] === state.words[value + L.TARGET];
  if (isSame) return null;
  const values = { name: callee.name, structure, argument: index + 1, register };
  return { code: 'field-other-map', pc, values, registers: [register] };
}
