/** What the running kernel says of a program, and what it does with it. */

import {
  type KernelProgram,
  kernelRefusal,
  kernelRelease,
  loadIntoKernel,
} from '../../hosts/kernel/index.ts';
import type { Program } from '../../isa/index.ts';
import type { FuzzInput } from './inputs.ts';
import { mapText, type RunResult } from './outcome.ts';

/** The release whose verdicts the default profile predicts. */
const RELEASE = '6.18';

/** Why the kernel cannot be asked, or undefined. */
export function kernelAbsence(): string | undefined {
  const refusal = kernelRefusal();
  if (refusal !== undefined) return refusal;
  return kernelRelease().startsWith(RELEASE) ? undefined : `the kernel is not ${RELEASE}`;
}

export interface KernelAnswer {
  readonly accepted: boolean;
  /** The last words of the verifier's log. */
  readonly reason: string;
  /** Present where accepted; to be closed. */
  readonly program: KernelProgram | undefined;
}

export function askKernel(program: Program): KernelAnswer {
  const verdict = loadIntoKernel(program);
  if (verdict.accepted) return { accepted: true, reason: '', program: verdict.program };
  return { accepted: false, reason: reasonOf(program, verdict.errno), program: undefined };
}

const QUIET = /^(processed|verification time|stack depth|mark_precise|\d+: \(|from \d+|$)/;

function reasonOf(program: Program, errno: number): string {
  const again = loadIntoKernel(program, { logLevel: 1 });
  if (again.accepted) {
    again.program.close();
    return 'accepted at the second attempt';
  }
  const lines = again.log.split('\n').filter((line) => !QUIET.test(line));
  return `${lines.at(-1) ?? 'no reason'} (errno ${errno})`;
}

/** Runs the program in the kernel; undefined where its type cannot be run so. */
export function runInKernel(
  loaded: KernelProgram,
  program: Program,
  inputs: readonly FuzzInput[],
): RunResult[] | undefined {
  const input = loaded.map('input');
  const key = new Uint8Array(4);
  try {
    return inputs.map((each) => {
      input?.update(key, each.input);
      const { r0, packet } = loaded.testRun({ packet: each.packet });
      return { r0: BigInt(r0), memory: packet, maps: mapsOf(loaded, program) };
    });
  } catch (error) {
    if (error instanceof Error && error.name === 'KernelError') return undefined;
    throw error;
  }
}

const mapsOf = (loaded: KernelProgram, program: Program): string =>
  mapText(
    program.maps.map(({ name }) => ({
      name,
      entries: (loaded.map(name)?.entries() ?? []).map(({ key, value }) => [key, value]),
    })),
  );
