/**
 * When a type of the program and a type of the kernel count as the same, for CO-RE: three relations
 * of rising strictness, stated by libbpf (btf_ext documentation and bpf_core_read.h):
 *
 * - *field*: may a member of one type stand for a member of the other? Sizes of integers may differ,
 *   any struct stands for any struct.
 * - *compatible*: same shape down to named types, which are taken on trust (bpf_core_type_exists).
 * - *matching*: same members and enumerators too, kernel additions aside (bpf_core_type_matches).
 *
 * Names compare without their `___flavor`. Types may refer to each other in cycles through pointers:
 * depth is limited as in libbpf, and all work draws on one budget per file.
 */
import {
  type Btf,
  type BtfComposite,
  type BtfEnum,
  type BtfType,
  essentialName as essential,
} from '../../btf/index.ts';

/** Levels of pointers, arrays and parameters that a comparison follows; libbpf's number. */
const MAX_DEPTH = 32;

/**
 * Type comparisons and member visits for all CO-RE relocations of one object. A large real program
 * has 2,000 relocations of some 300 visits each.
 */
const MAX_STEPS = 5_000_000;

/** A type of one side. */
export interface Side {
  readonly btf: Btf;
  readonly id: number;
}

/** Comparisons that share a budget and remember the types they built. */
export class TypeComparison {
  #steps = 0;
  readonly #types = new Map<Btf, Map<number, BtfType>>();

  /** False once the file has used up its budget: results then mean nothing. */
  get exhausted(): boolean {
    return this.#steps > MAX_STEPS;
  }

  /** Takes `count` steps; false when there are none left. */
  spend(count: number): boolean {
    this.#steps += count;
    return !this.exhausted;
  }

  type({ btf, id }: Side): BtfType {
    let types = this.#types.get(btf);
    if (!types) this.#types.set(btf, (types = new Map()));
    let type = types.get(id);
    if (!type) types.set(id, (type = btf.type(id)));
    return type;
  }

  /** The type behind typedefs and qualifiers. */
  resolved({ btf, id }: Side): BtfType {
    return this.type({ btf, id: btf.resolve(id) });
  }

  fieldsCompatible(local: Side, target: Side): boolean {
    for (let depth = 0; depth < MAX_DEPTH && this.spend(1); depth++) {
      const a = this.resolved(local);
      const b = this.resolved(target);
      if (isComposite(a) && isComposite(b)) return true;
      if (!sameKind(a, b)) return false;
      switch (a.kind) {
        case 'ptr':
        case 'float':
          return true;
        case 'fwd':
        case 'enum':
        case 'enum64': {
          const [x, y] = [essential(a.name), essential(b.name)];
          return x === '' || y === '' || x === y;
        }
        case 'int':
          return a.bitOffset === 0 && b.kind === 'int' && b.bitOffset === 0;
        case 'array':
          if (b.kind !== 'array') return false;
          local = { ...local, id: a.typeId };
          target = { ...target, id: b.typeId };
          continue;
        default:
          return false;
      }
    }
    return false;
  }

  typesCompatible(local: Side, target: Side, depth = MAX_DEPTH): boolean {
    if (!sameKind(this.type(local), this.type(target))) return false;
    return this.#shapesCompatible(local, target, depth);
  }

  #shapesCompatible(local: Side, target: Side, depth: number): boolean {
    for (; depth > 0 && this.spend(1); depth--) {
      const a = this.resolved(local);
      const b = this.resolved(target);
      if (!sameKind(a, b)) return false;
      if (a.kind === 'ptr' && b.kind === 'ptr') {
        local = { ...local, id: a.typeId };
        target = { ...target, id: b.typeId };
      } else if (a.kind === 'array' && b.kind === 'array') {
        local = { ...local, id: a.typeId };
        target = { ...target, id: b.typeId };
      } else if (a.kind === 'func_proto' && b.kind === 'func_proto') {
        if (a.parameters.length !== b.parameters.length) return false;
        for (const [index, { typeId }] of a.parameters.entries()) {
          const other = { ...target, id: b.parameters[index]!.typeId };
          if (!this.#shapesCompatible({ ...local, id: typeId }, other, depth - 1)) return false;
        }
        local = { ...local, id: a.returnTypeId };
        target = { ...target, id: b.returnTypeId };
      } else if (a.kind === 'int') {
        return a.bitOffset === 0 && b.kind === 'int' && b.bitOffset === 0;
      } else return ['void', 'struct', 'union', 'enum', 'enum64', 'fwd'].includes(a.kind);
    }
    return false;
  }

