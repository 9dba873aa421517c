/** Moves that allocations seldom need, run one by one. */
import { describe, expect, it } from 'vitest';
import { CodeBuffer } from '../../../jit/mach/code-buffer.ts';
import type { MachInst, Move, Placement } from '../../../jit/mach/types.ts';
import { REMATERIALISE, SLOT_BASE } from '../../../jit/mach/types.ts';
import { X64_BACKEND } from '../../../jit/x64/backend.ts';
import { inFrame, instruction, ret } from '../../../jit/x64/build.ts';
import { rowOf } from '../../../jit/x64/instructions.ts';
import { R8, R9, RAX, RCX, RDI, RDX, RSI } from '../../../jit/x64/registers.ts';
import { canRun, runCode } from './run-code.ts';

const ARGUMENTS = [0x1111n, 0x2222n, 0x3333n, 0x4444n, 0x5555n, 0x6666n];
const ARGUMENT_REGISTERS = [RDI, RSI, RDX, RCX, R8, R9];
const AREA_OFFSET = 48;

const LAYOUT: Placement = {
  frame: { sizeBytes: 72, saved: [], areaOffsets: [AREA_OFFSET], slotOffset: 0, zeroed: [] },
  functions: [],
  pool: [],
  note: undefined,
};

const slot = (n: number): number => SLOT_BASE + n;

interface Step {
  readonly move: Move;
  readonly recipe?: MachInst;
}

const move = (from: number, to: number, kind: Move['kind'] = 'move'): Step => ({
  move: { from, to, vreg: 0, kind },
});
const compute = (recipe: MachInst, to: number): Step => ({
  move: { from: REMATERIALISE, to, vreg: 0, kind: 'move' },
  recipe,
});

/** Puts the arguments into slots 0 .. 5, makes the moves, returns what is at `from`. */
function afterwards(steps: readonly Step[], from: number): bigint {
  const buffer = new CodeBuffer();
  X64_BACKEND.emitPrologue(buffer, LAYOUT);
  ARGUMENT_REGISTERS.forEach((register, n) => {
    X64_BACKEND.emitMove(buffer, move(register, slot(n)).move, undefined, LAYOUT);
  });
  for (const step of steps) X64_BACKEND.emitMove(buffer, step.move, step.recipe, LAYOUT);
  X64_BACKEND.emitMove(buffer, move(from, RAX).move, undefined, LAYOUT);
  X64_BACKEND.emit(buffer, ret(0, 0), Int8Array.of(RAX), 0, LAYOUT);
  const { code } = buffer.finish(X64_BACKEND);
  const [run] = runCode([{ code, entry: 0, arguments: ARGUMENTS }]);
  expect(run!.preserved).toBe(true);
  return run!.result;
}

const constant = (imm: number, immHigh: number): MachInst =>
  instruction(rowOf('mov r64, imm64'), 0, [0], [], { imm, immHigh });
const areaAddress = instruction(rowOf('lea r64, m'), 0, [0], [], { memory: inFrame(0, 8) });

describe.skipIf(!canRun)('moves', () => {
  it('copy a slot to a slot, and leave the others alone', () => {
    expect(afterwards([move(slot(1), slot(4))], slot(4))).toBe(0x2222n);
    expect(afterwards([move(slot(1), slot(4))], slot(3))).toBe(0x4444n);
    expect(afterwards([move(slot(1), slot(4))], slot(5))).toBe(0x6666n);
  });

  it('swap two slots', () => {
    for (const [a, b] of [
      [0, 5],
      [3, 2],
      [1, 2],
    ] as const) {
      const steps = [move(slot(a), slot(b), 'swap')];
      expect(afterwards(steps, slot(a))).toBe(ARGUMENTS[b]);
      expect(afterwards(steps, slot(b))).toBe(ARGUMENTS[a]);
    }
  });

  it('swap a register and a slot, either way round', () => {
    for (const steps of [[move(RDX, slot(0), 'swap')], [move(slot(0), RDX, 'swap')]]) {
      expect(afterwards(steps, RDX)).toBe(0x1111n);
      expect(afterwards(steps, slot(0))).toBe(0x3333n);
    }
  });

  it('swap two registers', () => {
    const steps = [move(R8, RDI, 'swap')];
    expect(afterwards(steps, R8)).toBe(0x1111n);
    expect(afterwards(steps, RDI)).toBe(0x5555n);
  });

  it('compute constants into registers and slots', () => {
    for (const [imm, immHigh, value] of [
      [0, 0, 0n],
      [-1, -1, 0xffff_ffff_ffff_ffffn],
      [-1, 0, 0xffff_ffffn],
      [5, 7, 0x7_0000_0005n],
      [-2, 1, 0x1_ffff_fffen],
      [-(2 ** 31), -1, 0xffff_ffff_8000_0000n],
    ] as const) {
      expect(afterwards([compute(constant(imm, immHigh), RSI)], RSI)).toBe(value);
      expect(afterwards([compute(constant(imm, immHigh), slot(2))], slot(2))).toBe(value);
      expect(afterwards([compute(constant(imm, immHigh), slot(2))], slot(3))).toBe(0x4444n);
    }
  });

  it('compute an address into a slot without disturbing any register', () => {
    const steps = [move(RSI, RAX), compute(areaAddress, slot(2)), compute(areaAddress, RDX)];
    expect(afterwards(steps, RAX)).toBe(0x2222n);
    // Both are addresses on one stack: their difference is what matters.
    const buffer = new CodeBuffer();
    X64_BACKEND.emitPrologue(buffer, LAYOUT);
    for (const step of steps) X64_BACKEND.emitMove(buffer, step.move, step.recipe, LAYOUT);
    X64_BACKEND.emitMove(buffer, move(slot(2), RAX).move, undefined, LAYOUT);
    const sub = instruction(rowOf('sub r64, r/m64'), 0, [2], [0, 1]);
    X64_BACKEND.emit(buffer, sub, Int8Array.of(RAX, RAX, RDX), 0, LAYOUT);
    X64_BACKEND.emit(buffer, ret(0, 0), Int8Array.of(RAX), 0, LAYOUT);
    const { code } = buffer.finish(X64_BACKEND);
    expect(runCode([{ code, entry: 0, arguments: ARGUMENTS }])[0]!.result).toBe(0n);
  });
});
