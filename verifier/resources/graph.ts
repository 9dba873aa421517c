/**
 * Lists and red-black trees of allocated objects. The head lies in a map value or another object
 * together with the lock that guards it; nodes are members of the objects. An object that is put in
 * belongs to the collection: the pointers that remain are borrowed until the lock is released.
 *
 * Rules: Documentation/bpf/graph_ds_impl.rst; checked against Linux 6.18.
 */

import type { SpecialField } from '../../btf/index.ts';
import type { Contract } from '../contract.ts';
import type { Failure } from '../diagnose/failure.ts';
import { type Call, wrong } from '../discharge/passed.ts';
import type { Walk } from '../explore/walk.ts';
import * as kinds from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import type { MachineState } from '../state/machine.ts';
import { setAllocated } from './allocated.ts';
import { inComparison, isLocked } from './lock.ts';
import { checkUsable, fieldAt, offsetOf } from './special-field.ts';

/** What a collection holds: objects of a type, by the node at an offset in them. */
export interface Content {
  readonly typeId: number;
  readonly offset: number;
}

/** A list head or tree root in a map value or an owned object, its lock held. */
export function checkCollection(call: Call): Failure | null {
  const { walk, value, argument, callee } = call;
  const { state } = walk;
  const kind = argument.kind === 'list-head' ? 'list-head' : 'rbtree-root';
  const flags = state.words[value + L.FLAGS]!;
  const field = fieldAt(walk, value, kind);
  const fail = () => wrong(call, `a ${kind} in a map value or object`, 'map_value, ptr_');
  if (field === undefined || (flags & L.FLAG_NULLABLE) !== 0) return fail();
  const isOwner = state.kind(value) === kinds.MAP_VALUE || state.words[value + L.REFERENCE] !== 0;
  if (!isOwner || contentOf(walk, field) === undefined) return fail();
  const unusable = checkUsable(call);
  if (unusable !== null || isLocked(walk, value)) return unusable;
  const values = { name: callee.name, object: kind };
  return { code: 'collection-unlocked', pc: call.pc, values, registers: [call.register] };
}

/** What the collection at the field holds. */
export function contentOf(walk: Walk, field: SpecialField): Content | undefined {
  const { btf } = walk.subject.types;
  const { contains } = field;
  if (btf === undefined || contains === undefined) return undefined;
  const typeId = btf.find(contains.typeName, 'struct');
  if (typeId === undefined) return undefined;
  const type = btf.type(typeId);
  if (type.kind !== 'struct') return undefined;
  const member = type.members.find(({ name }) => name === contains.fieldName);
  return member && { typeId, offset: member.bitOffset / 8 };
}

/** What the collection in the first argument holds. */
export function contentOfCall(walk: Walk, callee: Contract): Content | undefined {
  const kind = callee.arguments[0]?.kind;
  if (kind !== 'list-head' && kind !== 'rbtree-root') return undefined;
  const field = fieldAt(walk, walk.state.register(1), kind);
  return field === undefined ? undefined : contentOf(walk, field);
}

/** The node of an owned object, of the type that the collection holds. */
export function checkNode(call: Call): Failure | null {
  const { walk, value } = call;
  const { state } = walk;
  if (!isNode(call)) return wrong(call, 'the node of an object for this collection', 'ptr_');
  const id = state.words[value + L.REFERENCE]!;
  if (id !== 0 && state.findReference(id) >= 0) return null;
  const values = { name: call.callee.name, argument: call.register };
  return { code: 'reference-not-held', pc: call.pc, values, registers: [call.register] };
}

function isNode(call: Call): boolean {
  const { walk, value, callee } = call;
  const { state } = walk;
  const content = contentOfCall(walk, callee);
  const spoiled = L.FLAG_NULLABLE | L.FLAG_UNTRUSTED | L.FLAG_PERCPU;
  return (
    content !== undefined &&
    state.kind(value) === kinds.ALLOCATED &&
    (state.words[value + L.FLAGS]! & spoiled) === 0 &&
    state.words[value + L.TARGET] === content.typeId &&
    offsetOf(walk, value) === content.offset
  );
}

/**
 * A node that was seen in the tree, or one that the program owns: the kernel finds out, when it runs,
 * whether that is in the tree.
 */
export function checkNodeInTree(call: Call): Failure | null {
  const { state } = call.walk;
  if (inComparison(call.walk)) {
    const values = { name: call.callee.name };
    return { code: 'tree-comparison', pc: call.pc, values, registers: [call.register] };
  }
  const isBorrowed = (state.words[call.value + L.FLAGS]! & L.FLAG_BORROWED) !== 0;
  const isOwned = state.words[call.value + L.REFERENCE] !== 0;
  if (isNode(call) && (isBorrowed || isOwned)) return null;
  return wrong(call, 'a node that was seen in the tree, or is owned', 'non_own_ref');
}

/** Whether the call gives the object of its second argument to a collection. */
export const givesNode = (callee: Contract): boolean =>
  callee.arguments.some(
    ({ kind, releases }) => releases === true && (kind === 'list-node' || kind === 'rbtree-node'),
  );

/** The object now belongs to the collection: what pointed to it is borrowed from there. */
export function giveNode(walk: Walk, id: number): void {
  const { state, subject } = walk;
  const held = state.findReference(id);
  if (held >= 0) state.removeReference(held);
  state.forEachValue((value) => {
    const { words } = state;
    if (words[value + L.REFERENCE] !== id) return;
    const fields = subject.types.ofType(words[value + L.TARGET]!);
    const counted = fields.some(({ kind }) => kind === 'refcount') ? L.FLAG_RCU : 0;
    words[value + L.REFERENCE] = 0;
    words[value + L.FLAGS]! |= L.FLAG_BORROWED | counted;
  });
}

/** The value becomes a pointer to the node of an object of the collection. */
export function setNode(
  walk: Walk,
  state: MachineState,
  to: number,
  content: Content,
  flags: number,
): void {
  setAllocated(walk, state, to, content.typeId, L.FLAG_ALLOCATED | flags);
  state.words[to + L.OFFSET] = content.offset;
}
