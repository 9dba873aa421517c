/** decode is the inverse of encode, and assemble of disassemble, for every row and field value. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assemble, decode, disassemble, encode, formatInstruction } from '../../isa/index.ts';
import { CONTINUATION, instructionOf, ROWS, slotsOf } from '../support/instructions.ts';

const RUNS_PER_ROW = 40;

describe('for every row', () => {
  test('decode(encode(x)) is x', () => {
    for (const row of ROWS) {
      fc.assert(
        fc.property(instructionOf(row), (instruction) => {
          const decoded = decode(encode(slotsOf(instruction)));
          expect(decoded.errors, row.name).toEqual([]);
          expect(decoded.instructions, row.name).toEqual(slotsOf(instruction));
        }),
        { numRuns: RUNS_PER_ROW },
      );
    }
  });

  test('assemble(format(x)) is x', () => {
    for (const row of ROWS) {
      fc.assert(
        fc.property(instructionOf(row), (instruction) => {
          const text = formatInstruction(instruction);
          expect(assemble(text).instructions, text).toEqual(slotsOf(instruction));
        }),
        { numRuns: RUNS_PER_ROW },
      );
    }
  });

  test('no two rows print the same text', () => {
    const zero = { dst: 1, src: 2, off: 3, imm: 4, immHigh: 0 };
    const texts = ROWS.map((row) => formatInstruction({ ...zero, op: row.index }));
    expect(new Set(texts).size).toBe(ROWS.length);
  });
});

const program = fc.array(
  fc.constantFrom(...ROWS).chain((row) => instructionOf(row)),
  { maxLength: 30 },
);

test('a listing assembles to the program that it lists', () => {
  fc.assert(
    fc.property(program, (some) => {
      const instructions = some.flatMap(slotsOf);
      const text = disassemble(instructions)
        .map((line) => line.text)
        .join('\n');
      expect(assemble(text).instructions).toEqual(instructions);
    }),
    { numRuns: 100 },
  );
});

test('decoding any bytes yields slots and errors, never an exception', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (code) => {
      const { instructions, errors } = decode(code);
      expect(instructions.length).toBe(Math.floor(code.length / 8));
      for (const instruction of instructions) expect(instruction).toBeDefined();
      // What decodes without an error is exactly what encodes, but for fields that are ignored.
      if (errors.length === 0)
        expect(decode(encode(instructions)).instructions).toEqual(instructions);
    }),
    { numRuns: 2000 },
  );
});

test('assembling any text yields code or an InputError', () => {
  const word = fc.constantFrom(
    ...'r1 w2 r10 r11 = += s>> goto +5 -0x1 ( ) * u64 u8 lock if exit call map [ ] ll 0x10 : . # pc foo'.split(
      ' ',
    ),
    '\n',
  );
  fc.assert(
    fc.property(
      fc.array(fc.oneof(word, fc.string({ maxLength: 3 })), { maxLength: 20 }),
      (words) => {
        try {
          assemble(words.join(' '));
        } catch (error) {
          expect((error as Error).name).toBe('InputError');
        }
      },
    ),
    { numRuns: 1000 },
  );
});

test('encode refuses fields that do not fit', () => {
  const add = { ...CONTINUATION, op: ROWS[0]!.index };
  expect(() => encode([{ ...add, dst: 16 }])).toThrow(RangeError);
  expect(() => encode([{ ...add, imm: 2 ** 31 }])).toThrow(RangeError);
  expect(() => encode([{ ...add, op: 9999 }])).toThrow(/no instruction 9999/);
  expect(() => encode([CONTINUATION])).toThrow(/second slot/);
});
