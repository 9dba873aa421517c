/**
 * Trees of the reference engine, with the shape that the kernel's have, since a program can walk them:
 * insertion and removal after Cormen, Leiserson, Rivest and Stein, "Introduction to Algorithms",
 * chapter 13. Absent children are one black node without a key, so that no case is special.
 */

interface Node {
  readonly address: bigint;
  red: boolean;
  parent: Node;
  left: Node;
  right: Node;
}

type Side = 'left' | 'right';
const opposite = (side: Side): Side => (side === 'left' ? 'right' : 'left');

export class Tree {
  readonly #nil: Node;
  #top: Node;
  readonly #nodes = new Map<bigint, Node>();

  constructor() {
    const nil = { address: 0n, red: false } as Node;
    nil.parent = nil.left = nil.right = nil;
    this.#nil = nil;
    this.#top = nil;
  }

  has(address: bigint): boolean {
    return this.#nodes.has(address);
  }
  /** Address of the root, or 0. */
  get top(): bigint {
    return this.#top.address;
  }
  get first(): bigint {
    return this.#leftmost(this.#top).address;
  }
  /** Address of a child, or 0; also where the address is not in the tree. */
  child(address: bigint, side: Side): bigint {
    return this.#nodes.get(address)?.[side].address ?? 0n;
  }

  add(address: bigint, isBefore: (a: bigint, b: bigint) => boolean): void {
    let parent = this.#nil;
    let side: Side = 'left';
    for (let at = this.#top; at !== this.#nil; at = at[side]) {
      parent = at;
      side = isBefore(address, at.address) ? 'left' : 'right';
    }
    const node = { address, red: true, parent, left: this.#nil, right: this.#nil };
    this.#nodes.set(address, node);
    if (parent === this.#nil) this.#top = node;
    else parent[side] = node;
    this.#repairRed(node);
  }

  remove(address: bigint): boolean {
    const node = this.#nodes.get(address);
    if (node === undefined) return false;
    this.#nodes.delete(address);
    const leaving = node.left === this.#nil || node.right === this.#nil ? node : this.#next(node);
    const below = leaving.left === this.#nil ? leaving.right : leaving.left;
    const lostBlack = !leaving.red;
    this.#replace(leaving, below);
    if (leaving !== node) {
      leaving.red = node.red;
      leaving.left = node.left;
      leaving.right = node.right;
      if (leaving.left !== this.#nil) leaving.left.parent = leaving;
      if (leaving.right !== this.#nil) leaving.right.parent = leaving;
      const wasBelow = below.parent === node;
      this.#replace(node, leaving);
      if (wasBelow) below.parent = leaving;
    }
    if (lostBlack) this.#repairBlack(below);
    return true;
  }

  #leftmost(node: Node): Node {
    let at = node;
    while (at.left !== this.#nil) at = at.left;
    return at;
  }
  #next(node: Node): Node {
    return this.#leftmost(node.right);
  }

  /** `by` takes the place of `node` below its parent; `nil` too then knows a parent. */
  #replace(node: Node, by: Node): void {
    const { parent } = node;
    if (parent === this.#nil) this.#top = by;
    else parent[parent.left === node ? 'left' : 'right'] = by;
    by.parent = parent;
  }

  /** `node` goes down on `side`, its other child comes up. */
  #rotate(node: Node, side: Side): void {
    const up = node[opposite(side)];
    const inner = up[side];
    this.#replace(node, up);
    node[opposite(side)] = inner;
    if (inner !== this.#nil) inner.parent = node;
    up[side] = node;
    node.parent = up;
  }

  #repairRed(inserted: Node): void {
    let node = inserted;
    while (node.parent.red) {
      const above = node.parent.parent;
      const side: Side = above.left === node.parent ? 'left' : 'right';
      const uncle = above[opposite(side)];
      if (uncle.red) {
        node.parent.red = uncle.red = false;
        above.red = true;
        node = above;
        continue;
      }
      if (node.parent[opposite(side)] === node) {
        node = node.parent;
        this.#rotate(node, side);
      }
      node.parent.red = false;
      above.red = true;
      this.#rotate(above, opposite(side));
    }
    this.#top.red = false;
  }

  #repairBlack(start: Node): void {
    let node = start;
    while (node !== this.#top && !node.red) {
      const { parent } = node;
      const side: Side = parent.left === node ? 'left' : 'right';
      const away = opposite(side);
      if (parent[away].red) {
        parent[away].red = false;
        parent.red = true;
        this.#rotate(parent, side);
      }
      const sibling = parent[away];
      if (!sibling.left.red && !sibling.right.red) {
        sibling.red = true;
        node = parent;
        continue;
      }
      if (!sibling[away].red) {
        sibling[side].red = false;
        sibling.red = true;
        this.#rotate(sibling, away);
      }
      const near = parent[away];
      near.red = parent.red;
      parent.red = false;
      near[away].red = false;
      this.#rotate(parent, side);
      break;
    }
    node.red = false;
    this.#nil.red = false;
  }
}
