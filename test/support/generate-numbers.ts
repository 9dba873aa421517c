/**
 * Statements about numbers: arithmetic of both widths, moves, branches, and the ways in which
 * programs bring an index below a bound. Each way is one that compilers write, or one at which a
 * verifier could go wrong: a copy is checked in place of the value, or its low half, or its spill.
 */

import { narrow, type Writer } from './generate-writer.ts';

const CONDITIONS = ['==', '!=', '<', '<=', '>', '>=', 's<', 's<=', 's>', 's>=', '&'];
const OPERATORS = ['+=', '-=', '*=', '|=', '&=', '^=', '/=', '%=', 's/=', 's%='];
const SHIFTS = ['<<=', '>>=', 's>>='];
const SWAPS = ['bswap16', 'bswap32', 'bswap64', 'be16', 'be32', 'be64', 'le16', 'le32'];
/** Where bounded indexes are spilled while they are checked. */
const CHECKED_SPILL = -104;

export function writeArithmetic(w: Writer, registers: readonly string[]): void {
  const register = w.pick(registers);
  const wide = !w.chance(3);
  const show = wide ? (r: string) => r : narrow;
  const dst = show(register);
  if (w.chance(5)) {
    const amount = w.below(wide ? 64 : 32);
    const by = w.chance(4) ? show(w.pick(registers)) : String(amount);
    w.emit(`${dst} ${w.pick(SHIFTS)} ${by}`);
  } else if (w.chance(8)) w.emit(`${dst} = -${dst}`);
  else if (w.chance(10)) w.emit(`${register} = ${w.pick(SWAPS)} ${register}`);
  else {
    const operator = w.pick(OPERATORS);
    const divides = operator.includes('/') || operator.includes('%');
    const imm = w.immediate();
    const right = w.chance(2) ? show(w.pick(registers)) : String(divides && imm === 0 ? 3 : imm);
    w.emit(`${dst} ${operator} ${right}`);
  }
}

export function writeMove(w: Writer, registers: readonly string[]): void {
  const dst = w.pick(registers);
  const src = w.pick(registers);
  const bits = w.pick([8, 16, 32]);
  const forms = [
    `${dst} = ${src}`,
    `${narrow(dst)} = ${narrow(src)}`,
    `${dst} = (s${bits})${src}`,
    `${narrow(dst)} = (s${Math.min(bits, 16)})${narrow(src)}`,
    `${dst} = ${w.immediate()}`,
    `${narrow(dst)} = ${w.immediate()}`,
  ];
  w.emit(w.pick(forms));
}

/** The condition of a jump, over numbers. */
export function condition(w: Writer, registers: readonly string[]): string {
  const show = w.chance(3) ? narrow : (r: string) => r;
  const right = w.chance(3) ? show(w.pick(registers)) : String(w.immediate());
  return `${show(w.pick(registers))} ${w.pick(CONDITIONS)} ${right}`;
}

export interface Bounding {
  readonly index: string;
  /** Scratch register, free. */
  readonly scratch: string;
  /** Most that the index may be afterwards. */
  readonly most: number;
  /** Where to go when it is more. */
  readonly out: string;
}

type Recipe = (w: Writer, b: Bounding) => void;

/** Largest 2^n - 1 that is at most `most`. */
const maskWithin = (most: number): number => 2 ** Math.floor(Math.log2(most + 1)) - 1;
const bitsWithin = (most: number): number => Math.floor(Math.log2(most + 1));

