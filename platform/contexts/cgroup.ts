/**
 * Contexts of cgroup hooks: socket addresses, socket options, sysctls, devices. Members: uapi
 * linux/bpf.h. Views: the running kernel's answers (Linux 6.18), checked by
 * test/platform/kernel.test.ts.
 */

import type { ContextLayout } from '../types.ts';
import {
  elements,
  pointer,
  READ,
  READ_PART,
  READ_PART_WRITE,
  READ_WRITE,
  type Struct,
  view,
  words,
} from './layout.ts';

const SOCK_ADDR: Struct = {
  name: 'bpf_sock_addr',
  sizeBytes: 72,
  members: [
    ...words(0, ['user_family', 'user_ip4', ['user_ip6', 4], 'user_port', 'family', 'type']),
    ...words(36, ['protocol', 'msg_src_ip4', ['msg_src_ip6', 4]]),
    { name: 'sk', offset: 64, sizeBytes: 8 },
  ],
};

const hooks = (family: 4 | 6) => ({
  attachTypes: [
    ...['bind', 'connect', 'getpeername', 'getsockname'].map(
      (hook) => `cgroup_inet${family}_${hook}`,
    ),
    `cgroup_udp${family}_sendmsg`,
    `cgroup_udp${family}_recvmsg`,
  ],
});
const SENDMSG4 = { attachTypes: ['cgroup_udp4_sendmsg'] };
const SENDMSG6 = { attachTypes: ['cgroup_udp6_sendmsg'] };
const IPV6_PAIR = { ...READ_PART_WRITE, wide: 'read-write' } as const;

const SOCKOPT: Struct = {
  name: 'bpf_sockopt',
  sizeBytes: 40,
  members: [
    { name: 'sk', offset: 0, sizeBytes: 8 },
    { name: 'optval', offset: 8, sizeBytes: 8 },
    { name: 'optval_end', offset: 16, sizeBytes: 8 },
    ...words(24, ['level', 'optname', 'optlen', 'retval']),
  ],
};

const GET = { attachTypes: ['cgroup_getsockopt'] };
const REWRITTEN_BY_SET = { ...READ_WRITE, writeAttachTypes: ['cgroup_setsockopt'] };

const SYSCTL: Struct = {
  name: 'bpf_sysctl',
  sizeBytes: 8,
  members: words(0, ['write', 'file_pos']),
};

const DEVICE: Struct = {
  name: 'bpf_cgroup_dev_ctx',
  sizeBytes: 12,
  members: words(0, ['access_type', 'major', 'minor']),
};

export const CGROUP_LAYOUTS: readonly ContextLayout[] = [
  view(SOCK_ADDR, null, {
    user_family: READ,
    user_ip4: { ...READ_PART_WRITE, ...hooks(4) },
    ...elements('user_ip6', 4, { ...READ_PART_WRITE, ...hooks(6) }),
    'user_ip6[0]': { ...IPV6_PAIR, ...hooks(6) },
    'user_ip6[2]': { ...IPV6_PAIR, ...hooks(6) },
    user_port: READ_PART_WRITE,
    family: READ,
    type: READ,
    protocol: READ,
    msg_src_ip4: { ...READ_PART_WRITE, ...SENDMSG4 },
    ...elements('msg_src_ip6', 4, { ...READ_PART_WRITE, ...SENDMSG6 }),
    // The array begins at byte 44: only its middle pair lies on 8 bytes.
    'msg_src_ip6[1]': { ...IPV6_PAIR, ...SENDMSG6 },
    sk: pointer('socket'),
  }),
  view(SOCKOPT, null, {
    sk: pointer('socket'),
    optval: pointer('packet'),
    optval_end: pointer('packet-end'),
    level: REWRITTEN_BY_SET,
    optname: REWRITTEN_BY_SET,
    optlen: READ_WRITE,
    retval: { ...READ_WRITE, ...GET },
  }),
  view(SYSCTL, null, { write: READ_PART, file_pos: READ_PART_WRITE }),
  view(DEVICE, null, { access_type: READ_PART, major: READ, minor: READ }),
];
