/**
 * The general-purpose registers of x86-64 and their duties in the System V calling convention
 * (AMD64 psABI 1.0, section 3.2.1). Numbers are the encoding of the Intel manual (SDM volume 2,
 * section 2.2.1.2): bits 0..2 go to ModRM, SIB or the opcode, bit 3 to the REX prefix.
 */
import type { RegisterFile } from '../mach/types.ts';

export const RAX = 0;
export const RCX = 1;
export const RDX = 2;
export const RBX = 3;
export const RSP = 4;
export const RBP = 5;
export const RSI = 6;
export const RDI = 7;
export const R8 = 8;
export const R9 = 9;
export const R10 = 10;
export const R11 = 11;
export const R12 = 12;
export const R13 = 13;
export const R14 = 14;
export const R15 = 15;

const LOW = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi'] as const;
const LOW_BYTES = ['al', 'cl', 'dl', 'bl', 'spl', 'bpl', 'sil', 'dil'] as const;
const HIGH = [8, 9, 10, 11, 12, 13, 14, 15] as const;

export type RegisterWidth = 8 | 16 | 32 | 64 | 128;

const NAMES: Readonly<Record<RegisterWidth, readonly string[]>> = {
  8: [...LOW_BYTES, ...HIGH.map((n) => `r${n}b`)],
  16: [...LOW.map((name) => name.slice(1)), ...HIGH.map((n) => `r${n}w`)],
  32: [...LOW.map((name) => `e${name.slice(1)}`), ...HIGH.map((n) => `r${n}d`)],
  64: [...LOW, ...HIGH.map((n) => `r${n}`)],
  128: Array.from({ length: 16 }, (_, n) => `xmm${n}`),
};

/** Name of the low `width` bits of register `register`. */
export const registerName = (register: number, width: RegisterWidth): string =>
  NAMES[width][register]!;

/**
 * rsp is never allocated. Frames are addressed through rsp, so rbp is an ordinary register. Among
 * the callee-saved ones those come first that cost no extra byte as a base: r12 needs a SIB byte,
 * rbp and r13 a displacement. Among the others those that need no REX prefix come first, and of these
 * rax last: results of calls and functions, products and quotients all want it.
 */
const CALLER_SAVED = [RCX, RDX, RSI, RDI, RAX, R8, R9, R10, R11] as const;
const CALLEE_SAVED = [RBX, RBP, R14, R15, R12, R13] as const;

export const REGISTERS: RegisterFile = {
  names: NAMES[64],
  callerSaved: CALLER_SAVED,
  calleeSaved: CALLEE_SAVED,
  arguments: [RDI, RSI, RDX, RCX, R8, R9],
  result: RAX,
  clobbered: CALLER_SAVED.reduce<number>((mask, register) => mask | (1 << register), 0),
};
