/** Which kernel function each `call kernel_function` names, and whether this program may call it. */

import { type Instruction, type Program, TABLE } from '../../isa/index.ts';
import { has, type KfuncRow, kfunc, mayCallKfunc, type Profile } from '../../platform/index.ts';
import type { Failure } from '../diagnose/failure.ts';
import { GPL_COMPATIBLE } from './helpers.ts';

export function resolveKfuncs(
  program: Program,
  instructions: readonly Instruction[],
  profile: Profile,
  failures: Failure[],
  refused: Map<number, Failure>,
): ReadonlyMap<number, KfuncRow> {
  const names = new Map(program.kfuncCalls.map(({ instruction, name }) => [instruction, name]));
  const resolved = new Map<number, KfuncRow>();
  instructions.forEach((insn, pc) => {
    const row = TABLE[insn.op]!;
    if (row.kind !== 'call' || row.operation !== 'kfunc') return;
    const name = names.get(pc);
    const found = name === undefined ? undefined : kfunc(name);
    const failure = checkKfunc(program, found, name ?? `#${insn.imm}`, pc, profile);
    if (failure?.code === 'kfunc-gpl') failures.push(failure);
    else if (failure !== null) refused.set(pc, failure);
    else if (found !== undefined) resolved.set(pc, found);
  });
  return resolved;
}

function checkKfunc(
  program: Program,
  found: KfuncRow | undefined,
  name: string,
  pc: number,
  profile: Profile,
): Failure | null {
  const values = { name, type: program.type, since: found?.since ?? '', profile: profile.name };
  if (profile.family !== 'linux') return { code: 'kfunc-not-allowed', pc, values };
  if (found === undefined || found.unsupported !== undefined) {
    return { code: 'kfunc-unsupported', pc, values };
  }
  if (!has(profile, found.since)) return { code: 'kfunc-too-new', pc, values };
  // Every kernel function is for programs under a compatible licence only.
  if (!GPL_COMPATIBLE.has(program.license)) {
    return { code: 'kfunc-gpl', pc, values: { ...values, license: program.license } };
  }
  if (!mayCallKfunc(found, program)) return { code: 'kfunc-not-allowed', pc, values };
  return null;
}
