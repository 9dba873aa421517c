/**
 * Resources: all short sequences of what may be done with one. Most of them break the protocol
 * somewhere, and some keep it in a way that nobody would write by hand.
 */

import type { Area } from '../compare.ts';
import { withMaps } from './maps.ts';

/** All sequences of up to `most` steps, `{}` in a step standing for its place in the sequence. */
function* sequences(steps: readonly string[], most: number): Generator<string> {
  function* extend(text: string, left: number): Generator<string> {
    yield text;
    if (left === 0) return;
    for (const step of steps)
      yield* extend(`${text}\n${step.replaceAll('{}', String(left))}`, left - 1);
  }
  yield* extend('', most);
}

function* programs(
  open: string,
  steps: readonly string[],
  most: number,
  close = 'r0 = 0\nexit',
): Generator<string> {
  for (const text of sequences(steps, most)) yield withMaps(`${open}${text}\n${close}`);
}

export const records: Area = function* () {
  yield* programs(
    '.type sched_cls\nr6 = r1\nr7 = 0\nr8 = 0',
    [
      'r1 = map[ring] ll\nr2 = 16\nr3 = 0\ncall bpf_ringbuf_reserve\nr7 = r0',
      'if r7 == 0 goto +3\n*(u64 *)(r7 + 8) = 1\nr0 = 1\nr0 = 0',
      'if r7 != 0 goto +2\nr0 = 0\nexit',
      'r1 = r7\nr2 = 0\ncall bpf_ringbuf_submit',
      'r1 = r8\nr2 = 0\ncall bpf_ringbuf_discard',
      'r8 = r7',
      'r7 += 8',
      '*(u64 *)(r10 - 8) = r7\nr8 = *(u64 *)(r10 - 8)',
      '*(u64 *)(r7 + 0) = r10',
      'r0 = *(u64 *)(r7 + 16)',
    ],
    4,
  );
};

export const sockets: Area = function* () {
  const tuple = '*(u64 *)(r10 - 16) = 0\n*(u64 *)(r10 - 8) = 0';
  for (const lookup of ['bpf_sk_lookup_tcp', 'bpf_skc_lookup_tcp']) {
    yield* programs(
      `.type sched_cls\nr6 = r1\nr7 = 0\nr8 = 0\n${tuple}`,
      [
        `r1 = r6\nr2 = r10\nr2 += -16\nr3 = 12\nr4 = 0\nr5 = 0\ncall ${lookup}\nr7 = r0`,
        'if r7 != 0 goto +2\nr0 = 0\nexit',
        'r0 = *(u32 *)(r7 + 4)',
        'r1 = r7\ncall bpf_sk_release',
        'r1 = r7\ncall bpf_sk_fullsock\nr8 = r0',
        'r1 = r7\ncall bpf_tcp_sock\nr8 = r0',
        'if r8 == 0 goto +1\nr0 = *(u32 *)(r8 + 0)\nr0 = 0',
        'r1 = r8\ncall bpf_sk_release',
        'if r7 == 0 goto +2\nr1 = r7\ncall bpf_sk_release\nr0 = 0',
      ],
      4,
    );
  }
};

export const iterators: Area = function* () {
  const iterator = 'r1 = r10\nr1 += -8';
  yield* programs(
    '.type sched_cls\n.kfunc bpf_iter_num_new\n.kfunc bpf_iter_num_next\n.kfunc bpf_iter_num_destroy\nr6 = r1\nr7 = 0',
    [
      `${iterator}\nr2 = 0\nr3 = 10\ncall bpf_iter_num_new`,
      `${iterator}\ncall bpf_iter_num_next\nr7 = r0`,
      `${iterator}\ncall bpf_iter_num_destroy`,
      'if r7 == 0 goto +1\nr0 = *(u32 *)(r7 + 0)\nr0 = 0',
      'r0 = *(u32 *)(r7 + 0)',
      '*(u64 *)(r10 - 8) = 0',
      'r0 = *(u64 *)(r10 - 8)',
      'r0 = *(u8 *)(r10 - 16)',
      'r1 = r10\nr1 += -16\ncall bpf_iter_num_next',
    ],
    4,
  );
};

