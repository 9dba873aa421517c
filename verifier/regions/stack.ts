/** The stack of the executing frame or of a caller's. Accesses are tracked byte by byte. */

import type { Failure } from '../diagnose/failure.ts';
import { spanAt } from '../diagnose/span.ts';
import * as domain from '../domain/index.ts';
import { noteRead } from '../explore/stack-use.ts';
import type { Walk } from '../explore/walk.ts';
import type { AccessRequest } from '../obligations/obligation.ts';
import { overwrite } from '../resources/dynptr.ts';
import { isHeld } from '../resources/stack-object.ts';
import { SCALAR } from '../state/kinds.ts';
import * as L from '../state/layout.ts';
import type { MachineState } from '../state/machine.ts';
import * as stack from '../state/stack.ts';
import {
  boundsValues,
  constantOffset,
  describeOffset,
  highest,
  isAligned,
  loadUnknown,
  lowest,
  type Region,
} from './region.ts';

export const STACK_REGION: Region = { check, load, store };

function check(walk: Walk, value: number, request: AccessRequest): Failure | null {
  const { state, subject } = walk;
  const most = subject.profile.stackBytes;
  const low = lowest(state, value, request);
  const high = highest(state, value, request);
  const fail = (code: Failure['code'], more: Record<string, string | number> = {}): Failure => ({
    code,
    pc: request.pc,
    values: { ...boundsValues(walk, value, request, most), most, ...more },
    registers: [request.register],
  });
  if (low < -most || low >= 0 || high > 0) return fail('stack-out-of-bounds');
  const offset = constantOffset(state, value, request);
  if (offset === undefined && !subject.mayIndexStack) return fail('stack-variable-access');
  if (request.by !== 'helper' && !isAligned(state, value, request)) {
    return fail('stack-misaligned', { offset: describeOffset(state, value, request) });
  }
  const frame = state.words[value + L.TARGET]!;
  if (request.verb === 'write') return checkWrite(walk, frame, low, high, request.by, fail);
  noteRead(state, walk.parent, frame, low, high);
  const byHelper = request.by === 'helper';
  if (request.by === 'atomic' && !subject.mayLeakPointers) {
    if (stack.holdsPointer(state, frame, low)) return fail('pointer-leak', LEAKED);
  }
  const failure = checkRead(walk, frame, low, high, offset !== undefined && !byHelper, fail);
  if (failure === null && byHelper) warnUnwritten(walk, request.pc, frame, low, high);
  return failure;
}

/** An atomic operation makes a number of what it finds. */
const LEAKED = { kind: 'pointer kept on the stack', where: 'from stack' };

/** Helpers that read unwritten bytes, such as a key's padding, act by chance. */
function warnUnwritten(walk: Walk, pc: number, frame: number, low: number, high: number): void {
  const { state, warnings, subject } = walk;
  if (warnings.has(pc)) return;
  for (let at = low; at < high; at++) {
    if (stack.byteType(state, frame, at) !== L.BYTE_INVALID) continue;
    const { file, line } = spanAt(subject.program, pc, '');
    const where = line === undefined ? `instruction ${pc}` : `${file}:${line}`;
    const bytes = `byte ${at - low} of the ${high - low} that the call reads from the stack`;
    const advice = 'clear the variable, padding included; Linux before 6.3 refuses this';
    warnings.set(pc, `${where}: ${bytes} was not written: ${advice}`);
    return;
  }
}

type Fail = (code: Failure['code'], more?: Record<string, string | number>) => Failure;

const SPECIAL_NAMES: Readonly<Record<number, string>> = {
  [L.BYTE_DYNPTR]: 'dynptr',
  [L.BYTE_ITERATOR]: 'iterator',
  [L.BYTE_IRQ_FLAG]: 'saved interrupt flag',
};

/** A whole read of a kept value needs no look at each byte. */
function checkRead(
  walk: Walk,
  frame: number,
  low: number,
  high: number,
  exact: boolean,
  fail: Fail,
): Failure | null {
  const { state, subject } = walk;
  if (exact && stack.classifyRead(state, frame, low, high - low) === stack.READ_VALUE) return null;
  for (let at = low; at < high; at++) {
    const type = stack.byteType(state, frame, at);
    if (type > L.BYTE_SPILL) {
      return fail('stack-special-bytes', { offset: at, object: SPECIAL_NAMES[type]! });
    }
    if (type === L.BYTE_INVALID && !subject.mayReadUninitialised) {
      return fail('stack-uninitialised', { offset: at, part: at - low });
    }
    // Helpers may see a part of a pointer where the whole may be seen; loads may not, on any host.
    if (type === L.BYTE_SPILL && (exact || !subject.mayLeakPointers)) {
      const slot = state.slot(frame, stack.slotIndex(at));
      if (state.kind(slot + L.SLOT_VALUE) !== SCALAR) return fail('stack-partial-pointer');
    }
  }
  return null;
}

