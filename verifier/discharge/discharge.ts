/** Does an obligation hold in the current state? Null, or what is missing. */

import type { Failure } from '../diagnose/failure.ts';
import type { Walk } from '../explore/walk.ts';
import type { Obligation } from '../obligations/obligation.ts';
import * as L from '../state/layout.ts';
import { checkAccess, checkStorable } from './access.ts';
import { checkArgument } from './argument.ts';
import { checkArithmetic } from './arithmetic.ts';
import { checkOperand } from './atomic.ts';
import { checkCall } from './call.ts';
import { checkComparison } from './comparison.ts';
import { checkExit } from './exit.ts';
import { checkInitialised } from './initialised.ts';
import { checkLegacyLoad } from './legacy-load.ts';

export function discharge(walk: Walk, pc: number, owed: Obligation): Failure | null {
  const { subject } = walk;
  switch (owed.rule) {
    case 'initialised':
      return checkInitialised(walk, pc, owed.register);
    case 'changeable':
      return owed.register === L.FRAME_POINTER
        ? { code: 'frame-pointer-write', pc, values: {} }
        : null;
    case 'arithmetic':
      return checkArithmetic(walk, pc, subject.instructions[pc]!, subject.rows[pc]!);
    case 'comparison':
      return checkComparison(walk, pc, subject.instructions[pc]!, subject.rows[pc]!);
    case 'access':
      return checkAccess(walk, owed.request);
    case 'storable':
      return checkStorable(walk, owed.register, owed.request);
    case 'number':
      return checkOperand(walk, pc, owed.register);
    case 'argument':
      return checkArgument(walk, pc, owed.callee!, owed.index);
    case 'call':
      return checkCall(walk, pc);
    case 'legacy-packet-load':
      return checkLegacyLoad(walk, pc);
    case 'exit':
      return checkExit(walk, pc);
    default:
      return owed.rule satisfies never;
  }
}
