/**
 * Instructions to bytes: the inverse of `decode`. Fields that a row fixes are taken from the row, so
 * whatever is in them cannot change which instruction is written; fields that it does not use are
 * written as zero.
 */

import { BYTES_PER_SLOT } from './decode.ts';
import type { Instruction } from './program.ts';
import { type Row, TABLE } from './table.ts';

/** Little-endian code of `instructions`, 8 bytes each. Throws RangeError on a field out of range. */
export function encode(instructions: readonly Instruction[]): Uint8Array {
  const code = new Uint8Array(instructions.length * BYTES_PER_SLOT);
  const view = new DataView(code.buffer);
  let high: number | undefined;
  instructions.forEach((instruction, slot) => {
    const row = rowOf(instruction, slot);
    const at = slot * BYTES_PER_SLOT;
    if ((row.kind === 'continuation') !== (high !== undefined)) {
      throw new RangeError(`slot ${slot}: a constant and its second slot must follow each other`);
    }
    if (high !== undefined) {
      view.setInt32(at + 4, high, true);
      high = undefined;
      return;
    }
    encodeSlot(view, at, row, instruction, slot);
    if (row.kind === 'constant') high = row.high === 'value' ? instruction.immHigh : 0;
  });
  if (high !== undefined) throw new RangeError('the second slot of the last constant is missing');
  return code;
}

function rowOf(instruction: Instruction, slot: number): Row {
  const row = TABLE[instruction.op];
  if (!row) throw new RangeError(`slot ${slot}: there is no instruction ${instruction.op}`);
  return row;
}

function encodeSlot(
  view: DataView,
  at: number,
  row: Row,
  instruction: Instruction,
  slot: number,
): void {
  const jumpsFar = row.imm === 'jump';
  const dst = fieldValue(row.dst, instruction.dst);
  const src = fieldValue(row.src, instruction.src);
  const off = jumpsFar ? 0 : fieldValue(row.off, instruction.off);
  const imm = jumpsFar ? instruction.off : fieldValue(row.imm, instruction.imm);
  const inRange =
    dst >= 0 &&
    dst <= 10 &&
    src >= 0 &&
    src <= 10 &&
    off === (off << 16) >> 16 &&
    imm === (imm | 0);
  if (!inRange) {
    throw new RangeError(`slot ${slot}: a field of '${row.name}' does not fit its encoding`);
  }
  view.setUint8(at, row.code);
  view.setUint8(at + 1, dst | (src << 4));
  view.setInt16(at + 2, off, true);
  view.setInt32(at + 4, imm, true);
}

/** `call` rows ignore no field; a role that is a number is the field's value. */
function fieldValue(role: Row['dst'] | Row['off'] | Row['imm'], value: number): number {
  if (typeof role === 'number') return role;
  return role === 'unused' ? 0 : value;
}
