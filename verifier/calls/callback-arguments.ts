/**
 * With what each helper and kernel function calls the program back: one row per shape of callback.
 *
 * Source: the descriptions of the helpers in uapi/linux/bpf.h and of the kernel functions in
 * Documentation/bpf; what the arguments are to the callback was observed on Linux 6.18.
 */

import type { Contract } from '../contract.ts';
import * as domain from '../domain/index.ts';
import type { Walk } from '../explore/walk.ts';
import { setKernelPointer } from '../kernel/pointer.ts';
import { lendDynptr } from '../resources/dynptr.ts';
import { contentOf, setNode } from '../resources/graph.ts';
import { fieldAt } from '../resources/special-field.ts';
import * as kinds from '../state/kinds.ts';
import * as L from '../state/layout.ts';

/** Sets the registers of a callback's fresh frame, which is the executing one. */
type SetArguments = (walk: Walk, caller: number) => void;

export interface Shape {
  /**
   * `now`: the call returns after the callback, which ran 0 to n times. `later`: outside of the
   * program, after it ended. `asleep`: later, where it may sleep.
   */
  readonly runs: 'now' | 'later' | 'asleep';
  readonly set: SetArguments;
  /** Argument of the call that is passed on, by its place, and the register that receives it. */
  readonly passes?: readonly [argument: number, register: number];
  /** Nobody looks at its result. */
  readonly isUnheeded?: true;
  /** The call that it belongs to holds a lock that the callback may not touch. */
  readonly keepsLock?: true;
}

export const SHAPES: Readonly<Record<string, Shape>> = Object.freeze({
  loop: { runs: 'now', set: setIndex, passes: [3, 2] },
  'for-each-map': { runs: 'now', set: setElementOfArgument, passes: [3, 4] },
  'find-vma': { runs: 'now', set: setTaskAndArea, passes: [4, 3] },
  'user-ringbuf': { runs: 'now', set: setRecord, passes: [3, 2] },
  'rbtree-less': { runs: 'now', set: setNodes, keepsLock: true },
  timer: { runs: 'later', set: () => undefined },
  workqueue: { runs: 'asleep', set: () => undefined },
  'task-work': { runs: 'asleep', set: () => undefined, isUnheeded: true },
});

/** The callback argument of a callee: its index, or -1. */
export const callbackIndex = (callee: Contract): number =>
  callee.arguments.findIndex((argument) => argument.kind === 'callback');

/** How the callee calls back; undefined: not at all. */
export function shapeOf(callee: Contract): Shape | undefined {
  const argument = callee.arguments.find(({ kind }) => kind === 'callback');
  return argument && SHAPES[argument.callback ?? ''];
}

/** r1 of a loop body: below the number of passes, which Linux does not use. */
function setIndex(walk: Walk, caller: number): void {
  const { state } = walk;
  const r1 = state.register(1);
  const { words } = state;
  state.setUnknown(r1);
  const passes = domain.unsignedMax(words, state.registerOf(caller, 1) + L.NUMBER);
  if (passes === 0 || passes > 2 ** 32 || !walk.mayReason('loop-index')) return;
  domain.setUnsignedRange(words, r1 + L.NUMBER, 0, 0, (passes - 1) | 0, 0);
}

function setElementOfArgument(walk: Walk, caller: number): void {
  const { state } = walk;
  setElement(walk, state.words[state.registerOf(caller, 1) + L.TARGET]!);
}

/** r1 to r3: a map, a key that may be read, and its value. */
export function setElement(walk: Walk, map: number): void {
  const { state, subject } = walk;
  state.setPointer(state.register(1), kinds.MAP, map);
  const key = state.register(2);
  state.setPointer(key, kinds.MEMORY, 0);
  state.words[key + L.EXTENT] = subject.maps[map]!.keySize;
  state.words[key + L.FLAGS] = L.FLAG_READ_ONLY;
  const value = state.register(3);
  state.setPointer(value, kinds.MAP_VALUE, map);
  state.words[value + L.ID] = walk.freshId();
}

/** r1 and r2: the task whose memory is searched, and the area that was found. */
function setTaskAndArea(walk: Walk, caller: number): void {
  const { state, subject } = walk;
  state.copyValue(state.register(1), state.registerOf(caller, 1));
  const area = subject.kernel?.struct('vm_area_struct') ?? 0;
  setKernelPointer(walk, state.register(2), area, 0);
}

function setRecord(walk: Walk): void {
  lendDynptr(walk, walk.state, walk.state.register(1));
}

/** r1 and r2: nodes of the tree that the call's first argument points to, both borrowed. */
function setNodes(walk: Walk, caller: number): void {
  const { state } = walk;
  const field = fieldAt(walk, state.registerOf(caller, 1), 'rbtree-root');
  const content = field && contentOf(walk, field);
  if (content === undefined) return;
  setNode(walk, state, state.register(1), content, L.FLAG_BORROWED);
  setNode(walk, state, state.register(2), content, L.FLAG_BORROWED);
}
