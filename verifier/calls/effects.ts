/**
 * What a call of a function may do besides its result, read off its instructions and those of the
 * functions that it names: a caller that learns nothing else of a global function needs these.
 * Dead code counts, as it does for Linux.
 */

import type { Instruction, Row } from '../../isa/index.ts';
import type { Cfg } from '../cfg.ts';
import { namesFunction, target } from '../cfg.ts';
import { type Contract, maySleep } from '../contract.ts';

export interface Effects {
  readonly changesPacket: boolean;
  readonly sleeps: boolean;
  readonly throws: boolean;
}

interface Code {
  readonly cfg: Cfg;
  readonly instructions: readonly Instruction[];
  readonly rows: readonly Row[];
  readonly calleeAt: (pc: number) => Contract | undefined;
}

/** By function index. */
export function effectsOf(code: Code): readonly Effects[] {
  const { cfg, instructions, rows, calleeAt } = code;
  const effects = cfg.functions.map(() => ({ changesPacket: false, sleeps: false, throws: false }));
  const callers = cfg.functions.map(() => new Set<number>());
  rows.forEach((row, pc) => {
    const owner = cfg.functionOf[pc]!;
    if (namesFunction(row)) {
      callers[cfg.functionOf[target(pc, instructions[pc]!, row)]!]!.add(owner);
      return;
    }
    const callee = calleeAt(pc);
    if (callee === undefined) return;
    const own = effects[owner]!;
    const throws = callee.flags?.includes('throws') === true;
    const leaves = callee.returns.kind === 'never' && !throws;
    own.changesPacket ||= callee.changesPacket === true || leaves;
    own.sleeps ||= maySleep(callee);
    own.throws ||= throws;
  });
  spread(effects, callers);
  return effects;
}

/** Callers may do what their callees may; each effect reaches each function once. */
function spread(
  effects: { changesPacket: boolean; sleeps: boolean; throws: boolean }[],
  callers: readonly ReadonlySet<number>[],
): void {
  for (const effect of ['changesPacket', 'sleeps', 'throws'] as const) {
    const queue = effects.flatMap((each, index) => (each[effect] ? [index] : []));
    for (let index = queue.pop(); index !== undefined; index = queue.pop()) {
      for (const caller of callers[index]!) {
        if (effects[caller]![effect]) continue;
        effects[caller]![effect] = true;
        queue.push(caller);
      }
    }
  }
}
