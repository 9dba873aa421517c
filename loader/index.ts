/** The loader: sealed code, maps, runs. */
export { type Addon, addon } from './addon.ts';
export { createMap } from './create-map.ts';
export { CPU_SLOTS, type Environment } from './environment.ts';
export { Extension, PACKET_BYTES_MAX } from './extension.ts';
export { HelperError } from './hosted.ts';
export { load, type OpenOptions, openShared, replace, setTarget } from './load.ts';
export { ExtensionMap } from './map.ts';
export { type MapBatch, MapError, type UpdateMode } from './map-calls.ts';
export {
  changesBetween,
  contentOf,
  decodeValue,
  type MapChange,
  type MapContent,
} from './map-changes.ts';
export type { LoadOptions, SealOptions, TypedLoadOptions } from './options.ts';
export {
  type CallRecord,
  loadReference,
  type PassedMap,
  type PassedValue,
  Recorder,
  ReferenceExtension,
  ReferenceMap,
  type ReferenceOptions,
  type ReferenceReport,
  type SlotCounts,
} from './reference/index.ts';
export type {
  Identity,
  MeteredRun,
  Redirect,
  RunInput,
  SharedExtension,
  TestReport,
} from './run-types.ts';
export { type ArenaTotals, arenaTotals, type SealMethod, type SealReport } from './seal.ts';
export type { GrantedMemory, HostSocket, Route, Surroundings } from './surroundings.ts';
