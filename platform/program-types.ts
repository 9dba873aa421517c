/**
 * Program types: what r1 points to, what may be returned, what may be done with packet bytes.
 *
 * Sources: enum bpf_prog_type and enum bpf_attach_type (uapi linux/bpf.h), action names from uapi
 * linux/bpf.h, pkt_cls.h and netfilter.h, first releases from bpf(2) and the release notes of
 * kernelnewbies.org; return ranges and attach types as the running kernel (6.18) enforces them,
 * checked by test/platform/kernel.test.ts. `memory` is ringfence's own (embedders' buffers).
 */

import type { ProgramTypeRow, ReturnRule } from './types.ts';

const ZERO: ReturnRule = { min: 0, max: 0 };
const ONE: ReturnRule = { min: 1, max: 1 };
const BOOLEAN: ReturnRule = { min: 0, max: 1 };
const TWO_BITS: ReturnRule = { min: 0, max: 3 };
/** 0 or a negative errno; MAX_ERRNO is 4095. */
const ERRNO: ReturnRule = { min: -4095, max: 0 };

const DEFAULTS = {
  returns: 'any',
  rangeBits: 64,
  returnBits: 32,
  packet: 'none',
  legacyPacketLoads: false,
} as const;

const TC_ACTIONS = {
  [-1]: 'TC_ACT_UNSPEC',
  0: 'TC_ACT_OK',
  1: 'TC_ACT_RECLASSIFY',
  2: 'TC_ACT_SHOT',
  3: 'TC_ACT_PIPE',
  4: 'TC_ACT_STOLEN',
  5: 'TC_ACT_QUEUED',
  6: 'TC_ACT_REPEAT',
  7: 'TC_ACT_REDIRECT',
  8: 'TC_ACT_TRAP',
};
const XDP_ACTIONS = {
  0: 'XDP_ABORTED',
  1: 'XDP_DROP',
  2: 'XDP_PASS',
  3: 'XDP_TX',
  4: 'XDP_REDIRECT',
};
const SK_ACTIONS = { 0: 'SK_DROP', 1: 'SK_PASS' };
const LWT_ACTIONS = { 0: 'BPF_OK', 2: 'BPF_DROP', 7: 'BPF_REDIRECT', 128: 'BPF_LWT_REROUTE' };
const FLOW_ACTIONS = { 0: 'BPF_OK', 2: 'BPF_DROP', 129: 'BPF_FLOW_DISSECTOR_CONTINUE' };
const NETFILTER_ACTIONS = { 0: 'NF_DROP', 1: 'NF_ACCEPT' };

const each = (attachTypes: readonly string[], rule: ReturnRule) =>
  Object.fromEntries(attachTypes.map((attachType) => [attachType, rule]));

const BINDS = ['cgroup_inet4_bind', 'cgroup_inet6_bind'];
/** Hooks that rewrite an address after the fact: they cannot refuse. */
const ADDRESS_REPORTS = [
  'cgroup_udp4_recvmsg',
  'cgroup_udp6_recvmsg',
  'cgroup_unix_recvmsg',
  'cgroup_inet4_getpeername',
  'cgroup_inet6_getpeername',
  'cgroup_unix_getpeername',
  'cgroup_inet4_getsockname',
  'cgroup_inet6_getsockname',
  'cgroup_unix_getsockname',
];
const ADDRESS_HOOKS = [
  ...BINDS,
  'cgroup_inet4_connect',
  'cgroup_inet6_connect',
  'cgroup_unix_connect',
  'cgroup_udp4_sendmsg',
  'cgroup_udp6_sendmsg',
  'cgroup_unix_sendmsg',
  ...ADDRESS_REPORTS,
];