const RECIPES: readonly Recipe[] = [
  (w, { index, most }) => w.emit(`${index} &= ${maskWithin(most)}`),
  (w, { index, most }) => w.emit(`${narrow(index)} &= ${maskWithin(most)}`),
  (w, { index, most, out }) => w.emit(`if ${index} > ${most} goto ${out}`),
  (w, { index, most, out }) => w.emit(`if ${index} >= ${most + 1} goto ${out}`),
  (w, { index, most, out }) => {
    w.emit(`${narrow(index)} = ${narrow(index)}`, `if ${narrow(index)} > ${most} goto ${out}`);
  },
  (w, { index, most, out }) => {
    w.emit(`if ${index} s< 0 goto ${out}`, `if ${index} s> ${most} goto ${out}`);
  },
  (w, { index, most, out }) => {
    w.emit(`if ${narrow(index)} s> ${most} goto ${out}`, `if ${narrow(index)} s< 0 goto ${out}`);
    w.emit(`${narrow(index)} = ${narrow(index)}`);
  },
  (w, { index, most }) => w.emit(`${index} %= ${most + 1}`),
  (w, { index, most }) => w.emit(`${narrow(index)} %= ${most + 1}`),
  (w, { index, most }) => w.emit(`${index} >>= ${64 - bitsWithin(most)}`),
  (w, { index, most }) => w.emit(`${narrow(index)} >>= ${32 - bitsWithin(most)}`),
  (w, { index, most }) => {
    const shift = 64 - bitsWithin(most);
    w.emit(`${index} <<= ${shift}`, `${index} >>= ${shift}`);
  },
  (w, { index, scratch, most, out }) => {
    w.emit(`${scratch} = ${index}`, `if ${scratch} > ${most} goto ${out}`);
  },
  (w, { index, scratch, most, out }) => {
    w.emit(`${scratch} = ${index}`, `if ${index} > ${most} goto ${out}`, `${index} = ${scratch}`);
  },
  (w, { index, scratch, most, out }) => {
    w.emit(`${narrow(index)} = ${narrow(index)}`, `${scratch} = ${index}`);
    w.emit(`if ${narrow(scratch)} > ${most} goto ${out}`);
  },
  (w, { index, most, out }) => {
    const spill = `(u64 *)(r10 - ${-CHECKED_SPILL})`;
    w.emit(`*${spill} = ${index}`, `if ${index} > ${most} goto ${out}`, `${index} = *${spill}`);
  },
  (w, { index, most, out }) => {
    const slot = `(r10 - ${-CHECKED_SPILL})`;
    w.emit(`*(u32 *)${slot} = ${index}`, `${index} = *(u32 *)${slot}`);
    w.emit(`if ${index} > ${most} goto ${out}`);
  },
  (w, { index, most, out }) => w.emit(`if ${index} & ${~maskWithin(most)} goto ${out}`),
  (w, { index, scratch, most, out }) => {
    w.emit(`${scratch} = ${most}`, `if ${index} > ${scratch} goto ${out}`);
  },
  (w, { index, scratch, most, out }) => {
    w.emit(`${scratch} = ${most}`, `if ${scratch} < ${index} goto ${out}`);
  },
  (w, { index, most, out }) => {
    w.emit(`${index} = (s8)${index}`, `if ${index} s< 0 goto ${out}`);
    w.emit(`if ${index} > ${most} goto ${out}`);
  },
  (w, { index, most, out }) => {
    const less = w.below(most + 1);
    w.emit(`${index} += ${less}`, `if ${index} > ${most} goto ${out}`);
  },
  (w, { index, most, out }) => {
    const less = 1 + w.below(most);
    w.emit(`if ${index} < ${less} goto ${out}`, `if ${index} > ${most} goto ${out}`);
    w.emit(`${index} -= ${less}`);
  },
  (w, { index, most, out }) => w.emit(`if ${index} != ${w.below(most + 1)} goto ${out}`),
  (w, { index, most, out }) => {
    w.emit(`if ${narrow(index)} != ${w.below(most + 1)} goto ${out}`);
    w.emit(`${narrow(index)} = ${narrow(index)}`);
  },
];

/**
 * Brings an index below a bound in one of those ways. One time in `wrongOnceIn` the bound is not
 * what it should be, and sometimes there is none.
 */
export function writeBound(w: Writer, bounding: Bounding, wrongOnceIn: number): void {
  const wrong = w.chance(wrongOnceIn);
  if (wrong && w.chance(3)) return;
  const most = wrong ? bounding.most + 1 + w.below(3) : bounding.most;
  w.pick(RECIPES)(w, { ...bounding, most });
}
