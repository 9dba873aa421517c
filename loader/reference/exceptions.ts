/**
 * bpf_throw: all frames of the program are left, then the function that its declaration tag
 * `exception_callback:NAME` names runs with what was thrown, and has the result.
 */

import { parseBtf } from '../../btf/index.ts';
import type { Program } from '../../isa/index.ts';
import type { HelperFunction } from './helpers/call.ts';

const TAG = 'exception_callback:';

/** Entry slot of the function that catches the program's exceptions. */
export function catcherOf({ btf: raw, functions, name }: Program): number | undefined {
  const main = functions.find(({ instruction }) => instruction === 0)?.typeId;
  if (raw === undefined || main === undefined) return undefined;
  const btf = parseBtf(raw, name);
  const tag = btf.has(main)
    ? btf.declarationTags(main).find((each) => each.name.startsWith(TAG))
    : undefined;
  const id = tag && btf.find(tag.name.slice(TAG.length), 'func');
  return functions.find(({ typeId }) => typeId === id && id !== undefined)?.instruction;
}

/** The run remembers who threw, for the frames are gone when the catcher runs. */
export const EXCEPTIONS: Readonly<Record<string, HelperFunction>> = {
  bpf_throw: (call) => {
    call.run.thrower = call.machine.executable;
    return call.machine.unwind(call.u64(1));
  },
};
