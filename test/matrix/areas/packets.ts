/** Packets: every form of comparison with the end, at every distance, before every access. */

import type { Area } from '../compare.ts';
import { withMaps } from './maps.ts';

const HEADS: Readonly<Record<string, string>> = {
  xdp: '.type xdp\nr2 = *(u32 *)(r1 + 0)\nr3 = *(u32 *)(r1 + 4)',
  sched_cls: '.type sched_cls\nr2 = *(u32 *)(r1 + 76)\nr3 = *(u32 *)(r1 + 80)',
  meta: '.type xdp\nr2 = *(u32 *)(r1 + 8)\nr3 = *(u32 *)(r1 + 0)',
};

const CONDITIONS = ['<', '<=', '>', '>=', '==', '!=', 's<', 's>', '&'];

/** r4 is the pointer that is compared. */
function* checks(): Generator<readonly [string, string]> {
  for (const condition of CONDITIONS) {
    for (const [a, b] of [
      ['r4', 'r3'],
      ['r3', 'r4'],
    ]) {
      yield [`if ${a} ${condition} ${b} goto in`, 'taken'];
      yield [`if ${a} ${condition} ${b} goto out`, 'fallen'];
    }
  }
}

export const packetChecks: Area = function* () {
  for (const head of Object.values(HEADS)) {
    for (const moved of [0, 1, 8, -1]) {
      for (const [check, way] of checks()) {
        for (const size of [8, 16, 64]) {
          for (const offset of [0, 1, 7, 8, -1]) {
            const access = `r0 = *(u${size} *)(r2 ${offset < 0 ? '-' : '+'} ${Math.abs(offset)})`;
            const body =
              way === 'taken' ? `${check}\ngoto out\nin:\n${access}` : `${check}\n${access}`;
            yield [head, `r4 = r2\nr4 += ${moved}`, body, 'out:\nr0 = 2\nexit'].join('\n');
          }
        }
      }
    }
  }
};

/** A second comparison of the same pointers, whose outcome the first one may decide. */
export const packetChecksTwice: Area = function* () {
  for (const head of Object.values(HEADS)) {
    for (const moved of [0, 8]) {
      for (const [check, way] of checks()) {
        for (const second of CONDITIONS.slice(0, 6)) {
          for (const [a, b] of [
            ['r4', 'r3'],
            ['r3', 'r4'],
            ['r2', 'r3'],
          ]) {
            const then = `if ${a} ${second} ${b} goto bad\n`;
            const body = way === 'taken' ? `${check}\ngoto out\nin:\n${then}` : `${check}\n${then}`;
            yield [
              head,
              `r4 = r2\nr4 += ${moved}`,
              body,
              'goto out\nbad:\nr0 = *(u8 *)(r2 + 100)\nout:\nr0 = 2\nexit',
            ].join('\n');
          }
        }
      }
    }
  }
};

const INDEXES = [
  'r5 &= 15',
  'r5 &= 0xffff',
  'r5 &= 0x7fff',
  'r5 <<= 1\nr5 &= 0x1fffe',
  'if r5 > 15 goto out',
  'if r5 s> 15 goto out',
  'r5 = 4',
  'r5 = -4',
  'r5 &= 15\nr5 -= 4',
  '',
  'r5 >>= 48',
  'r5 = *(u8 *)(r10 - 8)',
];

