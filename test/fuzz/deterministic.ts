/**
 * Which programs compute the same wherever they run? Not those whose results depend on addresses, as
 * they may turn pointers into numbers, or on rubbish, as they may read what they did not write. The
 * verifier tells: where neither is allowed, and everything else is as on Linux, it must still accept.
 */
import type { Program } from '../../isa/index.ts';
import { PROFILES, type Profile } from '../../platform/index.ts';
import { verify } from '../../verifier/index.ts';

const STRICT = 'strict-for-comparison';

/**
 * A profile of the tests' own, put among the others. Only the Linux family lets programs see addresses
 * and unwritten bytes; this one is of another that offers all program types.
 */
function addStrictProfile(): void {
  const linux = PROFILES.get('linux-6.18')!;
  const strict: Profile = { ...linux, name: STRICT, family: 'windows' };
  (PROFILES as Map<string, Profile>).set(STRICT, strict);
}
addStrictProfile();

export const isDeterministic = (program: Program): boolean =>
  verify(program, { profile: STRICT, privilege: 'none' }).ok;
