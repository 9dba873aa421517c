export {
  BYTES_PER_SLOT,
  type Decoded,
  type DecodeError,
  type DecodeErrorKind,
  decode,
  MAX_DECODE_ERRORS,
  REGISTER_COUNT,
} from './decode.ts';
export { InputError, InternalError } from './errors.ts';
export type {
  FunctionInfo,
  Instruction,
  KfuncCall,
  LineInfo,
  MapEntry,
  MapReference,
  MapSpec,
  Program,
} from './program.ts';
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
