/** Helpers that tell of the surroundings: time, random numbers, the processor, the process. */

import { EINVAL } from '../maps.ts';
import type { HelperFunction } from './call.ts';

const time: HelperFunction = (call) => call.run.now();

export const ENVIRONMENT: Readonly<Record<number, HelperFunction>> = {
  5: time,
  125: time,
  160: time,
  208: time,
  118: (call) => 4294967296n - 75_000n + call.run.now() / 4_000_000n,
  7: (call) => call.run.random(),
  8: (call) => BigInt(call.run.cpu),
  42: () => 0n,
  14: (call) => call.run.process.pidTgid,
  15: (call) => call.run.process.uidGid,
  16: (call) => {
    const out = call.bytes(1, call.u32(2), 'read-write');
    out.fill(0);
    if (out.length === 0) return EINVAL;
    out.set(
      new TextEncoder().encode(call.run.process.comm).subarray(0, Math.min(15, out.length - 1)),
    );
    return 0n;
  },
};
