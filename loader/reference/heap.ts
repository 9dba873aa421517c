/**
 * Objects that programs allocate, with the lists and trees that they are in. Roots are known by their
 * addresses; what is in them lies beside the machine's memory, so a program that touches a node or a
 * root itself finds bytes that mean nothing.
 */

import type { ByteRegion } from '../../isa/index.ts';
import { CPU_SLOTS } from '../environment.ts';
import { Tree } from './tree.ts';

/** Where an object's memory comes from and goes to. */
interface Space {
  place(name: string, bytes: Uint8Array): ByteRegion;
  readonly memory: { remove(region: ByteRegion): void };
}

interface HeapObject {
  readonly region: ByteRegion;
  /** Of the part of one processor; undefined: it has one part only. */
  readonly partBytes: number | undefined;
  references: number;
}

export type End = 'front' | 'back';

export class Heap {
  readonly #space: Space;
  readonly #objects = new Map<bigint, HeapObject>();
  readonly #lists = new Map<bigint, bigint[]>();
  readonly #trees = new Map<bigint, Tree>();
  /** Roots by the nodes that are in them. */
  readonly #owners = new Map<bigint, bigint>();
  /** What was dropped may still be looked at until the run ends. */
  #dropped: HeapObject[] = [];

  constructor(space: Space) {
    this.#space = space;
  }

  make(sizeBytes: number, shape: 'one' | 'per-cpu'): bigint {
    const partBytes = shape === 'per-cpu' ? (sizeBytes + 7) & ~7 : undefined;
    const bytes = new Uint8Array(partBytes === undefined ? sizeBytes : partBytes * CPU_SLOTS);
    const region = this.#space.place('object', bytes);
    this.#objects.set(region.base, { region, partBytes, references: 1 });
    return region.base;
  }

  acquire(address: bigint): boolean {
    const object = this.#objects.get(address);
    if (object === undefined || object.references === 0) return false;
    object.references++;
    return true;
  }

  drop(address: bigint): void {
    const object = this.#objects.get(address);
    if (object === undefined || --object.references > 0) return;
    this.#dropped.push(object);
  }

  /** To be called between runs. */
  sweep(): void {
    for (const { region } of this.#dropped) {
      this.#objects.delete(region.base);
      this.forget(region.base, region.bytes.length);
      this.#space.memory.remove(region);
    }
    this.#dropped = [];
  }

  /** Address of the object that a node is a part of. */
  objectOf(node: bigint): bigint {
    for (const [base, { region }] of this.#objects)
      if (node >= base && node < base + BigInt(region.bytes.length)) return base;
    return 0n;
  }

  /** The part of one processor, or 0 where there is no such processor. */
  partOf(address: bigint, cpu: number): bigint {
    const part = this.#objects.get(address)?.partBytes ?? 0;
    return cpu < CPU_SLOTS ? address + BigInt(cpu * part) : 0n;
  }

  /** Memory with roots in it goes: so do they, and all that is in them. */
  forget(address: bigint, sizeBytes: number): void {
    const isInside = (root: bigint) => root >= address && root < address + BigInt(sizeBytes);
    for (const [node, root] of this.#owners) {
      if (!isInside(root)) continue;
      this.#owners.delete(node);
      this.drop(this.objectOf(node));
    }
    for (const roots of [this.#lists, this.#trees])
      for (const root of roots.keys()) if (isInside(root)) roots.delete(root);
  }

  /** False: the node is in something already. */
  push(root: bigint, node: bigint, end: End): boolean {
    if (this.#owners.has(node)) return false;
    const list = this.#lists.get(root) ?? [];
    this.#lists.set(root, list);
    if (end === 'front') list.unshift(node);
    else list.push(node);
    this.#owners.set(node, root);
    return true;
  }

  /** The node, or 0 where the list is empty. */
  pop(root: bigint, end: End): bigint {
    const list = this.#lists.get(root);
    const node = (end === 'front' ? list?.shift() : list?.pop()) ?? 0n;
    this.#owners.delete(node);
    return node;
  }

  peek(root: bigint, end: End): bigint {
    return this.#lists.get(root)?.at(end === 'front' ? 0 : -1) ?? 0n;
  }

  add(root: bigint, node: bigint, isBefore: (a: bigint, b: bigint) => boolean): boolean {
    if (this.#owners.has(node)) return false;
    this.#owners.set(node, root);
    const tree = this.#trees.get(root) ?? new Tree();
    this.#trees.set(root, tree);
    tree.add(node, isBefore);
    return true;
  }

  remove(root: bigint, node: bigint): boolean {
    if (this.#owners.get(node) !== root) return false;
    this.#owners.delete(node);
    return this.#trees.get(root)?.remove(node) === true;
  }

  tree(root: bigint): Tree | undefined {
    return this.#trees.get(root);
  }
}
