/** Arbitrary instructions for property tests: every row, with every field that it uses varied. */

import fc from 'fast-check';
import { type Instruction, type Row, rowNamed, TABLE } from '../../isa/index.ts';

/** Rows that stand on their own: all but the second slot of a constant. */
export const ROWS: readonly Row[] = TABLE.filter((row) => row.kind !== 'continuation');

export const CONTINUATION: Instruction = {
  op: rowNamed('continuation').index,
  dst: 0,
  src: 0,
  off: 0,
  imm: 0,
  immHigh: 0,
};

const isRegister = (role: Row['dst']): boolean => typeof role === 'string' && role !== 'unused';

const int16 = fc.oneof(
  fc.constantFrom(0, 1, -1, 32767, -32768),
  fc.integer({ min: -32768, max: 32767 }),
);
const int32 = fc.oneof(
  fc.constantFrom(0, 1, -1, 0x7fffffff, -0x80000000, 0x100, 255),
  fc.integer({ min: -0x80000000, max: 0x7fffffff }),
);

/** An instruction of `row`. Registers are r0 to r10, also where a verifier would refuse r10. */
export function instructionOf(row: Row): fc.Arbitrary<Instruction> {
  const register = fc.integer({ min: 0, max: 10 });
  const usesImmediate = row.imm === 'value' || row.imm === 'low' || row.imm === 'callee';
  return fc.record({
    op: fc.constant(row.index),
    dst: isRegister(row.dst) ? register : fc.constant(0),
    src: isRegister(row.src) ? register : fc.constant(0),
    off:
      row.imm === 'jump'
        ? int32
        : typeof row.off === 'number' || row.off === 'unused'
          ? fc.constant(0)
          : int16,
    imm: row.immediates
      ? fc.constantFrom(...row.immediates)
      : usesImmediate
        ? int32
        : fc.constant(0),
    immHigh: row.high === 'value' ? int32 : fc.constant(0),
  });
}

/** The slots of an instruction: itself, and its second slot if it has one. */
export function slotsOf(instruction: Instruction): Instruction[] {
  const isConstant = TABLE[instruction.op]!.kind === 'constant';
  return isConstant ? [instruction, CONTINUATION] : [instruction];
}
