/** Registers without a value: what destroyed them, or that nothing ever set them. */

import { type Case, type Explanation, originOf, place } from './case.ts';
import { calleeName } from './null.ts';

export function explainUninitialised(c: Case): Explanation {
  const register = c.failure.registers?.[0] ?? 0;
  const origin = originOf(c, register);
  const label = `reads r${register}`;
  if (origin?.making !== 'destroyed') {
    return {
      message: `r${register} is read, but nothing gave it a value on this path`,
      label,
      help: `initialise the variable where it is declared; in assembly, set r${register} on every path that leads here`,
    };
  }
  const callee = calleeName(c.history, origin.pc);
  return {
    message: `r${register} has no value here: r1 to r5 are destroyed by the call of ${callee} (instruction ${origin.pc})`,
    label,
    secondary: [place(c, origin.pc, `${callee} destroys r1 to r5`)],
    help: 'keep what is needed after a call in r6 to r9, or on the stack; in C, a variable is read that not every path initialises',
  };
}
