/** Program types of an embedder's own. */

export { type ContextValues, decodeContext, encodeContext } from './codec.ts';
export type { Contract as HostedContract, Parameter } from './contract.ts';
export {
  defineProgramType,
  type HostedHelper,
  ProgramType,
  type ProgramTypeParts,
  partsOf,
} from './define.ts';
export { headerOf } from './header.ts';
export { truncate } from './numbers.ts';
export type {
  ArgumentSpec,
  BuiltinHelperSpec,
  ContextOf,
  FieldSpec,
  HostedHelperSpec,
  LimitsSpec,
  ProgramTypeSpec,
  ReturnSpec,
  ReturnsSpec,
} from './spec.ts';
