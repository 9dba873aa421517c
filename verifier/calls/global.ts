/**
 * Calls of global functions: the arguments are checked like those of a helper (discharge/argument),
 * the function is walked on its own, and its result is any number.
 *
 * Why that is sound: the walk of the function begins in a state that covers every caller's
 * arguments, since each was checked against the same prototype; all memory that it may write through
 * them is unknown to the caller afterwards (transfer/callee).
 */

import type { KfuncArgument } from '../../platform/index.ts';
import type { Cfg } from '../cfg.ts';
import type { Failure } from '../diagnose/failure.ts';
import { isCalledBack } from '../discharge/exit.ts';
import { heldText } from '../discharge/held.ts';
import type { Walk } from '../explore/walk.ts';
import { NO_TYPE, setKernelPointer } from '../kernel/pointer.ts';
import { lendDynptr } from '../resources/dynptr.ts';
import { checkRegions } from '../resources/regions.ts';
import * as kinds from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import type { Effects } from './effects.ts';
import { type Prototype, prototypeOf, type Setting } from './prototype.ts';

/** By entry slot: the functions that are verified on their own. */
export function globalFunctions(
  setting: Setting,
  cfg: Cfg,
  effects: readonly Effects[],
): ReadonlyMap<number, Prototype> {
  const prototypes = new Map<number, Prototype>();
  if (!setting.profile.globalFunctions) return prototypes;
  for (const span of cfg.functions) {
    if (!span.isGlobal) continue;
    prototypes.set(span.start, prototypeOf(setting, span, effects[span.index]!));
  }
  return prototypes;
}

/** May the function be called here at all? Its arguments were checked before. */
export function checkGlobalCall(walk: Walk, pc: number, callee: Prototype): Failure | null {
  const { name, entry, refusal } = callee;
  if (refusal !== undefined) {
    const { reason, linux } = refusal;
    return { code: 'global-function', pc, values: { function: name, reason, linux } };
  }
  const failure = checkRegions(walk, pc, callee);
  if (failure !== null) return failure;
  if (callee.throws && isCalledBack(walk.state)) {
    return { code: 'throw-in-callback', pc, values: {} };
  }
  // Linux 6.18 lets this pass, and leaks what is held.
  const held = callee.throws ? heldText(walk) : null;
  if (held !== null) return { code: 'throw-reference', pc, values: { name, what: held } };
  if (walk.apart.isWalking(entry)) {
    return { code: 'recursion', pc, values: { function: name, caller: name, callee: name } };
  }
  const depth = walk.framesBelow + walk.state.frameCount;
  const most = Math.min(walk.subject.profile.maxCallDepth, L.MAX_FRAMES);
  if (depth < most) return null;
  return { code: 'call-too-deep', pc, values: { depth: depth + 1, most } };
}

/** Walks the function if that has not happened, and counts it. */
export function countGlobalCall(walk: Walk, callee: Prototype): void {
  const { state, recorder } = walk;
  recorder.called(state.words[state.frameRow(state.frame) + L.FRAME_ENTRY]!, callee.entry);
  const set = (fresh: Walk) => begin(fresh, callee);
  walk.distance += walk.apart.longestOf({ entry: callee.entry, set }, walk);
}

/** The state in which the function is entered. */
function begin(walk: Walk, callee: Prototype): void {
  const { state, subject } = walk;
  state.words[state.frameRow(0) + L.FRAME_CALLBACK] = L.ENTERED_ALONE;
  if (subject.program.flags.includes('sleepable')) state.words[L.SLEEPABLE] = 1;
  callee.arguments.forEach((argument, index) => {
    setArgument(walk, state.register(index + 1), argument);
  });
}

function setArgument(walk: Walk, value: number, argument: KfuncArgument): void {
  const { state } = walk;
  switch (argument.kind) {
    case 'context':
      state.setPointer(value, kinds.CONTEXT, 0);
      return;
    case 'memory':
      state.setPointer(value, kinds.MEMORY, 0);
      state.words[value + L.EXTENT] = argument.sizeBytes ?? 0;
      state.words[value + L.ID] = walk.freshId();
      if (argument.nullable) state.words[value + L.FLAGS] = L.FLAG_NULLABLE;
      return;
    case 'dynptr':
      lendDynptr(walk, state, value);
      return;
    case 'btf': {
      const typeId = walk.subject.kernel?.struct(argument.typeName ?? '') ?? 0;
      setKernelPointer(walk, value, typeId, trustOf(argument));
      return;
    }
    case 'untrusted': {
      const { typeName } = argument;
      const typeId = typeName === undefined ? NO_TYPE : walk.subject.kernel?.struct(typeName);
      const readOnly = typeName === undefined ? L.FLAG_READ_ONLY : 0;
      setKernelPointer(walk, value, typeId ?? NO_TYPE, L.FLAG_UNTRUSTED | readOnly);
      return;
    }
    default:
      state.setUnknown(value);
  }
}

const trustOf = (argument: KfuncArgument): number =>
  L.FLAG_TRUSTED | (argument.nullable ? L.FLAG_NULLABLE : 0);
