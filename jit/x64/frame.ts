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
import type { Allocation, Frame } from '../mach/types.ts';
import { encode, encodeImmediate, isInt8, NO_REGISTER } from './encode.ts';
import { ROWS, rowOf } from './instructions.ts';
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

function emitRegister(buffer: CodeBuffer, row: (typeof ROWS)[number], register: number): void {
  encode(buffer, row, { reg: register, rm: register, address: undefined }, 0);
}

function emitAdjust(buffer: CodeBuffer, row: (typeof ROWS)[number], bytes: number): void {
  if (bytes === 0) return;
  const short = isInt8(bytes);
  const chosen = short ? ROWS[row.imm8]! : row;
  encode(buffer, chosen, { reg: 0, rm: RSP, address: undefined }, chosen.immBytes);
  encodeImmediate(buffer, chosen.immBytes, bytes, 0);
}

export function emitPrologue(buffer: CodeBuffer, frame: Frame): void {
  for (const register of frame.saved) emitRegister(buffer, PUSH, register);
  emitAdjust(buffer, SUB, frame.sizeBytes);
  if (frame.zeroed.some(({ sizeBytes }) => sizeBytes >= XMM_BYTES)) {
    encode(buffer, PXOR, { reg: ZERO_XMM, rm: ZERO_XMM, address: undefined }, 0);
  }
  for (const { offset, sizeBytes } of frame.zeroed) emitZeroes(buffer, offset, sizeBytes);
}

function emitZeroes(buffer: CodeBuffer, offset: number, sizeBytes: number): void {
  const at = (displacement: number) => ({
    base: RSP,
    index: NO_REGISTER,
    scale: 0,
    displacement,
    label: undefined,
  });
  let done = 0;
  for (; done + XMM_BYTES <= sizeBytes; done += XMM_BYTES) {
    encode(buffer, MOVUPS, { reg: ZERO_XMM, rm: 0, address: at(offset + done) }, 0);
  }
  for (; done + SLOT_BYTES <= sizeBytes; done += SLOT_BYTES) {
    encode(buffer, STORE, { reg: 0, rm: 0, address: at(offset + done) }, STORE.immBytes);
    encodeImmediate(buffer, STORE.immBytes, 0, 0);
  }
  for (; done < sizeBytes; done++) {
    encode(buffer, STORE_BYTE, { reg: 0, rm: 0, address: at(offset + done) }, 1);
    encodeImmediate(buffer, 1, 0, 0);
  }
}

/** Restores what the prologue changed; the next instruction returns. */
export function emitEpilogue(buffer: CodeBuffer, frame: Frame): void {
  emitAdjust(buffer, ADD, frame.sizeBytes);
  for (const register of frame.saved.toReversed()) emitRegister(buffer, POP, register);
}

export function emitReturn(buffer: CodeBuffer, frame: Frame): void {
  emitEpilogue(buffer, frame);
  encode(buffer, RET, { reg: 0, rm: 0, address: undefined }, 0);
}

const zeroText = ({ offset, sizeBytes }: Frame['zeroed'][number]): string =>
  `zero [rsp${offset < 0 ? '-' : '+'}0x${Math.abs(offset).toString(16)}] for ${sizeBytes} bytes`;

export function printPrologue(frame: Frame): string {
  const lines = frame.saved.map((register) => `push ${registerName(register, 64)}`);
  if (frame.sizeBytes > 0) lines.push(`sub rsp, 0x${frame.sizeBytes.toString(16)}`);
  lines.push(...frame.zeroed.map(zeroText));
  return lines.join('; ');
}

export function printEpilogue(frame: Frame): string {
  const lines = frame.sizeBytes > 0 ? [`add rsp, 0x${frame.sizeBytes.toString(16)}`] : [];
  lines.push(...frame.saved.toReversed().map((register) => `pop ${registerName(register, 64)}`));
  return lines.join('; ');
}
