/**
 * Numbers for C programmers: decimal while that is short, and a 32-bit variable as the `int` or
 * `unsigned` that it is, though its register has 64 bits.
 */

import * as domain from '../domain/index.ts';

/** Every 32-bit number is written in decimal: `-2147483648..255`. */
const MOST_DECIMAL = 0xffff_ffffn;

const decimal = (text: string): string =>
  text.replace(/-?0x[0-9a-f]+/g, (hex) => {
    const value = hex.startsWith('-') ? -BigInt(hex.slice(1)) : BigInt(hex);
    const size = value < 0n ? -value : value;
    return size <= MOST_DECIMAL ? String(value) : hex;
  });

/** `0..188`, `-2147483648..2147483647`, `any value`. */
export function numberText(words: Int32Array, number: number): string {
  const text = domain.format(words, number);
  if (text.startsWith('bits ')) return text;
  const low = /^low 32 bits (.*)$/.exec(text);
  return low === null ? decimal(text) : `${decimal(low[1]!)} in its low 32 bits`;
}

/** As the kernel's log writes bounds that are not those of the type (`smin=0 smax=188`). */
export function linuxBounds(words: Int32Array, number: number): string {
  const low = domain.signedMin(words, number);
  const high = domain.signedMax(words, number);
  const parts: string[] = [];
  if (Number.isFinite(low)) parts.push(`smin=${low}`);
  if (Number.isFinite(high)) parts.push(`smax=${high}`);
  return parts.length === 0 ? 'unknown scalar value' : parts.join(' ');
}