/** Offsets that vary, before or after the comparison, copies and spills of the result. */
export const packetOffsets: Area = function* () {
  for (const head of [HEADS.xdp!, HEADS.sched_cls!]) {
    for (const index of INDEXES) {
      for (const order of [
        'r2 += r5\nr4 = r2\nr4 += 8\nif r4 > r3 goto out',
        'r4 = r2\nr4 += 32\nif r4 > r3 goto out\nr2 += r5',
        'r4 = r2\nr4 += r5\nr4 += 8\nif r4 > r3 goto out\nr2 += r5',
        'r4 = r2\nr4 += r5\nr2 = r4\nr2 += 8\nif r2 > r3 goto out\nr2 = r4',
        'r2 += 4\nr2 += r5\nr4 = r2\nr4 += 8\nif r4 > r3 goto out\nr2 -= 4',
        'r5 += r2\nr2 = r5\nr2 += 8\nif r2 > r3 goto out\nr2 = r5',
        'r2 += r5\n*(u64 *)(r10 - 16) = r2\nr4 = r2\nr4 += 8\nif r4 > r3 goto out\nr2 = *(u64 *)(r10 - 16)',
        'r2 += r5\nr4 = r2\nr4 += 8\n*(u64 *)(r10 - 16) = r2\nif r3 < r4 goto out\nr2 = *(u64 *)(r10 - 16)',
        'r2 -= r5\nr4 = r2\nr4 += 8\nif r4 > r3 goto out',
      ]) {
        for (const access of [
          'r0 = *(u8 *)(r2 + 0)',
          'r0 = *(u64 *)(r2 + 0)',
          'r0 = *(u16 *)(r2 + 7)',
          'r0 = *(u8 *)(r2 - 1)',
          'r0 = *(u8 *)(r2 + 24)',
          '*(u32 *)(r2 + 4) = 0',
          'r2 += 4\nr0 = *(u32 *)(r2 + 0)',
          'r2 += -4\nr0 = *(u32 *)(r2 + 4)',
        ]) {
          yield [
            head,
            'r5 = *(u32 *)(r1 + 12)\n*(u64 *)(r10 - 8) = r5',
            index,
            order,
            access,
            'out:\nr0 = 2\nexit',
          ].join('\n');
        }
      }
    }
  }
};

/** What moves the packet: in the program, in a function, on one path only. */
export const packetMoves: Area = function* () {
  const moves: Readonly<Record<string, readonly string[]>> = {
    xdp: [
      'r2 = 0\ncall bpf_xdp_adjust_head',
      'r2 = 0\ncall bpf_xdp_adjust_meta',
      'r2 = 0\ncall bpf_xdp_adjust_tail',
      'call bpf_ktime_get_ns',
      'r2 = 0\nr3 = r10\nr3 += -8\nr4 = 4\ncall bpf_xdp_load_bytes',
      'r2 = 0\nr3 = r10\nr3 += -8\nr4 = 4\ncall bpf_xdp_store_bytes',
      'call bpf_xdp_get_buff_len',
    ],
    sched_cls: [
      'r2 = 0\ncall bpf_skb_pull_data',
      'r2 = 0\nr3 = 0\ncall bpf_skb_change_head',
      'r2 = 0\nr3 = 0\ncall bpf_skb_change_tail',
      'r2 = 0\nr3 = 0\nr4 = 0\ncall bpf_skb_adjust_room',
      'call bpf_skb_vlan_pop',
      'r2 = 0\nr3 = 0\nr4 = 0\nr5 = 2\ncall bpf_l3_csum_replace',
      'r2 = 0\nr3 = 0\nr4 = 0\nr5 = 2\ncall bpf_l4_csum_replace',
      'r2 = 0\nr3 = r10\nr3 += -8\nr4 = 4\nr5 = 0\ncall bpf_skb_store_bytes',
      'r2 = 0\nr3 = r10\nr3 += -8\nr4 = 4\ncall bpf_skb_load_bytes',
      'r2 = 0\ncall bpf_skb_change_type',
      'r2 = 0\nr3 = 0\ncall bpf_skb_change_proto',
      'call bpf_set_hash_invalid',
      'r2 = 0\ncall bpf_csum_level',
    ],
  };
  for (const [type, calls] of Object.entries(moves)) {
    const [data, end] = type === 'xdp' ? [0, 4] : [76, 80];
    const open = `.type ${type}\nr6 = r1\n*(u64 *)(r10 - 8) = 0\nr7 = *(u32 *)(r1 + ${data})\nr8 = *(u32 *)(r1 + ${end})\nr4 = r7\nr4 += 8\nif r4 > r8 goto out`;
    for (const call of calls) {
      for (const use of [
        'r0 = *(u8 *)(r7 + 0)',
        'r0 = *(u8 *)(r6 + 0)',
        'r4 = r7\nr4 += 8\nif r4 > r8 goto out',
        `r7 = *(u32 *)(r6 + ${data})\nr4 = r7\nr4 += 4\nif r4 > r8 goto out\nr0 = *(u8 *)(r7 + 0)`,
        `r7 = *(u32 *)(r6 + ${data})\nr8 = *(u32 *)(r6 + ${end})\nr4 = r7\nr4 += 4\nif r4 > r8 goto out\nr0 = *(u8 *)(r7 + 0)`,
      ]) {
        const exit = 'out:\nr0 = 0\nexit';
        yield [open, `r1 = r6\n${call}`, use, exit].join('\n');
        yield [
          open,
          'r1 = r6\ncall f',
          use,
          `${exit}\nf:\n*(u64 *)(r10 - 8) = 0\n${call}\nr0 = 0\nexit`,
        ].join('\n');
        yield [
          open,
          'r5 = *(u32 *)(r6 + 12)\nif r5 == 0 goto over\nr1 = r6',
          call,
          'over:',
          use,
          exit,
        ].join('\n');
        yield [
          open,
          'r1 = r6\n*(u64 *)(r10 - 16) = r7',
          call,
          'r7 = *(u64 *)(r10 - 16)',
          use,
          exit,
        ].join('\n');
        yield [
          open,
          `r1 = 3\nr2 = func[f]\nr3 = r6\nr4 = 0\ncall bpf_loop\n${use}`,
          `${exit}\nf:\nr1 = r2\n*(u64 *)(r10 - 8) = 0\n${call}\nr0 = 0\nexit`,
        ].join('\n');
      }
    }
  }
};

