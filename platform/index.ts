/** What a host offers a program: look-ups over the platform tables. */

export { type Endpoint, endpoint, macBytes } from './addresses.ts';
export { ARENA_PAGE_BYTES, type ArenaRange, arenaRange } from './arena.ts';
export { ATTACH_TYPES } from './attach-types.ts';
export {
  type ContextAccess,
  contextAccess,
  type Direction,
} from './context-access.ts';
export { LAYOUTS } from './contexts/index.ts';
export { FLOW_KEYS_BYTES } from './contexts/tracing.ts';
export {
  type ArgumentSpec,
  type BuiltinHelperSpec,
  type ContextOf,
  type ContextValues,
  decodeContext,
  defineProgramType,
  encodeContext,
  type FieldSpec,
  type HostedContract,
  type HostedHelper,
  type HostedHelperSpec,
  headerOf,
  type LimitsSpec,
  type Parameter,
  ProgramType,
  type ProgramTypeParts,
  type ProgramTypeSpec,
  partsOf,
  type ReturnSpec,
  type ReturnsSpec,
  truncate,
} from './definition/index.ts';
export { HELPERS } from './helpers/index.ts';
export {
  ITERATORS,
  type IteratorArgument,
  NULLABLE_TRACEPOINT_ARGUMENTS,
} from './hooks.ts';
export { KFUNCS } from './kfuncs/index.ts';
export {
  acceptsMap,
  attachTypeOf,
  contextLayout,
  has,
  helper,
  helperByName,
  helperFor,
  kfunc,
  layoutOf,
  mapType,
  mayCall,
  mayCallKfunc,
  profile,
  programType,
  returnRule,
  takesPacket,
} from './lookup.ts';
export {
  DISABLED_LSM_HOOKS,
  isModifiable,
  maySleep,
  NEVER_RETURNING,
  SLEEPABLE_LSM_HOOKS,
  UNTRACEABLE,
  UNTRUSTED_LSM_HOOKS,
} from './lsm-hooks.ts';
export { mapProblem } from './map-check.ts';
export { combinationProblem, fieldsProblem } from './map-fields.ts';
export { MAP_TYPES } from './map-types.ts';
export { helperIn, mapTypeIn, programTypeIn } from './offers.ts';
export { compareVersions, PROFILES } from './profiles.ts';
export { PROGRAM_FLAGS } from './program-flags.ts';
export { PROGRAM_TYPES } from './program-types.ts';
export type * from './types.ts';
export { WRITABLE_MEMBERS, type WritableMember } from './writable-members.ts';
