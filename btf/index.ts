/** BTF: the types of programs and kernels. */
export { BTF_MAGIC } from './format.ts';
export { type Field, layoutOf } from './layout.ts';
export { type BtfFile, parseKernelBtf } from './modules.ts';
export { essentialName } from './names.ts';
export { Btf, type BtfOrigin, parseBtf } from './parse.ts';
export { type SpecialField, type SpecialKind, specialFields } from './special-fields.ts';
export type * from './types.ts';
export { KIND_NAMES } from './types.ts';
export { type TypedValue, type TypedView, typedView } from './view.ts';
