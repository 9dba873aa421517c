/**
 * Helpers on sockets: look-up, conversion, options, sockmaps, TCP, cgroup hooks of sockets and
 * sysctls. Contracts: bpf-helpers(7) and the running kernel's answers (6.18).
 */

import type { HelperRow, Return } from '../types.ts';
import { BTF_TRACING, TC_AND_CGROUP, TC_AND_XDP, TRAFFIC_CONTROL } from './audience.ts';
import {
  ANYTHING,
  BTF_SOCKET,
  bytes,
  CONTEXT,
  kernel,
  MAP,
  MAP_KEY,
  MEMORY,
  MEMORY_INOUT,
  MEMORY_OUT,
  objectOrNull,
  row,
  SCALAR,
  SIZE,
  SIZE_OR_ZERO,
  SOCKET,
} from './contract.ts';

const FOUND: Return = { kind: 'socket', nullable: true, acquires: true };
const LOOKERS = [...TC_AND_CGROUP, 'xdp', 'sk_skb', 'cgroup_sock_addr'];
const TUPLE_LOOKUP = [CONTEXT, MEMORY, SIZE_OR_ZERO, ANYTHING, ANYTHING];
const PACKET = { packetAccess: true } as const;
/** struct iphdr without options, struct ipv6hdr, struct tcphdr without options. */
const IPV4_HEADER = bytes(20);
const IPV6_HEADER = bytes(40);
const TCP_HEADER = bytes(20);

const LOOKUPS: readonly HelperRow[] = [
  row(84, 'sk_lookup_tcp', '4.20', TUPLE_LOOKUP, FOUND, { ...PACKET, programTypes: LOOKERS }),
  row(85, 'sk_lookup_udp', '4.20', TUPLE_LOOKUP, FOUND, { ...PACKET, programTypes: LOOKERS }),
  row(
    99,
    'skc_lookup_tcp',
    '5.2',
    TUPLE_LOOKUP,
    { ...FOUND, kind: 'sock-common' },
    { ...PACKET, programTypes: LOOKERS },
  ),
  row(86, 'sk_release', '4.20', [{ ...BTF_SOCKET, releases: true }], SCALAR, {
    programTypes: [...LOOKERS, 'sk_lookup'],
  }),
  row(
    95,
    'sk_fullsock',
    '5.1',
    [SOCKET],
    { kind: 'socket', nullable: true, sameObject: true },
    {
      programTypes: TC_AND_CGROUP,
    },
  ),
  row(
    96,
    'tcp_sock',
    '5.1',
    [SOCKET],
    { kind: 'tcp-socket', nullable: true, sameObject: true },
    {
      programTypes: [...TC_AND_CGROUP, 'sock_ops', 'cgroup_sockopt'],
    },
  ),
  row(
    98,
    'get_listener_sock',
    '5.1',
    [SOCKET],
    { kind: 'socket', nullable: true },
    {
      programTypes: TC_AND_CGROUP,
    },
  ),
];

/** Where a socket may be looked at as the kernel's own structure. */
const CONVERTERS = {
  privileged: true,
  needsCapBpf: true,
  kernelOnly: true,
  programTypes: [
    'socket_filter',
    ...TC_AND_CGROUP,
    'xdp',
    'lwt_in',
    'lwt_out',
    'lwt_xmit',
    'lwt_seg6local',
    'sock_ops',
    'sk_skb',
    'sk_msg',
    'cgroup_sock_addr',
    'flow_dissector',
    'sk_lookup',
    ...BTF_TRACING,
  ],
};

const converted = (typeName: string): Return => ({ ...objectOrNull(typeName), sameObject: true });

const CONVERSIONS: readonly HelperRow[] = [
  row(136, 'skc_to_tcp6_sock', '5.9', [BTF_SOCKET], converted('tcp6_sock'), CONVERTERS),
  row(137, 'skc_to_tcp_sock', '5.9', [BTF_SOCKET], converted('tcp_sock'), CONVERTERS),
  row(
    138,
    'skc_to_tcp_timewait_sock',
    '5.9',
    [BTF_SOCKET],
    converted('tcp_timewait_sock'),
    CONVERTERS,
  ),
  row(
    139,
    'skc_to_tcp_request_sock',
    '5.9',
    [BTF_SOCKET],
    converted('tcp_request_sock'),
    CONVERTERS,
  ),
  row(140, 'skc_to_udp6_sock', '5.9', [BTF_SOCKET], converted('udp6_sock'), CONVERTERS),
  row(178, 'skc_to_unix_sock', '5.16', [BTF_SOCKET], objectOrNull('unix_sock'), CONVERTERS),
  row(196, 'skc_to_mptcp_sock', '5.19', [SOCKET], converted('mptcp_sock'), CONVERTERS),
];

