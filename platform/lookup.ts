/** Rows by name or number. Every look-up of something unknown answers undefined. */

import type { Program } from '../isa/index.ts';
import { LAYOUTS } from './contexts/index.ts';
import { HELPERS } from './helpers/index.ts';
import { KFUNCS } from './kfuncs/index.ts';
import { MAP_TYPES } from './map-types.ts';
import { compareVersions, PROFILES } from './profiles.ts';
import { PROGRAM_TYPES } from './program-types.ts';
import type {
  ContextLayout,
  HelperRow,
  KernelVersion,
  KfuncRow,
  MapTypeRow,
  Profile,
  ProgramTypeRow,
  ReturnRule,
} from './types.ts';
import { WINDOWS_LAYOUTS } from './windows.ts';

/** Indexes rows by a key that must be unique. */
function by<Key, Row>(rows: readonly Row[], key: (row: Row) => Key): ReadonlyMap<Key, Row> {
  const index = new Map<Key, Row>();
  for (const row of rows) {
    if (index.has(key(row))) throw new RangeError(`two rows are called ${key(row)}`);
    index.set(key(row), row);
  }
  return index;
}

const programTypes = by(PROGRAM_TYPES, (row) => row.name);
const layouts = by([...LAYOUTS, ...WINDOWS_LAYOUTS], (row) => row.name);
const helpersById = by(HELPERS, (row) => row.id);
const helpersByName = by(HELPERS, (row) => row.name);
const kfuncs = by(KFUNCS, (row) => row.name);
const mapTypes = by(MAP_TYPES, (row) => row.name);

export const programType = (name: string): ProgramTypeRow | undefined => programTypes.get(name);

/** The attach type that a program is loaded with: its own, or its type's default. */
export const attachTypeOf = ({ type, attachType }: Pick<Program, 'type' | 'attachType'>) =>
  attachType ?? programTypes.get(type)?.defaultAttachType;

/** Allowed results of a program: by its hook, its attach type or its type, whose row may be given. */
export function returnRule(
  program: Pick<Program, 'type' | 'attachType' | 'attachTarget'>,
  row = programTypes.get(program.type),
): ReturnRule {
  if (row === undefined) return 'any';
  const byTarget = row.returnsByTarget?.[program.attachTarget ?? ''];
  return byTarget ?? row.returnsByAttach?.[attachTypeOf(program) ?? ''] ?? row.returns;
}

/** `name` is the `context` of a program type, or a structure that helpers return. */
export const contextLayout = (name: string): ContextLayout | undefined => layouts.get(name);

/** What r1 points to in programs of the type. */
export const layoutOf = ({ layout, context }: ProgramTypeRow): ContextLayout | undefined =>
  layout ?? (context === null ? undefined : contextLayout(context));

export const helper = (id: number): HelperRow | undefined => helpersById.get(id);

/** The helper's contract for programs of this type: its row, with the variant that applies. */
export function helperFor(id: number, type: string): HelperRow | undefined {
  const row = helpersById.get(id);
  const variant = row?.variants?.find(({ programTypes }) => programTypes.includes(type));
  if (row === undefined || variant === undefined) return row;
  const { programTypes: _, ...different } = variant;
  return { ...row, ...different };
}

/** With its prefix: `bpf_map_lookup_elem`. */
export const helperByName = (name: string): HelperRow | undefined => helpersByName.get(name);

/** A kernel function that has semantics here; programs that call another are `unsupported`. */
export const kfunc = (name: string): KfuncRow | undefined => kfuncs.get(name);

export const mapType = (name: string): MapTypeRow | undefined => mapTypes.get(name);

export const profile = (name: string): Profile | undefined => PROFILES.get(name);

/** Whether the profile's host has something that appeared in Linux `since`. */
export function has(host: Profile, since: KernelVersion): boolean {
  return host.version === null || compareVersions(since, host.version) <= 0;
}

type Audience = Pick<HelperRow, 'programTypes' | 'attachTypes'>;

function admits(row: Audience, type: string, attachType: string | undefined): boolean {
  if (row.programTypes !== 'all' && !row.programTypes.includes(type)) return false;
  const attachTypes = row.attachTypes?.[type];
  return attachTypes === undefined || attachTypes.includes(attachType ?? '');
}

/** Whether programs of this type may pass packet pointers as the helper's memory arguments. */
export const takesPacket = (row: HelperRow, type: ProgramTypeRow): boolean =>
  type.packetArguments ?? row.packetAccess ?? false;

/** Whether programs of this type (and attach type) may call the helper. */
export function mayCall(row: HelperRow, type: string, attachType?: string): boolean {
  return !(row.kernelOnly && type === 'memory') && admits(row, type, attachType);
}

/** Whether the program may call the kernel function; no host but Linux has any. */
export function mayCallKfunc(
  row: KfuncRow,
  { type, attachType, flags }: Pick<Program, 'type' | 'attachType' | 'flags'>,
): boolean {
  if (type === 'memory') return false;
  if (row.ofDevice && !flags.includes('xdp-dev-bound-only')) return false;
  return (row.orSleepable && flags.includes('sleepable')) || admits(row, type, attachType);
}

/** Helpers that some map type names: a map of another type is refused by them. */
const particular = new Set(
  MAP_TYPES.flatMap((row) => row.helpers).filter((name) => helpersByName.has(name)),
);

/**
 * Whether the helper accepts such a map as its map argument, for programs of type `program`. Left
 * out, the program's type is taken to be one that has no special rights.
 */
export function acceptsMap(
  row: HelperRow,
  type: MapTypeRow,
  program = '',
  attachType?: string,
): boolean {
  const only = type.only?.[row.name];
  if (only !== undefined && !only.includes(program) && !only.includes(`${program}/${attachType}`)) {
    return false;
  }
  return type.helpers.includes(row.name) || (type.directValue && !particular.has(row.name));
}
