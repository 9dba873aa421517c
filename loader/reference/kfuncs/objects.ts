/** Allocation, references, lists and trees. */

import { type Btf, parseBtf } from '../../../btf/index.ts';
import type { Program } from '../../../isa/index.ts';
import type { End } from '../heap.ts';
import type { Call, HelperFunction } from '../helpers/call.ts';
import { EINVAL } from '../maps.ts';
import { ownerOf } from '../owners.ts';
import { int32 } from './numbers.ts';

/** Types of programs, read once. */
const types = new WeakMap<Uint8Array, Btf>();

function sizeOfType({ btf: raw, name }: Program, id: number): number | undefined {
  if (raw === undefined) return undefined;
  const btf = types.get(raw) ?? parseBtf(raw, name);
  types.set(raw, btf);
  return btf.has(id) ? btf.sizeOf(id) : undefined;
}

const make =
  (shape: 'one' | 'per-cpu'): HelperFunction =>
  (call) => {
    const program = ownerOf(call.machine.executable.instructions)?.program;
    const sizeBytes = program && sizeOfType(program, Number(call.u64(1)));
    return sizeBytes === undefined ? 0n : call.run.allocator.heap.make(sizeBytes, shape);
  };

function drop(call: Call): bigint {
  call.run.allocator.heap.drop(call.u64(1));
  return 0n;
}

/** A node that is in something stays there; the reference that was to be handed over is gone. */
function placed(call: Call, done: boolean): bigint {
  const { heap } = call.run.allocator;
  if (!done) heap.drop(heap.objectOf(call.u64(2)));
  return done ? 0n : int32(EINVAL);
}

const push =
  (end: End): HelperFunction =>
  (call) =>
    placed(call, call.run.allocator.heap.push(call.u64(1), call.u64(2), end));

function add(call: Call): bigint {
  const less = call.machine.functionAt(call.u64(3));
  if (less === undefined) throw call.machine.fault('call', 'callback is not a function');
  const isBefore = (a: bigint, b: bigint) => (call.machine.call(less, [a, b]) & 0xffn) !== 0n;
  return placed(call, call.run.allocator.heap.add(call.u64(1), call.u64(2), isBefore));
}

const treeOf = (call: Call) => call.run.allocator.heap.tree(call.u64(1));

export const OBJECTS: Readonly<Record<string, HelperFunction>> = {
  bpf_obj_new_impl: make('one'),
  bpf_obj_drop_impl: drop,
  bpf_percpu_obj_new_impl: make('per-cpu'),
  bpf_percpu_obj_drop_impl: drop,
  bpf_refcount_acquire_impl: (call) =>
    call.run.allocator.heap.acquire(call.u64(1)) ? call.u64(1) : 0n,
  bpf_list_push_front_impl: push('front'),
  bpf_list_push_back_impl: push('back'),
  bpf_list_pop_front: (call) => call.run.allocator.heap.pop(call.u64(1), 'front'),
  bpf_list_pop_back: (call) => call.run.allocator.heap.pop(call.u64(1), 'back'),
  bpf_list_front: (call) => call.run.allocator.heap.peek(call.u64(1), 'front'),
  bpf_list_back: (call) => call.run.allocator.heap.peek(call.u64(1), 'back'),
  bpf_rbtree_add_impl: add,
  bpf_rbtree_remove: (call) =>
    call.run.allocator.heap.remove(call.u64(1), call.u64(2)) ? call.u64(2) : 0n,
  bpf_rbtree_first: (call) => treeOf(call)?.first ?? 0n,
  bpf_rbtree_root: (call) => treeOf(call)?.top ?? 0n,
  bpf_rbtree_left: (call) => treeOf(call)?.child(call.u64(2), 'left') ?? 0n,
  bpf_rbtree_right: (call) => treeOf(call)?.child(call.u64(2), 'right') ?? 0n,
};

function exchange(call: Call): bigint {
  const old = call.machine.memory.load(call.u64(1), 8);
  if (old === undefined || !call.machine.memory.store(call.u64(1), 8, call.u64(2)))
    throw call.machine.fault('access', 'a pointer field', call.u64(1));
  return old;
}

export const OBJECT_HELPERS: Readonly<Record<number, HelperFunction>> = {
  153: (call) => call.run.allocator.heap.partOf(call.u64(1), call.u32(2)),
  154: (call) => call.run.allocator.heap.partOf(call.u64(1), call.run.cpu),
  194: exchange,
};