const OPTION_SETTERS = {
  programTypes: ['sock_ops', 'cgroup_sock_addr', 'cgroup_sockopt', 'lsm'],
  attachTypes: { cgroup_sockopt: ['cgroup_setsockopt'], lsm: ['lsm_cgroup'] },
};
/** Those that name the socket itself where the others name it by their context. */
const BY_SOCKET = ['cgroup_sockopt', 'lsm'];

const OPTIONS: readonly HelperRow[] = [
  row(49, 'setsockopt', '4.13', [CONTEXT, ANYTHING, ANYTHING, MEMORY, SIZE], SCALAR, {
    ...OPTION_SETTERS,
    variants: [
      { programTypes: BY_SOCKET, arguments: [BTF_SOCKET, ANYTHING, ANYTHING, MEMORY, SIZE] },
    ],
  }),
  row(57, 'getsockopt', '4.15', [CONTEXT, ANYTHING, ANYTHING, MEMORY_OUT, SIZE], SCALAR, {
    ...OPTION_SETTERS,
    variants: [
      { programTypes: BY_SOCKET, arguments: [BTF_SOCKET, ANYTHING, ANYTHING, MEMORY_OUT, SIZE] },
    ],
  }),
  row(64, 'bind', '4.17', [CONTEXT, MEMORY, SIZE], SCALAR, {
    programTypes: ['cgroup_sock_addr'],
    attachTypes: { cgroup_sock_addr: ['cgroup_inet4_connect', 'cgroup_inet6_connect'] },
  }),
  row(59, 'sock_ops_cb_flags_set', '4.16', [CONTEXT, ANYTHING], SCALAR, {
    programTypes: ['sock_ops'],
  }),
  row(142, 'load_hdr_opt', '5.10', [CONTEXT, MEMORY_INOUT, SIZE, ANYTHING], SCALAR, {
    programTypes: ['sock_ops'],
  }),
  row(143, 'store_hdr_opt', '5.10', [CONTEXT, MEMORY, SIZE, ANYTHING], SCALAR, {
    programTypes: ['sock_ops'],
    changesPacket: true,
  }),
  row(144, 'reserve_hdr_opt', '5.10', [CONTEXT, ANYTHING, ANYTHING], SCALAR, {
    programTypes: ['sock_ops'],
  }),
];

const IDENTITY: readonly HelperRow[] = [
  row(46, 'get_socket_cookie', '4.12', [CONTEXT], SCALAR, {
    programTypes: [
      'socket_filter',
      ...TC_AND_CGROUP,
      'cgroup_sock',
      'sock_ops',
      'sk_skb',
      'cgroup_sock_addr',
      'sk_reuseport',
      ...BTF_TRACING,
    ],
    variants: [
      {
        programTypes: ['sk_reuseport', ...BTF_TRACING],
        arguments: [{ ...BTF_SOCKET, nullable: true }],
      },
    ],
  }),
  row(47, 'get_socket_uid', '4.12', [CONTEXT], SCALAR, {
    programTypes: ['socket_filter', ...TC_AND_CGROUP, 'sk_skb'],
  }),
  row(122, 'get_netns_cookie', '5.7', [{ ...CONTEXT, nullable: true }], SCALAR, {
    programTypes: [
      'socket_filter',
      ...TC_AND_CGROUP,
      'cgroup_sock',
      'sock_ops',
      'sk_msg',
      'cgroup_sock_addr',
      'cgroup_sockopt',
    ],
  }),
  row(128, 'sk_cgroup_id', '5.8', [BTF_SOCKET], SCALAR, { programTypes: ['cgroup_skb'] }),
  row(129, 'sk_ancestor_cgroup_id', '5.8', [BTF_SOCKET, ANYTHING], SCALAR, {
    programTypes: ['cgroup_skb'],
  }),
];

