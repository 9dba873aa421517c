export { KernelError } from './attribute.ts';
export { createMap, KernelMap } from './maps.ts';
export {
  type KernelLoadOptions,
  KernelProgram,
  type KernelVerdict,
  kernelRefusal,
  kernelRelease,
  loadIntoKernel,
  type TestRunInput,
  type TestRunOutput,
  withKernelProgram,
} from './program.ts';