function checkWrite(
  walk: Walk,
  frame: number,
  low: number,
  high: number,
  by: AccessRequest['by'],
  fail: Fail,
): Failure | null {
  const { state, subject } = walk;
  // What a part of a slot is written over must not be a pointer.
  if (!subject.mayLeakPointers && ((low | high) & 7) !== 0) {
    noteRead(state, walk.parent, frame, low & ~7, (high + 7) & ~7);
  }
  for (let at = low; at < high; at++) {
    const type = stack.byteType(state, frame, at);
    const isLost = type === L.BYTE_DYNPTR && by !== 'helper' && !isHeld(state, frame, at);
    if (type > L.BYTE_SPILL && !isLost) {
      return fail('stack-special-bytes', { offset: at, object: SPECIAL_NAMES[type]! });
    }
    if (type !== L.BYTE_SPILL || subject.mayLeakPointers) continue;
    const slot = state.slot(frame, stack.slotIndex(at));
    const whole = low <= at - (at & 7) && high >= at - (at & 7) + 8;
    if (!whole && state.kind(slot + L.SLOT_VALUE) !== SCALAR) return fail('stack-partial-pointer');
  }
  return null;
}

function record(walk: Walk, value: number, request: AccessRequest, offset: number | undefined) {
  const { state, subject, recorder } = walk;
  const frame = state.words[value + L.TARGET]!;
  const entry = state.words[state.frameRow(frame) + L.FRAME_ENTRY]!;
  const owner = subject.cfg.functionOf[entry]!;
  const low = lowest(state, value, request);
  recorder.stack(owner, low);
  const isDirect = offset !== undefined && frame === state.frame && request.by !== 'helper';
  if (!isDirect) recorder.indirect(owner, low, highest(state, value, request));
  walk.noteAccess(request, 'stack', offset, state.frame - frame, isAligned(state, value, request));
}

function load(walk: Walk, value: number, request: AccessRequest, to: number): void {
  const { state } = walk;
  const frame = state.words[value + L.TARGET]!;
  const offset = constantOffset(state, value, request);
  record(walk, value, request, offset);
  if (offset === undefined) {
    // Any of several slots: zero only where all of them are.
    const low = lowest(state, value, request);
    const size = highest(state, value, request) - low;
    const zero = stack.classifyRead(state, frame, low, size) === stack.READ_ZERO;
    if (zero) state.setConstant(to, 0, 0);
    else loadUnknown(state, to, request.size);
    return;
  }
  const slot = stack.fill(state, frame, offset, request.size, to);
  if (slot >= 0) walk.noteStack(frame, offset);
}

function store(walk: Walk, value: number, request: AccessRequest, from: number): void {
  const { state, subject } = walk;
  const frame = state.words[value + L.TARGET]!;
  const offset = constantOffset(state, value, request);
  const low = lowest(state, value, request);
  record(walk, value, request, offset);
  const source = sourceOf(state, from);
  overwrite(walk, frame, low, highest(state, value, request));
  if (offset === undefined) {
    const high = highest(state, value, request);
    state.growStack(frame, stack.slotsFor(low));
    const rule = subject.mayReadUninitialised ? 'becomes-misc' : 'stays';
    const written = source !== undefined && isZero(state, source.at()) ? 'zeros' : 'anything';
    const kept = stack.clobber(state, frame, low, high, rule, written);
    if (kept && source?.register !== undefined) walk.needPrecise(source.register);
    return;
  }
  if (source === undefined) {
    state.growStack(frame, stack.slotsFor(low));
    stack.setBytes(state, frame, offset, request.size, L.BYTE_MISC);
    return;
  }
  storeValue(walk, frame, offset, request, source);
}

/** What is stored: a register of the executing frame, or the immediate in the scratch value. */
interface Source {
  readonly register: number | undefined;
  /** Where the value is now: registers move when an older frame's stack grows. */
  readonly at: () => number;
}

function sourceOf(state: MachineState, from: number): Source | undefined {
  if (from < 0) return undefined;
  if (from < L.FRAMES_START) return { register: undefined, at: () => from };
  const register = (from - state.register(0)) / L.VALUE_WORDS;
  return { register, at: () => state.register(register) };
}

const isZero = (state: MachineState, value: number): boolean =>
  state.kind(value) === SCALAR && domain.isConstantOf(state.words, value + L.NUMBER, 0, 0);

/** A store of a value at a constant offset. */
function storeValue(
  walk: Walk,
  frame: number,
  offset: number,
  request: AccessRequest,
  source: Source,
): void {
  const { state } = walk;
  state.growStack(frame, stack.slotsFor(offset));
  const value = source.at();
  const isKept = walk.subject.keepsSpilledNumbers || state.kind(value) !== SCALAR;
  if ((offset & 7) === 0 && isKept) {
    stack.spill(state, frame, offset, request.size, value);
    walk.noteStack(frame, offset);
    return;
  }
  const zero = isZero(state, value);
  // A byte of type ZERO is compared by pruning without marks, so its zero must be precise.
  if (zero && source.register !== undefined) walk.needPrecise(source.register);
  stack.setBytes(state, frame, offset, request.size, zero ? L.BYTE_ZERO : L.BYTE_MISC);
}