const SOCKET_MAPS: readonly HelperRow[] = [
  row(52, 'sk_redirect_map', '4.14', [CONTEXT, MAP, ANYTHING, ANYTHING], SCALAR, {
    programTypes: ['sk_skb'],
  }),
  row(53, 'sock_map_update', '4.14', [CONTEXT, MAP, MAP_KEY, ANYTHING], SCALAR, {
    ...PACKET,
    programTypes: ['sock_ops'],
  }),
  row(70, 'sock_hash_update', '4.18', [CONTEXT, MAP, MAP_KEY, ANYTHING], SCALAR, {
    ...PACKET,
    programTypes: ['sock_ops'],
  }),
  row(72, 'sk_redirect_hash', '4.18', [CONTEXT, MAP, MAP_KEY, ANYTHING], SCALAR, {
    programTypes: ['sk_skb'],
  }),
  row(82, 'sk_select_reuseport', '4.19', [CONTEXT, MAP, MAP_KEY, ANYTHING], SCALAR, {
    programTypes: ['sk_reuseport'],
  }),
  row(124, 'sk_assign', '5.7', [CONTEXT, BTF_SOCKET, ANYTHING], SCALAR, {
    programTypes: [...TRAFFIC_CONTROL, 'sk_lookup'],
    variants: [
      {
        programTypes: ['sk_lookup'],
        arguments: [CONTEXT, { kind: 'socket', nullable: true }, ANYTHING],
      },
    ],
  }),
];

const COOKIE = { ...PACKET, programTypes: TC_AND_XDP, gpl: true } as const;

const SYN_COOKIES: readonly HelperRow[] = [
  row(100, 'tcp_check_syncookie', '5.2', [BTF_SOCKET, MEMORY, SIZE, MEMORY, SIZE], SCALAR, COOKIE),
  row(110, 'tcp_gen_syncookie', '5.3', [BTF_SOCKET, MEMORY, SIZE, MEMORY, SIZE], SCALAR, COOKIE),
  row(
    204,
    'tcp_raw_gen_syncookie_ipv4',
    '6.0',
    [IPV4_HEADER, MEMORY, SIZE_OR_ZERO],
    SCALAR,
    COOKIE,
  ),
  row(
    205,
    'tcp_raw_gen_syncookie_ipv6',
    '6.0',
    [IPV6_HEADER, MEMORY, SIZE_OR_ZERO],
    SCALAR,
    COOKIE,
  ),
  row(206, 'tcp_raw_check_syncookie_ipv4', '6.0', [IPV4_HEADER, TCP_HEADER], SCALAR, COOKIE),
  row(207, 'tcp_raw_check_syncookie_ipv6', '6.0', [IPV6_HEADER, TCP_HEADER], SCALAR, COOKIE),
  row(116, 'tcp_send_ack', '5.6', [kernel('tcp_sock'), ANYTHING], SCALAR, {
    programTypes: ['struct_ops'],
    gpl: true,
    kernelOnly: true,
    unsupported: 'only struct_ops programs may call it',
  }),
];

const SYSCTL = { programTypes: ['cgroup_sysctl'] };

const SYSCTLS: readonly HelperRow[] = [
  row(101, 'sysctl_get_name', '5.2', [CONTEXT, MEMORY_OUT, SIZE, ANYTHING], SCALAR, SYSCTL),
  row(102, 'sysctl_get_current_value', '5.2', [CONTEXT, MEMORY_OUT, SIZE], SCALAR, SYSCTL),
  row(103, 'sysctl_get_new_value', '5.2', [CONTEXT, MEMORY_OUT, SIZE], SCALAR, SYSCTL),
  row(104, 'sysctl_set_new_value', '5.2', [CONTEXT, MEMORY, SIZE], SCALAR, SYSCTL),
];

export const SOCKET_HELPERS: readonly HelperRow[] = [
  ...LOOKUPS,
  ...CONVERSIONS,
  ...OPTIONS,
  ...IDENTITY,
  ...SOCKET_MAPS,
  ...SYN_COOKIES,
  ...SYSCTLS,
];
