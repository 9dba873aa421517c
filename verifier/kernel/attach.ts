/** May a program be attached to this function of the kernel? As far as its types and names tell. */

import type { Btf, BtfPrototype } from '../../btf/index.ts';
import type { Program } from '../../isa/index.ts';
import {
  DISABLED_LSM_HOOKS,
  isModifiable,
  maySleep,
  NEVER_RETURNING,
  SLEEPABLE_LSM_HOOKS,
  UNTRACEABLE,
} from '../../platform/index.ts';

const MOST_ARGUMENTS = 12;
/** A structure passed by value takes two registers at most. */
const MOST_ARGUMENT_BYTES = 16;

/** Why not, or undefined. */
export function attachProblem(
  program: Program,
  btf: Btf,
  target: string,
  prototype: BtfPrototype,
): string | undefined {
  const sleeps = program.flags.includes('sleepable');
  switch (program.attachType) {
    case 'trace_raw_tp':
    case 'trace_iter':
      return undefined;
    case 'lsm_mac':
    case 'lsm_cgroup':
      if (DISABLED_LSM_HOOKS.has(target)) return `the hook ${target} is closed to programs`;
      if (sleeps && !SLEEPABLE_LSM_HOOKS.has(target)) return `the hook ${target} may not sleep`;
      return prototypeProblem(btf, target, prototype);
    default:
      return functionProblem(program, target, sleeps) ?? prototypeProblem(btf, target, prototype);
  }
}

function functionProblem(program: Program, target: string, sleeps: boolean): string | undefined {
  if (UNTRACEABLE.has(target)) return `${target} is a part of tracing itself`;
  const isEntry = program.attachType === 'trace_fentry';
  if (!isEntry && NEVER_RETURNING.has(target)) return `${target} never returns`;
  if (program.attachType === 'modify_return' && !isModifiable(target)) {
    return `the result of ${target} may not be replaced`;
  }
  return sleeps && !maySleep(target) ? `${target} is not known to be sleepable` : undefined;
}

/** What a trampoline cannot pass on. */
function prototypeProblem(
  btf: Btf,
  target: string,
  { parameters, returnTypeId }: BtfPrototype,
): string | undefined {
  if (parameters.length > MOST_ARGUMENTS) {
    return `${target} has ${parameters.length} arguments; ${MOST_ARGUMENTS} can be passed on`;
  }
  const result = btf.resolved(returnTypeId);
  if (result.kind === 'struct' || result.kind === 'union') {
    return `${target} returns a structure by value`;
  }
  for (const { name, typeId } of parameters) {
    if (typeId === 0) return `${target} takes a variable number of arguments`;
    const size = btf.sizeOf(typeId);
    if (size === undefined || size > MOST_ARGUMENT_BYTES) {
      return `argument '${name}' of ${target} cannot be passed on`;
    }
  }
  return undefined;
}
