/**
 * The stack: what a store of one size and place leaves for a load of another, and what helpers may
 * read and write there.
 */

import type { Area } from '../compare.ts';
import { withMaps } from './maps.ts';

const SIZES = [1, 2, 4, 8] as const;
const at = (size: number, offset: number, base = 'r10') =>
  `*(u${size * 8} *)(${base} ${offset < 0 ? '-' : '+'} ${Math.abs(offset)})`;

const HEAD = `.type sched_cls
r6 = r1`;

/** What is spilled: kind of value, and how it is made in r1. */
const VALUES: Readonly<Record<string, string>> = {
  context: 'r1 = r6',
  number: 'r1 = *(u32 *)(r6 + 0)',
  bounded: 'r1 = *(u32 *)(r6 + 0)\nr1 &= 15',
  constant: 'r1 = 7',
  zero: 'r1 = 0',
  negative: 'r1 = -1',
  packet: 'r1 = *(u32 *)(r6 + 76)',
  stack: 'r1 = r10\nr1 += -32',
  value: 'r1 = map[values][0] + 0 ll',
  map: 'r1 = map[values] ll',
};

/** How what was filled is used. */
const USES = [
  'r0 = 0',
  'r0 = *(u8 *)(r2 + 0)\nr0 = 0',
  'r3 = map[values][0] + 0 ll\nr3 += r2\nr0 = *(u8 *)(r3 + 0)\nr0 = 0',
];

/** Store, maybe a second store over it, load, use. */
export const spills: Area = function* () {
  for (const value of Object.values(VALUES)) {
    for (const stored of SIZES) {
      for (const place of [-8, -7, -6, -4, -12, -1]) {
        for (const loaded of SIZES) {
          for (const from of [-8, -7, -6, -4, -12]) {
            for (const use of USES) {
              yield withMaps(
                [
                  HEAD,
                  `*(u64 *)(r10 - 32) = 0\n${value}`,
                  `${at(stored, place)} = r1`,
                  `r2 = ${at(loaded, from)}`,
                  use,
                  'exit',
                ].join('\n'),
              );
            }
          }
        }
      }
    }
  }
};

export const overwrites: Area = function* () {
  for (const value of Object.values(VALUES)) {
    for (const second of SIZES) {
      for (const place of [-8, -6, -4, -1, -12]) {
        for (const what of ['0', '1', 'r3', 'r6']) {
          if (what === 'r6' && second !== 8) continue;
          for (const loaded of [4, 8]) {
            for (const use of USES) {
              yield withMaps(
                [
                  HEAD,
                  `*(u64 *)(r10 - 32) = 0\n*(u64 *)(r10 - 16) = 0`,
                  value,
                  'r3 = 3',
                  `*(u64 *)(r10 - 8) = r1`,
                  `${at(second, place)} = ${what}`,
                  `r2 = ${at(loaded, -8)}`,
                  use,
                  'exit',
                ].join('\n'),
              );
            }
          }
        }
      }
    }
  }
};

/** A variable offset into the stack. */
export const variable: Area = function* () {
  const bounds = [
    'r2 &= 7',
    'r2 &= 8',
    'r2 &= 15',
    'if r2 > 4 goto out',
    'r2 &= 7\nr2 -= 4',
    'if r2 s> 8 goto out',
    'if r2 s< -8 goto out\nif r2 s> 8 goto out',
    '',
  ];
  const fills = [
    '',
    '*(u64 *)(r10 - 8) = 0',
    '*(u64 *)(r10 - 8) = 0\n*(u64 *)(r10 - 16) = 0',
    '*(u64 *)(r10 - 8) = r6\n*(u64 *)(r10 - 16) = r6',
  ];
  const accesses = SIZES.flatMap((size) => [
    `r0 = ${at(size, 0, 'r3')}`,
    `${at(size, 0, 'r3')} = 0`,
    `${at(size, 0, 'r3')} = r2`,
    `${at(size, 0, 'r3')} = r6`,
  ]);
  const after = [
    '',
    'r0 = *(u64 *)(r10 - 8)',
    'r4 = *(u64 *)(r10 - 16)\nr0 = *(u32 *)(r4 + 0)',
    'r4 = *(u64 *)(r10 - 8)\nr5 = map[values][0] + 0 ll\nr5 += r4\nr0 = *(u8 *)(r5 + 0)',
  ];
  for (const bound of bounds) {
    for (const fill of fills) {
      for (const base of [-8, -16, -24, -520, 0]) {
        for (const access of accesses) {
          for (const use of after) {
            yield withMaps(
              [
                HEAD,
                'r2 = *(u32 *)(r6 + 0)',
                bound,
                fill,
                `r3 = r10\nr3 += ${base}\nr3 += r2`,
                access,
                use,
                'out:\nr0 = 0\nexit',
              ].join('\n'),
            );
          }
        }
      }
    }
  }
};