  typesMatch(local: Side, target: Side): boolean {
    return this.#match(local, target, 'direct', MAX_DEPTH);
  }

  /** Behind a pointer, structs and unions match by name alone. */
  #match(local: Side, target: Side, reach: 'direct' | 'pointer', depth: number): boolean {
    for (; depth > 0 && this.spend(1); depth--) {
      const a = this.resolved(local);
      const b = this.resolved(target);
      if (!b.name.startsWith(essential(a.name))) return false;
      switch (a.kind) {
        case 'void':
          return b.kind === 'void';
        case 'fwd':
          if (b.kind === 'fwd') return a.of === b.of;
          return reach === 'pointer' && a.of === b.kind;
        case 'enum':
        case 'enum64':
          return (b.kind === 'enum' || b.kind === 'enum64') && this.#enumeratorsMatch(a, b);
        case 'struct':
        case 'union':
          if (reach === 'pointer') return b.kind === 'fwd' ? b.of === a.kind : b.kind === a.kind;
          if (b.kind !== 'struct' && b.kind !== 'union') return false;
          return b.kind === a.kind && this.#membersMatch(a, local.btf, b, target.btf, depth - 1);
        case 'int':
          return b.kind === 'int' && a.sizeBytes === b.sizeBytes && a.signed === b.signed;
        case 'ptr':
          if (b.kind !== 'ptr') return false;
          reach = 'pointer';
          break;
        case 'array':
          if (b.kind !== 'array' || a.length !== b.length) return false;
          break;
        case 'func_proto': {
          if (b.kind !== 'func_proto' || a.parameters.length !== b.parameters.length) return false;
          for (const [index, { typeId }] of a.parameters.entries()) {
            const other = { ...target, id: b.parameters[index]!.typeId };
            if (!this.#match({ ...local, id: typeId }, other, reach, depth - 1)) return false;
          }
          local = { ...local, id: a.returnTypeId };
          target = { ...target, id: b.returnTypeId };
          continue;
        }
        default:
          return false;
      }
      local = { ...local, id: a.typeId };
      target = { ...target, id: b.typeId };
    }
    return false;
  }

  /** Every local enumerator exists in the target; values are what CO-RE is there to find. */
  #enumeratorsMatch(local: BtfEnum, target: BtfEnum): boolean {
    if (!this.spend(local.enumerators.length + target.enumerators.length)) return false;
    if (local.enumerators.length > target.enumerators.length) return false;
    const names = new Set(target.enumerators.map((each) => essential(each.name)));
    return local.enumerators.every((each) => names.has(essential(each.name)));
  }

  #membersMatch(
    local: BtfComposite,
    localBtf: Btf,
    target: BtfComposite,
    targetBtf: Btf,
    depth: number,
  ): boolean {
    if (local.members.length > target.members.length) return false;
    return local.members.every((member) => {
      const name = essential(member.name);
      return target.members.some(
        (other) =>
          this.spend(1) &&
          other.name.startsWith(name) &&
          this.#match(
            { btf: localBtf, id: member.typeId },
            { btf: targetBtf, id: other.typeId },
            'direct',
            depth,
          ),
      );
    });
  }
}

export function isComposite(type: BtfType): type is BtfComposite {
  return type.kind === 'struct' || type.kind === 'union';
}

export function isEnum(type: BtfType): type is BtfEnum {
  return type.kind === 'enum' || type.kind === 'enum64';
}

/** Enums of 32 and of 64 bits count as one kind. */
export function sameKind(a: BtfType, b: BtfType): boolean {
  return a.kind === b.kind || (isEnum(a) && isEnum(b));
}
