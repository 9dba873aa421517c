/**
 * One instruction as bytes: prefixes, REX, opcode, ModRM, SIB, displacement, immediate (SDM volume
 * 2, chapter 2). The irregular corners, all of them consequences of a register number that means
 * something else in that field:
 * - base rsp or r12 (low bits 100) needs a SIB byte;
 * - base rbp or r13 (low bits 101) has no form without displacement;
 * - index 100 means "none", so rsp is never an index;
 * - registers 4..7 name spl, bpl, sil, dil in byte operands only when a REX prefix is present.
 */

import { InternalError } from '../../isa/index.ts';
import type { CodeBuffer, Label } from '../mach/code-buffer.ts';
import type { X64Row } from './instructions.ts';
import { RSP } from './registers.ts';

/** What stands in ModRM.r/m; `base` or `index` -1: none. */
export interface EffectiveAddress {
  readonly base: number;
  readonly index: number;
  readonly scale: number;
  readonly displacement: number;
  /** Instead of all of these: rip-relative. */
  readonly label: Label | undefined;
}

export const NO_REGISTER = -1;

const REX = 0x40;
const MODRM_SIB = 4;
const MODRM_DISP32 = 5;
const SCALE_BITS: Readonly<Record<number, number>> = { 0: 0, 1: 0, 2: 1, 4: 2, 8: 3 };

/** Fields of one instruction in the encoding's terms. */
export interface Fields {
  /** ModRM.reg, unless the row has a digit. */
  readonly reg: number;
  /** ModRM.r/m or the register in the opcode, unless there is an address. */
  readonly rm: number;
  readonly address: EffectiveAddress | undefined;
}

/** Writes everything up to the immediate, of which `immBytes` will follow. */
export function encode(buffer: CodeBuffer, row: X64Row, fields: Fields, immBytes: number): void {
  const { reg, rm, address } = fields;
  const regField = row.digit >= 0 ? row.digit : reg;
  for (const prefix of row.prefixes) buffer.u8(prefix);
  const rex = rexOf(row, regField, rm, address);
  if (rex !== 0) buffer.u8(rex);
  if (!row.modrm) {
    const last = row.opcode.length - 1;
    for (let i = 0; i < last; i++) buffer.u8(row.opcode[i]!);
    if (last >= 0) buffer.u8(row.opcode[last]! | (isPlus(row) ? rm & 7 : 0));
    return;
  }
  for (const byte of row.opcode) buffer.u8(byte);
  if (address === undefined) buffer.u8(0xc0 | ((regField & 7) << 3) | (rm & 7));
  else encodeAddress(buffer, regField & 7, address, immBytes);
}

const isPlus = (row: X64Row): boolean => row.specs[0]?.kind === 'plus';

function rexOf(
  row: X64Row,
  reg: number,
  rm: number,
  address: EffectiveAddress | undefined,
): number {
  let bits = row.rexW;
  if (row.modrm && reg >= 8) bits |= 4;
  if (address === undefined) {
    if (rm >= 8) bits |= 1;
  } else {
    if (address.index >= 8) bits |= 2;
    if (address.base >= 8) bits |= 1;
  }
  return bits !== 0 || needsByteRex(row, reg, rm, address) ? REX | bits : 0;
}

function needsByteRex(
  row: X64Row,
  reg: number,
  rm: number,
  address: EffectiveAddress | undefined,
): boolean {
  for (const spec of row.specs) {
    if (spec.kind === 'reg' && spec.width === 8 && reg >= 4) return true;
    if (spec.kind === 'rm' && spec.width === 8 && address === undefined && rm >= 4) return true;
  }
  return false;
}

function encodeAddress(
  buffer: CodeBuffer,
  reg: number,
  address: EffectiveAddress,
  immBytes: number,
): void {
  const { base, index, scale, displacement, label } = address;
  if (label !== undefined) {
    buffer.u8((reg << 3) | MODRM_DISP32);
    buffer.fixup(immBytes, label);
    buffer.u32(displacement);
    return;
  }
  if (index === RSP) throw new InternalError('x64 encoder', 'rsp cannot be an index');
  const indexBits = index === NO_REGISTER ? 4 : index & 7;
  const sib = (SCALE_BITS[scale]! << 6) | (indexBits << 3);
  if (base === NO_REGISTER) {
    buffer.u8((reg << 3) | MODRM_SIB);
    buffer.u8(sib | MODRM_DISP32);
    buffer.u32(displacement);
    return;
  }
  const mod = displacementMode(base, displacement);
  if (index !== NO_REGISTER || (base & 7) === MODRM_SIB) {
    buffer.u8((mod << 6) | (reg << 3) | MODRM_SIB);
    buffer.u8(sib | (base & 7));
  } else {
    buffer.u8((mod << 6) | (reg << 3) | (base & 7));
  }
  if (mod === 1) buffer.u8(displacement);
  else if (mod === 2) buffer.u32(displacement);
}

/** ModRM.mod: 0 no displacement, 1 one byte, 2 four bytes. */
function displacementMode(base: number, displacement: number): 0 | 1 | 2 {
  if (displacement === 0 && (base & 7) !== MODRM_DISP32) return 0;
  return isInt8(displacement) ? 1 : 2;
}

export const isInt8 = (value: number): boolean => (value << 24) >> 24 === value;

export function encodeImmediate(
  buffer: CodeBuffer,
  bytes: number,
  low: number,
  high: number,
): void {
  switch (bytes) {
    case 0:
      return;
    case 1:
      buffer.u8(low);
      return;
    case 2:
      buffer.u8(low);
      buffer.u8(low >> 8);
      return;
    case 4:
      buffer.u32(low);
      return;
    default:
      buffer.u32(low);
      buffer.u32(high);
  }
}
