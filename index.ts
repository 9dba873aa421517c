/** ringfence: verify eBPF programs, compile what is proven, run what is compiled. */
export { parseBtf } from './btf/index.ts';
export { render } from './cli/report/index.ts';
export {
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
  type LoadOptions,
  load,
  MapError,
  openShared,
  type RunInput,
  replace,
  type TestReport,
} from './loader/index.ts';
export { readManifest, writeManifest } from './programs/manifest/index.ts';
export { readObject } from './programs/object/index.ts';
export {
  type Diagnostic,
  ProvenProgram,
  type Verdict,
  type VerifyOptions,
  verify,
} from './verifier/index.ts';