/** Loops over iterators: bodies by where they go and what they change. */
export const iteratorLoops: Area = function* () {
  const open =
    '.type sched_cls\n.kfunc bpf_iter_num_new\n.kfunc bpf_iter_num_next\n.kfunc bpf_iter_num_destroy\nr6 = r1\nr7 = 0\nr8 = 0\nr9 = map[values][0] + 0 ll\n*(u64 *)(r10 - 16) = 0\nr1 = r10\nr1 += -8\nr2 = 0\nr3 = 10\ncall bpf_iter_num_new';
  const next = 'l:\nr1 = r10\nr1 += -8\ncall bpf_iter_num_next\nif r0 == 0 goto e';
  const end = 'e:\nr1 = r10\nr1 += -8\ncall bpf_iter_num_destroy';
  const bodies = [
    '',
    'r7 += 1',
    'r7 = *(u32 *)(r0 + 0)',
    'r7 = *(u32 *)(r0 + 0)\nif r7 > 60 goto e',
    'if r7 > 60 goto e\nr7 += 1',
    'r7 += 1\nif r7 > 60 goto e',
    'r8 = r7\nr7 += 1',
    'r8 = r10',
    'if r8 == 0 goto a\nr7 = 100\na:\nr8 = 1',
    '*(u64 *)(r10 - 16) = r7\nr7 += 1',
    'r7 = *(u64 *)(r10 - 16)\nr7 += 1\n*(u64 *)(r10 - 16) = r7',
    'r7 = *(u32 *)(r6 + 0)',
    'r7 = *(u32 *)(r6 + 0)\nr7 &= 63',
    'r1 = r9\nr1 += r7\nr0 = *(u8 *)(r1 + 0)\nr7 += 1',
    'r1 = r9\nr1 += r7\nr0 = *(u8 *)(r1 + 0)',
    'if r7 > 60 goto e\nr1 = r9\nr1 += r7\nr0 = *(u8 *)(r1 + 0)\nr7 += 1',
    'call bpf_get_prandom_u32\nif r0 == 0 goto e',
    'call bpf_get_prandom_u32\nif r0 == 0 goto l',
    'r7 = 0\ni:\nr7 += 1\nif r7 < 10 goto i',
    '*(u64 *)(r10 - 24) = r6',
    'if r7 == 1 goto a\nr8 = r7\na:\nr7 = 1',
    'exit',
  ];
  const uses = [
    'r0 = 0',
    'r9 += r7\nr0 = *(u8 *)(r9 + 0)\nr0 = 0',
    'r9 += r8\nr0 = *(u8 *)(r9 + 0)\nr0 = 0',
    'r8 = *(u64 *)(r10 - 16)\nr9 += r8\nr0 = *(u8 *)(r9 + 0)\nr0 = 0',
    'r0 = *(u64 *)(r10 - 24)\nr0 = 0',
    'if r7 > 20 goto x\nr9 += r7\nr0 = *(u8 *)(r9 + 0)\nx:\nr0 = 0',
  ];
  for (const first of bodies) {
    for (const second of bodies) {
      if (
        first !== '' &&
        second !== '' &&
        [...first.matchAll(/^\w:/gm)].some(([label]) => second.includes(label!))
      )
        continue;
      for (const use of uses) {
        yield withMaps([open, next, first, second, 'goto l', end, use, 'exit'].join('\n'));
      }
    }
  }
};

export const regions: Area = function* () {
  const kfuncs = [
    'bpf_rcu_read_lock',
    'bpf_rcu_read_unlock',
    'bpf_preempt_disable',
    'bpf_preempt_enable',
    'bpf_local_irq_save',
    'bpf_local_irq_restore',
  ];
  const irq = 'r1 = r10\nr1 += -8';
  const other = 'r1 = r10\nr1 += -16';
  for (const flag of ['', '.flag sleepable\n']) {
    for (const type of flag === '' ? ['sched_cls', 'kprobe'] : ['syscall']) {
      yield* programs(
        `.type ${type}\n${flag}${kfuncs.map((name) => `.kfunc ${name}\n`).join('')}r6 = r1`,
        [
          'call bpf_rcu_read_lock',
          'call bpf_rcu_read_unlock',
          'call bpf_preempt_disable',
          'call bpf_preempt_enable',
          `${irq}\ncall bpf_local_irq_save`,
          `${irq}\ncall bpf_local_irq_restore`,
          `${other}\ncall bpf_local_irq_save`,
          `${other}\ncall bpf_local_irq_restore`,
          'r0 = 0\nif r6 == 0 goto +1\nexit',
          ...(flag === '' ? [] : ['r1 = r10\nr1 += -32\nr2 = 8\nr3 = 0\ncall bpf_copy_from_user']),
        ],
        4,
      );
    }
  }
};

