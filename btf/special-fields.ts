/**
 * Fields of map values that the kernel manages itself and a program may touch only through helpers:
 * locks, timers, work items, kernel pointers, lists and trees. They are recognised by the exact name
 * of their struct, or by the type tag of a pointer (Documentation/bpf/kptr.rst, graph_ds_impl.rst;
 * uapi/linux/bpf.h for the structs).
 */
import { InputError } from '../isa/index.ts';
import type { Btf } from './parse.ts';
import type { BtfReference } from './types.ts';

export type SpecialKind =
  | 'spin-lock'
  | 'res-spin-lock'
  | 'timer'
  | 'workqueue'
  | 'task-work'
  | 'refcount'
  | 'list-head'
  | 'list-node'
  | 'rbtree-root'
  | 'rbtree-node'
  | 'kptr'
  | 'kptr-untrusted'
  | 'kptr-percpu'
  | 'user-pointer';

export interface SpecialField {
  readonly kind: SpecialKind;
  /** From the start of the value. */
  readonly offset: number;
  readonly sizeBytes: number;
  /** Pointers: the struct they point to, in the program's BTF. */
  readonly pointeeId?: number;
  /** List heads and tree roots: what they contain, by the tag `contains:TYPE:FIELD`. */
  readonly contains?: { readonly typeName: string; readonly fieldName: string };
}

const STRUCTS: Readonly<Record<string, SpecialKind>> = {
  bpf_spin_lock: 'spin-lock',
  bpf_res_spin_lock: 'res-spin-lock',
  bpf_timer: 'timer',
  bpf_wq: 'workqueue',
  bpf_task_work: 'task-work',
  bpf_refcount: 'refcount',
  bpf_list_head: 'list-head',
  bpf_list_node: 'list-node',
  bpf_rb_root: 'rbtree-root',
  bpf_rb_node: 'rbtree-node',
};

const POINTER_TAGS: Readonly<Record<string, SpecialKind>> = {
  kptr: 'kptr',
  kptr_untrusted: 'kptr-untrusted',
  percpu_kptr: 'kptr-percpu',
  uptr: 'user-pointer',
};

/** Members and elements visited in one value; the kernel takes 11 special fields. */
const MAX_VISITS = 100_000;

/** All special fields of a value of the type, in order of offset. */
export function specialFields(btf: Btf, typeId: number): readonly SpecialField[] {
  const fields: SpecialField[] = [];
  new Search(btf, typeId, fields).visit(typeId, 0, undefined);
  return fields.sort((a, b) => a.offset - b.offset);
}

/** The member that led to a type: its declaration tags say what a list contains. */
interface Place {
  readonly ownerId: number;
  readonly component: number;
}

class Search {
  readonly #btf: Btf;
  readonly #rootId: number;
  readonly #fields: SpecialField[];
  /** Types in which nothing was found: arrays of plain structs are common and long. */
  readonly #plain = new Set<number>();
  #visits = 0;

  constructor(btf: Btf, rootId: number, fields: SpecialField[]) {
    this.#btf = btf;
    this.#rootId = rootId;
    this.#fields = fields;
  }

  /** Ends: types nest at most MAX_NESTING deep, and visits are counted. */
  visit(typeId: number, offset: number, place: Place | undefined): void {
    const btf = this.#btf;
    const id = btf.resolve(typeId);
    if (this.#plain.has(id)) return;
    if (++this.#visits > MAX_VISITS)
      throw new InputError(btf.file, 0, `type ${this.#rootId} has too many fields`, '.BTF');
    const before = this.#fields.length;
    const type = btf.type(id);
    switch (type.kind) {
      // Members of a union lie over each other: the kernel does not look for fields there.
      case 'struct':
        if (Object.hasOwn(STRUCTS, type.name)) {
          this.#add(STRUCTS[type.name]!, offset, type.sizeBytes, place);
          break;
        }
        for (const [component, member] of type.members.entries())
          if (member.bitSize === 0)
            this.visit(member.typeId, offset + member.bitOffset / 8, { ownerId: id, component });
        break;
      case 'array': {
        const sizeBytes = btf.sizeOf(type.typeId) ?? 0;
        for (let i = 0; i < type.length && !this.#plain.has(btf.resolve(type.typeId)); i++)
          this.visit(type.typeId, offset + i * sizeBytes, place);
        break;
      }
      case 'datasec':
        for (const variable of type.variables)
          this.#visitVariable(variable.typeId, variable.offset);
        break;
      case 'ptr':
        this.#addPointer(type, offset);
        return; // One pointer type can be plain behind one tag only: it is cheap to look again.
      default:
    }
    if (this.#fields.length === before) this.#plain.add(id);
  }

  /** Variables carry declaration tags themselves. */
  #visitVariable(id: number, offset: number): void {
    const variable = this.#btf.typeOf(id, 'var');
    if (variable) this.visit(variable.typeId, offset, { ownerId: id, component: -1 });
  }

  #add(kind: SpecialKind, offset: number, sizeBytes: number, place: Place | undefined): void {
    const holds = kind === 'list-head' || kind === 'rbtree-root';
    const contains = holds && place ? this.#contentOf(place) : undefined;
    this.#fields.push({ kind, offset, sizeBytes, ...(contains && { contains }) });
  }

  #contentOf(place: Place): SpecialField['contains'] {
    for (const { name } of this.#btf.declarationTags(place.ownerId, place.component)) {
      const match = /^contains:([^:]+):([^:]+)$/.exec(name);
      if (match) return { typeName: match[1]!, fieldName: match[2]! };
    }
    return undefined;
  }

  /**
   * Tags stand between the pointer and the struct: ptr → type_tag → struct. A tagged pointer to
   * anything else, a structure that is only declared included, is a plain one.
   */
  #addPointer(pointer: BtfReference, offset: number): void {
    const tag = this.#btf.type(pointer.typeId);
    if (tag.kind !== 'type_tag' || tag.isAttribute || !Object.hasOwn(POINTER_TAGS, tag.name))
      return;
    const pointeeId = this.#btf.resolve(tag.typeId);
    if (this.#btf.kindOf(pointeeId) !== 'struct') return;
    this.#fields.push({ kind: POINTER_TAGS[tag.name]!, offset, sizeBytes: 8, pointeeId });
  }
}
