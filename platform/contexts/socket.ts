/**
 * Contexts of socket programs, and the sockets that fields and helpers yield. Members: uapi
 * linux/bpf.h. Views: the running kernel's answers to every offset, size and direction (Linux 6.18),
 * checked by test/platform/kernel.test.ts.
 */

import type { ContextLayout } from '../types.ts';
import {
  type Access,
  each,
  elements,
  pointer,
  READ,
  READ_HALVES,
  READ_PART,
  READ_START,
  READ_WRITE,
  SECOND_SOCKET_SLOT,
  type Struct,
  view,
  words,
} from './layout.ts';

const SOCK: Struct = {
  name: 'bpf_sock',
  sizeBytes: 80,
  members: [
    ...words(0, ['bound_dev_if', 'family', 'type', 'protocol', 'mark', 'priority', 'src_ip4']),
    ...words(28, [['src_ip6', 4], 'src_port']),
    { name: 'dst_port', offset: 48, sizeBytes: 2 },
    ...words(52, ['dst_ip4', ['dst_ip6', 4], 'state', 'rx_queue_mapping']),
  ],
};

const REMOTE_END: Readonly<Record<string, Access>> = {
  // Its two bytes and the two bytes of padding behind may be read at once.
  dst_port: { ...READ_PART, wide: 'read' },
  dst_ip4: READ_PART,
  ...elements('dst_ip6', 4, READ_PART),
  state: READ_START,
  rx_queue_mapping: READ_START,
};

/** What request and time-wait sockets have too. */
const SOCK_COMMON: Readonly<Record<string, Access>> = {
  bound_dev_if: READ,
  family: READ_START,
  src_ip4: READ_PART,
  ...elements('src_ip6', 4, READ_PART),
  src_port: READ_START,
  ...REMOTE_END,
};

const CREATE = { attachTypes: ['cgroup_inet_sock_create', 'cgroup_inet_sock_release'] };
const BIND4 = { attachTypes: ['cgroup_inet4_post_bind'] };
const BIND6 = { attachTypes: ['cgroup_inet6_post_bind'] };
const BIND = { attachTypes: [...BIND4.attachTypes, ...BIND6.attachTypes] };

const TCP_WORDS = [
  'snd_cwnd',
  'srtt_us',
  'rtt_min',
  'snd_ssthresh',
  'rcv_nxt',
  'snd_nxt',
  'snd_una',
  'mss_cache',
  'ecn_flags',
  'rate_delivered',
  'rate_interval_us',
  'packets_out',
  'retrans_out',
  'total_retrans',
  'segs_in',
  'data_segs_in',
  'segs_out',
  'data_segs_out',
  'lost_out',
  'sacked_out',
];
const TCP_TOTALS = ['bytes_received', 'bytes_acked'];
const TCP_DELIVERY = ['dsack_dups', 'delivered', 'delivered_ce', 'icsk_retransmits'];

const TCP_SOCK: Struct = {
  name: 'bpf_tcp_sock',
  sizeBytes: 112,
  members: [
    ...words(0, TCP_WORDS),
    { name: 'bytes_received', offset: 80, sizeBytes: 8 },
    { name: 'bytes_acked', offset: 88, sizeBytes: 8 },
    ...words(96, TCP_DELIVERY),
  ],
};

const XDP_SOCK: Struct = { name: 'bpf_xdp_sock', sizeBytes: 4, members: words(0, ['queue_id']) };

/** What a pointer of kind 'sock-common', 'socket', 'tcp-socket' or 'xdp-socket' points to. */
const SOCKETS: readonly ContextLayout[] = [
  view(SOCK, 'sock_common', SOCK_COMMON),
  view(SOCK, null, {
    ...SOCK_COMMON,
    ...each(['type', 'protocol'], READ_START),
    ...each(['mark', 'priority'], READ),
  }),
  view(TCP_SOCK, null, each([...TCP_WORDS, ...TCP_TOTALS, ...TCP_DELIVERY], READ)),
  view(XDP_SOCK, null, { queue_id: READ }),
  view(SOCK, 'cgroup_sock', {
    ...each(['family', 'type', 'protocol'], READ_START),
    ...each(['bound_dev_if', 'mark', 'priority'], { ...READ_WRITE, ...CREATE }),
    src_ip4: { ...READ_PART, ...BIND4 },
    ...elements('src_ip6', 4, { ...READ_PART, ...BIND6 }),
    src_port: { ...READ_START, ...BIND },
    ...REMOTE_END,
  }),
];

const SOCK_OPS_WORDS = [
  'is_fullsock',
  'snd_cwnd',
  'srtt_us',
  'bpf_sock_ops_cb_flags',
  'state',
  'rtt_min',
  'snd_ssthresh',
  'rcv_nxt',
  'snd_nxt',
  'snd_una',
  'mss_cache',
  'ecn_flags',
  'rate_delivered',
  'rate_interval_us',
  'packets_out',
  'retrans_out',
  'total_retrans',
  'segs_in',
  'data_segs_in',
  'segs_out',
  'data_segs_out',
  'lost_out',
  'sacked_out',
  'sk_txhash',
];

