/**
 * Where the fields of a struct lie: members of anonymous structs and unions count as members of what
 * contains them, as in C.
 */
import { InputError } from '../isa/index.ts';
import type { Btf } from './parse.ts';

export interface Field {
  readonly name: string;
  readonly typeId: number;
  /** From the start of the outer struct. */
  readonly bitOffset: number;
  /** 0: not a bit-field. */
  readonly bitSize: number;
  /** Of the type; 0 where it has no size (forward declarations, functions). */
  readonly sizeBytes: number;
}

/** Fields of one struct; unions within unions could otherwise multiply without bound. */
const MAX_FIELDS = 65_536;

/** All named fields in order of declaration; empty for anything but structs and unions. */
export function layoutOf(btf: Btf, structId: number): readonly Field[] {
  const fields: Field[] = [];
  let visits = 0;
  const collect = (id: number, base: number): void => {
    const type = btf.resolved(id);
    if (type.kind !== 'struct' && type.kind !== 'union') return;
    for (const { name, typeId, bitOffset, bitSize } of type.members) {
      if (++visits > MAX_FIELDS)
        throw new InputError(btf.file, 0, `type ${structId} has too many fields`, '.BTF');
      if (name === '') collect(typeId, base + bitOffset);
      else {
        const sizeBytes = btf.sizeOf(typeId) ?? 0;
        fields.push({ name, typeId, bitOffset: base + bitOffset, bitSize, sizeBytes });
      }
    }
  };
  collect(structId, 0);
  return fields;
}
