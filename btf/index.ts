/** BTF: the types of programs and kernels. */
export { Btf, type BtfOrigin, parseBtf } from './parse.ts';
export type * from './types.ts';
export { KIND_NAMES } from './types.ts';
