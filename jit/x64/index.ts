/** The x64 target. */

import type { Target } from '../mach/types.ts';
import { X64_BACKEND } from './backend.ts';
import { type SelectSource, select } from './select.ts';

export const X64: Target<SelectSource> = Object.freeze({ ...X64_BACKEND, select });
