/**
 * What the decoder refuses, with the words of Linux 6.18. The kernel was asked about each of these
 * encodings, and about all rows with each field disturbed in turn.
 */

import { describe, expect, test } from 'vitest';
import { decode, MAX_DECODE_ERRORS, TABLE } from '../../isa/index.ts';

const bytes = (text: string): Uint8Array =>
  Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

/** Slot in hexadecimal (code, registers, offset, immediate), name or kernel's words. */
const REFUSED: readonly (readonly [string, string])[] = [
  ['00 00 0000 00000000', 'unknown opcode 00'],
  ['ff 00 0000 00000000', 'unknown opcode ff'],
  ['8c 00 0000 00000000', 'unknown opcode 8c'],
  ['0f 10 0000 01000000', 'BPF_ALU uses reserved fields'],
  ['0f 10 0100 00000000', 'BPF_ALU uses reserved fields'],
  ['07 10 0000 01000000', 'BPF_ALU uses reserved fields'],
  ['37 00 0200 01000000', 'BPF_ALU uses reserved fields'],
  ['87 00 0000 01000000', 'BPF_NEG uses reserved fields'],
  ['87 10 0000 00000000', 'BPF_NEG uses reserved fields'],
  ['8f 00 0000 00000000', 'unknown opcode 8f'],
  ['d4 00 0000 08000000', 'BPF_END uses reserved fields'],
  ['d4 00 0100 10000000', 'BPF_END uses reserved fields'],
  ['df 00 0000 10000000', 'unknown opcode df'],
  ['b7 10 0000 01000000', 'BPF_MOV uses reserved fields'],
  ['b7 00 0800 01000000', 'BPF_MOV uses reserved fields'],
  ['bf 10 0400 00000000', 'BPF_MOV uses reserved fields'],
  ['bc 10 2000 00000000', 'BPF_MOV uses reserved fields'],
  ['bf 10 0100 03000000', 'addr_space_cast insn can only convert between address space 1 and 0'],
  ['1d 10 0000 01000000', 'BPF_JMP/JMP32 uses reserved fields'],
  ['15 10 0000 01000000', 'BPF_JMP/JMP32 uses reserved fields'],
  ['05 00 0000 01000000', 'BPF_JA uses reserved fields'],
  ['06 00 0100 01000000', 'BPF_JA uses reserved fields'],
  ['e5 00 0000 05000000', 'invalid may_goto imm 5'],
  ['85 30 0000 01000000', 'BPF_CALL uses reserved fields'],
  ['85 01 0000 01000000', 'BPF_CALL uses reserved fields'],
  ['85 00 0100 01000000', 'BPF_CALL uses reserved fields'],
  ['95 00 0000 01000000', 'BPF_EXIT uses reserved fields'],
  ['61 10 0000 01000000', 'BPF_LDX uses reserved fields'],
  ['7b 10 0000 01000000', 'BPF_STX uses reserved fields'],
  ['7a 10 0000 01000000', 'BPF_ST uses reserved fields'],
  ['db 10 0000 02000000', 'BPF_ATOMIC uses invalid atomic opcode 02'],
  ['d3 10 0000 00000000', 'invalid atomic operand size'],
  ['20 01 0000 00000000', 'BPF_LD_[ABS|IND] uses reserved fields'],
  ['20 10 0000 00000000', 'BPF_LD_[ABS|IND] uses reserved fields'],
  ['b7 0b 0000 00000000', 'R11 is invalid'],
  ['bf f0 0000 00000000', 'R15 is invalid'],
  ['18 00 0000 00000000', 'invalid bpf_ld_imm64 insn'],
  ['18 00 0000 00000000 b700000000000000', 'invalid bpf_ld_imm64 insn'],
  ['18 00 0000 00000000 0001000000000000', 'invalid bpf_ld_imm64 insn'],
  ['18 70 0000 00000000 0000000000000000', 'unrecognized bpf_ld_imm64 insn'],
  ['18 10 0000 00000000 0000000001000000', 'unrecognized bpf_ld_imm64 insn'],
  ['18 00 0100 00000000 0000000000000000', 'BPF_LD_IMM64 uses reserved fields'],
];

describe('refused', () => {
  test.each(REFUSED)('%s: %s', (text, message) => {
    const { errors } = decode(bytes(text));
    expect(errors.map((error) => error.linux)).toEqual([message]);
    expect(errors[0]!.slot).toBe(0);
    expect(errors[0]!.reason.length).toBeGreaterThan(10);
  });
});

/** Encodings whose fields look odd and are right. */
const ACCEPTED: readonly (readonly [string, string])[] = [
  ['95 00 0700 00000000', 'exit'], // Linux ignores this offset
  ['06 00 0000 00000100', 'gotol'],
  ['8d 03 0000 00000000', 'call_register'],
  ['37 00 0100 01000000', 'sdiv64_imm'],
  ['bf 10 1000 00000000', 'movsx64_16'],
  ['d3 10 0000 00010000', 'load_acquire_u8'],
  ['85 20 0300 01000000', 'call_kfunc'],
  ['18 40 0000 05000000 0000000009000000', 'constant_function'],
  ['18 60 0000 05000000 0000000009000000', 'constant_map_index_value'],
];

describe('accepted', () => {
  test.each(ACCEPTED)('%s: %s', (text, name) => {
    const { instructions, errors } = decode(bytes(text));
    expect(errors).toEqual([]);
    expect(TABLE[instructions[0]!.op]!.name).toBe(name);
  });
});

test('the register of an old callx is normalised', () => {
  const { instructions, errors } = decode(bytes('8d 00 0000 07000000'));
  expect(errors).toEqual([]);
  expect(instructions[0]).toMatchObject({ dst: 7, imm: 0 });
  expect(decode(bytes('8d 02 0000 07000000')).errors).toHaveLength(1);
  expect(decode(bytes('8d 00 0000 0b000000')).errors).toHaveLength(1);
});

test('fields that a row fixes read as zero', () => {
  const { instructions } = decode(bytes('37 00 0100 01000000 db 21 0800 41000000'));
  expect(instructions[0]).toMatchObject({ off: 0, imm: 1 });
  expect(instructions[1]).toMatchObject({ dst: 1, src: 2, off: 8, imm: 0 });
});

test('gotol keeps its displacement in off', () => {
  const { instructions } = decode(bytes('06 00 0000 70eefeff'));
  expect(instructions[0]).toMatchObject({ off: -70032, imm: 0 });
});

test('code that ends inside a slot', () => {
  const { instructions, errors } = decode(bytes('95 00 0000 00000000 b700'));
  expect(instructions).toHaveLength(1);
  expect(errors).toMatchObject([{ slot: 1, kind: 'length' }]);
});

test('a view at an odd offset of a larger buffer', () => {
  const buffer = new Uint8Array(17);
  buffer[9] = 0x95;
  expect(decode(buffer.subarray(9, 17)).errors).toEqual([]);
  expect(TABLE[decode(buffer.subarray(9, 17)).instructions[0]!.op]!.name).toBe('exit');
});

test('the number of reported errors is bounded', () => {
  const { instructions, errors } = decode(new Uint8Array(8 * 5000));
  expect(instructions).toHaveLength(5000);
  expect(errors).toHaveLength(MAX_DECODE_ERRORS);
});

test('a million slots decode within seconds', () => {
  const code = new Uint8Array(8 * 1_000_000);
  for (let at = 0; at < code.length; at += 8) code[at] = 0x07;
  const start = performance.now();
  expect(decode(code).errors).toEqual([]);
  expect(performance.now() - start).toBeLessThan(5_000);
});