/** `args` is the uapi's union with `reply` and `replylong`. */
const SOCK_OPS: Struct = {
  name: 'bpf_sock_ops',
  sizeBytes: 224,
  members: [
    ...words(0, ['op', ['args', 4], 'family', 'remote_ip4', 'local_ip4']),
    ...words(32, [['remote_ip6', 4], ['local_ip6', 4], 'remote_port', 'local_port']),
    ...words(72, SOCK_OPS_WORDS),
    { name: 'bytes_received', offset: 168, sizeBytes: 8 },
    { name: 'bytes_acked', offset: 176, sizeBytes: 8 },
    { name: 'sk', offset: 184, sizeBytes: 8 },
    { name: 'skb_data', offset: 192, sizeBytes: 8 },
    { name: 'skb_data_end', offset: 200, sizeBytes: 8 },
    ...words(208, ['skb_len', 'skb_tcp_flags']),
    { name: 'skb_hwtstamp', offset: 216, sizeBytes: 8 },
  ],
};

const SK_MSG: Struct = {
  name: 'sk_msg_md',
  sizeBytes: 80,
  members: [
    { name: 'data', offset: 0, sizeBytes: 8 },
    { name: 'data_end', offset: 8, sizeBytes: 8 },
    ...words(16, ['family', 'remote_ip4', 'local_ip4', ['remote_ip6', 4], ['local_ip6', 4]]),
    ...words(60, ['remote_port', 'local_port', 'size']),
    { name: 'sk', offset: 72, sizeBytes: 8 },
  ],
};

/** `remote_port` is a __be16 whose padding is readable, as zeros. */
const SK_LOOKUP: Struct = {
  name: 'bpf_sk_lookup',
  sizeBytes: 72,
  members: [
    { name: 'sk', offset: 0, sizeBytes: 8 },
    ...words(8, ['family', 'protocol', 'remote_ip4', ['remote_ip6', 4], 'remote_port']),
    ...words(40, ['local_ip4', ['local_ip6', 4], 'local_port', 'ingress_ifindex']),
  ],
};

const SK_REUSEPORT: Struct = {
  name: 'sk_reuseport_md',
  sizeBytes: 56,
  members: [
    { name: 'data', offset: 0, sizeBytes: 8 },
    { name: 'data_end', offset: 8, sizeBytes: 8 },
    ...words(16, ['len', 'eth_protocol', 'ip_protocol', 'bind_inany', 'hash']),
    { name: 'sk', offset: 40, sizeBytes: 8 },
    { name: 'migrating_sk', offset: 48, sizeBytes: 8 },
  ],
};

/** The two ends of a connection, whole words. */
const ENDS: Readonly<Record<string, Access>> = {
  ...each(['family', 'remote_ip4', 'local_ip4', 'remote_port', 'local_port'], READ),
  ...elements('remote_ip6', 4, READ),
  ...elements('local_ip6', 4, READ),
};

const CONTEXTS: readonly ContextLayout[] = [
  view(SOCK_OPS, null, {
    ...ENDS,
    op: READ,
    ...elements('args', 4, READ),
    'args[0]': READ_WRITE,
    ...each([...SOCK_OPS_WORDS, ...TCP_TOTALS], READ),
    sk_txhash: READ_WRITE,
    sk: pointer('socket', { nullable: true }),
    skb_data: pointer('packet'),
    skb_data_end: pointer('packet-end'),
    skb_len: READ,
    skb_tcp_flags: READ_START,
    skb_hwtstamp: READ,
  }),
  view(SK_MSG, null, {
    ...ENDS,
    data: pointer('packet'),
    data_end: pointer('packet-end'),
    size: READ,
    sk: pointer('socket'),
  }),
  view(SK_LOOKUP, null, {
    sk: pointer('socket', { nullable: true }),
    ...each(['family', 'protocol', 'remote_ip4', 'remote_port', 'local_ip4'], READ_PART),
    ...elements('remote_ip6', 4, READ_PART),
    ...elements('local_ip6', 4, READ_PART),
    ...each(['local_port', 'ingress_ifindex'], READ_PART),
  }),
  view(SK_REUSEPORT, null, {
    data: pointer('packet'),
    data_end: pointer('packet-end'),
    ...each(['len', 'ip_protocol', 'bind_inany'], READ_PART),
    eth_protocol: READ_HALVES,
    hash: READ,
    sk: pointer('socket'),
    migrating_sk: pointer('sock-common', { nullable: true, pointerSlot: SECOND_SOCKET_SLOT }),
  }),
];

export const SOCKET_LAYOUTS: readonly ContextLayout[] = [...SOCKETS, ...CONTEXTS];
