/** BTF: the types of programs and kernels. */
export { BTF_MAGIC } from './format.ts';
export { essentialName } from './names.ts';
export { Btf, type BtfOrigin, parseBtf } from './parse.ts';
export type * from './types.ts';
export { KIND_NAMES } from './types.ts';
