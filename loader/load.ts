/**
 * Loading: maps are made, holes filled, code sealed, and what comes out can be called. Takes tokens
 * of `compile` and nothing else; refuses by name what this runtime does not implement, and maps that
 * differ from those that the proof assumed.
 */

import { type MapSpec, UnsupportedError } from '../isa/index.ts';
import type { Relocation } from '../jit/index.ts';
import { NativeCode } from '../jit/index.ts';
import { type ContextValues, helper, type ProgramType, partsOf } from '../platform/index.ts';
import { addon, type ProgramHandle, type RawProgram } from './addon.ts';
import { IMPLEMENTED, makeMap } from './create-map.ts';
import type { Environment } from './environment.ts';
import { adoptProgram, Extension, mapsOf, mintExtension, programOf } from './extension.ts';
import { HostedHelpers, hostedWords } from './hosted.ts';
import { adoptMap, ExtensionMap, handleOf, releaseMap, retainMap, typesOfMap } from './map.ts';
import { describeMaps, differenceInFields, holdsPlainValues, type MapTypes } from './map-types.ts';
import { allocatedTypes } from './object-types.ts';
import type { LoadOptions, SealOptions, TypedLoadOptions } from './options.ts';
import { type Plan, planContext } from './plan.ts';
import { refusalText } from './refusals.ts';
import type { ExtensionDescription, SharedExtension } from './run-types.ts';
import { describeSeal, sealRange } from './seal.ts';

/** What loading needs of compiled code, whoever made it. */
export interface LoadableCode {
  readonly code: Uint8Array;
  readonly entry: number;
  readonly relocations: readonly Relocation[];
  readonly name: string;
  readonly type: string;
  readonly contextSize: number | undefined;
  readonly returnBits: 32 | 64;
  readonly worstCaseInstructions: number | null;
  readonly maps: readonly MapSpec[];
  readonly btf?: Uint8Array | undefined;
  /** Proven neither to write nor to resize its packet. */
  readonly keepsPacket?: boolean;
  /** Reads or writes through pointers that are typed by BTF. */
  readonly readsObjects?: boolean;
  /** Counts the instructions that it executes. */
  readonly metered?: boolean;
  /** Where the function begins that has the result after bpf_throw. */
  readonly onException?: number | undefined;
  /** The embedder's definition that it was proven against. */
  readonly programType?: ProgramType<unknown> | undefined;
}

/** Seals and loads one program, or several that share maps of the same name and one arena. */
export function load<Context>(
  code: NativeCode,
  options: TypedLoadOptions<Context>,
): Extension<Context>;
export function load<Context>(
  codes: readonly NativeCode[],
  options: TypedLoadOptions<Context>,
): Extension<Context>[];
export function load(code: NativeCode, options?: LoadOptions): Extension;
export function load(codes: readonly NativeCode[], options?: LoadOptions): Extension[];
export function load<Context>(
  given: NativeCode | readonly NativeCode[],
  options: LoadOptions & { readonly programType?: ProgramType<Context> } = {},
): Extension<Context> | Extension<Context>[] {
  const codes = Array.isArray(given) ? (given as readonly NativeCode[]) : [given as NativeCode];
  for (const code of codes) checkType(code, options.programType as ProgramType<unknown>);
  const loaded = loadCodes(codes.map(loadable), options) as unknown as Extension<Context>[];
  return Array.isArray(given) ? loaded : loaded[0]!;
}

/** Types of what runs are given are the definition's: another's would be a lie. */
function checkType(code: NativeCode, wanted: ProgramType<unknown> | undefined): void {
  if (wanted === undefined || !NativeCode.is(code) || code.programType === wanted) return;
  throw new TypeError(`${code.program.name} was not proven as a program of type ${wanted.name}`);
}

export interface OpenOptions<Context = ContextValues> {
  readonly environment?: Environment;
  /** Programs of a defined type: the same definition, made in this thread, with its helpers. */
  readonly programType?: ProgramType<Context>;
}

/**
 * Opens in this thread what another thread shared. Throws TypeError when it is closed already, or
 * needs the helpers of a definition that is not given.
 */