/** Packets of each program type: which may be read, which written, which given to helpers. */
export const packetTypes: Area = function* () {
  const types: readonly (readonly [string, number, number, string?])[] = [
    ['xdp', 0, 4],
    ['sched_cls', 76, 80],
    ['sched_act', 76, 80],
    ['socket_filter', 76, 80],
    ['cgroup_skb', 76, 80],
    ['lwt_in', 76, 80],
    ['lwt_out', 76, 80],
    ['lwt_xmit', 76, 80],
    ['lwt_seg6local', 76, 80],
    ['sk_skb', 76, 80],
    ['flow_dissector', 76, 80],
    ['sk_reuseport', 0, 8],
    ['sk_msg', 0, 8],
  ];
  for (const [type, data, end] of types) {
    const wide = data === 0 && end === 8 ? 64 : 32;
    const open = `.type ${type}\nr6 = r1\nr2 = *(u${wide} *)(r1 + ${data})\nr3 = *(u${wide} *)(r1 + ${end})\nr4 = r2\nr4 += 16\nif r4 > r3 goto out`;
    for (const use of [
      '',
      'r0 = *(u8 *)(r2 + 0)',
      '*(u8 *)(r2 + 0) = 1',
      'r1 = r2\nr2 = 8\nr3 = 0\nr4 = 0\nr5 = 0\ncall bpf_csum_diff',
      'r1 = map[table] ll\ncall bpf_map_lookup_elem',
      'r3 = r2\nr1 = map[table] ll\nr4 = 0\n*(u32 *)(r10 - 4) = 0\nr2 = r10\nr2 += -4\ncall bpf_map_update_elem',
      'r1 = r2\nr2 = 4\ncall bpf_trace_printk',
      'r1 = r2\nr2 = 8\nr3 = r6\ncall bpf_probe_read_kernel',
      'r2 = r2\nr1 = map[ring] ll\nr3 = 8\nr4 = 0\ncall bpf_ringbuf_output',
      'r4 = r2\nr1 = r6\nr2 = map[events] ll\nr3 = 0\nr5 = 8\ncall bpf_perf_event_output',
      'r1 = 1\nlock *(u32 *)(r2 + 0) += r1',
      'r1 = load_acquire((u32 *)(r2 + 0))',
    ]) {
      for (const result of [0, 1]) {
        yield withMaps([open, use, `out:\nr0 = ${result}\nexit`].join('\n'));
      }
    }
  }
};
