/**
 * Comparisons: one compare or test, and the condition to branch on, set from, or move by.
 */

import type { JumpCondition } from '../../isa/index.ts';
import { significantBits } from '../ir/bits.ts';
import type { Terminator, Value, Width } from '../ir/ir.ts';
import { atRegister, instruction, ret } from './build.ts';
import { CONDITIONS, rowOf } from './instructions.ts';
import {
  isFoldable,
  isImmediate,
  placeOf,
  put,
  registerOf,
  type Selection,
} from './select-state.ts';

export type ConditionCode = (typeof CONDITIONS)[number];

/** What the flags say after `cmp a, b`; `set` and comparisons with 0 use `test`. */
const CODES: Readonly<Record<JumpCondition, ConditionCode>> = {
  eq: 'e',
  ne: 'ne',
  set: 'ne',
  gt: 'a',
  ge: 'ae',
  lt: 'b',
  le: 'be',
  sgt: 'g',
  sge: 'ge',
  slt: 'l',
  sle: 'le',
};

/** The same comparison with its sides exchanged. */
const EXCHANGED: Readonly<Record<JumpCondition, JumpCondition>> = {
  eq: 'eq',
  ne: 'ne',
  set: 'set',
  gt: 'lt',
  ge: 'le',
  lt: 'gt',
  le: 'ge',
  sgt: 'slt',
  sge: 'sle',
  slt: 'sgt',
  sle: 'sge',
};

const JUMPS = Object.fromEntries(
  CONDITIONS.map((code) => [code, rowOf(`j${code} rel32`)]),
) as Readonly<Record<ConditionCode, number>>;
const JUMP = rowOf('jmp rel32');
const TRAP = rowOf('ud2');

const ROWS = {
  32: {
    cmp: rowOf('cmp r32, r/m32'),
    cmpImmediate: rowOf('cmp r/m32, imm32'),
    test: rowOf('test r/m32, r32'),
    testImmediate: rowOf('test r/m32, imm32'),
  },
  64: {
    cmp: rowOf('cmp r64, r/m64'),
    cmpImmediate: rowOf('cmp r/m64, imm32'),
    test: rowOf('test r/m64, r64'),
    testImmediate: rowOf('test r/m64, imm32'),
  },
} as const;
const COMPARE_BYTE = rowOf('cmp r/m8, imm8');

export function selectTerminator(
  s: Selection,
  terminator: Terminator,
  late: readonly Value[],
): void {
  s.pc = terminator.pc;
  switch (terminator.kind) {
    case 'jump':
      s.out.push(instruction(JUMP, s.pc, [], []));
      return;
    case 'branch': {
      const { condition, width, args } = terminator;
      const epoch = s.endEpochs[s.block.id]!;
      const code = compare(s, condition, width, args[0]!, args[1]!, epoch);
      for (const value of late) selectLate(s, value);
      s.out.push(instruction(JUMPS[code], s.pc, [], []));
      return;
    }
    case 'return':
      s.out.push(ret(registerOf(s, terminator.args[0]!), s.pc));
      return;
    case 'trap':
      s.out.push(instruction(TRAP, s.pc, [], []));
      return;
    default:
      terminator.kind satisfies never;
  }
}

const LEA = rowOf('lea r64, m');

/** A step of a loop counter, between comparison and branch: `lea` leaves the flags alone. */
function selectLate(s: Selection, value: Value): void {
  const memory = atRegister(registerOf(s, value.args[0]!), value.args[1]!.lo);
  put(s, LEA, [registerOf(s, value)], [], { memory });
}

/** Emits the comparison at a place with effect number `epoch`; the code under which it holds. */
export function compare(
  s: Selection,
  condition: JumpCondition,
  width: Width,
  a: Value,
  b: Value,
  epoch: number,
): ConditionCode {
  if (a.op === 'const' && b.op !== 'const') {
    return compare(s, EXCHANGED[condition], width, b, a, epoch);
  }
  const narrow = narrowed(condition, width, a, b);
  if (condition === 'set') {
    test(s, narrow, a, b);
    return 'ne';
  }
  const equality = condition === 'eq' || condition === 'ne';
  if (b.op === 'const' && b.lo === 0 && (narrow === 32 || b.hi === 0)) {
    return compareWithZero(s, condition, narrow, a, epoch);
  }
  if (equality && isByteComparison(s, a, b, epoch)) {
    const memory = placeOf(s, a.args[0]!, a.disp, a.size);
    put(s, COMPARE_BYTE, [], [], { memory, imm: (b.lo << 24) >> 24 });
    return CODES[condition];
  }
  compareOperands(s, narrow, a, b, epoch);
  return CODES[condition];
}

