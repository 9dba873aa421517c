/**
 * Bounds after every arithmetic operation, in both widths: two numbers in known ranges, an
 * operation, and an access that is proven only where the result's range is.
 */

import type { Area } from '../compare.ts';

const HEAD = `.type socket_filter
.map input array key 4 value 64 entries 1
.map probe array key 4 value 64 entries 1
r9 = map[input][0] + 0 ll
r8 = map[probe][0] + 0 ll
r6 = *(u64 *)(r9 + 0)
r7 = *(u64 *)(r9 + 8)`;

/** What is known of r6 or r7 before the operation. */
const shapes = (r: string, out: string): string[] => [
  '',
  `${r} &= 7`,
  `${r} = 5`,
  `${r} = -3`,
  `if ${r} > 9 goto ${out}`,
  `if ${r} < -9 goto ${out}`,
  `if ${r} s> 3 goto ${out}\nif ${r} s< -4 goto ${out}`,
  `w${r.slice(1)} = w${r.slice(1)}`,
  `if w${r.slice(1)} > 9 goto ${out}`,
  `if w${r.slice(1)} s> 3 goto ${out}\nif w${r.slice(1)} s< -4 goto ${out}`,
  `${r} = (s8)${r}`,
  `${r} |= 0xff`,
  `${r} &= -16`,
];

const OPERATIONS = [
  '+=',
  '-=',
  '*=',
  '/=',
  '%=',
  's/=',
  's%=',
  '&=',
  '|=',
  '^=',
  '<<=',
  '>>=',
  's>>=',
];

/** What must be known of r6 for the program to be accepted. */
const CHECKS = [
  'r8 += r6\nr0 = *(u8 *)(r8 + 0)',
  'r6 += 8\nr8 += r6\nr0 = *(u8 *)(r8 + 0)',
  'r6 = -r6\nr8 += r6\nr0 = *(u8 *)(r8 + 0)',
  'w6 = w6\nr8 += r6\nr0 = *(u8 *)(r8 + 0)',
  'r6 s>>= 32\nr8 += r6\nr0 = *(u8 *)(r8 + 0)',
  'r6 &= 255\nif r6 > 70 goto out\nr8 += r6\nr0 = *(u8 *)(r8 + 0)',
];

export const operations: Area = function* () {
  for (const operation of OPERATIONS) {
    for (const wide of [true, false]) {
      for (const left of shapes('r6', 'out')) {
        for (const right of shapes('r7', 'out')) {
          const line = wide ? `r6 ${operation} r7` : `w6 ${operation} w7`;
          for (const check of CHECKS) {
            yield `${HEAD}\n${left}\n${right}\n${line}\n${check}\nout:\nr0 = 0\nexit`;
          }
        }
      }
    }
  }
};

const UNARY = [
  'r6 = -r6',
  'w6 = -w6',
  'r6 = (s8)r6',
  'r6 = (s16)r6',
  'r6 = (s32)r6',
  'w6 = (s8)w6',
  'w6 = (s16)w6',
  'w6 = w6',
  'r6 = bswap16 r6',
  'r6 = bswap32 r6',
  'r6 = bswap64 r6',
  'r6 = be16 r6',
  'r6 = be32 r6',
  'r6 = be64 r6',
  'r6 = le16 r6',
  'r6 = le32 r6',
  'r6 = le64 r6',
  ...[0, 1, 7, 31, 32, 33, 63].flatMap((n) => [`r6 <<= ${n}`, `r6 >>= ${n}`, `r6 s>>= ${n}`]),
  ...[0, 1, 7, 31].flatMap((n) => [`w6 <<= ${n}`, `w6 >>= ${n}`, `w6 s>>= ${n}`]),
  ...[1, 3, -1, 7, 0x7fffffff, -0x80000000].flatMap((n) =>
    ['+=', '-=', '*=', '/=', '%=', 's/=', 's%=', '&=', '|=', '^='].flatMap((op) => [
      `r6 ${op} ${n}`,
      `w6 ${op} ${n}`,
    ]),
  ),
];

/** One operation, with constants; the second one shows what the first left behind. */
export const constants: Area = function* () {
  for (const first of UNARY) {
    for (const shape of shapes('r6', 'out')) {
      for (const check of CHECKS) {
        yield `${HEAD}\n${shape}\n${first}\n${check}\nout:\nr0 = 0\nexit`;
      }
    }
  }
};
