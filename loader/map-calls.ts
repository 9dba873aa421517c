/**
 * What calls of maps take and throw: numbers of operations, modes of update, batches, errors, and the
 * keys of local storage.
 */

import type { TypedValue } from '../btf/index.ts';
import { errnoName } from './errno.ts';

/** The numbers of enum rf_port_operation in loader/native/map_port.h. */
export const LOOKUP = 0;
export const UPDATE = 1;
export const DELETE = 2;
export const SCAN = 3;
export const PUSH = 4;
export const POP = 5;
export const PEEK = 6;
export const CONSUME = 7;
export const DROPPED = 8;
export const QUERY = 9;
export const PRODUCE = 10;
export const TAKE = 11;
export const NEXT_KEY = 12;

/** RF_PORT_KEY_AT. */
export const KEY_AT = 64;
/** Results: -errno. */
export const ENOENT = -2;
export const E2BIG = -7;

/** How `set` treats a key: `any`, only if absent, only if present; or flags of uapi linux/bpf.h. */
export type UpdateMode = 'any' | 'new' | 'existing' | number;
const UPDATE_FLAGS = { any: 0, new: 1, existing: 2 } as const;
export const flagsOf = (mode: UpdateMode) => (typeof mode === 'number' ? mode : UPDATE_FLAGS[mode]);

/** Entries side by side, as one crossing yields them. */
export interface MapBatch {
  readonly count: number;
  readonly keys: Uint8Array;
  readonly values: Uint8Array;
}

/** A map operation that the kernel would have refused too; `code` is its errno by name. */
export class MapError extends Error {
  override readonly name = 'MapError';
  readonly code: string;
  /** How many elements of a batch were done before it. */
  readonly done: number;
  constructor(map: string, operation: string, errno: number, done = 0) {
    const code = errnoName(errno);
    super(`map ${map}: ${operation} failed with ${code}`);
    this.code = code;
    this.done = done;
  }
}

/** Maps whose keys are the host's numbers for sockets, tasks, inodes and control groups. */
export const IDENTITY_KEYED: ReadonlySet<string> = new Set([
  'sk_storage',
  'inode_storage',
  'task_storage',
  'cgrp_storage',
  'cgroup_storage',
  'percpu_cgroup_storage',
]);

/** An identity as a key: 8 bytes. */
export function identityKey(identity: TypedValue): Uint8Array {
  if (typeof identity !== 'number' && typeof identity !== 'bigint')
    throw new TypeError('the key of local storage is an identity: a number or bigint');
  return new Uint8Array(BigUint64Array.of(BigInt(identity)).buffer);
}

export function grown(bytes: Uint8Array<ArrayBuffer>, sizeBytes: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(sizeBytes);
  larger.set(bytes);
  return larger;
}
