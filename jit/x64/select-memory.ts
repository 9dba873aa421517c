/**
 * Loads, stores, atomics and calls. x64 is the strong model that BPF's atomics ask for: locked
 * instructions are totally ordered, plain loads acquire and plain stores release (SDM volume 3,
 * section 9.2).
 */

import { InternalError } from '../../isa/index.ts';
import type { Callee, Op, Value } from '../ir/ir.ts';
import type { RelocationTarget } from '../mach/code-buffer.ts';
import { type CallTarget, call } from './build.ts';
import { rowOf } from './instructions.ts';
import {
  isFoldable,
  isImmediate,
  isWanted,
  make,
  newRegister,
  placeOf,
  poolEntry,
  put,
  registerOf,
  type Selection,
} from './select-state.ts';

const LOADS = {
  1: rowOf('movzx r32, r/m8'),
  2: rowOf('movzx r32, r/m16'),
  4: rowOf('mov r32, r/m32'),
  8: rowOf('mov r64, r/m64'),
} as const;
const SIGNED_LOADS = {
  1: rowOf('movsx r64, r/m8'),
  2: rowOf('movsx r64, r/m16'),
  4: rowOf('movsxd r64, r/m32'),
  8: LOADS[8],
} as const;
const STORES = {
  1: rowOf('mov r/m8, r8'),
  2: rowOf('mov r/m16, r16'),
  4: rowOf('mov r/m32, r32'),
  8: rowOf('mov r/m64, r64'),
} as const;
const STORE_IMMEDIATES = {
  1: rowOf('mov r/m8, imm8'),
  2: rowOf('mov r/m16, imm16'),
  4: rowOf('mov r/m32, imm32'),
  8: rowOf('mov r/m64, imm32'),
} as const;

type Bytes = 1 | 2 | 4 | 8;

export function selectLoad(s: Selection, value: Value): void {
  const rows = value.memory?.signed ? SIGNED_LOADS : LOADS;
  const memory = placeOf(s, value.args[0]!, value.disp, value.size);
  put(s, rows[value.size as Bytes], [registerOf(s, value)], [], { memory });
}

export function selectStore(s: Selection, value: Value): void {
  const [base, stored] = value.args as [Value, Value];
  const size = value.size as Bytes;
  if (isImmediate(stored, size === 8 ? 64 : 32)) {
    const imm =
      size === 1 ? (stored.lo << 24) >> 24 : size === 2 ? (stored.lo << 16) >> 16 : stored.lo;
    put(s, STORE_IMMEDIATES[size], [], [], {
      memory: placeOf(s, base, value.disp, value.size),
      imm,
    });
    return;
  }
  if (updatesInPlace(s, value, base, stored)) {
    selectUpdate(s, value, stored);
    return;
  }
  const source = registerOf(s, stored);
  put(s, STORES[size], [], [source], { memory: placeOf(s, base, value.disp, value.size) });
}

const updates = (op: string) => ({
  4: { register: rowOf(`${op} r/m32, r32`), immediate: rowOf(`${op} r/m32, imm32`) },
  8: { register: rowOf(`${op} r/m64, r64`), immediate: rowOf(`${op} r/m64, imm32`) },
});
const UPDATES: Partial<Record<Op, ReturnType<typeof updates>>> = {
  add: updates('add'),
  sub: updates('sub'),
  and: updates('and'),
  or: updates('or'),
  xor: updates('xor'),
};

/**
 * Whether the store writes back what was loaded from the same place, changed by one operation, and
 * nobody else wants either: then one instruction does all three, in the same order.
 */
function updatesInPlace(s: Selection, store: Value, base: Value, stored: Value): boolean {
  if (UPDATES[stored.op] === undefined || s.uses[stored.id] !== 1) return false;
  if (store.size === 8 ? stored.width !== 64 : store.size !== 4) return false;
  const load = stored.args[0]!;
  if (!isFoldable(s, load, s.epochs[store.id]!) || load.size !== store.size) return false;
  return load.args[0] === base && load.disp === store.disp;
}

function selectUpdate(s: Selection, store: Value, stored: Value): void {
  const rows = UPDATES[stored.op]![store.size as 4 | 8];
  const operand = stored.args[1]!;
  if (isImmediate(operand, store.size === 8 ? 64 : 32)) {
    const memory = placeOf(s, store.args[0]!, store.disp, store.size);
    put(s, rows.immediate, [], [], { memory, imm: operand.lo });
    return;
  }
  const source = registerOf(s, operand);
  put(s, rows.register, [], [source], {
    memory: placeOf(s, store.args[0]!, store.disp, store.size),
  });
}

