/** Map values and keys: offsets, direct addresses, read-only maps, maps of maps, several maps. */

import type { Area } from '../compare.ts';
import { withMaps } from './maps.ts';

const found = (map: string, key = 4) =>
  `${key === 4 ? '*(u32 *)(r10 - 4) = 0' : '*(u64 *)(r10 - 8) = 0\n*(u64 *)(r10 - 16) = 0'}
r2 = r10
r2 += -${key}
r1 = map[${map}] ll
call bpf_map_lookup_elem
if r0 == 0 goto out`;
const CLOSE = 'out:\nr0 = 0\nexit';

export const valueOffsets: Area = function* () {
  const numbers = [
    'r6 = 0',
    'r6 = 8',
    'r6 = -8',
    'r6 = 63',
    'r6 = 64',
    'r6 &= 7',
    'r6 &= 63',
    'r6 &= 56',
    'r6 &= 7\nr6 -= 4',
    'if r6 > 60 goto out',
    'if r6 s> 60 goto out',
    'if r6 s< 0 goto out',
    'if r6 s< -4 goto out\nif r6 s> 4 goto out',
    '',
    'w6 = w6',
    'r6 <<= 29',
    'r6 *= 8\nif r6 > 56 goto out',
    'r6 %= 64',
    'w6 &= 63',
    'r6 = (s8)r6',
  ];
  const moves = [
    'r0 += r6',
    'r0 -= r6',
    'r6 += r0\nr0 = r6',
    'r0 += 4\nr0 += r6',
    'r0 += r6\nr0 -= 4',
    'r0 += 64\nr0 -= r6',
    'r0 += r6\nr0 += r6',
    'r0 += r6\nr0 -= r6',
  ];
  const accesses = [8, 32, 64].flatMap((bits) => [
    `r1 = *(u${bits} *)(r0 + 0)`,
    `*(u${bits} *)(r0 + 4) = 0`,
    `r1 = *(u${bits} *)(r0 - 4)`,
    `r1 = *(u${bits} *)(r0 + 60)`,
  ]);
  for (const base of [
    found('table'),
    'r0 = map[values][0] + 0 ll',
    'r0 = map[values][0] + 8 ll',
    'r0 = map[values][0] + 63 ll',
  ]) {
    for (const number of numbers) {
      for (const move of moves) {
        for (const access of accesses) {
          yield withMaps(
            `.type socket_filter\nr7 = r1\nr1 = map[input][0] + 0 ll\nr6 = *(u64 *)(r1 + 0)\nr9 = 1\n${base}\n${number}\n${move}\n${access}\n${CLOSE}`,
          );
        }
      }
    }
  }
};

