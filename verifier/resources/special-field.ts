/**
 * The fields of map values and allocated objects that belong to the kernel: which one does a
 * pointer point at, and which does an access touch?
 */

import type { SpecialField, SpecialKind } from '../../btf/index.ts';
import type { Failure } from '../diagnose/failure.ts';
import type { Call } from '../discharge/passed.ts';
import * as domain from '../domain/index.ts';
import type { Walk } from '../explore/walk.ts';
import * as kinds from '../state/kinds.ts';
import * as L from '../state/layout.ts';

const NONE: readonly SpecialField[] = Object.freeze([]);

/** The special fields of what the pointer points into. */
export function fieldsBehind(walk: Walk, value: number): readonly SpecialField[] {
  const { state, subject } = walk;
  const target = state.words[value + L.TARGET]!;
  switch (state.kind(value)) {
    case kinds.MAP_VALUE:
      return subject.types.ofMap(target);
    case kinds.ALLOCATED:
      return subject.types.ofType(target);
    default:
      return NONE;
  }
}

/** The fields of the map, if the pointer points into one, are there for functions to use. */
export function checkUsable({ walk, value, callee, pc, register }: Call): Failure | null {
  const { state, subject } = walk;
  if (state.kind(value) !== kinds.MAP_VALUE) return null;
  const index = state.words[value + L.TARGET]!;
  const problem = subject.types.problemOf(index);
  if (problem === undefined) return null;
  const values = { name: callee.name, map: subject.maps[index]!.name, problem };
  return { code: 'map-fields', pc, values, registers: [register] };
}

/** Constant offset of the pointer from the start of what it points into; undefined: it varies. */
export function offsetOf(walk: Walk, value: number): number | undefined {
  const { words } = walk.state;
  if (!domain.isConstant(words, value + L.NUMBER)) return undefined;
  return words[value + L.OFFSET]! + domain.signedMin(words, value + L.NUMBER);
}

/** The field of one of the kinds that the pointer points exactly at. */
export function fieldAt(
  walk: Walk,
  value: number,
  ...wanted: readonly SpecialKind[]
): SpecialField | undefined {
  const offset = offsetOf(walk, value);
  return fieldsBehind(walk, value).find(
    (field) => field.offset === offset && wanted.includes(field.kind),
  );
}

/** The first special field that shares a byte with [low, high). */
export const fieldWithin = (
  fields: readonly SpecialField[],
  low: number,
  high: number,
): SpecialField | undefined =>
  fields.find(({ offset, sizeBytes }) => offset < high && low < offset + sizeBytes);
