import * as iced from 'iced-x86';
import { describe, expect, it } from 'vitest';
import { CodeBuffer } from '../../../jit/mach/index.ts';
import { X64_BACKEND } from '../../../jit/x64/backend.ts';
import { emitRow } from '../../../jit/x64/emit.ts';
import { NO_REGISTER } from '../../../jit/x64/encode.ts';
import { ROWS, rowOf } from '../../../jit/x64/instructions.ts';

const CMP = ROWS[rowOf('cmp r/m64, imm32')]!;
const CALL = ROWS[rowOf('call r/m64')]!;
const atLabel = (label: number) => ({
  base: NO_REGISTER,
  index: NO_REGISTER,
  scale: 0,
  displacement: 0,
  label,
});

/** Addresses that the rip-relative operands of `code` refer to, in order. */
function referenced(code: Uint8Array, textBytes: number): number[] {
  const decoder = new iced.Decoder(64, code.subarray(0, textBytes), iced.DecoderOptions.None);
  return decoder
    .decodeAll()
    .filter((instruction) => instruction.isIpRelMemoryOperand)
    .map((instruction) => Number(instruction.ipRelMemoryAddress));
}

describe('the constant pool', () => {
  it('is aligned, holds equal entries once, and is found past any immediate', () => {
    const buffer = new CodeBuffer();
    const value = { kind: 'value', low: -2, high: 7 } as const;
    const helper = { kind: 'address', target: { kind: 'helper', helper: 5 } } as const;
    const first = buffer.poolLabel(value);
    for (const imm of [5, 500]) {
      emitRow(buffer, CMP, { reg: 0, rm: 0, address: atLabel(first) }, imm, 0);
    }
    for (const label of [buffer.poolLabel(helper), buffer.poolLabel({ ...helper })]) {
      emitRow(buffer, CALL, { reg: 0, rm: 0, address: atLabel(label) }, 0, 0);
    }
    const { code, relocations, textBytes } = buffer.finish(X64_BACKEND);
    const pool = code.length - 16;
    expect(pool % 8).toBe(0);
    expect(pool).toBeGreaterThanOrEqual(textBytes);
    expect(referenced(code, textBytes)).toEqual([pool, pool, pool + 8, pool + 8]);
    expect(relocations).toEqual([{ kind: 'helper', helper: 5, offset: pool + 8 }]);
    expect([...code.subarray(pool, pool + 8)]).toEqual([254, 255, 255, 255, 7, 0, 0, 0]);
  });
});

describe('places', () => {
  it('move with the jumps before them', () => {
    const buffer = new CodeBuffer();
    const end = buffer.newLabel();
    buffer.slot(0);
    buffer.jump(X64_BACKEND.jump, end);
    buffer.slot(1);
    buffer.mark();
    buffer.relocation({ kind: 'map', map: 3 });
    for (let i = 0; i < 300; i++) buffer.u8(0x90);
    buffer.slot(1);
    buffer.bind(end);
    buffer.slot(2);
    buffer.u8(0xc3);
    const { codeMap, marks, relocations, labels } = buffer.finish(X64_BACKEND);
    expect(codeMap).toEqual([
      { native: 0, instruction: 0 },
      { native: 5, instruction: 1 },
      { native: 313, instruction: 2 },
    ]);
    expect(marks).toEqual([5]);
    expect(relocations).toEqual([{ kind: 'map', map: 3, offset: 5 }]);
    expect(labels[end]).toBe(313);
  });

  it('are refused when a label is bound twice or never', () => {
    const twice = new CodeBuffer();
    const label = twice.newLabel();
    twice.bind(label);
    expect(() => twice.bind(label)).toThrow('bound twice');
    const never = new CodeBuffer();
    never.jump(X64_BACKEND.jump, never.newLabel());
    expect(() => never.finish(X64_BACKEND)).toThrow('never bound');
  });
});
