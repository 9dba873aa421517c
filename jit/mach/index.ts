export { allocate } from './allocate.ts';
export { type AssembledCode, assemble, type ListingChoice, type ListingLine } from './assemble.ts';
export { checkAllocation } from './check.ts';
export { CodeBuffer, type Label, type MachineCode } from './code-buffer.ts';
export { printAllocation, printMach } from './print.ts';
export * from './types.ts';
