/** Kernel functions on the pages of an arena. */

import type { Call, HelperFunction } from '../helpers/call.ts';
import { EINVAL } from '../maps.ts';

function arenaOf(call: Call) {
  const { arena } = call.map(1);
  if (arena === undefined) throw call.machine.fault('call', 'not an arena');
  return arena;
}

const EBUSY = -16n;

export const ARENAS: Readonly<Record<string, HelperFunction>> = {
  bpf_arena_alloc_pages: (call) => {
    const node = call.s32(4);
    if (call.u64(5) !== 0n || (node !== -1 && node !== 0)) return 0n;
    return arenaOf(call).allocate(call.u64(2), call.u32(3));
  },
  bpf_arena_free_pages: (call) => {
    arenaOf(call).free(call.u64(2), call.u32(3));
    return 0n;
  },
  bpf_arena_reserve_pages: (call) => {
    const result = arenaOf(call).reserve(call.u64(2), call.u32(3));
    return BigInt.asUintN(32, result === 0 ? 0n : result === -1 ? EINVAL : EBUSY);
  },
};
