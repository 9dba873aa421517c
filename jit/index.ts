/** Proven programs to machine code. */

export { CONTEXT_HEADER_BYTES, type CodeMapEntry, type Relocation } from './code.ts';
export { type CompileOptions, compile, list, type TargetName } from './compile.ts';
export type { ListingLine } from './mach/index.ts';
export { NativeCode, type NativeFunction, type ProgramMeta } from './native-code.ts';
export { PASSES } from './opt/passes.ts';
