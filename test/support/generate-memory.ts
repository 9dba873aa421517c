/**
 * Statements about memory: the stack at fixed and varying offsets, spilled pointers, packet bytes
 * behind a comparison with the end, map values behind a null check, atomics on all of them. The
 * caller gives the registers that hold numbers; r0 to r5 are free for each statement.
 */

import { writeBound } from './generate-numbers.ts';
import { address, narrow, place, type Writer } from './generate-writer.ts';

/** The frame: context, keys, then a data area whose bytes are all written at the start. */
export const CONTEXT_SLOT = -8;
const KEY = -16;
export const DATA_LOW = -96;
export const DATA_BYTES = 64;
const POINTER_SPILL = -112;

export const INPUT_BYTES = 40;
export const ARRAY_BYTES = 44;
export const TABLE_BYTES = 24;
const ARRAY_ENTRIES = 3;
const TABLE_ENTRIES = 8;

/** Maps that generated programs use. `input` is filled anew before each run. */
export const MAPS: readonly string[] = [
  `.map input array key 4 value ${INPUT_BYTES} entries 1`,
  `.map values array key 4 value ${ARRAY_BYTES} entries ${ARRAY_ENTRIES}`,
  `.map table hash key 8 value ${TABLE_BYTES} entries ${TABLE_ENTRIES}`,
  '.map programs prog_array key 4 value 4 entries 2',
];

const SIZES = [1, 1, 2, 4, 8, 8];
const WRONG_ONCE_IN = 24;

/** Puts something into the bytes at `base + offset`, or fetches it. */
function writeAccess(
  w: Writer,
  registers: readonly string[],
  base: string,
  offset: number,
  size: number,
): void {
  const at = place(size, base, offset);
  const register = w.pick(registers);
  const choice = w.below(6);
  if (choice < 2) w.emit(`${at} = ${register}`);
  else if (choice === 2) w.emit(`${at} = ${w.immediate()}`);
  else if (choice === 3 && size < 8) w.emit(`${register} = ${at.replace('u', 's')}`);
  else w.emit(`${register} = ${at}`);
}

export function writeStackAccess(w: Writer, registers: readonly string[]): void {
  const size = w.pick(SIZES);
  const offset = DATA_LOW + size * w.below(DATA_BYTES / size);
  writeAccess(w, registers, 'r10', w.chance(40) ? offset + 1 : offset, size);
}

/** r2 = a place in an area of `bytes` bytes at `base`, at an index that is brought below. */
function writeIndexed(
  w: Writer,
  registers: readonly string[],
  base: string,
  bytes: number,
  access: (w: Writer, pointer: string, offset: number, size: number) => void,
): void {
  const size = w.pick(SIZES);
  const fixed = w.pick([0, 0, 0, 1, 4, 8]);
  const out = w.label();
  const index = w.pick(registers);
  const most = bytes - size - fixed;
  writeBound(w, { index, scratch: 'r1', most, out }, WRONG_ONCE_IN);
  w.emit(`r2 = ${base}`);
  const order = w.below(4);
  if (order === 0) w.emit(`r3 = ${index}`, 'r3 += r2', 'r2 = r3');
  else if (order === 1) w.emit(`r2 += ${fixed + 1}`, `r2 += ${index}`, `r2 -= ${fixed + 1}`);
  else w.emit(`r2 += ${index}`);
  access(w, 'r2', fixed, size);
  w.emit(`${out}:`);
}

/** Bytes are always aligned; wider accesses only by luck. */
export function writeStackIndex(w: Writer, registers: readonly string[]): void {
  const index = w.pick(registers);
  const size = w.pick([1, 1, 1, 4, 8]);
  const out = w.label();
  const most = DATA_BYTES / size - 1;
  writeBound(w, { index, scratch: 'r1', most, out }, WRONG_ONCE_IN);
  if (size > 1) w.emit(`r1 = ${index}`, `r1 *= ${size}`);
  w.emit('r2 = r10', `r2 += ${size > 1 ? 'r1' : index}`);
  writeAccess(w, registers, 'r2', DATA_LOW, size);
  w.emit(`${out}:`);
}

/** The context pointer, from its own register or from its spill. */
export function writeContext(w: Writer, to: string): void {
  w.emit(w.chance(4) ? `${to} = *(u64 *)(r10 - ${-CONTEXT_SLOT})` : `${to} = r6`);
}

export interface PacketFields {
  readonly data: number;
  readonly end: number;
}

/** Jumps to `out` unless `pointer <= end`, in one of the forms that compilers emit. */
function writeEndCheck(w: Writer, pointer: string, end: string, out: string): void {
  const inside = w.label();
  const forms = [
    [`if ${pointer} > ${end} goto ${out}`],
    [`if ${end} < ${pointer} goto ${out}`],
    [`if ${pointer} >= ${end} goto ${out}`],
    [`if ${end} <= ${pointer} goto ${out}`],
    [`if ${pointer} <= ${end} goto ${inside}`, `goto ${out}`, `${inside}:`],
    [`if ${end} >= ${pointer} goto ${inside}`, `goto ${out}`, `${inside}:`],
    [`if ${pointer} < ${end} goto ${inside}`, `goto ${out}`, `${inside}:`],
    [`if ${end} > ${pointer} goto ${inside}`, `goto ${out}`, `${inside}:`],
  ];
  w.emit(...w.pick(forms));
}

