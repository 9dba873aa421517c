/** Every row, in every register and addressing form, against an independent decoder (iced-x86). */
import * as iced from 'iced-x86';
import { describe, expect, it } from 'vitest';
import { CodeBuffer } from '../../../jit/mach/code-buffer.ts';
import { X64_BACKEND } from '../../../jit/x64/backend.ts';
import { emitRow, nop } from '../../../jit/x64/emit.ts';
import type { EffectiveAddress } from '../../../jit/x64/encode.ts';
import { NO_REGISTER } from '../../../jit/x64/encode.ts';
import { ROWS, type X64Row } from '../../../jit/x64/instructions.ts';
import { type AddressText, printFields, printHex } from '../../../jit/x64/print.ts';
import { RSP, registerName } from '../../../jit/x64/registers.ts';

const formatter = new iced.Formatter(iced.FormatterSyntax.Intel);
formatter.hexPrefix = '0x';
formatter.hexSuffix = '';
formatter.uppercaseHex = false;
formatter.spaceAfterOperandSeparator = true;
formatter.smallHexNumbersInDecimal = false;
formatter.memorySizeOptions = iced.MemorySizeOptions.Always;
formatter.signedImmediateOperands = false;

function decode(bytes: Uint8Array): string {
  const decoder = new iced.Decoder(64, bytes, iced.DecoderOptions.None);
  const instruction = decoder.decode();
  const text = formatter.format(instruction);
  const length = instruction.length;
  instruction.free();
  decoder.free();
  return length === bytes.length ? text : `${text} (only ${length} of ${bytes.length} bytes)`;
}

function encoded(row: X64Row, fields: Parameters<typeof emitRow>[2], low: number, high: number) {
  const buffer = new CodeBuffer();
  emitRow(buffer, row, fields, low, high);
  return buffer.finish(X64_BACKEND).code;
}

/** iced prints immediates as unsigned numbers of the operand's width. */
function unsignedImmediate(row: X64Row, low: number, high: number): string {
  const spec = row.specs.find((s) => s.kind === 'imm');
  if (spec?.kind !== 'imm') return '';
  if (spec.width === 64) return hex64(low, high);
  const first = row.specs[0]!;
  const shift = /^(sh|sa|ro|bt)/.test(row.mnemonic);
  const width =
    first.kind === 'imm' || shift
      ? spec.width
      : first.kind === 'cl'
        ? 8
        : 'width' in first
          ? first.width
          : 8;
  if (width === 64) return hex64(low, low >> 31);
  return printHex(width === 32 ? low >>> 0 : low & (width === 16 ? 0xffff : 0xff));
}

const hex64 = (low: number, high: number): string =>
  `0x${((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)).toString(16)}`;

function immediatesOf(row: X64Row): readonly [number, number][] {
  switch (row.immBytes) {
    case 0:
      return [[0, 0]];
    case 1:
      return [
        [0, 0],
        [1, 0],
        [31, 0],
        [127, 0],
        [-128, -1],
        [-1, -1],
      ];
    case 2:
      return [
        [0, 0],
        [0x1234, 0],
        [-2, -1],
        [0x7fff, 0],
      ];
    case 4:
      return [
        [0, 0],
        [127, 0],
        [128, 0],
        [-128, -1],
        [-129, -1],
        [0x7fffffff, 0],
        [-(2 ** 31), -1],
      ];
    case 8:
      return [
        [0, 0],
        [1, 2],
        [-1, -1],
        [-(2 ** 31), 0x7fffffff],
      ];
  }
}

const REGISTERS = Array.from({ length: 16 }, (_, r) => r);
const DISPLACEMENTS = [0, 1, 127, 128, -128, -129, 0x7fffffff, -(2 ** 31)];

function addresses(): EffectiveAddress[] {
  const list: EffectiveAddress[] = [];
  for (const base of REGISTERS) {
    for (const displacement of DISPLACEMENTS) {
      list.push({ base, index: NO_REGISTER, scale: 0, displacement, label: undefined });
    }
    for (const index of REGISTERS) {
      if (index === RSP) continue;
      const scale = [1, 2, 4, 8][(base + index) & 3]!;
      const displacement = DISPLACEMENTS[(base * 3 + index) & 7]!;
      list.push({ base, index, scale, displacement, label: undefined });
    }
  }
  for (const index of REGISTERS) {
    if (index === RSP) continue;
    for (const scale of [2, 4, 8]) {
      list.push({
        base: NO_REGISTER,
        index,
        scale,
        displacement: 16 * index - 40,
        label: undefined,
      });
    }
  }
  return list;
}

