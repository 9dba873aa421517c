/**
 * The structures that a program may allocate (bpf_obj_new and the like), as native code needs them:
 * how large they are, and which of their fields own something or belong to a list or tree.
 */

import { parseBtf, type SpecialKind, specialFields } from '../btf/index.ts';
import type { Relocation } from '../jit/index.ts';
import { fieldWords } from './map-types.ts';

/** Kernel functions whose first argument is a type of the program. */
const ALLOCATORS: ReadonlySet<string> = new Set(['bpf_obj_new_impl', 'bpf_percpu_obj_new_impl']);
/** bpf_mem_alloc's largest object: BPF_GLOBAL_MA_MAX_SIZE. */
const OBJECT_BYTES_MAX = 4096;
/** RF_FIELDS_MAX of loader/native/map.h; BTF_FIELDS_MAX of include/linux/btf.h. */
const FIELDS_MAX = 11;
/** What the kernel lets an allocated object have; of others none can be made. */
const ALLOWED: ReadonlySet<SpecialKind> = new Set<SpecialKind>([
  'spin-lock',
  'res-spin-lock',
  'kptr',
  'kptr-percpu',
  'kptr-untrusted',
  'list-head',
  'list-node',
  'rbtree-root',
  'rbtree-node',
  'refcount',
]);

interface Allocating {
  readonly name: string;
  readonly relocations: readonly Relocation[];
  readonly btf?: Uint8Array | undefined;
}

/** Rows of `struct rf_type`; see loader/native/api_program.c. The call names one of them by its id. */
export function allocatedTypes({ name, relocations, btf: raw }: Allocating): Uint32Array {
  const allocates = relocations.some((each) => each.kind === 'kfunc' && ALLOCATORS.has(each.name));
  if (!allocates || raw === undefined) return new Uint32Array();
  const btf = parseBtf(raw, name);
  const words: number[] = [];
  for (let id = 1; id < btf.count; id++) {
    const type = btf.type(id);
    if (type.kind !== 'struct' || type.sizeBytes === 0 || type.sizeBytes > OBJECT_BYTES_MAX)
      continue;
    const fields = specialFields(btf, id);
    if (fields.length > FIELDS_MAX || !fields.every(({ kind }) => ALLOWED.has(kind))) continue;
    words.push(id, type.sizeBytes, fields.length, ...fieldWords(fields));
  }
  return Uint32Array.from(words);
}
