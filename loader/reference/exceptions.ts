/**
 * bpf_throw: all frames of the program are left. The function that its declaration tag
 * `exception_callback:NAME` names then runs with what was thrown, and has the result.
 */

import { parseBtf } from '../../btf/index.ts';
import type { Program } from '../../isa/index.ts';
import type { HelperFunction } from './helpers/call.ts';
import { ownerOf } from './owners.ts';

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

export const EXCEPTIONS: Readonly<Record<string, HelperFunction>> = {
  bpf_throw: (call) => {
    const program = ownerOf(call.machine.executable.instructions)?.program;
    call.machine.unwind(call.u64(1), program && catcherOf(program));
    return 0n;
  },
};