const NETWORK: readonly ProgramTypeRow[] = [
  {
    ...DEFAULTS,
    name: 'socket_filter',
    id: 1,
    since: '3.19',
    context: '__sk_buff/socket_filter',
    kernelContext: 'sk_buff',
    legacyPacketLoads: true,
  },
  {
    ...DEFAULTS,
    name: 'sched_cls',
    id: 3,
    since: '4.1',
    context: '__sk_buff/tc',
    kernelContext: 'sk_buff',
    packet: 'read-write',
    legacyPacketLoads: true,
    actions: TC_ACTIONS,
  },
  {
    ...DEFAULTS,
    name: 'sched_act',
    id: 4,
    since: '4.1',
    context: '__sk_buff/tc',
    kernelContext: 'sk_buff',
    packet: 'read-write',
    legacyPacketLoads: true,
    actions: TC_ACTIONS,
  },
  {
    ...DEFAULTS,
    name: 'xdp',
    id: 6,
    since: '4.8',
    context: 'xdp_md',
    kernelContext: 'xdp_buff',
    packet: 'read-write',
    actions: XDP_ACTIONS,
  },
  {
    ...DEFAULTS,
    name: 'lwt_in',
    id: 10,
    since: '4.10',
    context: '__sk_buff/lwt',
    kernelContext: 'sk_buff',
    packet: 'read',
    actions: LWT_ACTIONS,
  },
  {
    ...DEFAULTS,
    name: 'lwt_out',
    id: 11,
    since: '4.10',
    context: '__sk_buff/lwt',
    kernelContext: 'sk_buff',
    packet: 'read',
    actions: LWT_ACTIONS,
  },
  {
    ...DEFAULTS,
    name: 'lwt_xmit',
    id: 12,
    since: '4.10',
    context: '__sk_buff/lwt',
    kernelContext: 'sk_buff',
    packet: 'read-write',
    actions: LWT_ACTIONS,
  },
  {
    ...DEFAULTS,
    name: 'lwt_seg6local',
    id: 19,
    since: '4.18',
    context: '__sk_buff/lwt',
    kernelContext: 'sk_buff',
    packet: 'read',
    actions: LWT_ACTIONS,
  },
  {
    ...DEFAULTS,
    name: 'flow_dissector',
    id: 22,
    since: '4.20',
    defaultAttachType: 'flow_dissector',
    context: '__sk_buff/flow_dissector',
    kernelContext: 'bpf_flow_dissector',
    packet: 'read',
    actions: FLOW_ACTIONS,
  },
  {
    ...DEFAULTS,
    name: 'netfilter',
    id: 32,
    since: '6.4',
    context: 'bpf_nf_ctx',
    kernelContext: 'bpf_nf_ctx',
    returns: BOOLEAN,
    attachTypes: ['netfilter'],
    defaultAttachType: 'netfilter',
    actions: NETFILTER_ACTIONS,
  },
];

const SOCKET: readonly ProgramTypeRow[] = [
  {
    ...DEFAULTS,
    name: 'sock_ops',
    id: 13,
    since: '4.13',
    defaultAttachType: 'cgroup_sock_ops',
    context: 'bpf_sock_ops',
    kernelContext: 'bpf_sock_ops_kern',
    returns: BOOLEAN,
    packet: 'read',
    packetArguments: false,
  },
  {
    ...DEFAULTS,
    name: 'sk_skb',
    id: 14,
    since: '4.14',
    context: '__sk_buff/sk_skb',
    kernelContext: 'sk_buff',
    packet: 'read-write',
    actions: SK_ACTIONS,
  },
  {
    ...DEFAULTS,
    name: 'sk_msg',
    id: 16,
    since: '4.17',
    defaultAttachType: 'sk_msg_verdict',
    context: 'sk_msg_md',
    kernelContext: 'sk_msg',
    packet: 'read-write',
    actions: SK_ACTIONS,
  },
  {
    ...DEFAULTS,
    name: 'sk_reuseport',
    id: 21,
    since: '4.19',
    context: 'sk_reuseport_md',
    kernelContext: 'sk_reuseport_kern',
    packet: 'read',
    attachTypes: ['sk_reuseport_select', 'sk_reuseport_select_or_migrate'],
    defaultAttachType: 'sk_reuseport_select',
    actions: SK_ACTIONS,
  },
  {
    ...DEFAULTS,
    name: 'sk_lookup',
    id: 30,
    since: '5.9',
    context: 'bpf_sk_lookup',
    kernelContext: 'bpf_sk_lookup_kern',
    returns: BOOLEAN,
    attachTypes: ['sk_lookup'],
    defaultAttachType: 'sk_lookup',
    actions: SK_ACTIONS,
  },
];