/** A read or write of packet bytes, at a fixed or a varying offset, behind a check. */
export function writePacket(w: Writer, registers: readonly string[], fields: PacketFields): void {
  const out = w.label();
  writeContext(w, 'r1');
  w.emit(`r2 = *(u32 *)(r1 + ${fields.data})`, `r3 = *(u32 *)(r1 + ${fields.end})`);
  if (w.chance(2)) {
    const index = w.pick(registers);
    const most = w.pick([7, 15, 60, 63, 255]);
    writeBound(w, { index, scratch: 'r5', most, out }, WRONG_ONCE_IN);
    w.emit(`r2 += ${index}`);
  }
  const size = w.pick(SIZES);
  const from = w.below(20);
  const proven = from + size - (w.chance(WRONG_ONCE_IN) ? 1 : 0);
  w.emit('r4 = r2', `r4 += ${proven}`);
  writeEndCheck(w, 'r4', 'r3', out);
  if (w.chance(3)) w.emit(`r2 += ${from}`, `r4 = r2`);
  else w.emit('r4 = r2', `r4 += ${from}`);
  if (w.chance(6))
    w.emit(`*(u64 *)(r10 - ${-POINTER_SPILL}) = r4`, `r4 = *(u64 *)(r10 - ${-POINTER_SPILL})`);
  writeAccess(w, registers, 'r4', 0, size);
  w.emit(`${out}:`);
}

/** r0 = the value of a look-up, or a jump to the returned label. */
function writeLookup(w: Writer, registers: readonly string[]): { bytes: number; out: string } {
  const array = w.chance(2);
  const key = w.pick(registers);
  const out = w.label();
  if (array) w.emit(`*(u32 *)(r10 - ${-KEY}) = ${w.chance(2) ? key : w.below(ARRAY_ENTRIES + 1)}`);
  else {
    if (w.chance(2)) w.emit(`${key} &= 7`);
    w.emit(`*(u64 *)(r10 - ${-KEY}) = ${key}`);
  }
  w.emit('r2 = r10', `r2 += ${KEY}`, `r1 = map[${array ? 'values' : 'table'}] ll`, 'call 1');
  if (!w.chance(40)) w.emit(w.chance(3) ? `if r0 == 0 goto ${out}` : nullCheckByCopy(w, out));
  return { bytes: array ? ARRAY_BYTES : TABLE_BYTES, out };
}

/** A copy is compared, the other one is used. */
function nullCheckByCopy(w: Writer, out: string): string {
  const spilled = `*(u64 *)(r10 - ${-POINTER_SPILL})`;
  const forms = [
    [`r5 = r0`, `if r5 == 0 goto ${out}`],
    [`${spilled} = r0`, `if r0 == 0 goto ${out}`, `r0 = ${spilled}`],
    [`r4 = 0`, `if r0 == r4 goto ${out}`],
  ];
  return w.pick(forms).join('\n');
}

export function writeMapAccess(w: Writer, registers: readonly string[]): void {
  const { bytes, out } = writeLookup(w, registers);
  const choice = w.below(5);
  if (choice === 0) writeAtomic(w, registers, 'r0', bytes);
  else if (choice < 3) {
    const size = w.pick(SIZES);
    const most = bytes - size + (w.chance(WRONG_ONCE_IN) ? 1 : 0);
    writeAccess(w, registers, 'r0', w.below(most + 1), size);
  } else {
    writeIndexed(w, registers, 'r0', bytes, (to, pointer, offset, size) =>
      writeAccess(to, registers, pointer, offset, size),
    );
  }
  w.emit(`${out}:`);
}

/** The value of the input map, by its address. */
export function writeInputAccess(w: Writer, registers: readonly string[]): void {
  w.emit(`r4 = map[input][0] + ${w.pick([0, 0, 8])} ll`);
  writeIndexed(w, registers, 'r4', INPUT_BYTES - 8, (to, pointer, offset, size) =>
    writeAccess(to, registers, pointer, offset, size),
  );
}

const FETCHING = ['add', 'and', 'or', 'xor'];
const PLAIN = ['+=', '&=', '|=', '^='];

/** An aligned atomic operation somewhere in `bytes` bytes behind `base`. */
export function writeAtomic(
  w: Writer,
  registers: readonly string[],
  base: string,
  bytes: number,
): void {
  const size = w.pick([4, 8]);
  const misplaced = w.chance(30) ? 1 : 0;
  const start = base === 'r10' ? DATA_LOW : 0;
  const at = address(base, start + size * w.below(Math.floor(bytes / size)) + misplaced);
  const show = size === 4 ? narrow : (r: string) => r;
  const word = `u${size * 8}`;
  const register = show(w.pick(registers));
  const suffix = size === 8 ? '_64' : '32_32';
  switch (w.below(5)) {
    case 0:
      w.emit(`lock *(${word} *)(${at}) ${w.pick(PLAIN)} ${register}`);
      return;
    case 1: {
      w.emit(`${register} = atomic_fetch_${w.pick(FETCHING)}((${word} *)(${at}), ${register})`);
      return;
    }
    case 2:
      w.emit(`${register} = xchg${suffix}(${at}, ${register})`);
      return;
    case 3: {
      w.emit('r5 = r0', `r0 = ${w.pick(registers)}`);
      const compared = address(base === 'r0' ? 'r5' : base, 0).split(' ')[0]!;
      const moved = at.replace(/^r\d+/, compared);
      w.emit(`${show('r0')} = cmpxchg${suffix}(${moved}, ${show('r0')}, ${register})`);
      w.emit(`${w.pick(registers)} = r0`);
      return;
    }
    default:
      w.emit(`${register} = load_acquire((${word} *)(${at}))`);
      w.emit(`store_release((${word} *)(${at}), ${register})`);
  }
}