const addressText = ({ base, index, scale, displacement }: EffectiveAddress): AddressText => ({
  base: base === NO_REGISTER ? '' : registerName(base, 64),
  index,
  scale,
  displacement,
});

const ADDRESSES = addresses();
const isEncodable = (row: X64Row): boolean => row.flow !== 'branch' && row.opcode.length > 0;
const rmOf = (row: X64Row) => row.specs.find((spec) => spec.kind === 'rm');
const testable = ROWS.filter((row) => isEncodable(row) && !/rel32/.test(row.name));

describe('encodings agree with iced-x86', () => {
  it('covers the table', () => {
    expect(testable.length).toBeGreaterThan(300);
  });

  for (const row of testable) {
    it(row.name, () => {
      const rm = rmOf(row);
      const memoryOnly = rm?.kind === 'rm' && rm.memoryOnly;
      const immediates = immediatesOf(row);
      if (!memoryOnly) {
        for (const reg of REGISTERS) {
          for (const r of REGISTERS) {
            const [low, high] = immediates[(reg + r) % immediates.length]!;
            expectSame(row, reg, r, undefined, low, high);
          }
        }
        for (const [low, high] of immediates) expectSame(row, 1, 2, undefined, low, high);
      }
      if (rm !== undefined) {
        ADDRESSES.forEach((address, n) => {
          const [low, high] = immediates[n % immediates.length]!;
          expectSame(row, n & 15, 0, address, low, high);
        });
      }
    });
  }
});

function expectSame(
  row: X64Row,
  reg: number,
  rm: number,
  address: EffectiveAddress | undefined,
  low: number,
  high: number,
): void {
  const bytes = encoded(row, { reg, rm, address }, low, high);
  const text = address === undefined ? undefined : addressText(address);
  const ours = printFields(row, { reg, rm }, text, unsignedImmediate(row, low, high), '');
  // iced writes the destination once when it is the source too.
  const theirs = decode(bytes).replace(/^imul (\w+), (-?0x\w+)$/, 'imul $1, $1, $2');
  // A plain comparison first: `expect` is slow, and there are a hundred thousand of these.
  if (ours !== theirs) expect(theirs, Buffer.from(bytes).toString('hex')).toBe(ours);
}

describe('jumps', () => {
  const branches = ROWS.filter(({ flow }) => flow === 'branch' || flow === 'jump');
  for (const row of branches) {
    for (const distance of [0, 100, 200]) {
      it(`${row.name} over ${distance} bytes, both ways`, () => {
        const buffer = new CodeBuffer();
        const start = buffer.newLabel();
        const end = buffer.newLabel();
        buffer.bind(start);
        buffer.jump(row.index, end);
        for (let i = 0; i < distance; i++) buffer.u8(0x90);
        buffer.jump(row.index, start);
        buffer.bind(end);
        const { code, labels } = buffer.finish(X64_BACKEND);
        const first = decodeAll(code)[0]!;
        const last = decodeAll(code).at(-1)!;
        const size = distance > 127 ? '' : 'short ';
        expect(first).toBe(`${row.mnemonic} ${size}0x${hex16(labels[end]!)}`);
        expect(last).toMatch(new RegExp(`^${row.mnemonic} (short )?0x${hex16(0)}$`));
      });
    }
  }

  it('grows a jump whose target moves out of reach because another one grew', () => {
    const jump = X64_BACKEND.jump;
    const buffer = new CodeBuffer();
    const far = buffer.newLabel();
    const near = buffer.newLabel();
    buffer.jump(jump, near);
    buffer.jump(jump, far);
    for (let i = 0; i < 125; i++) buffer.u8(0x90);
    buffer.bind(near);
    for (let i = 0; i < 200; i++) buffer.u8(0x90);
    buffer.bind(far);
    const { code, labels } = buffer.finish(X64_BACKEND);
    expect(labels[near]).toBe(5 + 5 + 125);
    expect(decodeAll(code)[0]).toBe(`jmp 0x${hex16(labels[near]!)}`);
  });
});

const hex16 = (value: number): string => value.toString(16).padStart(16, '0');

function decodeAll(code: Uint8Array): string[] {
  const decoder = new iced.Decoder(64, code, iced.DecoderOptions.None);
  const texts = decoder.decodeAll().map((instruction) => {
    const text = formatter.format(instruction);
    instruction.free();
    return text;
  });
  decoder.free();
  return texts;
}

describe('no-operations', () => {
  it('fill any number of bytes', () => {
    for (let size = 0; size < 40; size++) {
      const bytes = new Uint8Array(size);
      nop(bytes, 0, size);
      for (const text of decodeAll(bytes)) expect(text).toMatch(/^(xchg ax, ax|nop)/);
    }
  });
});
