/** ringfence: verify eBPF programs, compile what is proven, run what is compiled. */
export { type Btf, parseBtf, type TypedValue } from './btf/index.ts';
export { render, type Style } from './cli/report/index.ts';
export {
  type Capture,
  type CapturedPacket,
  KernelError,
  kernelRefusal,
  loadIntoKernel,
  packet,
  readCapture,
  withKernelProgram,
  writeCapture,
} from './hosts/index.ts';
export {
  assembleProgram,
  disassemble,
  InputError,
  InternalError,
  type MapSpec,
  type Program,
  UnsupportedError,
} from './isa/index.ts';
export { type CompileOptions, compile, list, NativeCode } from './jit/index.ts';
export {
  createMap,
  type Environment,
  Extension,
  ExtensionMap,
  HelperError,
  type Identity,
  type LoadOptions,
  load,
  MapError,
  type MeteredRun,
  type OpenOptions,
  openShared,
  type Redirect,
  type RunInput,
  type SealOptions,
  type SealReport,
  type SharedExtension,
  setTarget,
  type TestReport,
  type TypedLoadOptions,
} from './loader/index.ts';
export {
  type ArgumentSpec,
  type ContextOf,
  type ContextValues,
  defineProgramType,
  type FieldSpec,
  type HostedHelperSpec,
  headerOf,
  type LimitsSpec,
  ProgramType,
  type ProgramTypeSpec,
  type ReturnSpec,
} from './platform/index.ts';
export { readManifest, writeManifest } from './programs/manifest/index.ts';
export { type ObjectOptions, readObject } from './programs/object/index.ts';
export {
  type Accepted,
  type Diagnostic,
  type DiagnosticCode,
  type LinuxPrediction,
  type PathStep,
  ProvenProgram,
  type Refused,
  type Span,
  type ValueNote,
  type Verdict,
  type VerifyOptions,
  verify,
} from './verifier/index.ts';
