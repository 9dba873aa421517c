/** What sealing obtained, in words, and the totals that the cap counts. */

import { addon, type ProgramHandle } from './addon.ts';

/** Best first; the numbers of enum rf_seal_method in loader/native/arena.h. */
const METHODS = { memfd: 1, 'memfd-future-write': 2, mprotect: 3 } as const;
export type SealMethod = keyof typeof METHODS;

/** The numbers of enum rf_seal_property. */
const SEALED_WRITE = 1;
const SEALED_EXEC = 2;
const SEALED_MAPPING = 4;
const SEALED_UNWRITABLE = 8;

export interface SealReport {
  readonly method: SealMethod;
  /** The memory file refuses writing, growing, shrinking and further seals. */
  readonly writeSealed: boolean;
  /** Its execute permission is sealed too (Linux 6.3). */
  readonly execSealed: boolean;
  /** The mapping and its guard pages can be neither unmapped, moved nor changed (Linux 6.10). */
  readonly mappingSealed: boolean;
  /** An attempt to make the code writable was refused. */
  readonly unwritable: boolean;
  /** Its line of /proc/self/maps. */
  readonly mapsLine: string;
}

/** Which methods may be tried. */
export interface SealRange {
  readonly least: number;
  readonly most: number;
}

/** `required` excludes everything that is worse. */
export function sealRange(
  required: SealMethod | undefined,
  only: SealMethod | undefined,
): SealRange {
  if (only !== undefined) return { least: METHODS[only], most: METHODS[only] };
  return { least: METHODS.memfd, most: METHODS[required ?? 'mprotect'] };
}

export function describeSeal(
  program: ProgramHandle,
  method: number,
  properties: number,
): SealReport {
  const has = (bit: number) => (properties & bit) !== 0;
  const names = Object.keys(METHODS) as SealMethod[];
  return Object.freeze({
    method: names.find((name) => METHODS[name] === method) ?? 'mprotect',
    writeSealed: has(SEALED_WRITE),
    execSealed: has(SEALED_EXEC),
    mappingSealed: has(SEALED_MAPPING),
    unwritable: has(SEALED_UNWRITABLE),
    mapsLine: addon().sealLine(program),
  });
}

export interface ArenaTotals {
  readonly arenas: number;
  readonly bytes: number;
  /** Of these arenas, the ones that stay until the process ends. */
  readonly permanent: number;
  readonly maxArenas: number;
  readonly maxBytes: number;
}

/** Sealed code of the whole process, against its caps. */
export function arenaTotals(): ArenaTotals {
  const [arenas, bytes, permanent, maxArenas, maxBytes] = addon().arenaTotals();
  return { arenas, bytes, permanent, maxArenas, maxBytes };
}
