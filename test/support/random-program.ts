/**
 * Random programs that are safe by construction, for comparing compiled code with the interpreter:
 * r9 holds the buffer and is never written; r0..r7 are data from its first words, r8 counts loops.
 * Every row of arithmetic, jumps, memory and atomics can occur; jumps go forward, loops are counted.
 * At the end, all registers and stack slots are mixed into r0.
 */

import { type Instruction, type Row, rowNamed, TABLE } from '../../isa/index.ts';

export const BUFFER_BYTES = 72;
const WORDS = 8;

const CORNERS = [
  0, 1, -1, 2, 3, 7, 8, 10, 16, 24, 31, 32, 48, 56, 63, 64, 127, 128, 255, 256, 1000, 65535, 65536,
  0x7fffffff, -0x80000000, -2, -5, -65536, 0x00ff00ff,
];
const HIGH_CORNERS = [0, 0, -1, -0x80000000, 0x7fffffff];

const kinds = (kind: Row['kind']): readonly Row[] => TABLE.filter((row) => row.kind === kind);
const ALU = kinds('alu');
const JUMPS = kinds('jump');
const LOADS = kinds('load');
const STORES = kinds('store');
const ATOMICS = kinds('atomic');

/** A small generator (linear congruential), so that a seed reproduces a program. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) | 0;
    return Math.floor(((this.#state >>> 0) / 2 ** 32) * limit);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  word(): number {
    return this.below(2) === 0 ? this.pick(CORNERS) : this.below(2 ** 32) | 0;
  }
}

const make = (row: Row, dst = 0, src = 0, off = 0, imm = 0): Instruction => ({
  op: row.index,
  dst,
  src,
  off,
  imm,
  immHigh: 0,
});
const named = (name: string, dst = 0, src = 0, off = 0, imm = 0): Instruction =>
  make(rowNamed(name), dst, src, off, imm);

export function randomProgram(random: Random, length: number): Instruction[] {
  const out = [named('mov64_reg', 9, 1)];
  for (let r = 0; r <= 8; r++) out.push(named('load_u64', r, 9, 8 * Math.min(r, WORDS)));
  for (let s = 1; s <= WORDS; s++) out.push(named('store_u64_reg', 10, random.below(8), -8 * s));
  for (let left = length; left > 0; ) {
    const count = 1 + random.below(Math.min(left, 10));
    left -= count;
    if (random.below(3) === 0) pushLoop(out, random, count);
    else pushStraight(out, random, count);
  }
  for (let r = 1; r <= 8; r++) pushMix(out, r);
  for (let s = 1; s <= WORDS; s++) {
    out.push(named('load_u64', 1, 10, -8 * s));
    pushMix(out, 1);
  }
  out.push(named('exit'));
  return out;
}

function pushMix(out: Instruction[], register: number): void {
  out.push(named('mul64_imm', 0, 0, 0, 31), named('xor64_reg', 0, register));
}

/** Counting down to zero, or up with the comparison before the step. */
function pushLoop(out: Instruction[], random: Random, count: number): void {
  const rounds = 1 + random.below(9);
  const down = random.below(2) === 0;
  out.push(named('mov64_imm', 8, 0, 0, down ? rounds : 0));
  const start = out.length;
  pushStraight(out, random, random.below(2) === 0 ? count : random.below(4));
  if (down) out.push(named('sub64_imm', 8, 0, 0, 1));
  else out.push(named('mov64_reg', 7, 8), named('add64_imm', 8, 0, 0, 1));
  const back = start - out.length - 1;
  out.push(down ? named('jne64_imm', 8, 0, back, 0) : named('jlt64_imm', 7, 0, back, rounds));
}

function pushStraight(out: Instruction[], random: Random, count: number): void {
  for (let i = 0; i < count; i++) {
    const choice = random.below(100);
    if (choice < 62) out.push(randomAlu(random));
    else if (choice < 76) out.push(randomJump(random, Math.min(12, count - i)));
    else if (choice < 84) out.push(randomMemory(random, LOADS));
    else if (choice < 93) out.push(randomMemory(random, STORES));
    else out.push(randomMemory(random, ATOMICS));
  }
}

function randomAlu(random: Random): Instruction {
  const row = random.pick(ALU);
  const shifts = row.operation.endsWith('sh');
  const value = shifts ? random.below(row.width) : random.word();
  const imm = typeof row.imm === 'number' ? row.imm : row.imm === 'unused' ? 0 : value;
  const off = typeof row.off === 'number' ? row.off : 0;
  return make(row, random.below(8), row.src === 'read' ? random.below(8) : 0, off, imm);
}

function randomJump(random: Random, limit: number): Instruction {
  const row = random.pick(JUMPS);
  const imm = row.source === 'imm' ? random.pick(CORNERS) : 0;
  const src = row.src === 'read' ? random.below(8) : 0;
  return make(row, random.below(8), src, random.below(limit), imm);
}

/** Aligned, in the buffer or on the stack. */
function randomMemory(random: Random, rows: readonly Row[]): Instruction {
  const row = random.pick(rows);
  const onStack = random.below(2) === 0;
  const base = onStack ? 10 : 9;
  const within = random.below(8 / row.sizeBytes) * row.sizeBytes;
  const off = (onStack ? -8 * WORDS : 0) + 8 * random.below(WORDS) + within;
  const data = random.below(8);
  const loads = row.kind === 'load' || row.operation === 'load_acquire';
  const imm = typeof row.imm === 'number' ? row.imm : row.source === 'imm' ? random.word() : 0;
  if (loads) return make(row, data, base, off, imm);
  return make(row, base, row.source === 'reg' ? data : 0, off, imm);
}

export function randomBuffer(random: Random): Uint8Array {
  const buffer = new Uint8Array(BUFFER_BYTES);
  const view = new DataView(buffer.buffer);
  for (let at = 0; at < BUFFER_BYTES; at += 8) {
    view.setInt32(at, random.word(), true);
    const high = random.below(2) === 0 ? random.pick(HIGH_CORNERS) : random.below(2 ** 32) | 0;
    view.setInt32(at + 4, high, true);
  }
  return buffer;
}
