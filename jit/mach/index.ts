export { allocate } from './allocate.ts';
export { type AssembledCode, assemble, type ListingChoice, type ListingLine } from './assemble.ts';
export { checkAllocation } from './check.ts';
export {
  type BranchForm,
  CodeBuffer,
  type Encoder,
  type Label,
  type MachineCode,
  type PoolEntry,
  type RelocationTarget,
} from './code-buffer.ts';
export { printAllocation, printMach } from './print.ts';
export * from './types.ts';