export const dynptrs: Area = function* () {
  const kfuncs = [
    'bpf_dynptr_slice',
    'bpf_dynptr_slice_rdwr',
    'bpf_dynptr_from_skb',
    'bpf_dynptr_size',
    'bpf_dynptr_adjust',
    'bpf_dynptr_clone',
    'bpf_dynptr_is_null',
  ];
  const at = (register: string, offset: number) => `${register} = r10\n${register} += ${offset}`;
  yield* programs(
    `.type sched_cls\n${kfuncs.map((name) => `.kfunc ${name}\n`).join('')}r6 = r1\nr7 = 0\n*(u64 *)(r10 - 64) = 0`,
    [
      `r1 = map[values][0] + 0 ll\nr2 = 16\nr3 = 0\n${at('r4', -16)}\ncall bpf_dynptr_from_mem`,
      `r1 = map[ring] ll\nr2 = 16\nr3 = 0\n${at('r4', -16)}\ncall bpf_ringbuf_reserve_dynptr`,
      `${at('r1', -16)}\nr2 = 0\ncall bpf_ringbuf_submit_dynptr`,
      `${at('r1', -16)}\nr2 = 0\nr3 = 8\ncall bpf_dynptr_data\nr7 = r0`,
      'if r7 == 0 goto +1\nr0 = *(u64 *)(r7 + 0)\nr0 = 0',
      'r0 = *(u8 *)(r7 + 0)',
      `${at('r1', -64)}\nr2 = 8\n${at('r3', -16)}\nr4 = 0\nr5 = 0\ncall bpf_dynptr_read`,
      `r1 = r6\nr2 = 0\n${at('r3', -16)}\ncall bpf_dynptr_from_skb`,
      '*(u64 *)(r10 - 16) = 0',
      '*(u8 *)(r10 - 9) = 0',
      `${at('r1', -16)}\nr2 = 0\n${at('r3', -64)}\nr4 = 8\ncall bpf_dynptr_slice\nr7 = r0`,
      `${at('r1', -16)}\n${at('r2', -32)}\ncall bpf_dynptr_clone`,
      `${at('r1', -32)}\nr2 = 0\nr3 = 8\ncall bpf_dynptr_data\nr7 = r0`,
    ],
    3,
  );
};

/** Results of each program type and attach type, exactly at the ends of their ranges. */
export const results: Area = function* () {
  const types: readonly (readonly [string, readonly string[]])[] = [
    ['socket_filter', ['']],
    ['sched_cls', ['']],
    ['xdp', ['']],
    ['kprobe', ['']],
    ['tracepoint', ['']],
    ['perf_event', ['']],
    ['raw_tracepoint', ['']],
    ['cgroup_skb', ['cgroup_inet_ingress', 'cgroup_inet_egress']],
    [
      'cgroup_sock',
      ['cgroup_inet_sock_create', 'cgroup_inet_sock_release', 'cgroup_inet4_post_bind'],
    ],
    [
      'cgroup_sock_addr',
      [
        'cgroup_inet4_bind',
        'cgroup_inet6_bind',
        'cgroup_inet4_connect',
        'cgroup_udp4_recvmsg',
        'cgroup_udp4_sendmsg',
        'cgroup_inet4_getpeername',
        'cgroup_unix_connect',
      ],
    ],
    ['cgroup_device', ['']],
    ['cgroup_sysctl', ['']],
    ['cgroup_sockopt', ['cgroup_getsockopt', 'cgroup_setsockopt']],
    ['sock_ops', ['']],
    ['sk_skb', ['']],
    ['sk_msg', ['']],
    ['sk_lookup', ['sk_lookup']],
    ['sk_reuseport', ['']],
    ['flow_dissector', ['']],
    ['lwt_in', ['']],
    ['lwt_xmit', ['']],
    ['lwt_seg6local', ['']],
    ['netfilter', ['netfilter']],
    ['syscall', ['']],
  ];
  const values = [
    '-2147483648',
    '-4096',
    '-4095',
    '-1',
    '0',
    '1',
    '2',
    '3',
    '4',
    '5',
    '0x7fffffff',
  ];
  const makers = (value: string) => [
    `r0 = ${value}`,
    `w0 = ${value}`,
    `r0 = *(u64 *)(r10 - 8)\nif r0 != ${value} goto out\nexit\nout:\nr0 = 1`,
    `r0 = *(u64 *)(r10 - 8)\nif w0 != ${value} goto out\nexit\nout:\nr0 = 1`,
    `r0 = *(u64 *)(r10 - 8)\nif r0 s> ${value} goto out\nif r0 s< 0 goto out\nexit\nout:\nr0 = 1`,
    `r0 = *(u64 *)(r10 - 8)\nr0 &= ${value}`,
    `call f\nexit\nf:\nr0 = ${value}`,
  ];
  for (const [type, attaches] of types) {
    for (const attach of attaches) {
      const head = `.type ${type}${attach === '' ? '' : `\n.attach ${attach}`}${type === 'syscall' ? '\n.flag sleepable' : ''}`;
      for (const value of values) {
        for (const maker of makers(value)) yield `${head}\n${maker}\nexit`;
      }
      yield `${head}\nr0 = r1\nexit`;
      yield `${head}\nr0 = r10\nexit`;
      yield `${head}\nexit`;
      yield `${head}\nr0 = 0x100000000 ll\nexit`;
      yield `${head}\nr0 = 0x100000001 ll\nexit`;
      yield `${head}\nr0 = 0xffffffff00000001 ll\nexit`;
    }
  }
};