export const mapKinds: Area = function* () {
  const maps = [
    'values',
    'several',
    'table',
    'ring',
    'programs',
    'events',
    'queue',
    'devices',
    'sockets',
    'readonly',
    'writeonly',
    'percpu',
    'outer',
    'outerHash',
    'storage',
    'small',
  ];
  const bodies = [
    'r1 = map[MAP] ll\ncall bpf_map_lookup_elem\nif r0 == 0 goto out\nr1 = *(u64 *)(r0 + 0)',
    'r1 = map[MAP] ll\ncall bpf_map_lookup_elem\nif r0 == 0 goto out\n*(u64 *)(r0 + 0) = 1',
    'r1 = map[MAP] ll\ncall bpf_map_lookup_elem\nr1 = *(u64 *)(r0 + 0)',
    'r1 = map[MAP] ll\ncall bpf_map_lookup_elem\nr6 = r0\nif r6 == 0 goto out\nr2 = r10\nr2 += -4\nr1 = r0\ncall bpf_map_lookup_elem\nif r0 == 0 goto out\nr1 = *(u64 *)(r0 + 0)',
    'r1 = map[MAP] ll\ncall bpf_map_lookup_elem\nif r0 == 0 goto out\nr2 = r10\nr2 += -4\nr1 = r0\ncall bpf_map_lookup_elem\nr1 = *(u64 *)(r0 + 0)',
    'r1 = map[MAP] ll\nr3 = r10\nr3 += -80\nr4 = 0\ncall bpf_map_update_elem',
    'r1 = map[MAP] ll\nr3 = r2\nr4 = 0\ncall bpf_map_update_elem',
    'r1 = map[MAP] ll\ncall bpf_map_delete_elem',
    'r1 = map[MAP] ll\nr3 = 0\ncall bpf_map_push_elem',
    'r1 = map[MAP] ll\nr2 = r10\nr2 += -80\nr3 = 0\ncall bpf_map_push_elem',
    'r1 = map[MAP] ll\nr2 = r10\nr2 += -80\ncall bpf_map_pop_elem',
    'r1 = map[MAP] ll\nr2 = r10\nr2 += -80\ncall bpf_map_peek_elem',
    'r2 = map[MAP] ll\nr1 = r6\nr3 = 0\ncall bpf_tail_call',
    'r2 = map[MAP] ll\nr1 = r6\nr3 = 0\nr4 = r10\nr4 += -80\nr5 = 8\ncall bpf_perf_event_output',
    'r1 = map[MAP] ll\nr2 = 8\nr3 = 0\ncall bpf_ringbuf_reserve\nif r0 == 0 goto out\nr1 = r0\nr2 = 0\ncall bpf_ringbuf_submit',
    'r1 = map[MAP] ll\nr2 = 0\ncall bpf_ringbuf_query',
    'r1 = map[MAP] ll\nr2 = 0\nr3 = 0\ncall bpf_redirect_map',
    'r1 = map[MAP] ll\nr2 = 0\ncall bpf_get_local_storage\nr1 = *(u64 *)(r0 + 0)',
    'r1 = map[MAP] ll\nr2 = 5\ncall bpf_get_local_storage\nr1 = *(u64 *)(r0 + 0)',
    'r1 = map[MAP] ll\nr2 = 0\ncall bpf_get_local_storage\nr1 = *(u64 *)(r0 + 60)',
    'r1 = map[MAP] ll\nr3 = 0\ncall bpf_map_lookup_percpu_elem\nif r0 == 0 goto out\nr1 = *(u64 *)(r0 + 0)',
    'r1 = map[MAP] ll\nr2 = 0\nr3 = 0\ncall bpf_sk_redirect_map',
    'r4 = 0\nr3 = 0\nr2 = map[MAP] ll\nr1 = r6\ncall bpf_sk_redirect_map',
    'r1 = map[MAP][0] + 0 ll\nr1 = *(u64 *)(r1 + 0)',
    'r1 = map[MAP][0] + 0 ll\n*(u64 *)(r1 + 0) = 1',
    'r1 = map[MAP][0] + 64 ll\nr0 = 0',
  ];
  for (const type of ['socket_filter', 'sched_cls', 'xdp', 'cgroup_skb', 'kprobe', 'sk_skb']) {
    for (const map of maps) {
      for (const body of bodies) {
        yield withMaps(
          `.type ${type}\nr6 = r1\n${fillStack}\nr2 = r10\nr2 += -4\n${body.replaceAll('MAP', map)}\n${CLOSE}`,
        );
      }
    }
  }
};

const fillStack = Array.from({ length: 11 }, (_, i) => `*(u64 *)(r10 - ${8 * (i + 1)}) = 0`).join(
  '\n',
);

/** Keys: constants within and beyond arrays, spilled in any size, at any place. */
export const keys: Area = function* () {
  const stores = [
    '*(u32 *)(r10 - 4) = K',
    '*(u64 *)(r10 - 8) = K',
    'r1 = K\n*(u32 *)(r10 - 4) = r1',
    'r1 = K\n*(u64 *)(r10 - 8) = r1',
    '*(u16 *)(r10 - 4) = K\n*(u16 *)(r10 - 2) = 0',
    '*(u8 *)(r10 - 4) = K\n*(u8 *)(r10 - 3) = 0\n*(u16 *)(r10 - 2) = 0',
    '*(u64 *)(r10 - 8) = 0\n*(u32 *)(r10 - 4) = K',
    '*(u32 *)(r10 - 8) = K\n*(u32 *)(r10 - 4) = 0',
    'r1 = *(u32 *)(r6 + 0)\n*(u32 *)(r10 - 4) = r1',
    'r1 = *(u32 *)(r6 + 0)\nif r1 > 3 goto out\n*(u32 *)(r10 - 4) = r1',
    'r1 = *(u32 *)(r6 + 0)\nif r1 != 3 goto out\n*(u32 *)(r10 - 4) = r1',
    'r1 = K\n*(u32 *)(r10 - 8) = r1',
  ];
  for (const map of ['several', 'values', 'percpu', 'table', 'small']) {
    for (const store of stores) {
      for (const key of [0, 1, 3, 4, -1]) {
        for (const place of [-4, -8]) {
          for (const test of ['', 'if r0 == 0 goto out']) {
            yield withMaps(
              `.type sched_cls\nr6 = r1\n${store.replaceAll('K', String(key))}\nr2 = r10\nr2 += ${place}\nr1 = map[${map}] ll\ncall bpf_map_lookup_elem\n${test}\nr1 = *(u64 *)(r0 + 0)\n${CLOSE}`,
            );
          }
        }
      }
    }
  }
};

