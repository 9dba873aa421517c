/** Register allocation: from virtual registers to physical ones, spill slots and moves. */

import { buildIntervals } from './intervals.ts';
import { layOut } from './layout.ts';
import { scan } from './linear-scan.ts';
import { findLiveIn } from './liveness.ts';
import { resolve } from './resolve.ts';
import type { Allocation, Backend, MachFunction } from './types.ts';

export function allocate(source: MachFunction, backend: Backend): Allocation {
  const layout = layOut(source, backend);
  const liveIn = findLiveIn(layout);
  const intervals = buildIntervals(layout, liveIn, backend);
  scan(layout, intervals, backend);
  return resolve(layout, liveIn, intervals);
}
