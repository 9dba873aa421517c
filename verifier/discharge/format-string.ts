/**
 * Formats that a program gives for its numbers, checked where they are constants: each conversion
 * is one that the kernel prints, and has a number.
 *
 * Source: bpf-helpers(7) on bpf_snprintf and bpf_trace_printk; which formats Linux 6.18 loads,
 * checked by test/verifier/kernel.
 */

const PLAIN_AFTER = /[\s!-/:-@[-`{-~]|$/y;
/** A conversion without its percent sign: what it prints, behind flags and width. */
const NUMBER = /[0 +-]*(?:[1-9][0-9]*)?(?:l{0,2}[diuxX]|c)/y;
const STRING = /[0 +-]*(?:[1-9][0-9]*)?(?:s|p[ku]s)/y;
const ADDRESS = /[0 +-]*(?:[1-9][0-9]*)?p(?:[KxsSB]|[iI][46])/y;
const BARE_ADDRESS = /[0 +-]*(?:[1-9][0-9]*)?p/y;

/** Bytes from 0x80 up are left alone in plain text; control characters but white space are not. */
const isPrintable = (code: number): boolean =>
  code >= 0x80 || (code >= 0x20 && code < 0x7f) || (code >= 0x09 && code <= 0x0d);

/** What is wrong with the format for so many numbers, or undefined. */
export function formatProblem(format: string, numbers: number): string | undefined {
  let used = 0;
  for (let at = 0; at < format.length; at++) {
    if (!isPrintable(format.charCodeAt(at))) return `byte ${at} is a control character`;
    if (format[at] !== '%') continue;
    if (format[at + 1] === '%') {
      at++;
      continue;
    }
    if (used === numbers) return `it asks for more than the ${numbers} numbers that are given`;
    const end = conversionEnd(format, at + 1);
    if (end === undefined)
      return `'${format.slice(at, at + 4)}' is no conversion that is known here`;
    used++;
    at = end - 1;
  }
  return undefined;
}

/** One past the conversion whose percent sign stands before `start`. */
function conversionEnd(format: string, start: number): number | undefined {
  const matches = (pattern: RegExp, at: number): number | undefined => {
    pattern.lastIndex = at;
    return pattern.test(format) ? pattern.lastIndex : undefined;
  };
  const string = matches(STRING, start);
  if (string !== undefined) return matches(PLAIN_AFTER, string) === undefined ? undefined : string;
  const bare = matches(BARE_ADDRESS, start);
  if (bare !== undefined && matches(PLAIN_AFTER, bare) !== undefined) return bare;
  return matches(ADDRESS, start) ?? matches(NUMBER, start);
}
