/**
 * The function that runs when an exception ends the program: bpf_throw unwinds the stack, calls it
 * with its argument, and takes its result for the program's. The program names it by a declaration
 * tag; no instruction refers to it, so nothing else finds it.
 *
 * Rules: as Linux 6.18 answers, checked by test/verifier/calls. The function is verified on its own
 * for any number, as a global function is, and must end as the program itself must: that covers
 * every exception, whatever the program held in its registers when it threw.
 */

import type { Btf } from '../../btf/index.ts';
import { type Instruction, type Program, TABLE } from '../../isa/index.ts';
import { target } from '../cfg.ts';
import type { Failure } from '../diagnose/failure.ts';
import type { Beginning, Walk } from '../explore/walk.ts';
import * as L from '../state/layout.ts';
import type { Prototype } from './prototype.ts';

const TAG = 'exception_callback:';

const fail = (reason: string, linux: string): Failure => ({
  code: 'exception-callback',
  pc: 0,
  values: { reason, linux },
});

/** Its entry slot, why there is none though one is named, or undefined: none is named. */
export function exceptionCallback(
  program: Program,
  btf: Btf | undefined,
): number | Failure | undefined {
  const main = program.functions.find(({ instruction }) => instruction === 0)?.typeId ?? 0;
  if (btf?.has(main) !== true) return undefined;
  const tags = btf.declarationTags(main).filter(({ name }) => name.startsWith(TAG));
  const [first, second] = tags;
  if (first === undefined) return undefined;
  if (second !== undefined) {
    const linux = 'multiple exception callback tags for main subprog';
    return fail('the program names several', linux);
  }
  const name = first.name.slice(TAG.length);
  const id = btf.find(name, 'func');
  const func = id === undefined ? undefined : btf.typeOf(id, 'func');
  if (func === undefined) {
    const linux = `exception callback '${name}' could not be found in BTF`;
    return fail(`there is no function '${name}'`, linux);
  }
  if (func.linkage !== 'global') {
    const linux = `exception callback '${name}' must have global linkage`;
    return fail(`'${name}' is not a global function`, linux);
  }
  const entry = program.functions.find(({ typeId }) => typeId === func.id)?.instruction;
  if (entry !== undefined && entry !== 0) return entry;
  const linux = 'exception callback type id not found in func_info';
  return fail(`'${name}' is no function of this program`, linux);
}

/** It takes one number, returns one, and only exceptions call it. */
export function checkExceptionCallback(
  entry: number,
  prototype: Prototype | undefined,
  instructions: readonly Instruction[],
): Failure | undefined {
  if (prototype?.refusal !== undefined) {
    return { ...fail(prototype.refusal.reason, prototype.refusal.linux), pc: entry };
  }
  const [argument, ...more] = prototype?.arguments ?? [];
  if (argument?.kind !== 'number' || more.length > 0) {
    const linux = 'exception cb only supports single integer argument';
    return { ...fail('it does not take one number', linux), pc: entry };
  }
  const pc = instructions.findIndex((insn, at) => {
    const row = TABLE[insn.op]!;
    const isCall = row.kind === 'call' && row.operation === 'subprogram';
    return isCall && target(at, insn, row) === entry;
  });
  if (pc < 0) return undefined;
  return { ...fail('it is called directly', `insn ${pc} cannot call exception cb directly`), pc };
}

/** The state in which it starts: any number, nothing held. */
export const exceptionBeginning = (entry: number): Beginning => ({
  entry,
  set: ({ state, subject }: Walk) => {
    state.words[state.frameRow(0) + L.FRAME_CALLBACK] = L.ENTERED_BY_EXCEPTION;
    if (subject.program.flags.includes('sleepable')) state.words[L.SLEEPABLE] = 1;
    state.setUnknown(state.register(1));
  },
});
