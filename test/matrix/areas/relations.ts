/** What branches teach: every condition, in both widths, on the operands and on what equals them. */

import type { Area } from '../compare.ts';
import { withMaps } from './maps.ts';

const CONDITIONS = ['==', '!=', '<', '<=', '>', '>=', 's<', 's<=', 's>', 's>=', '&'];
const OPEN = `.type socket_filter
r9 = map[input][0] + 0 ll
r8 = map[probe][0] + 0 ll
r6 = *(u64 *)(r9 + 0)
r7 = *(u64 *)(r9 + 8)`;
const CLOSE = 'out:\nr0 = 0\nexit';
const low = (register: string) => register.replace('r', 'w');

const SHAPES = [
  '',
  'r6 &= 15',
  'w6 = w6',
  'r6 = (s32)r6',
  'r6 &= -8',
  'r6 |= 1',
  'if r6 > 100 goto out',
  'if r6 s> 100 goto out',
  'if w6 > 100 goto out',
  'r6 >>= 32',
];

const ACCESSES = [
  'r8 += r6\nr0 = *(u8 *)(r8 + 0)',
  'w6 = w6\nr8 += r6\nr0 = *(u8 *)(r8 + 0)',
  'r6 -= 8\nr8 += r6\nr0 = *(u8 *)(r8 + 0)',
  'r6 = -r6\nr6 += 8\nr8 += r6\nr0 = *(u8 *)(r8 + 0)',
];

export const branches: Area = function* () {
  for (const shape of SHAPES) {
    for (const condition of CONDITIONS) {
      for (const right of ['0', '1', '8', '-1', '-8', '0x7fffffff', '-0x80000000', 'r7']) {
        const known = right === 'r7' ? ['r7 = 8', 'r7 &= 15', 'r7 = -8', ''] : [''];
        for (const second of known) {
          for (const wide of [true, false]) {
            const operand = wide ? right : low(right);
            const test = `if ${wide ? 'r6' : 'w6'} ${condition} ${operand}`;
            for (const access of ACCESSES) {
              yield withMaps(`${OPEN}\n${shape}\n${second}\n${test} goto out\n${access}\n${CLOSE}`);
              yield withMaps(
                `${OPEN}\n${shape}\n${second}\n${test} goto in\ngoto out\nin:\n${access}\n${CLOSE}`,
              );
            }
          }
        }
      }
    }
  }
};

/** Two conditions, then an access that needs both. */
export const ranges: Area = function* () {
  const tests = CONDITIONS.slice(0, 10).flatMap((c) =>
    ['0', '8', '-8', '0x80000000 ll'].flatMap((n) =>
      n.endsWith('ll') ? [] : [`r6 ${c} ${n}`, `w6 ${c} ${n}`],
    ),
  );
  for (const first of tests) {
    for (const second of tests) {
      for (const access of [ACCESSES[0], ACCESSES[2]]) {
        yield withMaps(`${OPEN}\nif ${first} goto out\nif ${second} goto out\n${access}\n${CLOSE}`);
      }
    }
  }
};

const spill = (size: number, register: string) => `*(u${size * 8} *)(r10 - 8) = ${register}`;
const fill = (size: number, register: string) => `${register} = *(u${size * 8} *)(r10 - 8)`;

/** Copies at a distance, in registers and on the stack; one is checked, another one is used. */
export const links: Area = function* () {
  const copies = [
    'r7 = r6',
    'w7 = w6',
    'r7 = r6\nr7 += 4',
    'r7 = r6\nr7 -= 4',
    'r7 = r6\nr6 += 4',
    'r7 = r6\nw7 += 4',
    'r7 = r6\nr7 += 4\nr7 += 4',
    'r7 = r6\nr6 += 4\nr7 += 8',
    'r7 = r6\nr7 += 0x7fffffff',
    'r7 = r6\nr7 += 0x3fffffff',
    'r7 = r6\nr7 += 0x20000000',
    'r7 = r6\nr7 += 0x1fffffff',
    'r7 = r6\nr7 += -0x20000000',
    'r7 = r6\nr7 += 0x20000001',
    'r7 = r6\nr5 = 4\nr7 += r5',
    'r7 = r6\nr5 = 4\nr7 -= r5',
    'r7 = r6\nr7 *= 1',
    'r7 = r6\nr7 |= 0',
    'r7 = r6\nr7 += 0',
    'r7 = r6\nr7 ^= 4',
    'r7 = r6\nr7 = (s32)r7',
    'r7 = r6\nr6 = 0\nr6 = r7',
    'w7 = w6\nw7 += 4',
    'w7 = w6\nr7 += 4',
    'w6 = w6\nr7 = r6\nr7 += 4',
    `${spill(8, 'r6')}\n${fill(8, 'r7')}`,
    `${spill(4, 'r6')}\n${fill(4, 'r7')}`,
    `${spill(8, 'r6')}\n${fill(4, 'r7')}`,
    `${spill(4, 'r6')}\n${fill(2, 'r7')}`,
    `${spill(2, 'r6')}\n${fill(2, 'r7')}`,
    `${spill(1, 'r6')}\n${fill(1, 'r7')}`,
    `r7 = r6\n${spill(8, 'r7')}\nr7 = 0\n${fill(8, 'r7')}`,
    `${spill(8, 'r6')}\nr6 += 4\n${fill(8, 'r7')}`,
    `r7 = r6\nr7 += 4\n${spill(8, 'r7')}\n${fill(8, 'r7')}`,
    'r5 = r6\nr5 += 2\nr7 = r5\nr7 += 2',
    'r5 = r6\nw5 += 2\nr7 = r5\nr7 += 2',
  ];
  const tests = [
    'r6 > 20',
    'r7 > 20',
    'w6 > 20',
    'w7 > 20',
    'r6 s> 20',
    'r7 s> 20',
    'r6 >= r9',
    'r7 != 8',
    'r6 != 8',
    'w7 != 8',
  ];
  const uses = [
    'r8 += r6',
    'r8 += r7',
    'w6 = w6\nr8 += r6',
    'w7 = w7\nr8 += r7',
    'r6 += 0\nr8 += r6',
    `${fill(8, 'r5')}\nr8 += r5`,
  ];
  for (const before of [
    '',
    'w6 = w6',
    'r6 &= 255',
    'r6 = (s32)r6',
    'if r6 s< 0 goto out',
    'r6 = *(u32 *)(r9 + 0)',
    'r6 = *(u8 *)(r9 + 0)',
    'r6 = *(u16 *)(r9 + 0)',
  ]) {
    for (const copy of copies) {
      for (const test of tests) {
        for (const use of uses) {
          yield withMaps(
            `${OPEN}\n*(u64 *)(r10 - 8) = 0\n${before}\n${copy}\nr9 = 20\nif ${test} goto out\n${use}\nr0 = *(u8 *)(r8 + 0)\n${CLOSE}`,
          );
        }
      }
    }
  }
};
