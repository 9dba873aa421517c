/**
 * Where a run's time, randomness, processor number and process identity come from: from the system,
 * or fixed, so that the run can be repeated bit for bit.
 */

import type { Surroundings } from './surroundings.ts';

export interface Environment extends Surroundings {
  /** What the clocks say, in nanoseconds; each reading advances them by `step` (default 0). */
  readonly time?: { readonly nanoseconds: number | bigint; readonly step?: number | bigint };
  /** Seed of `bpf_get_prandom_u32`. */
  readonly random?: number | bigint;
  /** Slot of per-CPU maps and answer of `bpf_get_smp_processor_id`, 0 to 15. */
  readonly cpu?: number;
  /** The current task: `pid` is the thread's number, `tgid` the process's. */
  readonly process?: {
    readonly pid: number;
    readonly tgid: number;
    readonly uid: number;
    readonly gid: number;
    /** At most 15 bytes. */
    readonly comm: string;
  };
}

/** Slots of per-CPU maps; RF_CPUS of loader/native/run.h. */
export const CPU_SLOTS = 16;

/** Words of `struct rf_environment` in loader/native/run.h. */
export const ENVIRONMENT_WORDS = 16;

const FIXED_TIME = 1;
const FIXED_RANDOM = 2;
const FIXED_CPU = 4;
const FIXED_PROCESS = 8;

/** Whether an environment with these flags, its first word, has a clock of its own. */
export const hasFixedTime = (flags: number): boolean => (flags & FIXED_TIME) !== 0;

/** The environment as `struct rf_environment`. Throws RangeError on a processor that is not there. */
export function encodeEnvironment(environment: Environment): Uint32Array {
  const bytes = new ArrayBuffer(ENVIRONMENT_WORDS * 4);
  const view = new DataView(bytes);
  const u64 = (offset: number, value: number | bigint) =>
    view.setBigUint64(offset, BigInt.asUintN(64, BigInt(value)), true);
  const { time, random, cpu, process } = environment;
  let flags = 0;
  if (time !== undefined) {
    flags |= FIXED_TIME;
    u64(8, time.nanoseconds);
    u64(16, time.step ?? 0);
  }
  if (random !== undefined) {
    flags |= FIXED_RANDOM;
    u64(24, random);
  }
  if (cpu !== undefined) {
    if (!Number.isInteger(cpu) || cpu < 0 || cpu >= CPU_SLOTS)
      throw new RangeError(`processor ${cpu} is not one of 0 to ${CPU_SLOTS - 1}`);
    flags |= FIXED_CPU;
    view.setUint32(4, cpu, true);
  }
  if (process !== undefined) {
    flags |= FIXED_PROCESS;
    u64(32, (BigInt(process.tgid) << 32n) | BigInt(process.pid >>> 0));
    u64(40, (BigInt(process.gid) << 32n) | BigInt(process.uid >>> 0));
    new TextEncoder().encodeInto(process.comm, new Uint8Array(bytes, 48, 15));
  }
  view.setUint32(0, flags, true);
  return new Uint32Array(bytes);
}
