/** printf and numbers as the kernel offers them to programs; see loader/native/format.c. */

/** The whole text, or undefined for what the kernel refuses with -EINVAL. */
export function format(pattern: string, values: readonly bigint[]): string | undefined {
  let next = 0;
  let text = '';
  let at = 0;
  while (at < pattern.length) {
    const character = pattern[at]!;
    if (character !== '%') {
      if (character.charCodeAt(0) >= 0x80) return undefined;
      text += character;
      at++;
      continue;
    }
    if (pattern[at + 1] === '%') {
      text += '%';
      at += 2;
      continue;
    }
    const match = /^%([0+\- ]*)(\d*)(l{0,2})([diuxXcps])/.exec(pattern.slice(at));
    const [whole, flags = '', width = '', longs = '', conversion = ''] = match ?? [];
    if (whole === undefined || flags.length + width.length > 4 || next === values.length)
      return undefined;
    at += whole.length;
    text += convert(conversion, flags, Number(width), longs !== '', values[next++]!);
    if (conversion === 'p') while (/[xKBsSku]/.test(pattern[at] ?? '')) at++;
  }
  return text;
}

function convert(
  conversion: string,
  flags: string,
  width: number,
  wide: boolean,
  value: bigint,
): string {
  switch (conversion) {
    case 'c':
      return String.fromCharCode(Number(value & 0xffn));
    case 's':
      return '(string)';
    case 'p':
      return value.toString(16).padStart(16, '0');
    default:
      return pad(digits(conversion, flags, wide, value), flags, width);
  }
}

function digits(conversion: string, flags: string, wide: boolean, value: bigint): string {
  const bits = wide ? 64 : 32;
  if (conversion === 'd' || conversion === 'i') {
    const number = BigInt.asIntN(bits, value);
    const sign = flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
    return `${number < 0n ? '' : sign}${number}`;
  }
  const number = BigInt.asUintN(bits, value);
  if (conversion === 'u') return `${number}`;
  return conversion === 'x' ? number.toString(16) : number.toString(16).toUpperCase();
}

function pad(text: string, flags: string, width: number): string {
  if (flags.includes('-')) return text.padEnd(width);
  if (!flags.includes('0')) return text.padStart(width);
  const sign = /^[+\- ]/.exec(text)?.[0] ?? '';
  return sign + text.slice(sign.length).padStart(width - sign.length, '0');
}

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
