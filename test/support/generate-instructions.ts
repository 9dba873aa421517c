/**
 * Programs of random instructions. Valid ones: every row of the table with fields that decode,
 * registers that are mostly written before, jumps that stay inside. And plain bytes, of which a few
 * decode by chance.
 */

import { BYTES_PER_SLOT, type Row, TABLE } from '../../isa/index.ts';
import { MAPS } from './generate-memory.ts';
import { address, narrow, Writer } from './generate-writer.ts';

const ROWS = TABLE.filter(
  ({ kind, operation }) =>
    kind !== 'continuation' &&
    kind !== 'cast' &&
    !(kind === 'constant' && operation !== 'value') &&
    !(kind === 'call' && operation !== 'helper'),
);
const TYPES = ['xdp', 'sched_cls', 'socket_filter'];
/** Helpers that most program types have: maps, time, processor, random numbers. */
const HELPERS = [1, 2, 3, 5, 7, 8];
const OFFSETS = [0, 0, 4, 8, 12, 16, -1, -2, -4, -8, -8, -16, -24];

/** Lines of a program of the rows of the instruction table. */
export function instructionProgram(seed: number): string {
  const w = new Writer(seed);
  const length = 2 + w.below(14);
  w.emit(`.type ${w.pick(TYPES)}`, ...MAPS);
  const written = openRegisters(w);
  for (let i = 0; i < length; i++) {
    w.emit(`at_${i}:`, randomInstruction(w, written, i, length));
  }
  w.emit(`at_${length}:`, `r0 = ${w.below(3)}`, 'exit');
  return w.text();
}

/** Something in most registers; those that hold something. */
function openRegisters(w: Writer): string[] {
  const written = ['r1', 'r10'];
  const choices = ['r1', 'r10', 'map[input][0] + 0 ll', 'map[values] ll', '7', '-1', '256'];
  for (const register of ['r0', 'r2', 'r3', 'r6', 'r7', 'r8']) {
    if (w.chance(5)) continue;
    w.emit(`${register} = ${w.chance(2) ? w.immediate() : w.pick(choices)}`);
    written.push(register);
  }
  return written;
}

function randomInstruction(w: Writer, written: string[], at: number, length: number): string {
  const row = w.pick(ROWS);
  const any = () => `r${w.below(11)}`;
  const read = () => (w.chance(20) ? any() : w.pick(written));
  const write = () => (w.chance(40) ? any() : `r${w.below(10)}`);
  const target = w.chance(12) ? w.below(length + 1) : at + 1 + w.below(length - at);
  const dst = row.dst === 'write' ? write() : read();
  if (row.dst === 'write') written.push(dst);
  const memory = row.kind === 'load' || row.operation === 'load_acquire';
  const src = memory && w.chance(2) ? 'r10' : read();
  const base = row.kind === 'store' && w.chance(2) ? 'r10' : dst;
  const low = row.width === 32 && row.kind !== 'atomic' ? narrow : (r: string) => r;
  return fill(row, w, low(base), low(src), target);
}

function fill(row: Row, w: Writer, dst: string, src: string, target: number): string {
  const shift = row.operation.endsWith('sh') ? w.below(row.width || 64) : w.immediate();
  return row.text
    .replace(/\$(dst|src) \$off/, (_, which) =>
      address((which === 'dst' ? dst : src).replace('w', 'r'), w.pick(OFFSETS)),
    )
    .replaceAll('$dst', dst)
    .replaceAll('$src', src)
    .replace('$imm64', `${w.immediate()} ll`)
    .replace('$imm', String(row.immediates ? w.pick(row.immediates) : shift))
    .replace('$jump', `at_${target}`)
    .replace('$callee', String(w.pick(HELPERS)))
    .replace(/ ll ll$/, ' ll');
}

const CODES = [...new Set(TABLE.map(({ code }) => code))];

/** Slots whose opcodes are often valid, whose other fields are anything. */
export function randomBytes(seed: number): { readonly type: string; readonly code: Uint8Array } {
  const w = new Writer(seed);
  const slots = 1 + w.below(8);
  const code = new Uint8Array(slots * BYTES_PER_SLOT);
  for (let at = 0; at < code.length; at++) code[at] = w.chance(2) ? 0 : w.below(256);
  for (let slot = 0; slot < slots; slot++) {
    const at = slot * BYTES_PER_SLOT;
    if (!w.chance(10)) code[at] = w.pick(CODES);
    if (w.chance(2)) code[at + 1] = w.below(11) | (w.below(11) << 4);
    if (w.chance(2)) code.fill(0, at + 2, at + 4);
  }
  const exit = code.length - BYTES_PER_SLOT;
  if (!w.chance(4)) code.set([0x95, 0, 0, 0, 0, 0, 0, 0], exit);
  if (slots > 1 && w.chance(2)) code.set([0xb7, 0, 0, 0, 0, 0, 0, 0], 0);
  return { type: w.pick(TYPES), code };
}