/** Bytes that helpers read or write: pointer, fixed or varying size, what was written before. */
export const helperMemory: Area = function* () {
  const fills = [
    '',
    '*(u64 *)(r10 - 8) = 0',
    '*(u64 *)(r10 - 16) = 0\n*(u64 *)(r10 - 8) = 0',
    '*(u8 *)(r10 - 8) = 0',
    '*(u64 *)(r10 - 8) = r6',
  ];
  const pointers = [
    ['stack -8', 'r3 = r10\nr3 += -8'],
    ['stack -16', 'r3 = r10\nr3 += -16'],
    ['stack 0', 'r3 = r10'],
    ['stack -512', 'r3 = r10\nr3 += -512'],
    ['stack -520', 'r3 = r10\nr3 += -520'],
    ['value', 'r3 = map[values][0] + 0 ll'],
    ['value 60', 'r3 = map[values][0] + 60 ll'],
    ['context', 'r3 = r6'],
    ['null', 'r3 = 0'],
    ['number', 'r3 = *(u32 *)(r6 + 0)'],
    ['packet', 'r3 = *(u32 *)(r6 + 76)'],
    ['map', 'r3 = map[values] ll'],
    ['variable stack', 'r3 = r10\nr3 += -16\nr4 = *(u32 *)(r6 + 0)\nr4 &= 7\nr3 += r4'],
    [
      'maybe null',
      '*(u32 *)(r10 - 24) = 0\nr2 = r10\nr2 += -24\nr1 = map[values] ll\ncall bpf_map_lookup_elem\nr3 = r0',
    ],
  ] as const;
  const sizes = [
    'r4 = 0',
    'r4 = 4',
    'r4 = 8',
    'r4 = 9',
    'r4 = -1',
    'r4 = *(u32 *)(r6 + 0)',
    'r4 = *(u32 *)(r6 + 0)\nr4 &= 7',
    'r4 = *(u32 *)(r6 + 0)\nr4 &= 15',
    'r4 = *(u32 *)(r6 + 0)\nif r4 > 8 goto out',
    'r4 = *(u32 *)(r6 + 0)\nif r4 s> 8 goto out',
    'r4 = *(u32 *)(r6 + 0)\nr4 &= 7\nr4 += 1',
    'r4 = *(u32 *)(r6 + 0)\nif r4 == 0 goto out\nif r4 > 8 goto out',
    'r4 = r10',
  ];
  const calls = [
    'r1 = r6\nr2 = 0\ncall bpf_skb_load_bytes',
    'r1 = r6\nr2 = 0\nr5 = 0\ncall bpf_skb_store_bytes',
    'r1 = r3\nr2 = r4\nr3 = 0\nr4 = 0\nr5 = 0\ncall bpf_csum_diff',
    'r1 = r3\nr2 = r4\ncall bpf_get_current_comm',
    'r1 = r3\nr2 = r4\nr3 = r6\ncall bpf_probe_read_kernel',
    'r1 = r3\nr2 = r4\ncall bpf_trace_printk',
    'r1 = r6\nr2 = 0\nr5 = r4\nr4 = r3\nr3 = 0\ncall bpf_get_stack',
  ];
  const after = ['', 'r0 = *(u64 *)(r10 - 8)', 'r0 = *(u8 *)(r10 - 5)'];
  for (const fill of fills) {
    for (const [, pointer] of pointers) {
      for (const size of sizes) {
        for (const call of calls) {
          for (const use of after) {
            yield withMaps([HEAD, fill, pointer, size, call, use, 'out:\nr0 = 0\nexit'].join('\n'));
          }
        }
      }
    }
  }
};
