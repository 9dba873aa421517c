/** Error numbers that maps and seals report, by name; asm-generic/errno-base.h and errno.h. */

import { constants } from 'node:os';

const NAMES = new Map(Object.entries(constants.errno).map(([name, value]) => [value, name]));
// The kernel's own, include/linux/errno.h.
NAMES.set(524, 'ENOTSUPP');

/** `E2BIG` for -7. */
export function errnoName(negated: number): string {
  return NAMES.get(-negated) ?? `error ${-negated}`;
}
