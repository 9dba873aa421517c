/**
 * What lies at an offset of a kernel structure? A program follows pointers through the kernel by
 * plain loads; each must hit one member, and what is known of the loaded value comes from that
 * member's type. Rules as Linux applies them to BTF (Documentation/bpf/btf.rst names the kinds),
 * checked against the running kernel by test/verifier/kernel/walk.test.ts.
 *
 * Unions overlay pointers with other things, so what is read through one is not trusted. The last
 * member of a structure may be a flexible array: its elements repeat behind the end.
 */

import type { Btf, BtfComposite, BtfMember, BtfType } from '../../btf/index.ts';

/** Tags that say where a pointer points to: `__user`, `__percpu`, `__rcu`. */
export type PointerTag = 'user' | 'percpu' | 'rcu';

export type Member =
  /** Bits that are no pointer to follow. */
  | { readonly kind: 'number' }
  /** A pointer to a structure. */
  | {
      readonly kind: 'pointer';
      readonly typeId: number;
      readonly name: string;
      readonly tag: PointerTag | undefined;
      readonly inUnion: boolean;
    }
  /** A pointer to something without members. */
  | { readonly kind: 'opaque' }
  /** A structure that begins at the offset. */
  | { readonly kind: 'struct'; readonly typeId: number; readonly inUnion: boolean }
  | { readonly kind: 'refused'; readonly reason: string };

const NUMBER: Member = Object.freeze({ kind: 'number' });
const OPAQUE: Member = Object.freeze({ kind: 'opaque' });
const TAGS: ReadonlySet<string> = new Set(['user', 'percpu', 'rcu']);

interface Place {
  readonly btf: Btf;
  readonly offset: number;
  readonly size: number;
  readonly inUnion: boolean;
}

/**
 * What [offset, offset + size) of the structure is; `struct` only where a nested one begins there.
 * Ends: each step goes into a member, and BTF nests to a bounded depth.
 */
export function memberAt(btf: Btf, structId: number, offset: number, size: number): Member {
  return search(btf.resolved(structId), { btf, offset, size, inUnion: false });
}

/** As `memberAt`, looking into nested structures until a number or pointer is found. */
export function fieldAt(btf: Btf, structId: number, offset: number, size: number): Member {
  let found = memberAt(btf, structId, offset, size);
  while (found.kind === 'struct') {
    const { inUnion } = found;
    found = search(btf.type(found.typeId), { btf, offset: 0, size, inUnion });
  }
  return found;
}

/** A union of several members. */
const isOverlay = (type: BtfComposite): boolean =>
  type.kind === 'union' && type.members.length !== 1;

function search(type: BtfType, place: Place): Member {
  const { btf, offset, size } = place;
  if (type.kind !== 'struct' && type.kind !== 'union') {
    return refuse(`Type '${type.name}' is not a struct`);
  }
  const inUnion = place.inUnion || isOverlay(type);
  if (offset + size > type.sizeBytes) return beyondEnd(type, { ...place, inUnion });
  for (const member of type.members) {
    const start = member.bitOffset / 8;
    if (offset + size <= Math.floor(start)) break;
    if (member.bitSize !== 0) {
      const end = Math.ceil((member.bitOffset + member.bitSize) / 8);
      if (offset <= Math.floor(start) && end <= offset + size) return NUMBER;
      continue;
    }
    if (offset < start) break;
    if (offset >= start + (btf.sizeOf(member.typeId) ?? 0)) continue;
    return within(type, member, { ...place, inUnion });
  }
  return refuse(`struct ${type.name} doesn't have field at offset ${offset}`);
}

/** The element of a (multi-dimensional) array member that the offset hits, or the member itself. */
function elementAt(btf: Btf, member: BtfMember, offset: number): { id: number; start: number } {
  const start = member.bitOffset / 8;
  let id = btf.resolve(member.typeId);
  for (let type = btf.type(id); type.kind === 'array'; type = btf.type(id)) {
    id = btf.resolve(type.typeId);
  }
  const sizeBytes = btf.sizeOf(id) ?? 0;
  if (sizeBytes === 0) return { id, start };
  return { id, start: start + Math.floor((offset - start) / sizeBytes) * sizeBytes };
}

function within(owner: BtfComposite, member: BtfMember, place: Place): Member {
  const { btf, offset, size, inUnion } = place;
  const end = member.bitOffset / 8 + (btf.sizeOf(member.typeId) ?? 0);
  const { id, start } = elementAt(btf, member, offset);
  const type = btf.type(id);
  if (type.kind === 'struct' || type.kind === 'union') {
    if (offset === start) return { kind: 'struct', typeId: id, inUnion };
    return search(type, { btf, offset: offset - start, size, inUnion });
  }
  const where = `struct ${owner.name} with off ${offset} size ${size}`;
  if (type.kind === 'ptr') {
    if (offset !== start || size !== 8) {
      return refuse(`cannot access ptr member ${member.name} with moff ${start} in ${where}`);
    }
    return pointee(btf, type.typeId, member.name, inUnion);
  }
  // Linux lets reads of a union go on into what lies behind the member: they may fault anyway.
  if (offset + size > end && !inUnion) {
    return refuse(`access beyond the end of member ${member.name} (mend:${end}) in ${where}`);
  }
  return NUMBER;
}

function pointee(btf: Btf, typeId: number, name: string, inUnion: boolean): Member {
  const target = btf.resolve(typeId);
  const type = btf.type(target);
  if (type.kind !== 'struct' && type.kind !== 'union') return OPAQUE;
  return { kind: 'pointer', typeId: target, name, tag: pointerTag(btf, typeId), inUnion };
}

/** The tag directly behind the pointer, if it is one that matters. */
export function pointerTag(btf: Btf, pointeeId: number): PointerTag | undefined {
  const tag = btf.type(pointeeId);
  const counts = tag.kind === 'type_tag' && !tag.isAttribute && TAGS.has(tag.name);
  return counts ? (tag.name as PointerTag) : undefined;
}

/** Behind the end there are only the elements of a flexible array. */
function beyondEnd(type: BtfComposite, place: Place): Member {
  const { btf, offset, size } = place;
  const refused = refuse(`access beyond struct ${type.name} at off ${offset} size ${size}`);
  const last = type.members.at(-1);
  const array = last && btf.resolved(last.typeId);
  if (last === undefined || array?.kind !== 'array' || array.length !== 0) return refused;
  const start = last.bitOffset / 8;
  if (offset < start) return refused;
  const element = btf.resolved(array.typeId);
  if (element.kind === 'int') return NUMBER;
  if (element.kind !== 'struct' || element.sizeBytes === 0) return refused;
  return search(element, { ...place, offset: (offset - start) % element.sizeBytes });
}

const refuse = (reason: string): Member => ({ kind: 'refused', reason });