export function openShared<Context = ContextValues>(
  shared: SharedExtension,
  options: OpenOptions<Context> = {},
): Extension<Context> {
  const { environment, programType } = options;
  const { definition, name, type } = shared.description;
  if (programType !== undefined && partsOf(programType).row.id !== definition?.id)
    throw new TypeError(`${name} is not of the type ${programType.name} that is given`);
  if (programType === undefined && definition?.hosted)
    throw new TypeError(`${name} calls helpers of its type: give the definition of ${type}`);
  const native = addon();
  const extension = native.findExtension(shared.id);
  if (extension === null) throw new TypeError(`shared extension ${shared.id} is closed`);
  const { description } = shared;
  const types = describeMaps(description.btf, description.name);
  const specs = description.maps;
  const maps = native
    .extensionMaps(extension)
    .map((handle, i) => adoptMap(handle, specs[i]!, types(specs[i]!)));
  const program = native.extensionProgram(extension);
  const hosted = hostedOf(programType as ProgramType<unknown> | undefined);
  const parts = { extension, program, description, maps, hosted, replace };
  const opened = mintExtension(parts, environment);
  return opened as unknown as Extension<Context>;
}

const hostedOf = (type: ProgramType<unknown> | undefined): HostedHelpers | undefined =>
  type === undefined || partsOf(type).hosted.length === 0 ? undefined : new HostedHelpers(type);

/**
 * Puts other code in an extension's place, for every thread at once: runs that are under way finish
 * with the old code. Maps of the same name stay, with their content; others are made.
 */
export function replace<Context>(
  extension: Extension<Context>,
  code: NativeCode,
  options: SealOptions = {},
): void {
  const own = mapsOf(extension);
  const loaded = loadable(code);
  const given = Object.fromEntries(own.map((map) => [map.name, map]));
  const sealed = sealPrograms([loaded], { ...options, maps: given });
  const program = sealed.programs[0]!;
  const maps = sealed.maps[0]!;
  const description = describeProgram(loaded, sealed, 0);
  if (adoptProgram(extension, { program, description, maps })) return;
  addon().closeProgram(program);
  for (const map of maps.filter((each) => !own.includes(each))) {
    retainMap(map);
    releaseMap(map);
  }
  throw new TypeError(
    `${loaded.name} cannot replace ${extension.name}: its type, context or meter differ`,
  );
}

function loadable(code: NativeCode): LoadableCode {
  if (!NativeCode.is(code)) throw new TypeError('load() takes what compile() made, nothing else');
  if (code.target !== HOST_TARGET)
    throw new TypeError(`this machine runs ${HOST_TARGET} code, not ${code.target}`);
  const { program } = code;
  return withoutForeignMaps({
    code: code.code,
    entry: code.entry,
    relocations: code.relocations,
    name: program.name,
    type: program.type,
    contextSize: program.contextSize,
    returnBits: program.returnBits,
    worstCaseInstructions: program.worstCaseInstructions,
    maps: program.maps,
    btf: program.btf,
    keepsPacket: program.keepsPacket,
    readsObjects: program.readsObjects,
    metered: program.metered,
    programType: code.programType,
    onException: code.functions.find(({ instruction }) => instruction === program.exceptionCallback)
      ?.offset,
  });
}

/** The JIT's name for this processor. */
const HOST_TARGET: string =
  { x64: 'x64', arm64: 'arm64', riscv64: 'riscv64' }[process.arch as string] ?? process.arch;

/** For `load` and tests of the loader; no index re-exports it: anything at all could be loaded. */
export function loadCodes(codes: readonly LoadableCode[], options: LoadOptions): Extension[] {
  const sealed = sealPrograms(codes, options);
  const extensions = sealed.programs.map((program, i) => {
    const maps = sealed.maps[i]!;
    const description = describeProgram(codes[i]!, sealed, i);
    const extension = addon().createExtension(program);
    const hosted = hostedOf(codes[i]!.programType);
    const parts = { extension, program, description, maps, hosted, replace };
    return mintExtension(parts, options.environment);
  });
  fillObjectMaps(extensions);
  return extensions;
}

const describeProgram = (
  code: LoadableCode,
  sealed: SealedPrograms,
  index: number,
): ExtensionDescription =>
  Object.freeze({
    btf: code.btf,
    name: code.name,
    type: code.type,
    worstCaseInstructions: code.worstCaseInstructions,
    metered: code.metered ?? false,
    definition: definitionOf(code.programType),
    plan: sealed.plans[index]!,
    maps: sealed.maps[index]!.map((map) => map.spec),
    seal: describeSeal(sealed.programs[index]!, sealed.method, sealed.properties),
  });

