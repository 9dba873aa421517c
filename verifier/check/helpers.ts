/** May this program call this helper at all? */

import type { Program } from '../../isa/index.ts';
import {
  attachTypeOf,
  type HelperRow,
  has,
  helperByName,
  helperFor,
  mayCall,
  type Profile,
} from '../../platform/index.ts';
import type { Failure } from '../diagnose/failure.ts';
import type { Privilege } from '../subject.ts';

/** Licences that Linux takes for GPL-compatible (include/linux/license.h). */
export const GPL_COMPATIBLE: ReadonlySet<string> = new Set([
  'GPL',
  'GPL v2',
  'GPL and additional rights',
  'Dual BSD/GPL',
  'Dual MIT/GPL',
  'Dual MPL/GPL',
]);

/** The helper that the number means on this host, with its contract for programs of the type. */
export function helperNumbered(profile: Profile, id: number, type: string): HelperRow | undefined {
  if (profile.helpers) return profile.helpers.get(id);
  const name = profile.helperIds?.get(id);
  const linuxId = profile.helperIds === undefined ? id : helperByName(name ?? '')?.id;
  return linuxId === undefined ? undefined : helperFor(linuxId, type);
}

export function checkHelper(
  program: Program,
  helper: HelperRow | undefined,
  id: number,
  pc: number,
  profile: Profile,
  privilege: Privilege,
): Failure | null {
  if (helper === undefined) return { code: 'helper-unknown', pc, values: { helper: id } };
  const values = { name: helper.name, helper: id, type: program.type };
  if (!has(profile, helper.since)) {
    const more = { since: helper.since, profile: profile.name };
    return { code: 'helper-too-new', pc, values: { ...values, ...more } };
  }
  if (!mayCall(helper, program.type, attachTypeOf(program))) {
    return { code: 'helper-not-allowed', pc, values };
  }
  if (helper.gpl && profile.family === 'linux' && !GPL_COMPATIBLE.has(program.license)) {
    return { code: 'helper-gpl', pc, values: { ...values, license: program.license } };
  }
  if (helper.privileged && privilege !== 'full') return { code: 'helper-privilege', pc, values };
  if (helper.unsupported !== undefined) {
    return { code: 'helper-unsupported', pc, values: { ...values, reason: helper.unsupported } };
  }
  return null;
}