/**
 * 32 bits suffice where the upper halves are known to be equal and cannot decide: zeros on both
 * sides for unsigned comparisons, a mask without upper half for `set`.
 */
function narrowed(condition: JumpCondition, width: Width, a: Value, b: Value): Width {
  if (width === 32) return 32;
  const bitsA = significantBits(a);
  const bitsB = significantBits(b);
  if (condition === 'set') return Math.min(bitsA, bitsB) <= 32 ? 32 : 64;
  const limit = condition.startsWith('s') ? 31 : 32;
  return bitsA <= limit && bitsB <= limit ? 32 : 64;
}

function compareOperands(s: Selection, width: Width, a: Value, b: Value, epoch: number): void {
  const rows = ROWS[width];
  if (isImmediate(b, width)) {
    if (isWholeLoad(s, a, width, epoch)) {
      const memory = placeOf(s, a.args[0]!, a.disp, a.size);
      put(s, rows.cmpImmediate, [], [], { memory, imm: b.lo });
    } else {
      put(s, rows.cmpImmediate, [], [registerOf(s, a)], { imm: b.lo });
    }
    return;
  }
  if (isWholeLoad(s, b, width, epoch)) {
    const memory = placeOf(s, b.args[0]!, b.disp, b.size);
    put(s, rows.cmp, [], [registerOf(s, a)], { memory });
    return;
  }
  put(s, rows.cmp, [], [registerOf(s, a), registerOf(s, b)]);
}

/** A load of exactly the operand's width that may become a memory operand. */
export function isWholeLoad(s: Selection, value: Value, width: Width, epoch: number): boolean {
  return value.size * 8 === width && isFoldable(s, value, epoch);
}

function isByteComparison(s: Selection, a: Value, b: Value, epoch: number): boolean {
  return (
    a.size === 1 && b.op === 'const' && b.hi === 0 && b.lo >>> 0 < 256 && isFoldable(s, a, epoch)
  );
}

/**
 * `test a, a` answers all comparisons with 0: it clears CF and OF. A mask that only this comparison
 * wants is tested directly when zero or not is the question.
 */
function compareWithZero(
  s: Selection,
  condition: JumpCondition,
  width: Width,
  a: Value,
  epoch: number,
): ConditionCode {
  const equality = condition === 'eq' || condition === 'ne';
  if (equality && a.op === 'and' && s.uses[a.id] === 1) {
    test(s, significantBits(a) <= 32 || a.width === 32 ? 32 : width, a.args[0]!, a.args[1]!);
    return CODES[condition];
  }
  if (equality && a.size === 1 && isFoldable(s, a, epoch)) {
    put(s, COMPARE_BYTE, [], [], { memory: placeOf(s, a.args[0]!, a.disp, a.size), imm: 0 });
    return CODES[condition];
  }
  if (isWholeLoad(s, a, width, epoch)) {
    put(s, ROWS[width].cmpImmediate, [], [], {
      memory: placeOf(s, a.args[0]!, a.disp, a.size),
      imm: 0,
    });
    return CODES[condition];
  }
  const register = registerOf(s, a);
  put(s, ROWS[width].test, [], [register, register]);
  return CODES[condition];
}

function test(s: Selection, width: Width, a: Value, b: Value): void {
  const rows = ROWS[width];
  if (a.op === 'const' && b.op !== 'const') {
    test(s, width, b, a);
  } else if (isImmediate(b, width)) {
    put(s, rows.testImmediate, [], [registerOf(s, a)], { imm: b.lo });
  } else {
    put(s, rows.test, [], [registerOf(s, a), registerOf(s, b)]);
  }
}