const definitionOf = (type: ProgramType<unknown> | undefined): ExtensionDescription['definition'] =>
  type && { id: partsOf(type).row.id, hosted: partsOf(type).hosted.length > 0 };

interface SealedPrograms {
  readonly programs: readonly ProgramHandle[];
  readonly plans: readonly Plan[];
  readonly maps: readonly (readonly ExtensionMap[])[];
  readonly method: number;
  readonly properties: number;
}

function sealPrograms(codes: readonly LoadableCode[], options: LoadOptions): SealedPrograms {
  if (codes.length === 0) throw new RangeError('load() needs at least one program');
  for (const code of codes) refuseUnimplemented(code);
  const plans = codes.map(({ type, programType, contextSize, returnBits }) =>
    planContext({ type, programType, contextSize, returnBits, linkOffset: options.linkOffset }),
  );
  const made = new Map<string, ExtensionMap>();
  try {
    const maps = codes.map((code) => {
      const types = describeMaps(code.btf, code.name);
      return code.maps.map((spec) => mapFor(spec, types, made, options));
    });
    const raw = codes.map((code, i) => rawProgram(code, plans[i]!, maps[i]!));
    const { least, most } = sealRange(options.requireSeal, options.onlySeal);
    const permanent = (options.lifetime ?? 'permanent') === 'permanent';
    const sealed = addon().loadPrograms(raw, permanent, least, most);
    return { ...sealed, plans, maps };
  } catch (error) {
    for (const map of made.values()) {
      retainMap(map);
      releaseMap(map);
    }
    throw error;
  }
}

/** The caller's map, one made for another program of this call, or a new one. */
function mapFor(
  spec: MapSpec,
  types: (spec: MapSpec) => MapTypes,
  made: Map<string, ExtensionMap>,
  options: LoadOptions,
): ExtensionMap {
  const given = options.maps?.[spec.name] ?? made.get(spec.name);
  if (given === undefined) {
    const map = makeMap(spec, types);
    made.set(spec.name, map);
    return map;
  }
  if (!ExtensionMap.is(given)) throw new TypeError(`maps.${spec.name} is not a map`);
  const difference =
    differenceOf(spec, given.spec) ?? differenceInFields(types(spec), typesOfMap(given));
  if (difference !== undefined)
    throw new TypeError(
      `map ${spec.name} differs from the one that the proof assumed: ${difference}`,
    );
  return given;
}

/** What a proof assumes of a map. Contents too, when the verifier read them as constants. */
function differenceOf(assumed: MapSpec, given: MapSpec): string | undefined {
  for (const key of [
    'type',
    'keySize',
    'valueSize',
    'maxEntries',
    'flags',
    'mapExtra',
    'frozen',
  ] as const)
    if (assumed[key] !== given[key]) return `${key} is ${given[key]}, not ${assumed[key]}`;
  if (!assumed.frozen) return undefined;
  const same =
    Buffer.compare(assumed.initial ?? new Uint8Array(), given.initial ?? new Uint8Array()) === 0;
  return same ? undefined : 'its frozen content';
}

/**
 * An object's maps belong to all of its programs. One that this runtime cannot make is left out where
 * the program does not name it.
 */
function withoutForeignMaps(code: LoadableCode): LoadableCode {
  const plain = holdsPlainValues(code.btf, code.name);
  const named = new Set(
    code.relocations.flatMap((each) =>
      each.kind === 'map' || each.kind === 'map-value' ? [each.map] : [],
    ),
  );
  const kept = code.maps.flatMap((spec, i) =>
    named.has(i) || (IMPLEMENTED.has(spec.type) && plain(spec)) ? [i] : [],
  );
  if (kept.length === code.maps.length) return code;
  const numbers = new Map(kept.map((old, i) => [old, i]));
  const relocations = code.relocations.map((each) =>
    each.kind === 'map' || each.kind === 'map-value'
      ? { ...each, map: numbers.get(each.map)! }
      : each,
  );
  return { ...code, relocations, maps: kept.map((i) => code.maps[i]!) };
}

