/**
 * The context of BTF-typed programs: one 8-byte word per argument of the function, tracepoint,
 * iterator or hook that the program is attached to.
 */

import * as domain from '../domain/index.ts';
import type { Walk } from '../explore/walk.ts';
import type { Hook, HookArgument } from '../kernel/hook.ts';
import { setKernelPointer } from '../kernel/pointer.ts';
import type { AccessRequest } from '../obligations/obligation.ts';
import * as kinds from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import { loadUnknown } from './region.ts';
import { LENT } from './trace-buffer.ts';

const WORD_BYTES = 8;

/** The argument that a read of [offset, offset + size) yields; undefined: it may not be read. */
export function hookArgument(
  hook: Hook,
  offset: number,
  request: AccessRequest,
): HookArgument | undefined {
  if (request.verb !== 'read' || offset % WORD_BYTES !== 0) return undefined;
  const argument = hook.arguments[offset / WORD_BYTES];
  if (argument === undefined || argument.kind === 'refused') return undefined;
  return argument.kind === 'number' || request.size === WORD_BYTES ? argument : undefined;
}

/** Puts the argument into the value at `to`. */
export function loadHookArgument(
  walk: Walk,
  argument: HookArgument,
  size: number,
  to: number,
): void {
  const { state } = walk;
  switch (argument.kind) {
    case 'object':
      setKernelPointer(walk, to, argument.typeId, argument.flags);
      return;
    case 'bytes':
      state.setPointer(to, kinds.TRACE_BUFFER, 0);
      state.words[to + L.FLAGS] = argument.flags;
      state.words[to + L.DETAIL] = LENT;
      if ((argument.flags & L.FLAG_NULLABLE) !== 0) state.words[to + L.ID] = walk.freshId();
      return;
    case 'number': {
      loadUnknown(state, to, size);
      const { range } = argument;
      if (range === undefined || size !== WORD_BYTES) return;
      // An int result fills the low half; the kernel extends its sign.
      const high = (x: number) => (x < 0 ? -1 : 0);
      const number = to + L.NUMBER;
      domain.setSignedRange(
        state.words,
        number,
        range.min,
        high(range.min),
        range.max,
        high(range.max),
      );
      return;
    }
    case 'refused':
      return;
    default:
      argument satisfies never;
  }
}
