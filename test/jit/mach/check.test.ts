/** The checker must notice every way in which an allocation can be wrong. */
import { describe, expect, it } from 'vitest';
import {
  type Allocation,
  allocate,
  checkAllocation,
  type Move,
  SLOT_BASE,
} from '../../../jit/mach/index.ts';
import { X64_BACKEND } from '../../../jit/x64/backend.ts';
import { REGISTERS } from '../../../jit/x64/registers.ts';
import { randomFunction, randomNumbers } from './random-function.ts';

const BACKEND = { ...X64_BACKEND, registers: { ...REGISTERS, calleeSaved: [3] } };
const SHAPE = { blocks: 5, variables: 14, instructionsPerBlock: 10 };

const rejects = (allocation: Allocation): boolean => {
  try {
    checkAllocation(allocation, BACKEND);
    return false;
  } catch {
    return true;
  }
};

type Lists = readonly (readonly Move[] | undefined)[];
const changeMoves = (lists: Lists, i: number, change: (moves: Move[]) => Move[]): Lists =>
  lists.map((moves, n) => (n === i ? change([...(moves ?? [])]) : moves));

describe('checkAllocation', () => {
  it('refuses an operand in another register', () => {
    for (let seed = 0; seed < 60; seed++) {
      const random = randomNumbers(seed);
      const allocation = allocate(randomFunction(seed, SHAPE), BACKEND);
      const registers = Int8Array.from(allocation.registers);
      const uses = [...registers.keys()].filter((k) => isPlainUse(allocation, k));
      const k = uses[random(uses.length)];
      if (k === undefined) continue;
      // A register that nothing else in this function uses certainly does not hold the value.
      registers[k] = 15;
      expect(rejects({ ...allocation, registers }), `seed ${seed}`).toBe(true);
    }
  });

  it('refuses a value fetched from a slot that nobody wrote', () => {
    let tried = 0;
    for (let seed = 0; seed < 60; seed++) {
      const allocation = allocate(randomFunction(seed, SHAPE), BACKEND);
      const slotCount = allocation.slotCount + 1;
      const from = SLOT_BASE + allocation.slotCount;
      allocation.before.forEach((moves, i) => {
        const n = moves?.findLastIndex((move) => feedsFixedUse(allocation, i, move)) ?? -1;
        if (n < 0 || moves![n]!.kind === 'swap') return;
        tried++;
        const before = changeMoves(allocation.before, i, (list) =>
          list.with(n, { ...list[n]!, from }),
        );
        // Unless a later swap takes the value away again, the instruction reads it.
        if (moves!.slice(n + 1).some(({ kind }) => kind === 'swap')) return;
        expect(rejects({ ...allocation, before, slotCount }), `seed ${seed}, ${i}`).toBe(true);
      });
    }
    expect(tried).toBeGreaterThan(100);
  });

  it('refuses a slot that the frame does not have', () => {
    for (let seed = 0; seed < 60; seed++) {
      const allocation = allocate(randomFunction(seed, SHAPE), BACKEND);
      if (allocation.slotCount === 0) continue;
      expect(rejects({ ...allocation, slotCount: allocation.slotCount - 1 })).toBe(true);
    }
  });

  it('refuses a register that is written but not saved', () => {
    for (let seed = 0; seed < 60; seed++) {
      const allocation = allocate(randomFunction(seed, SHAPE), BACKEND);
      if ((allocation.used & (1 << 3)) === 0) continue;
      expect(rejects({ ...allocation, used: allocation.used & ~(1 << 3) })).toBe(true);
    }
  });

  it('refuses to drop an instruction that is not a constant', () => {
    const allocation = allocate(randomFunction(1, SHAPE), BACKEND);
    const dropped = Uint8Array.from(allocation.dropped);
    dropped[0] = 1;
    expect(rejects({ ...allocation, dropped })).toBe(true);
  });
});

function operandOf(allocation: Allocation, k: number): number {
  const i = allocation.firstOperand.findIndex((first) => first > k) - 1;
  const b = allocation.firstInstruction.findIndex((first) => first > i) - 1;
  const inst = allocation.code.blocks[b]!.instructions[i - allocation.firstInstruction[b]!]!;
  return allocation.dropped[i] === 1 ? -1 : inst.operands[k - allocation.firstOperand[i]!]!;
}

/** A use without constraint: bits 20 and up are clear. */
const isPlainUse = (allocation: Allocation, k: number): boolean => {
  const operand = operandOf(allocation, k);
  return operand >= 0 && operand >> 20 === 0;
};

function feedsFixedUse(allocation: Allocation, i: number, move: Move): boolean {
  const from = allocation.firstOperand[i]!;
  const to = allocation.firstOperand[i + 1]!;
  for (let k = from; k < to; k++) {
    const fixedUse = (operandOf(allocation, k) >> 20) & 1 && operandOf(allocation, k) >> 28 === 0;
    if (fixedUse && allocation.registers[k] === move.to) return true;
  }
  return false;
}
