/**
 * The native addon, loaded when it is first needed and by this file only: verifying, assembling and
 * disassembling work on any system without a compiler.
 */

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UnsupportedError } from '../isa/index.ts';
import type { HostedArgument } from './hosted.ts';

/** Objects that the addon made and checks by type tag. */
export interface MapHandle {
  readonly map: unique symbol;
}
export interface ProgramHandle {
  readonly program: unique symbol;
}
export interface ExtensionHandle {
  readonly extension: unique symbol;
}

/** One program for `loadPrograms`; see loader/native/api_program.c. */
export interface RawProgram {
  readonly code: Uint8Array;
  readonly entry: number;
  readonly relocations: Int32Array;
  readonly plan: Uint32Array;
  /** Of helpers that are JavaScript functions: loader/hosted.ts. */
  readonly hosted: Uint32Array;
  /** Structures that it may allocate. */
  readonly types: Uint32Array;
  /** Where the function begins that has the result after bpf_throw. */
  readonly onException: number;
  readonly maps: readonly MapHandle[];
}

/** One thread's way to run an extension. */
export interface Instance {
  run(): void;
  test(): void;
  /** Whether `run` and `test` may take their input from there; see loader/native/api_extension.c. */
  pin(bytes: Uint8Array): boolean;
  batch(
    buffer: Uint8Array,
    offsets: Uint32Array,
    lengths: Uint32Array,
    results: Uint32Array,
    shared: boolean,
  ): number;
  advance(): void;
  /** Tables of what lies around, of loader/surroundings.ts; false: malformed, or a run is under way. */
  surround(tables: Uint8Array | null): boolean;
  close(): void;
  readonly exchange: ArrayBuffer;
  /** Where packets lie, or the memory of `memory` programs; a part of the exchange area. */
  readonly input: ArrayBuffer;
  readonly contextAt: number;
  readonly packetAt: number;
  readonly traceAt: number;
}

/** One thread's way to use a map. */
export interface Port {
  call(operation: number, flags: number): number;
  /** How many of the keys and values side by side were done. */
  batch(operation: number, flags: number, keys: Uint8Array, values: Uint8Array): number;
  close(): void;
  readonly exchange: ArrayBuffer;
  readonly keyBytes: number;
  readonly valueAt: number;
  readonly valueBytes: number;
}

export interface Addon {
  loadPrograms(
    programs: readonly RawProgram[],
    permanent: boolean,
    leastMethod: number,
    mostMethod: number,
  ): { programs: ProgramHandle[]; method: number; properties: number };
  closeProgram(program: ProgramHandle): void;
  sealLine(program: ProgramHandle): string;
  /** Arenas, bytes, arenas that stay for ever, and the caps on arenas and bytes. */
  arenaTotals(): [number, number, number, number, number];
  hasHelper(id: number): boolean;
  /** Of kernel functions; their indices are what relocations say. */
  kfuncNames(): string[];
  createExtension(program: ProgramHandle): ExtensionHandle;
  shareExtension(extension: ExtensionHandle): number;
  findExtension(id: number): ExtensionHandle | null;
  closeExtension(extension: ExtensionHandle): void;
  replaceProgram(extension: ExtensionHandle, program: ProgramHandle): boolean;
  extensionMaps(extension: ExtensionHandle): MapHandle[];
  extensionProgram(extension: ExtensionHandle): ProgramHandle;
  /** `call` performs helpers that are JavaScript functions; undefined: it failed. */
  createInstance(
    extension: ExtensionHandle,
    call: ((index: number, ...args: HostedArgument[]) => bigint | undefined) | null,
  ): Instance;
  /** A negative number is -errno. */
  createMap(words: Uint32Array, inner: MapHandle | null): MapHandle | number;
  closeMap(map: MapHandle): void;
  /** 0, or -errno. */
  freezeMap(map: MapHandle): number;
  setObject(map: MapHandle, key: Uint8Array, object: MapHandle | ProgramHandle | null): number;
  openPort(map: MapHandle): Port;
  viewMap(map: MapHandle, offset: number, bytes: number): ArrayBuffer;
  /** bpf(2); pointers are [offset in the attribute, memory]. A negative result is -errno. */
  bpfSyscall(
    command: number,
    attribute: Uint8Array,
    pointers: readonly (readonly [number, Uint8Array])[],
  ): number;
  closeDescriptor(descriptor: number): number;
}

let loaded: Addon | undefined;

/** Loads the addon. Throws UnsupportedError when it was not built. */
export function addon(): Addon {
  loaded ??= createRequire(import.meta.url)(addonPath()) as Addon;
  return loaded;
}

/** `RINGFENCE_ADDON` names another build, such as the sanitized one. */
function addonPath(): string {
  const chosen = process.env.RINGFENCE_ADDON;
  if (chosen !== undefined && chosen !== '') return chosen;
  // This file is loader/addon.ts in a checkout and dist/loader/addon.js when compiled.
  const here = dirname(fileURLToPath(import.meta.url));
  const candidates = [join(here, '../build'), join(here, '../../build')].map((folder) =>
    join(folder, 'ringfence.node'),
  );
  const found = candidates.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new UnsupportedError(
    'the native addon has not been built: running programs needs Linux and a C compiler; build it with "node scripts/build-addon.js" in the ringfence package',
  );
}