const LOCKED = {
  add: { 32: rowOf('lock add m32, r32'), 64: rowOf('lock add m64, r64') },
  or: { 32: rowOf('lock or m32, r32'), 64: rowOf('lock or m64, r64') },
  and: { 32: rowOf('lock and m32, r32'), 64: rowOf('lock and m64, r64') },
  xor: { 32: rowOf('lock xor m32, r32'), 64: rowOf('lock xor m64, r64') },
} as const;
const EXCHANGE_ADD = { 32: rowOf('lock xadd m32, r32'), 64: rowOf('lock xadd m64, r64') } as const;
const EXCHANGE = { 32: rowOf('xchg r/m32, r32'), 64: rowOf('xchg r/m64, r64') } as const;
const COMPARE_EXCHANGE = {
  32: rowOf('lock cmpxchg m32, r32'),
  64: rowOf('lock cmpxchg m64, r64'),
} as const;

export function selectAtomic(s: Selection, value: Value): void {
  const { width } = value;
  const operation = value.atomic!;
  const source = () => registerOf(s, value.args[1]!);
  const memory = () => placeOf(s, value.args[0]!, value.disp, value.size);
  const result = () => (isWanted(s, value) ? registerOf(s, value) : newRegister(s));
  switch (operation) {
    case 'add':
    case 'or':
    case 'and':
    case 'xor':
      put(s, LOCKED[operation][width], [], [source()], { memory: memory() });
      return;
    case 'fetch_add':
      selectFetchAdd(s, value);
      return;
    case 'xchg':
      put(s, EXCHANGE[width], [result()], [source()], { memory: memory() });
      return;
    case 'cmpxchg':
      selectCompareExchange(s, value);
      return;
    case 'load_acquire':
      put(s, LOADS[value.size as Bytes], [result()], [], { memory: memory() });
      return;
    case 'store_release':
      put(s, STORES[value.size as Bytes], [], [source()], { memory: memory() });
      return;
    case 'fetch_or':
    case 'fetch_and':
    case 'fetch_xor':
      throw new InternalError('x64 select', `${operation} must have become a loop`);
    default:
      operation satisfies never;
  }
}

function selectFetchAdd(s: Selection, value: Value): void {
  const memory = placeOf(s, value.args[0]!, value.disp, value.size);
  const source = registerOf(s, value.args[1]!);
  if (isWanted(s, value)) {
    put(s, EXCHANGE_ADD[value.width], [registerOf(s, value)], [source], { memory });
  } else {
    put(s, LOCKED.add[value.width], [], [source], { memory });
  }
}

const MOVE_32 = rowOf('mov r32, r/m32');

/** In 32 bits eax is written only when the comparison fails: the upper half must be cleared. */
function selectCompareExchange(s: Selection, value: Value): void {
  const [base, expected, desired] = value.args as [Value, Value, Value];
  const memory = placeOf(s, base, value.disp, value.size);
  const sources = [registerOf(s, desired), registerOf(s, expected)];
  const result = isWanted(s, value) ? registerOf(s, value) : newRegister(s);
  if (value.width === 64) {
    put(s, COMPARE_EXCHANGE[64], [result], sources, { memory });
    return;
  }
  const old = make(s, COMPARE_EXCHANGE[32], sources, { memory });
  put(s, MOVE_32, [result], [old]);
}

const ALL_ARGUMENTS = 0b11111;

export function selectCall(s: Selection, value: Value): void {
  const callee = value.callee!;
  const indirect = callee.kind === 'indirect';
  const environment = value.args[value.args.length - 1]!;
  const passed = value.args.slice(indirect ? 1 : 0, -1);
  const mask = callee.kind === 'function' ? s.argumentMasks.get(callee.start)! : ALL_ARGUMENTS;
  const values = [0, 1, 2, 3, 4].map((i) => {
    const arg = passed[i];
    return arg === undefined || (mask & (1 << i)) === 0 ? -1 : registerOf(s, arg);
  });
  values.push(registerOf(s, environment));
  const target = targetOf(s, callee, value);
  const result = isWanted(s, value) ? registerOf(s, value) : -1;
  s.out.push(call(target, result, values, s.pc));
}

function targetOf(s: Selection, callee: Callee, value: Value): CallTarget {
  switch (callee.kind) {
    case 'function':
      return { kind: 'function', index: s.functionNumbers.get(callee.start)! };
    case 'indirect':
      return { kind: 'register', register: registerOf(s, value.args[0]!) };
    case 'helper':
      return pooled(s, { kind: 'helper', helper: callee.helper }, `helper ${callee.helper}`);
    case 'kfunc':
      return pooled(s, { kind: 'kfunc', name: callee.name }, `kfunc ${callee.name}`);
    case 'runtime':
      return pooled(s, { kind: 'runtime', symbol: callee.symbol }, `runtime ${callee.symbol}`);
    default:
      return callee satisfies never;
  }
}

function pooled(s: Selection, target: RelocationTarget, key: string): CallTarget {
  return { kind: 'pool', entry: poolEntry(s, target, key) };
}
