/**
 * How a context structure becomes a layout: its members are stated once, with offsets as in the
 * uapi header, and each program type's view of it lists only the members that type may touch and
 * how. A member that a view does not name is out of bounds for that type.
 */

import type { ContextField, ContextLayout, FieldKind } from '../types.ts';

export interface Member {
  readonly name: string;
  readonly offset: number;
  readonly sizeBytes: number;
}

export interface Struct {
  readonly name: string;
  readonly sizeBytes: number;
  readonly members: readonly Member[];
}

/** A view's say on one member; what it leaves out is a scalar read at full size. */
export type Access = Partial<Omit<ContextField, 'name' | 'offset' | 'sizeBytes'>>;

/** Read at full size only. */
export const READ: Access = {};
export const READ_WRITE: Access = { write: true };
/** Read whole or any aligned part of it. */
export const READ_PART: Access = { narrow: 'read' };
/** As READ_PART, and written whole. */
export const READ_PART_WRITE: Access = { narrow: 'read', write: true };
/** Read and written in any aligned part. */
export const READ_WRITE_PART: Access = { narrow: 'read-write', write: true };
/** Read whole, or its first bytes. */
export const READ_START: Access = { narrow: 'read-start' };

/**
 * Slots of the pointer header before a native context (jit/code.ts). No context has two pointers of
 * one kind but for sk_reuseport_md, whose second socket has the last slot.
 */
const POINTER_SLOTS: Partial<Record<FieldKind, number>> = {
  packet: 0,
  'packet-end': 1,
  'packet-meta': 2,
  socket: 3,
  'sock-common': 3,
  'flow-keys': 4,
  memory: 5,
  'memory-end': 6,
};
export const SECOND_SOCKET_SLOT = 7;

/** Read in aligned 2-byte halves or whole. */
export const READ_HALVES: Access = { narrow: 'read-halves' };

/** An access that yields a pointer. */
export function pointer(kind: FieldKind, more: Access = {}): Access {
  const slot = POINTER_SLOTS[kind];
  return { kind, ...(slot === undefined ? {} : { pointerSlot: slot }), ...more };
}

/** Consecutive 4-byte members, from rows of [name, array length or 1]. */
export function words(
  start: number,
  names: readonly (string | readonly [string, number])[],
): Member[] {
  const members: Member[] = [];
  let offset = start;
  for (const entry of names) {
    const [name, count] = typeof entry === 'string' ? [entry, 1] : entry;
    for (let index = 0; index < count; index++) {
      const element = count === 1 ? name : `${name}[${index}]`;
      members.push({ name: element, offset, sizeBytes: 4 });
      offset += 4;
    }
  }
  return members;
}

/** The same access for elements 0 to `count - 1` of an array member. */
export function elements(name: string, count: number, access: Access): Record<string, Access> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`${name}[${index}]`, access]),
  );
}

/** The same access for several members. */
export function each(names: readonly string[], access: Access): Record<string, Access> {
  return Object.fromEntries(names.map((name) => [name, access]));
}

/** A layout: the members of `struct` that `access` names. Throws on a name that it does not have. */
export function view(
  struct: Struct,
  viewer: string | null,
  access: Readonly<Record<string, Access>>,
): ContextLayout {
  const unknown = new Set(Object.keys(access));
  const fields: ContextField[] = [];
  for (const member of struct.members) {
    const own = access[member.name];
    if (own === undefined) continue;
    unknown.delete(member.name);
    fields.push({ ...member, kind: 'scalar', read: true, write: false, narrow: 'none', ...own });
  }
  if (unknown.size > 0) {
    throw new RangeError(`${struct.name} has no member ${[...unknown].join(', ')}`);
  }
  const name = viewer === null ? struct.name : `${struct.name}/${viewer}`;
  return { name, struct: struct.name, sizeBytes: struct.sizeBytes, fields };
}
