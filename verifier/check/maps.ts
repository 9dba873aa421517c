/** Which map each `ld_imm64` names. */

import { type Instruction, type Program, TABLE } from '../../isa/index.ts';
import { mapType, mapTypeIn, type Profile } from '../../platform/index.ts';
import type { Failure } from '../diagnose/failure.ts';
import type { Privilege, ResolvedMap } from '../subject.ts';

const MAP_PSEUDOS: ReadonlySet<string> = new Set([
  'map',
  'map_value',
  'map_index',
  'map_index_value',
]);

export function resolveMaps(
  program: Program,
  instructions: readonly Instruction[],
  failures: Failure[],
): Map<number, ResolvedMap> {
  const references = new Map(program.mapReferences.map((each) => [each.instruction, each]));
  const resolved = new Map<number, ResolvedMap>();
  instructions.forEach((insn, pc) => {
    const row = TABLE[insn.op]!;
    if (row.kind !== 'constant' || !MAP_PSEUDOS.has(row.operation)) return;
    const reference = references.get(pc);
    const map = reference === undefined ? undefined : program.maps[reference.map];
    if (reference === undefined || map === undefined) {
      failures.push({ code: 'map-reference-missing', pc, values: { imm: insn.imm } });
      return;
    }
    const valueOffset = row.operation.endsWith('value') ? (reference.valueOffset ?? 0) : undefined;
    const failure = checkDirect(program, reference.map, pc, valueOffset);
    if (failure !== null) failures.push(failure);
    else resolved.set(pc, { map: reference.map, valueOffset });
  });
  return resolved;
}

/** An address within the value at key 0: only array maps have one, and only inside the value. */
function checkDirect(
  program: Program,
  index: number,
  pc: number,
  offset: number | undefined,
): Failure | null {
  if (offset === undefined) return null;
  const map = program.maps[index]!;
  const values = { map: map.name, type: map.type, offset, size: map.valueSize };
  const hasAddress =
    map.type === 'arena' || (mapType(map.type)?.directValue && map.maxEntries === 1);
  if (!hasAddress) return { code: 'map-no-direct-value', pc, values };
  const inside = offset >= 0 && offset < map.valueSize;
  return inside || map.type === 'arena' ? null : { code: 'map-value-offset', pc, values };
}

/** The arenas that the program names. */
export const arenas = (
  { maps }: Program,
  mapAt: ReadonlyMap<number, ResolvedMap>,
): ReadonlySet<number> =>
  new Set([...mapAt.values()].map(({ map }) => map).filter((map) => maps[map]!.type === 'arena'));

/** A pointer into an arena does not say which one: there is one, for those who may leak pointers. */
export function checkArenas(
  program: Program,
  mapAt: ReadonlyMap<number, ResolvedMap>,
  privilege: Privilege,
): Failure | undefined {
  const found = arenas(program, mapAt);
  if (found.size === 0) return undefined;
  const pc = [...mapAt].find(([, { map }]) => found.has(map))?.[0] ?? 0;
  if (privilege !== 'full') return { code: 'arena-privilege', pc, values: {} };
  return found.size > 1 ? { code: 'arena-several', pc, values: {} } : undefined;
}

/** Maps that the program names, as far as their types go: this host has them, and they suit it. */
export function checkMapTypes(
  program: Program,
  profile: Profile,
  mapAt: ReadonlyMap<number, ResolvedMap>,
): Failure | undefined {
  const sleeps = profile.family === 'linux' && program.flags.includes('sleepable');
  for (const [pc, { map }] of mapAt) {
    const { name, type } = program.maps[map]!;
    const row = mapTypeIn(profile, type);
    const values = { map: name, type, profile: profile.name };
    if (row === undefined) return { code: 'map-type-missing', pc, values };
    if (sleeps && !row.sleepable) return { code: 'map-not-sleepable', pc, values };
  }
  return undefined;
}
