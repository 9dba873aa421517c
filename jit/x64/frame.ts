/**
 * The stack frame: who saves what, and what lies where. From high to low addresses:
 *
 *   return address
 *   callee-saved registers that the function writes
 *   frame areas (the BPF stack), highest alignment first
 *   spill slots                                         <- rsp
 *
 * Everything is addressed through rsp, which does not move between prologue and epilogue. At a call
 * rsp is a multiple of 16 (AMD64 psABI 1.0, section 3.2.2). A function that calls nothing may leave
 * up to 128 bytes below rsp in use (the red zone, same section): then it need not move rsp at all.
 */

import type { CodeBuffer } from '../mach/code-buffer.ts';
import type { Allocation, Frame, Placement } from '../mach/types.ts';
import { encode, encodeImmediate, isInt8, NO_REGISTER } from './encode.ts';
import { ROWS, rowOf, type X64Row } from './instructions.ts';
import { REGISTERS, RSP, registerName } from './registers.ts';

const SLOT_BYTES = 8;
const STACK_ALIGN_BYTES = 16;
const RED_ZONE_BYTES = 128;
const XMM_BYTES = 16;
/** Caller-saved, and used for nothing else. */
const ZERO_XMM = 0;

export function layOutFrame(allocation: Allocation, calls: 'calls' | 'leaf'): Frame {
  const saved = REGISTERS.calleeSaved.filter((r) => (allocation.used & (1 << r)) !== 0);
  let top = allocation.slotCount * SLOT_BYTES;
  const areaOffsets = allocation.code.areas.map(({ sizeBytes, alignBytes }) => {
    const offset = Math.ceil(top / alignBytes) * alignBytes;
    top = offset + sizeBytes;
    return offset;
  });
  const zeroed = allocation.code.areas.flatMap((area, k) =>
    area.zeroed ? [{ offset: areaOffsets[k]!, sizeBytes: area.sizeBytes }] : [],
  );
  // rsp is 8 past a multiple of 16 on entry: the return address was pushed.
  const pushedBytes = (1 + saved.length) * SLOT_BYTES;
  const sizeBytes =
    Math.ceil((top + pushedBytes) / STACK_ALIGN_BYTES) * STACK_ALIGN_BYTES - pushedBytes;
  // Moves between slots push and pop, which would overwrite a red zone.
  if (calls === 'leaf' && allocation.slotCount === 0 && sizeBytes <= RED_ZONE_BYTES) {
    return {
      sizeBytes: 0,
      saved,
      areaOffsets: areaOffsets.map((offset) => offset - sizeBytes),
      slotOffset: 0,
      zeroed: zeroed.map((area) => ({ ...area, offset: area.offset - sizeBytes })),
    };
  }
  const needed = calls === 'calls' || top > 0 ? sizeBytes : 0;
  return { sizeBytes: needed, saved, areaOffsets, slotOffset: 0, zeroed };
}

const PUSH = ROWS[rowOf('push r64')]!;
const POP = ROWS[rowOf('pop r64')]!;
const ADD = ROWS[rowOf('add r/m64, imm32')]!;
const SUB = ROWS[rowOf('sub r/m64, imm32')]!;
const RET = ROWS[rowOf('ret')]!;
const PXOR = ROWS[rowOf('pxor xmm, xmm/m128')]!;
const MOVUPS = ROWS[rowOf('movups m128, xmm')]!;
const STORE = ROWS[rowOf('mov r/m64, imm32')]!;
const STORE_BYTE = ROWS[rowOf('mov r/m8, imm8')]!;

type Note = Placement['note'];

function emitRegister(buffer: CodeBuffer, row: X64Row, register: number, note: Note): void {
  note?.(`${row.mnemonic} ${registerName(register, 64)}`);
  encode(buffer, row, { reg: register, rm: register, address: undefined }, 0);
}

function emitAdjust(buffer: CodeBuffer, row: X64Row, bytes: number, note: Note): void {
  if (bytes === 0) return;
  note?.(`${row.mnemonic} rsp, 0x${bytes.toString(16)}`);
  const chosen = isInt8(bytes) ? ROWS[row.imm8]! : row;
  encode(buffer, chosen, { reg: 0, rm: RSP, address: undefined }, chosen.immBytes);
  encodeImmediate(buffer, chosen.immBytes, bytes, 0);
}

export function emitPrologue(buffer: CodeBuffer, { frame, note }: Placement): void {
  for (const register of frame.saved) emitRegister(buffer, PUSH, register, note);
  emitAdjust(buffer, SUB, frame.sizeBytes, note);
  if (frame.zeroed.some(({ sizeBytes }) => sizeBytes >= XMM_BYTES)) {
    note?.('pxor xmm0, xmm0');
    encode(buffer, PXOR, { reg: ZERO_XMM, rm: ZERO_XMM, address: undefined }, 0);
  }
  for (const { offset, sizeBytes } of frame.zeroed) emitZeroes(buffer, offset, sizeBytes, note);
}

/** The widest stores that fit, then narrower ones. */
function emitZeroes(buffer: CodeBuffer, offset: number, sizeBytes: number, note: Note): void {
  let done = 0;
  const fill = (row: X64Row, widthBytes: number, name: string, value: string): void => {
    for (; done + widthBytes <= sizeBytes; done += widthBytes) {
      const displacement = offset + done;
      const sign = displacement < 0 ? '-' : '+';
      const place = `${name} ptr [rsp${sign}0x${Math.abs(displacement).toString(16)}]`;
      note?.(`${row.mnemonic} ${place}, ${value}`);
      const address = { base: RSP, index: NO_REGISTER, scale: 0, displacement, label: undefined };
      encode(buffer, row, { reg: ZERO_XMM, rm: 0, address }, row.immBytes);
      encodeImmediate(buffer, row.immBytes, 0, 0);
    }
  };
  fill(MOVUPS, XMM_BYTES, 'xmmword', 'xmm0');
  fill(STORE, SLOT_BYTES, 'qword', '0x0');
  fill(STORE_BYTE, 1, 'byte', '0x0');
}

/** Restores what the prologue changed, and returns. */
export function emitReturn(buffer: CodeBuffer, { frame, note }: Placement): void {
  emitAdjust(buffer, ADD, frame.sizeBytes, note);
  for (const register of frame.saved.toReversed()) emitRegister(buffer, POP, register, note);
  note?.('ret');
  encode(buffer, RET, { reg: 0, rm: 0, address: undefined }, 0);
}
