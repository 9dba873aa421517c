export { type Assembly, type AssemblyNames, assemble } from './assemble.ts';
export { FUNCTION_ADDRESS } from './constants.ts';
export {
  BYTES_PER_SLOT,
  type Decoded,
  type DecodeError,
  type DecodeErrorKind,
  decode,
  MAX_DECODE_ERRORS,
  REGISTER_COUNT,
} from './decode.ts';
export {
  CALL_CLOBBERS,
  constantValue,
  KIND,
  KIND_ALU,
  KIND_ATOMIC,
  KIND_CALL,
  KIND_CAST,
  KIND_CONSTANT,
  KIND_CONTINUATION,
  KIND_EXIT,
  KIND_GOTO,
  KIND_JUMP,
  KIND_LOAD,
  KIND_MAY_GOTO,
  KIND_PACKET,
  KIND_STORE,
  readMask,
  SIZE_BYTES,
  SOURCE_IS_REGISTER,
  slotCount,
  targetOf,
  WIDTH,
  writeMask,
} from './derived.ts';
export {
  type DisassembledLine,
  type DisassemblyNames,
  disassemble,
  formatInstruction,
  programNames,
} from './disassemble.ts';
export { encode } from './encode.ts';
export { InputError, InternalError, type TextPosition, UnsupportedError } from './errors.ts';
export {
  type AtomicResult,
  alu,
  atomic,
  compare,
  extend,
  immediate,
  MASK_64,
  swapBytes,
} from './evaluate.ts';
export { STACK_ADDRESS } from './frame.ts';
export { interpret } from './interpret.ts';
export {
  type Executable,
  ExecutionFault,
  type Fault,
  type FaultKind,
  type HelperArguments,
  type Host,
  type InterpretOptions,
  type Machine,
  type Outcome,
  type Registers,
} from './machine.ts';
export {
  AddressSpace,
  type ByteRegion,
  type Place,
  type Region,
  readBytes,
  regionSize,
  type VirtualRegion,
  writeBytes,
} from './memory.ts';
export type {
  FunctionInfo,
  Instruction,
  KfuncCall,
  LineInfo,
  MapEntry,
  MapReference,
  MapSpec,
  Program,
  Unresolved,
} from './program.ts';
export { assembleProgram } from './program-text.ts';
export {
  type AluOperation,
  type AtomicOperation,
  type CallTarget,
  type ConstantPseudo,
  type ImmediateRole,
  type JumpCondition,
  type Kind,
  type OffsetRole,
  type RegisterRole,
  type Row,
  rowNamed,
  TABLE,
} from './table.ts';
