/** What changed in a map between two moments: bytes are compared, what differs is decoded. */

import type { TypedValue, TypedView } from '../btf/index.ts';
import { CPU_SLOTS } from './environment.ts';

/** One key whose value differs; `undefined`: there was, or is, none. */
export interface MapChange {
  readonly key: TypedValue;
  readonly before: TypedValue | undefined;
  readonly after: TypedValue | undefined;
}

/** Entries by their keys in hexadecimal. */
export type MapContent = ReadonlyMap<string, readonly [key: Uint8Array, value: Uint8Array]>;

/** Views of a map's keys and values, where BTF types them. */
export interface EntryTypes {
  readonly key: TypedView | undefined;
  readonly value: TypedView | undefined;
}

export const contentOf = (
  entries: Iterable<readonly [key: Uint8Array, value: Uint8Array]>,
): MapContent =>
  new Map(Array.from(entries, ([key, value]) => [Buffer.from(key).toString('hex'), [key, value]]));

/** Keys whose values are not what they were, in the order of their bytes. */
export function changesBetween(
  before: MapContent,
  after: MapContent,
  types: EntryTypes,
): MapChange[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].sort().flatMap((name) => {
    const old = before.get(name);
    const now = after.get(name);
    if (old !== undefined && now !== undefined && Buffer.compare(old[1], now[1]) === 0) return [];
    const [key] = (now ?? old)!;
    return [
      {
        key: types.key?.decode(key) ?? key,
        before: old && decodeValue(types.value, old[1]),
        after: now && decodeValue(types.value, now[1]),
      },
    ];
  });
}

/** A value; of per-CPU maps one for each slot, which lie a multiple of 8 bytes apart. */
export function decodeValue(view: TypedView | undefined, value: Uint8Array): TypedValue {
  if (view === undefined) return value;
  if (value.length === view.sizeBytes) return view.decode(value);
  const stride = value.length / CPU_SLOTS;
  return Array.from({ length: CPU_SLOTS }, (_, slot) => view.decode(value, slot * stride));
}
