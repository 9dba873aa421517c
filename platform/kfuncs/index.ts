/** All kernel functions that have semantics here. */

import type { KfuncRow } from '../types.ts';
import { CORE_KFUNCS } from './core.ts';
import { OBJECT_KFUNCS } from './objects.ts';

export const KFUNCS: readonly KfuncRow[] = [...CORE_KFUNCS, ...OBJECT_KFUNCS];
