/** Numbers in text as the kernel reads them for programs. */

const EINVAL = -22n;
const ERANGE = -34n;

export interface ParsedNumber {
  /** Bytes consumed, or a negated errno. */
  readonly used: bigint;
  readonly magnitude: bigint;
  readonly negative: boolean;
}

/** `__bpf_strtoull` of kernel/bpf/helpers.c. */
export function parseNumber(text: string, flags: bigint): ParsedNumber {
  const failed = (used: bigint, negative = false) => ({ used, magnitude: 0n, negative });
  let base = Number(flags & 31n);
  if (text.length === 0 || flags > 31n || ![0, 8, 10, 16].includes(base)) return failed(EINVAL);
  const match = /^([\t-\r ]*)(-?)/.exec(text)!;
  const negative = match[2] === '-';
  let at = match[0].length;
  if (at >= text.length) return failed(EINVAL, negative);
  const hexadecimal = /^0x[0-9a-f]/i.test(text.slice(at));
  if (base === 0) base = hexadecimal ? 16 : text[at] === '0' ? 8 : 10;
  if (base === 16 && hexadecimal) at += 2;
  const start = at;
  let magnitude = 0n;
  for (; at < text.length; at++) {
    const digit = Number.parseInt(text[at]!, 16);
    if (Number.isNaN(digit) || digit >= base) break;
    magnitude = magnitude * BigInt(base) + BigInt(digit);
    if (magnitude >> 64n !== 0n) return failed(ERANGE, negative);
  }
  return at === start ? failed(EINVAL, negative) : { used: BigInt(at), magnitude, negative };
}