function refuseUnimplemented(code: LoadableCode): void {
  const native = addon();
  for (const relocation of code.relocations) {
    if (relocation.kind === 'kfunc' && !native.kfuncNames().includes(relocation.name))
      throw new UnsupportedError(refusalText(code.name, relocation.name));
    if (relocation.kind === 'runtime' && !RUNTIME.includes(relocation.symbol))
      throw new UnsupportedError(
        `${code.name} needs ${relocation.symbol}, which is not implemented in user space`,
      );
    if (relocation.kind === 'helper' && relocation.helper === CURRENT_TASK && code.readsObjects)
      throw new UnsupportedError(
        `${code.name} reads the current task, of which there is only a number in user space`,
      );
    if (relocation.kind !== 'helper') continue;
    const meant = implementationOf(relocation.helper, code.programType);
    if ('hosted' in meant || native.hasHelper(meant.native)) continue;
    const name = helper(meant.native)?.name ?? `helper ${meant.native}`;
    throw new UnsupportedError(refusalText(code.name, name));
  }
}

/** What performs a helper: the function of a definition, by its place there, or one of ringfence. */
function implementationOf(
  id: number,
  type: ProgramType<unknown> | undefined,
): { readonly hosted: number } | { readonly native: number } {
  if (type === undefined) return { native: id };
  const { hosted: helpers, aliases } = partsOf(type);
  const hosted = helpers.findIndex((helper) => helper.id === id);
  return hosted >= 0 ? { hosted } : { native: aliases.get(id) ?? id };
}

/** bpf_get_current_task_btf: what it returns stands for the task and is no memory (helpers_storage.c). */
const CURRENT_TASK = 158;

/** In the order of `runtime_names` in loader/native/api_program.c. */
const RUNTIME: readonly string[] = [
  'rf_tail_call',
  'rf_load_packet',
  'rf_zero',
  'rf_probe_load',
  'rf_show_frame',
  'rf_hide_frame',
  'rf_arena_load',
  'rf_arena_store',
  'rf_arena_atomic',
];
/** enum relocation_kind in loader/native/api_program.c. */
const HELPER = 0;
const MAP = 1;
const MAP_VALUE = 2;
const RUNTIME_ROUTINE = 3;
const KFUNC = 4;
const HOSTED = 5;
/** NOWHERE there. */
const NOWHERE = 0xffffffff;

function rawProgram(code: LoadableCode, plan: Plan, maps: readonly ExtensionMap[]): RawProgram {
  const rows = code.relocations.flatMap((relocation) =>
    relocationRow(relocation, code.programType),
  );
  return {
    code: code.code,
    entry: code.entry,
    relocations: Int32Array.from(rows),
    plan: Uint32Array.of(...plan.words, code.keepsPacket ? 1 : 0, code.metered ? 1 : 0),
    types: allocatedTypes(code),
    hosted: hostedWords(code.programType),
    onException: code.onException ?? NOWHERE,
    maps: maps.map((map) => handleOf(map)),
  };
}

function relocationRow(
  relocation: Relocation,
  programType: ProgramType<unknown> | undefined,
): readonly number[] {
  const { offset } = relocation;
  switch (relocation.kind) {
    case 'helper': {
      const meant = implementationOf(relocation.helper, programType);
      return 'hosted' in meant
        ? [HOSTED, offset, meant.hosted, 0]
        : [HELPER, offset, meant.native, 0];
    }
    case 'map':
      return [MAP, offset, relocation.map, 0];
    case 'map-value':
      return [MAP_VALUE, offset, relocation.map, relocation.valueOffset];
    case 'runtime':
      return [RUNTIME_ROUTINE, offset, RUNTIME.indexOf(relocation.symbol), 0];
    case 'kfunc':
      return [KFUNC, offset, addon().kfuncNames().indexOf(relocation.name), 0];
    default:
      return relocation satisfies never;
  }
}

/** Entries that name programs or maps of the same call. */
function fillObjectMaps(extensions: readonly Extension[]): void {
  const programs = new Map(extensions.map((extension) => [extension.name, extension]));
  const maps = new Map(
    extensions.flatMap((extension) => mapsOf(extension).map((map) => [map.name, map])),
  );
  for (const map of maps.values()) {
    for (const { key, value } of map.spec.entries ?? []) {
      if (typeof value !== 'string') continue;
      const target = programs.get(value);
      const object = map.type === 'prog_array' ? target && programOf(target) : maps.get(value);
      if (object === undefined)
        throw new RangeError(`map ${map.name}: nothing called ${value} is loaded with it`);
      map.setObject(key, object);
    }
  }
}

/** Puts an extension's program, or a map, under a key of a map of programs or maps. */
export function setTarget(
  map: ExtensionMap,
  key: Uint8Array,
  target: Extension | ExtensionMap | null,
): void {
  map.setObject(key, Extension.is(target) ? programOf(target) : target);
}
