/** Kernel functions of the reference engine, by name; by family in `kfuncs/`. */

import { EXCEPTIONS } from './exceptions.ts';
import type { HelperFunction } from './helpers/call.ts';
import { DEFERRED_KFUNCS } from './helpers/deferred.ts';
import { ARENAS } from './kfuncs/arenas.ts';
import { CPU_MASKS } from './kfuncs/cpumasks.ts';
import { DYNPTRS } from './kfuncs/dynptrs.ts';
import { ITERATORS } from './kfuncs/iterators.ts';
import { OBJECTS } from './kfuncs/objects.ts';
import { PROBE_KFUNCS } from './kfuncs/probes.ts';
import { REGIONS } from './kfuncs/regions.ts';
import { STRINGS } from './kfuncs/strings.ts';

export const KFUNCS: ReadonlyMap<string, HelperFunction> = new Map(
  Object.entries({
    ...REGIONS,
    ...ITERATORS,
    ...DYNPTRS,
    ...STRINGS,
    ...OBJECTS,
    ...PROBE_KFUNCS,
    ...CPU_MASKS,
    ...EXCEPTIONS,
    ...DEFERRED_KFUNCS,
    ...ARENAS,
  }),
);
