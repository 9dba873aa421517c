/**
 * ringfence/testing: what tests of eBPF programs need, whatever runs them. Claims about verdicts as
 * functions that throw, and as matchers for `expect.extend`; packets to run programs on.
 */

export { packet } from '../hosts/index.ts';
export type { MapChange } from '../loader/index.ts';
export { assertAccepted, assertRejectedWith } from './assertions.ts';
export { Coverage } from './coverage.ts';
export type { AcceptedOptions, RejectedOptions, Verified } from './expectations.ts';
export type {
  BranchCount,
  CoverageTotals,
  FileCoverage,
  FunctionCount,
  LineCount,
} from './file-coverage.ts';
export { type MatcherResult, matchers, type RingfenceMatchers } from './matchers.ts';
export {
  coverageOf,
  type Observation,
  type ObservedExtension,
  type ObservedTestOptions,
  type ObserveOptions,
  observe,
  type StopPlace,
  type TypedObserveOptions,
} from './observe.ts';
export {
  type ObserveFileOptions,
  observeFile,
  type TypedObserveFileOptions,
} from './observe-file.ts';
export type { ObservedMap } from './observed-map.ts';
export { FileVerdicts, type VerifyFileOptions, verifyFile } from './verify-file.ts';
