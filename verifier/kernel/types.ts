/**
 * The types of the kernel that a program is verified against: structures by name, what lies where
 * in them, and which pointers in them the kernel vouches for. Answers are remembered: a program asks
 * the same few questions on every path.
 */

import type { Btf, BtfPrototype } from '../../btf/index.ts';
import { fieldAt, type Member, memberAt } from './walk.ts';

/** What the kernel guarantees of a pointer member read from a valid object. */
export type Guarantee = 'trusted' | 'trusted-or-null' | 'rcu' | 'rcu-or-null';

/**
 * The kernel states its guarantees as structures that list the members concerned: those of
 * `struct task_struct` that RCU protects are in `struct task_struct__safe_rcu`.
 */
const SUFFIXES: readonly (readonly [string, Guarantee])[] = [
  ['__safe_trusted', 'trusted'],
  ['__safe_trusted_or_null', 'trusted-or-null'],
  ['__safe_rcu', 'rcu'],
  ['__safe_rcu_or_null', 'rcu-or-null'],
];

const UNFINISHED = '___init';
/** How deep Linux looks for pointers in a structure that a call takes as bytes. */
const MOST_PLAIN_NESTING = 4;
/** Longest chain of first members: deeper than any kernel structure nests. */
const MOST_NESTING = 64;

export class KernelTypes {
  readonly btf: Btf;
  readonly #structs = new Map<string, number | undefined>();
  readonly #fields = new Map<string, Member>();
  readonly #guarantees = new Map<string, ReadonlySet<Guarantee>>();

  constructor(btf: Btf) {
    this.btf = btf;
  }

  /** Id of the structure or union with that name. */
  struct(name: string): number | undefined {
    if (!this.#structs.has(name)) {
      const id = this.btf.find(name, 'struct') ?? this.btf.find(name, 'union');
      this.#structs.set(name, id);
    }
    return this.#structs.get(name);
  }

  nameOf(id: number): string {
    return this.btf.nameOf(id);
  }

  /** The prototype of a kernel function, or undefined. */
  prototype(name: string): BtfPrototype | undefined {
    const id = this.btf.find(name, 'func');
    const func = id === undefined ? undefined : this.btf.typeOf(id, 'func');
    return func && this.btf.typeOf(func.typeId, 'func_proto');
  }

  /** Where the member of that name lies in the structure. */
  placeOf(structId: number, member: string): { offset: number; sizeBytes: number } | undefined {
    const type = this.btf.resolved(structId);
    if (type.kind !== 'struct') return undefined;
    const found = type.members.find(({ name }) => name === member);
    const sizeBytes = found && this.btf.sizeOf(found.typeId);
    return found && sizeBytes !== undefined
      ? { offset: found.bitOffset / 8, sizeBytes }
      : undefined;
  }

  /**
   * Whether one structure is the other one before it is complete, which the kernel tells apart by
   * name only: `struct nf_conn___init` begins with the `struct nf_conn` that it is not yet.
   */
  isUnfinished(a: number, b: number): boolean {
    const [first, second] = [this.nameOf(a), this.nameOf(b)];
    return first === `${second}${UNFINISHED}` || second === `${first}${UNFINISHED}`;
  }

  /** Whether the structure holds nothing but numbers, however nested. */
  isPlain(structId: number): boolean {
    const plain = (typeId: number, depth: number): boolean => {
      const type = this.btf.resolved(typeId);
      if (depth > MOST_PLAIN_NESTING) return false;
      switch (type.kind) {
        case 'struct':
        case 'union':
          return type.members.every((member) => plain(member.typeId, depth + 1));
        case 'array':
          return plain(type.typeId, depth);
        default:
          return ['int', 'enum', 'enum64'].includes(type.kind);
      }
    };
    return plain(structId, 0);
  }

  /** What a load of `size` bytes at `offset` of the structure reads. */
  field(structId: number, offset: number, size: number): Member {
    const key = `${structId}:${offset}:${size}`;
    let field = this.#fields.get(key);
    if (field === undefined) {
      field = fieldAt(this.btf, structId, offset, size);
      this.#fields.set(key, field);
    }
    return field;
  }

  /** What the kernel guarantees of `member` of the structure, which points to `pointeeId`. */
  guarantees(structId: number, member: string, pointeeId: number): ReadonlySet<Guarantee> {
    const key = `${structId}:${member}:${pointeeId}`;
    let known = this.#guarantees.get(key);
    if (known === undefined) {
      known = this.#findGuarantees(structId, member, pointeeId);
      this.#guarantees.set(key, known);
    }
    return known;
  }

  #findGuarantees(structId: number, member: string, pointeeId: number): ReadonlySet<Guarantee> {
    const found = new Set<Guarantee>();
    const owner = this.btf.nameOf(structId);
    for (const [suffix, guarantee] of SUFFIXES) {
      const listId = owner === '' ? undefined : this.btf.find(owner + suffix, 'struct');
      const list = listId === undefined ? undefined : this.btf.type(listId);
      if (list?.kind !== 'struct') continue;
      for (const { name, typeId } of list.members) {
        const pointer = this.btf.resolved(typeId);
        const isSame =
          name === member &&
          pointer.kind === 'ptr' &&
          this.btf.resolve(pointer.typeId) === pointeeId;
        if (isSame) found.add(guarantee);
      }
    }
    return found;
  }

  /**
   * Whether a `wanted` lies at `offset` of the structure: the structure itself, or one that is
   * nested there. `exact`: the structure itself only.
   */
  contains(structId: number, offset: number, wanted: number, exact: 'exact' | 'nested'): boolean {
    if (offset === 0 && structId === wanted) return true;
    if (exact === 'exact') return false;
    let id = structId;
    let at = offset;
    for (let depth = 0; depth < MOST_NESTING; depth++) {
      const found = memberAt(this.btf, id, at, 1);
      if (found.kind !== 'struct') return false;
      if (found.typeId === wanted) return true;
      id = found.typeId;
      at = 0;
    }
    return false;
  }
}