const CGROUP: readonly ProgramTypeRow[] = [
  {
    ...DEFAULTS,
    name: 'cgroup_skb',
    id: 8,
    since: '4.10',
    context: '__sk_buff/cgroup_skb',
    kernelContext: 'sk_buff',
    returns: BOOLEAN,
    returnsByAttach: { cgroup_inet_egress: TWO_BITS },
    packet: 'read',
    attachTypes: ['cgroup_inet_ingress', 'cgroup_inet_egress'],
    defaultAttachType: 'cgroup_inet_ingress',
  },
  {
    ...DEFAULTS,
    name: 'cgroup_sock',
    id: 9,
    since: '4.10',
    context: 'bpf_sock/cgroup_sock',
    kernelContext: 'sock',
    returns: BOOLEAN,
    attachTypes: [
      'cgroup_inet_sock_create',
      'cgroup_inet_sock_release',
      'cgroup_inet4_post_bind',
      'cgroup_inet6_post_bind',
    ],
    defaultAttachType: 'cgroup_inet_sock_create',
  },
  {
    ...DEFAULTS,
    name: 'cgroup_device',
    id: 15,
    since: '4.15',
    defaultAttachType: 'cgroup_device',
    context: 'bpf_cgroup_dev_ctx',
    kernelContext: 'bpf_cgroup_dev_ctx',
    returns: BOOLEAN,
  },
  {
    ...DEFAULTS,
    name: 'cgroup_sock_addr',
    id: 18,
    since: '4.17',
    context: 'bpf_sock_addr',
    kernelContext: 'bpf_sock_addr_kern',
    returns: BOOLEAN,
    returnsByAttach: { ...each(BINDS, TWO_BITS), ...each(ADDRESS_REPORTS, ONE) },
    attachTypes: ADDRESS_HOOKS,
  },
  {
    ...DEFAULTS,
    name: 'cgroup_sysctl',
    id: 23,
    since: '5.2',
    defaultAttachType: 'cgroup_sysctl',
    context: 'bpf_sysctl',
    kernelContext: 'bpf_sysctl_kern',
    returns: BOOLEAN,
  },
  {
    ...DEFAULTS,
    name: 'cgroup_sockopt',
    id: 25,
    since: '5.3',
    context: 'bpf_sockopt',
    kernelContext: 'bpf_sockopt_kern',
    returns: BOOLEAN,
    packet: 'read-write',
    packetArguments: true,
    attachTypes: ['cgroup_getsockopt', 'cgroup_setsockopt'],
  },
];

const TRACING: readonly ProgramTypeRow[] = [
  {
    ...DEFAULTS,
    name: 'kprobe',
    id: 2,
    since: '4.1',
    context: 'pt_regs',
    kernelContext: 'pt_regs',
    returnsByAttach: { trace_kprobe_session: BOOLEAN, trace_uprobe_session: BOOLEAN },
  },
  {
    ...DEFAULTS,
    name: 'tracepoint',
    id: 5,
    since: '4.7',
    context: null,
    contextRule: 'tracepoint',
    contextBytes: 8192,
  },
  {
    ...DEFAULTS,
    name: 'perf_event',
    id: 7,
    since: '4.9',
    context: 'bpf_perf_event_data',
    kernelContext: 'bpf_perf_event_data_kern',
  },
  {
    ...DEFAULTS,
    name: 'raw_tracepoint',
    id: 17,
    since: '4.17',
    context: null,
    contextRule: 'raw-words',
    contextBytes: 96,
  },
  {
    ...DEFAULTS,
    name: 'raw_tracepoint_writable',
    id: 24,
    since: '5.2',
    context: null,
    contextRule: 'raw-words',
    contextBytes: 96,
  },
  {
    ...DEFAULTS,
    name: 'tracing',
    id: 26,
    since: '5.5',
    context: null,
    contextRule: 'btf-arguments',
    returns: ZERO,
    returnsByAttach: { trace_raw_tp: 'any', modify_return: 'any', trace_iter: BOOLEAN },
    attachTypes: ['trace_raw_tp', 'trace_fentry', 'trace_fexit', 'modify_return', 'trace_iter'],
  },
  {
    ...DEFAULTS,
    name: 'lsm',
    id: 29,
    since: '5.7',
    context: null,
    contextRule: 'btf-arguments',
    returns: ERRNO,
    returnsByAttach: { lsm_cgroup: BOOLEAN },
    returnsByTarget: { audit_rule_known: BOOLEAN, inode_xattr_skipcap: BOOLEAN },
    rangeBits: 32,
    attachTypes: ['lsm_mac', 'lsm_cgroup'],
  },
];

const OTHER: readonly ProgramTypeRow[] = [
  {
    ...DEFAULTS,
    name: 'lirc_mode2',
    id: 20,
    since: '4.18',
    context: null,
    contextRule: 'buffer',
    contextBytes: 4,
    defaultAttachType: 'lirc_mode2',
  },
  {
    ...DEFAULTS,
    name: 'struct_ops',
    id: 27,
    since: '5.6',
    context: null,
    contextRule: 'btf-struct',
    unsupported: 'its rules come from the kernel structure whose operation it implements',
  },
  {
    ...DEFAULTS,
    name: 'ext',
    id: 28,
    since: '5.6',
    context: null,
    contextRule: 'btf-struct',
    unsupported: 'its rules come from the program that it replaces a function of',
  },
  {
    ...DEFAULTS,
    name: 'syscall',
    id: 31,
    since: '5.14',
    context: null,
    contextRule: 'buffer',
    contextBytes: 65536,
    attachTypes: [],
  },
  {
    ...DEFAULTS,
    name: 'memory',
    id: 0,
    since: '3.19',
    context: null,
    contextRule: 'buffer',
    returnBits: 64,
  },
];

export const PROGRAM_TYPES: readonly ProgramTypeRow[] = [
  ...NETWORK,
  ...SOCKET,
  ...CGROUP,
  ...TRACING,
  ...OTHER,
].sort((a, b) => a.id - b.id);
