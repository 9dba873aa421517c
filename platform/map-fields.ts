/**
 * Which maps may hold which of the fields that the kernel manages, and which of them go together. A
 * map whose value type asks for more is made without its types: no function works on the fields.
 *
 * Source: what Linux 6.18 makes of maps of each type, checked by test/verifier/resources;
 * Documentation/bpf/kptr.rst, graph_ds_impl.rst.
 */

import type { SpecialField, SpecialKind } from '../btf/index.ts';
import type { MapSpec } from '../isa/index.ts';

const STORAGE = ['sk_storage', 'inode_storage', 'task_storage', 'cgrp_storage'];
const LOCKED = ['hash', 'array', 'cgroup_storage', ...STORAGE];
const SHARED = ['hash', 'lru_hash', 'array'];
const POINTING = [...SHARED, 'percpu_hash', 'lru_percpu_hash', 'percpu_array', ...STORAGE];

/** Kinds that are not listed belong into allocated objects. */
const HOLDERS: Readonly<Partial<Record<SpecialKind, readonly string[]>>> = {
  'spin-lock': LOCKED,
  'res-spin-lock': LOCKED,
  timer: SHARED,
  workqueue: SHARED,
  'task-work': SHARED,
  'list-head': SHARED,
  'rbtree-root': SHARED,
  kptr: POINTING,
  'kptr-untrusted': POINTING,
  'kptr-percpu': POINTING,
  refcount: POINTING,
  'user-pointer': ['task_storage'],
};

const LOCKS: readonly string[] = ['spin-lock', 'res-spin-lock'];
/** Of these there is one in a value; of locks, one of either kind. */
const SINGLE: readonly string[] = [...LOCKS, 'timer', 'workqueue', 'task-work', 'refcount'];
const GUARDED: readonly string[] = ['list-head', 'rbtree-root'];
/** BPF_F_RDONLY_PROG and BPF_F_WRONLY_PROG. */
const ONE_WAY = (1 << 7) | (1 << 8);

/** BTF_FIELDS_MAX. */
const MOST_FIELDS = 11;

/** Why the map cannot hold the special fields of its values, or undefined. */
export function fieldsProblem(map: MapSpec, fields: readonly SpecialField[]): string | undefined {
  if (fields.length === 0) return undefined;
  if ((map.flags & ONE_WAY) !== 0) return 'programs may only read, or only write it';
  const misplaced = fields.find(({ kind }) => HOLDERS[kind]?.includes(map.type) !== true);
  return misplaced && `maps of type ${map.type} hold no ${misplaced.kind}`;
}

/** Why one value or object cannot have these fields, or undefined. */
export function combinationProblem(fields: readonly SpecialField[]): string | undefined {
  const count = (kinds: readonly string[]) =>
    fields.filter(({ kind }) => kinds.includes(kind)).length;
  if (fields.length > MOST_FIELDS) return `there are more than ${MOST_FIELDS} special fields`;
  if (count(LOCKS) > 1) return 'there is more than one lock';
  const repeated = SINGLE.find((kind) => count([kind]) > 1);
  if (repeated !== undefined) return `there is more than one ${repeated}`;
  return count(GUARDED) > 0 && count(LOCKS) === 0 ? 'there is no lock' : undefined;
}