/** One call with one map on one path and another map on the other path. */
export const twoMaps: Area = function* () {
  const pairs = [
    ['several', 'other'],
    ['several', 'small'],
    ['several', 'table'],
    ['several', 'percpu'],
    ['several', 'several'],
    ['table', 'wide'],
    ['programs', 'programs2'],
    ['several', 'readonly'],
    ['outer', 'outerHash'],
    ['several', 'queue'],
  ];
  const calls = [
    'call bpf_map_lookup_elem\nif r0 == 0 goto out\nr1 = *(u64 *)(r0 + 0)',
    'call bpf_map_lookup_elem\nif r0 == 0 goto out\nr1 = *(u64 *)(r0 + 56)',
    'call bpf_map_lookup_elem\nif r0 == 0 goto out\n*(u64 *)(r0 + 0) = 1',
    'r3 = r10\nr3 += -80\nr4 = 0\ncall bpf_map_update_elem',
    'call bpf_map_delete_elem',
    'r2 = func[f]\nr3 = 0\nr4 = 0\ncall bpf_for_each_map_elem',
    'r2 = r1\nr1 = r6\nr3 = 0\ncall bpf_tail_call',
    'r2 = r1\nr1 = r6\nr3 = 1\ncall bpf_tail_call',
    'r3 = *(u64 *)(r10 - 8)\ncall bpf_map_lookup_percpu_elem',
  ];
  for (const [a, b] of pairs) {
    for (const call of calls) {
      const f = call.includes('func[f]') ? '\nf:\nr0 = 0\nexit' : '';
      yield withMaps(
        `.type sched_cls\nr6 = r1\n${fillStack}\nr7 = *(u32 *)(r6 + 0)\nif r7 == 0 goto other\nr1 = map[${a}] ll\ngoto on\nother:\nr1 = map[${b}] ll\non:\nr2 = r10\nr2 += -16\n${call}\n${CLOSE}${f}`,
      );
      yield withMaps(
        `.type sched_cls\nr6 = r1\n${fillStack}\nr7 = *(u32 *)(r6 + 0)\nr1 = map[${a}] ll\n*(u64 *)(r10 - 8) = r1\nif r7 == 0 goto on\nr1 = map[${b}] ll\n*(u64 *)(r10 - 8) = r1\non:\nr1 = *(u64 *)(r10 - 8)\nr2 = r10\nr2 += -16\n${call}\n${CLOSE}${f}`,
      );
    }
    for (const use of [
      'r1 = *(u8 *)(r0 + 0)',
      'r1 = *(u64 *)(r0 + 56)',
      '*(u32 *)(r0 + 0) = 1',
      'lock *(u32 *)(r0 + 0) += r7',
    ]) {
      yield withMaps(
        `.type sched_cls\nr6 = r1\n${fillStack}\nr7 = *(u32 *)(r6 + 0)\nif r7 == 0 goto other\nr0 = map[${a}][0] + 0 ll\ngoto on\nother:\nr0 = map[${b}][0] + 0 ll\non:\n${use}\n${CLOSE}`,
      );
      yield withMaps(
        `.type sched_cls\nr6 = r1\n${fillStack}\nr7 = *(u32 *)(r6 + 0)\nif r7 == 0 goto other\nr0 = map[${a}][0] + 0 ll\ngoto on\nother:\nr0 = r10\nr0 += -64\non:\n${use}\n${CLOSE}`,
      );
      yield withMaps(
        `.type sched_cls\nr6 = r1\n${fillStack}\nr7 = *(u32 *)(r6 + 0)\nif r7 == 0 goto other\nr0 = r6\ngoto on\nother:\nr0 = r10\nr0 += -64\non:\n${use}\n${CLOSE}`,
      );
    }
  }
};
