/**
 * Helpers open to almost every program type: time, randomness, processor, tracing output.
 * Contracts: bpf-helpers(7) and the running kernel's answers (6.18).
 */

import type { HelperRow } from '../types.ts';
import { ANYTHING, MEMORY, row, SCALAR, SIZE } from './contract.ts';

export const GENERAL_HELPERS: readonly HelperRow[] = [
  row(5, 'ktime_get_ns', '4.1', [], SCALAR),
  row(6, 'trace_printk', '4.1', [MEMORY, SIZE, ANYTHING, ANYTHING, ANYTHING], SCALAR, {
    gpl: true,
    privileged: true,
  }),
  row(7, 'get_prandom_u32', '4.1', [], SCALAR),
  row(8, 'get_smp_processor_id', '4.1', [], SCALAR),
];
